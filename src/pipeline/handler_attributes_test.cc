// SPDX-License-Identifier: Apache-2.0
//
// What the library says of payload and headers: attributes in callbacks and of flows, conditions,
// protocols that its user adds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/handler_feed.h"
#include "weir/attribute_block.h"
#include "weir/byte_reader.h"
#include "weir/handler.h"
#include "weir/standard_catalog.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;

// The texts of an attribute's events, one client talking DNS to one server.
struct Listener {
  explicit Listener(const HandlerOptions& options = {}) : handler(options) {}
  bool listen(std::string_view name, std::string_view condition = {}) {
    return handler.on_attribute(
        name,
        [this](const AttributeEvent& event) {
          texts.push_back(std::string(event.field.name) + "=" + event.text());
        },
        condition, &error);
  }
  void converse() {
    feed(handler, 0, from_client().payload(dns_query("a.example")));
    feed(handler, 1, from_server().payload(dns_answer("a.example", 2)));
    feed(handler, 2, from_client().payload(dns_query("b.example")));
    feed(handler, 3, from_server().payload(dns_refusal("b.example")));
    handler.finish();
  }

  Handler handler;
  Texts texts;
  std::string error;
};

// --- Subscriptions ---

TEST(HandlerAttributes, EveryValueOfEveryMessageIsAnEvent) {
  Listener listener;
  ASSERT_TRUE(listener.listen("dns.rcode"));
  ASSERT_TRUE(listener.listen("dns.resolved_ip"));
  listener.converse();
  EXPECT_EQ(listener.texts, (Texts{"dns.rcode=NOERROR", "dns.resolved_ip=192.0.2.80",
                                   "dns.resolved_ip=192.0.2.81", "dns.rcode=NXDOMAIN"}));
}

TEST(HandlerAttributes, SeveralCallbacksOfOneAttributeComeInTheOrderTheyWereSet) {
  Handler handler;
  Texts calls;
  for (const std::string name : {"first", "second", "third"}) {
    handler.on_attribute("tls.sni", [&calls, name](const AttributeEvent&) {
      calls.push_back(name);
      return name == "second" ? Answer::kStopPacket : Answer::kContinue;
    });
  }
  feed(handler, 0, hello_packet("a.example"));
  EXPECT_EQ(calls, (Texts{"first", "second"}));
}

TEST(HandlerAttributes, MayBeAskedForByNumber) {
  Handler handler;
  const uint16_t number = handler.catalog().find("tls.sni")->attribute;
  Texts texts;
  ASSERT_TRUE(handler.on_attribute(
      number, [&](const AttributeEvent& event) { texts.push_back(event.text()); }));
  feed(handler, 0, hello_packet("a.example"));
  EXPECT_EQ(texts, Texts{"a.example"});
  std::string error;
  EXPECT_FALSE(handler.on_attribute(
      handler.catalog().attribute_count(), [](const AttributeEvent&) {}, {}, &error));
  EXPECT_THAT(error, HasSubstr("expected the number of an attribute"));
}

TEST(HandlerAttributes, AnEventSaysWhoWhenAndOfWhat) {
  Handler handler;
  int count = 0;
  handler.on_attribute("dns.rcode", [&](const AttributeEvent& event) {
    ++count;
    EXPECT_EQ(event.side, Side::kResponder);
    EXPECT_EQ(event.ts_ns, kFeedStartNs + 1'000'000'000);
    EXPECT_EQ(event.index, 2u);
    ASSERT_NE(event.flow, nullptr);
    EXPECT_EQ(event.flow->text("src_port"), "40000");
    EXPECT_EQ(event.flow->record().dst.total.packets, 1u);
    EXPECT_EQ(event.value.kind, ValueKind::kText);
    Value query;
    find_attribute(*event.catalog.find("dns.query"), event.message, query);
    std::string name;
    append_text(name, event.catalog, query);
    EXPECT_EQ(name, "a.example") << "what else the message says";
  });
  feed(handler, 0, from_client().payload(dns_query("a.example")));
  feed(handler, 1, from_server().payload(dns_answer("a.example")));
  EXPECT_EQ(count, 1);
}

TEST(HandlerAttributes, AreTextAsItWasSentAndJsonThatIsSafeToPrint) {
  Handler handler;
  Texts texts;
  handler.on_attribute("tls.sni", [&](const AttributeEvent& event) {
    texts = {event.text(), event.json()};
  });
  feed(handler, 0, hello_packet("a\x1b[2Jb"));
  EXPECT_EQ(texts, (Texts{"a\x1b[2Jb", "\"a\\u001b[2Jb\""}));
}

TEST(HandlerAttributes, TheMembersOfAnObjectCanBeWalked) {
  Handler handler;
  Texts members;
  handler.on_attribute("dns.answers", [&](const AttributeEvent& event) {
    Value rest = event.value;
    Value member;
    const Field* field = nullptr;
    while (next_element(event.catalog, rest, field, member)) {
      std::string text;
      append_text(text, event.catalog, member);
      members.push_back(std::string(field->name) + "=" + text);
    }
  });
  feed(handler, 0, from_client().payload(dns_query("a.example")));
  feed(handler, 1, from_server().payload(dns_answer("a.example")));
  EXPECT_EQ(members, (Texts{"dns.answers.name=a.example", "dns.answers.type=A",
                            "dns.answers.ttl=300", "dns.answers.data=192.0.2.80"}));
}

TEST(HandlerAttributes, AnUnknownNameIsRefusedWithTheNearest) {
  Listener listener;
  EXPECT_FALSE(listener.listen("tls.snii"));
  EXPECT_EQ(listener.error, "\"tls.snii\": expected an attribute (did you mean \"tls.sni\"?)");
  EXPECT_FALSE(listener.listen("zebra crossing"));
  EXPECT_EQ(listener.error, "\"zebra crossing\": expected an attribute");
  EXPECT_FALSE(listener.listen("src_ip"));
  EXPECT_EQ(listener.error, "\"src_ip\": expected an attribute, this is a field of flows");
  EXPECT_FALSE(listener.listen("dns.answers.data"));
  EXPECT_EQ(listener.error,
            "\"dns.answers.data\": expected a whole attribute, this is a part of \"dns.answers\"");
  EXPECT_FALSE(listener.handler.on_attribute("tls.snii", [](const AttributeEvent&) {}))
      << "also when nobody wants to know why";
}

// --- Conditions ---

TEST(HandlerConditions, AreAskedOfTheMessageAndOfTheFlow) {
  Listener listener;
  ASSERT_TRUE(listener.listen("dns.query", "dst_port == 53 and dns.rcode != NOERROR"))
      << listener.error;
  listener.converse();
  EXPECT_EQ(listener.texts, Texts{"dns.query=b.example"}) << "of the refusal alone";
}

TEST(HandlerConditions, SeeTheFlowAsItIsThen) {
  Listener listener;
  ASSERT_TRUE(listener.listen("dns.query", "src_packets == 2")) << listener.error;
  listener.converse();
  EXPECT_EQ(listener.texts, (Texts{"dns.query=b.example", "dns.query=b.example"}));
}

TEST(HandlerConditions, OverAPartOfAnObjectHold) {
  Listener listener;
  ASSERT_TRUE(listener.listen("dns.query", "dns.answers.data == \"192.0.2.81\"")) << listener.error;
  listener.converse();
  EXPECT_EQ(listener.texts, Texts{"dns.query=a.example"});
}

TEST(HandlerConditions, AskOtherProtocolsOfTheFlow) {
  Listener listener;
  ASSERT_TRUE(listener.listen("udp.length", "dns.rcode == NXDOMAIN")) << listener.error;
  listener.converse();
  EXPECT_EQ(listener.texts.size(), 1u) << "the header fields of the refusal";
}

TEST(HandlerConditions, AWrongOneIsRefusedWithItsColumn) {
  Listener listener;
  EXPECT_FALSE(listener.listen("dns.query", "dst_port == 53 and dns.rcod == x"));
  EXPECT_THAT(listener.error, HasSubstr("column 20: unknown field \"dns.rcod\""));
  EXPECT_FALSE(listener.listen("dns.query", "dst_port contains 5"));
  EXPECT_THAT(listener.error, HasSubstr("column 10: "));
  listener.converse();
  EXPECT_EQ(listener.texts, Texts{}) << "what is refused is not subscribed";
}

// --- What flows keep ---

TEST(HandlerFlows, SayTheirAttributesAtAnyTime) {
  Handler handler;
  Texts seen;
  const auto note = [&](const Flow& flow) {
    seen.push_back(flow.attribute("dns.query").value_or("-") + " " +
                   flow.attribute("dns.rcode").value_or("-"));
  };
  handler.on_flow_start(note);
  handler.on_packet([&](const PacketEvent& packet) { note(*packet.flow); });
  handler.on_flow_end(note);
  feed(handler, 0, from_client().payload(dns_query("a.example")));
  feed(handler, 1, from_server().payload(dns_answer("a.example")));
  handler.finish();
  EXPECT_EQ(seen, (Texts{"a.example -", "a.example -", "a.example NOERROR", "a.example NOERROR"}));
}

TEST(HandlerFlows, KeepOnlyWhatIsSubscribedIfToldSo) {
  Listener listener({.keeps_attributes = KeptAttributes::kSubscribed});
  ASSERT_TRUE(listener.listen("dns.query", "dns.rcode == NXDOMAIN"));
  std::string json;
  listener.handler.on_flow_end([&](const Flow& flow) {
    json = flow.json();
    EXPECT_TRUE(flow.attribute("dns.query").has_value());
    EXPECT_TRUE(flow.attribute("dns.rcode").has_value()) << "the condition asks for it";
    EXPECT_FALSE(flow.attribute("dns.query_type").has_value());
    EXPECT_FALSE(flow.attribute("dns.answers").has_value());
    EXPECT_EQ(flow.text("app"), "dns");
  });
  listener.converse();
  EXPECT_THAT(json, HasSubstr("\"dns\":{\"query\":"));
  EXPECT_THAT(json, testing::Not(HasSubstr("query_type")));
}

// What is left out was not found out either: a fingerprint costs more than all else of a handshake.
TEST(HandlerFlows, AndSoDoMessages) {
  for (const KeptAttributes kept : {KeptAttributes::kAll, KeptAttributes::kSubscribed}) {
    Handler handler({.keeps_attributes = kept});
    int event_count = 0;
    const auto check = [&](const AttributeEvent& event) {
      ++event_count;
      Value version, fingerprint;
      find_attribute(*event.catalog.find("tls.record_version"), event.message, version);
      find_attribute(*event.catalog.find("tls.ja4"), event.message, fingerprint);
      EXPECT_EQ(version.kind, ValueKind::kText);
      EXPECT_EQ(fingerprint.kind == ValueKind::kAbsent, kept == KeptAttributes::kSubscribed);
    };
    handler.on_attribute("tls.sni", check);
    handler.on_attribute("tls.record_version", [](const AttributeEvent&) {});
    feed(handler, 0, hello_packet("a.example"));
    EXPECT_EQ(event_count, 1);
  }
}

TEST(HandlerFlows, KeepNothingWhenNobodySubscribes) {
  Handler handler({.keeps_attributes = KeptAttributes::kSubscribed});
  size_t size = 1;
  handler.on_flow_end([&](const Flow& flow) { size = flow.record().attributes.span().size(); });
  feed(handler, 0, hello_packet("a.example"));
  handler.finish();
  EXPECT_EQ(size, 0u);
}

TEST(HandlerFlows, HaveNeitherAppNorAttributesWhenPayloadIsNotLookedInto) {
  Listener listener({.looks_into_payload = false});
  EXPECT_FALSE(listener.listen("dns.query"));
  EXPECT_EQ(listener.error,
            "\"dns.query\": expected a header field, as payload is not looked into");
  EXPECT_TRUE(listener.listen("ip.ttl"));
  std::string app;
  listener.handler.on_flow_end([&](const Flow& flow) {
    app = flow.text("app");
    EXPECT_EQ(flow.attribute("dns.query"), std::nullopt);
    EXPECT_TRUE(flow.record().attributes.span().empty());
  });
  listener.converse();
  EXPECT_EQ(app, "unknown");
  EXPECT_EQ(listener.texts, (Texts{"ip.ttl=64", "ip.ttl=55", "ip.ttl=64", "ip.ttl=55"}));
  EXPECT_EQ(listener.handler.statistics().dpi.inspected_flows, 0u);
}

TEST(HandlerFlows, GuessByPortOnlyIfToldSo) {
  for (const bool guesses : {true, false}) {
    Handler handler({.guesses_by_port = guesses});
    std::string app;
    handler.on_flow_end([&](const Flow& flow) { app = flow.text("app"); });
    feed(handler, 0, from_client().payload("?"));
    handler.finish();
    EXPECT_EQ(app, guesses ? "dns" : "unknown");
  }
}

// --- Header fields ---

TEST(HandlerHeaders, AreEventsOfEveryPacket) {
  Listener listener;
  ASSERT_TRUE(listener.listen("frame.number"));
  ASSERT_TRUE(listener.listen("tcp.window"));
  feed(listener.handler, 0, from_client().payload("x"));
  feed(listener.handler, 0, hello_packet("a.example"));
  EXPECT_EQ(listener.texts, (Texts{"frame.number=1", "frame.number=2", "tcp.window=4242"}));
}

TEST(HandlerHeaders, HaveTheSideOfTheirSender) {
  Handler handler;
  std::vector<Side> sides;
  handler.on_attribute("ip.ttl", [&](const AttributeEvent& event) { sides.push_back(event.side); });
  feed(handler, 0, from_client().payload("x"));
  feed(handler, 1, from_server().payload("x"));
  feed(handler, 2, from_client().payload("x"));
  EXPECT_EQ(sides, (std::vector<Side>{Side::kInitiator, Side::kResponder, Side::kInitiator}));
}

TEST(HandlerHeaders, AreThereForFramesWithoutAFlow) {
  Handler handler;
  Texts texts;
  handler.on_attribute("eth.src", [&](const AttributeEvent& event) {
    texts.push_back(event.text());
    EXPECT_EQ(event.flow, nullptr);
  });
  const Verdict verdict =
      feed(handler, 0, ethernet().ipv4("192.0.2.1", "192.0.2.2").ip_protocol(17));
  EXPECT_EQ(verdict, Verdict::kErrorTruncated);
  EXPECT_EQ(texts, Texts{kMacA});
}

TEST(HandlerHeaders, SayTheOuterAndTheInnerPacketOfATunnel) {
  Listener listener;
  for (const std::string_view name : {"ip.src", "ip.ttl", "outer.ip_src", "vxlan.vni"})
    ASSERT_TRUE(listener.listen(name)) << listener.error;
  feed(listener.handler, 0,
       ethernet()
           .ipv4("198.51.100.1", "198.51.100.2", {.ttl = 9})
           .udp(5000, 4789)
           .vxlan(77)
           .ethernet()
           .ipv4("192.0.2.1", "192.0.2.2", {.ttl = 33})
           .udp(1, 2)
           .payload("x"));
  EXPECT_THAT(listener.texts,
              testing::UnorderedElementsAre("ip.src=192.0.2.1", "ip.ttl=33",
                                            "outer.ip_src=198.51.100.1", "vxlan.vni=77"));
}

TEST(HandlerHeaders, MayBeConditionsOfMessagesAndBeConditionedByFlows) {
  Listener listener;
  ASSERT_TRUE(listener.listen("dns.type", "ip.ttl == 55")) << listener.error;
  ASSERT_TRUE(listener.listen("udp.length", "src_packets > 1")) << listener.error;
  listener.converse();
  EXPECT_EQ(listener.texts,
            (Texts{"dns.type=response", "udp.length=35", "udp.length=35", "dns.type=response"}));
}

TEST(HandlerHeaders, AreNotKeptByFlows) {
  Handler handler;
  int event_count = 0;
  handler.on_attribute("ip.ttl", [&](const AttributeEvent&) { ++event_count; });
  handler.on_flow_end([&](const Flow& flow) { EXPECT_EQ(flow.attribute("ip.ttl"), std::nullopt); });
  feed(handler, 0, from_client().payload("x"));
  handler.finish();
  EXPECT_EQ(event_count, 1);
}

// --- Protocols of one's own ---

// "KNOCK who\n", over UDP.
enum : uint8_t { kWho, kKnockCount };
constexpr Attribute kKnockAttributes[] = {
    {"knock.who", FieldType::kString, kWho, Keep::kList, "Who knocks."},
    {"knock.count", FieldType::kU32, kKnockCount, Keep::kCount, "How often."},
};
constexpr uint16_t kKnockPorts[] = {7777};
constexpr std::string_view kKnockWord = "KNOCK ";

bool begins_with_knock(ByteReader& reader) {
  for (const char letter : kKnockWord) {
    if (reader.u8() != static_cast<uint8_t>(letter)) return false;
  }
  return reader.ok();
}
Probe probe_knock(const Payload& payload) {
  ByteReader reader(payload.bytes);
  return begins_with_knock(reader) ? Probe::yes() : Probe::no();
}
Parse parse_knock(Context& context, const Payload& payload) {
  ByteReader reader(payload.bytes);
  if (!begins_with_knock(reader)) return Parse::error("no_knock");
  context.set(kWho, reader.bytes(reader.remaining()));
  context.set(kKnockCount, 1u);
  context.end_message();
  return Parse::next();
}
constexpr Protocol kKnock = {.name = "knock",
                             .help = "Somebody knocks.",
                             .transports = kOverUdp,
                             .ports = kKnockPorts,
                             .attributes = kKnockAttributes,
                             .first_bytes = "K",
                             .probe = probe_knock,
                             .parse = parse_knock,
                             .every_message = true};

std::shared_ptr<const Catalog> knock_catalog() {
  return std::make_shared<const Catalog>(standard_catalog().add(kKnock).freeze());
}

TEST(HandlerProtocol, ClassifiesExtractsAndIsInJsonAndStatistics) {
  Handler handler({}, knock_catalog());
  Texts texts;
  std::string error;
  ASSERT_TRUE(handler.on_attribute(
      "knock.who", [&](const AttributeEvent& event) { texts.push_back(event.text()); },
      "app == knock and knock.who != fox", &error))
      << error;
  std::string json;
  handler.on_flow_end([&](const Flow& flow) { json = flow.json(); });
  for (const std::string_view who : {"bear", "fox", "wolf"})
    feed(handler, 0, from_client(40000, 9999).payload("KNOCK " + std::string(who)));
  feed(handler, 0, from_server(40000, 9999).payload("hello"));
  handler.finish();
  EXPECT_EQ(texts, (Texts{"bear", "wolf"}));
  EXPECT_THAT(json, HasSubstr("\"app\":\"knock\""));
  EXPECT_THAT(json, HasSubstr("\"knock\":{\"who\":[\"bear\",\"fox\",\"wolf\"],\"count\":3}"));
  EXPECT_EQ(handler.paths().find("eth.ip.udp.knock")->total.packets, 4u);
  EXPECT_EQ(handler.paths().find("eth.ip.udp.knock")->total.flows, 1u);
  const Statistics statistics = handler.statistics();
  ASSERT_EQ(statistics.dpi.error_count, 1u);
  EXPECT_EQ(statistics.dpi.errors[0].protocol, "knock");
  EXPECT_EQ(statistics.dpi.errors[0].reason, "no_knock");
}

TEST(HandlerProtocol, LeavesAbsentWhatItDoesNotFindWhichDiffersFromEmpty) {
  Handler handler({}, knock_catalog());
  int count = 0;
  handler.on_flow_end([&](const Flow& flow) {
    ++count;
    EXPECT_EQ(flow.attribute("knock.who"), "");
    EXPECT_EQ(flow.attribute("dns.rcode"), std::nullopt);
    EXPECT_EQ(flow.attribute("no.such"), std::nullopt);
    EXPECT_EQ(flow.text("dns.rcode"), "");
    EXPECT_EQ(flow.text("no.such"), "");
    EXPECT_EQ(flow.attribute("src_ip"), kClientAddress) << "a field as well";
    Value value;
    EXPECT_TRUE(flow.value("knock.count", value));
    EXPECT_EQ(value.kind, ValueKind::kUnsigned);
    EXPECT_EQ(value.number, 1u);
    EXPECT_FALSE(flow.value("dns.rcode", value));
    EXPECT_FALSE(flow.value("no.such", value));
  });
  feed(handler, 0, from_client(40000, 9999).payload("KNOCK "));
  handler.finish();
  EXPECT_EQ(count, 1);
}

TEST(HandlerProtocol, LeavesTheOthersAsTheyAre) {
  Handler handler({}, knock_catalog());
  std::string name;
  handler.on_attribute("tls.sni", [&](const AttributeEvent& event) { name = event.text(); });
  feed(handler, 0, hello_packet("a.example"));
  EXPECT_EQ(name, "a.example");
}

TEST(HandlerProtocol, IsUnknownToHandlersOfAnotherCatalogue) {
  Handler handler;
  std::string error;
  EXPECT_FALSE(handler.on_attribute(
      "knock.who", [](const AttributeEvent&) {}, {}, &error));
  EXPECT_THAT(error, HasSubstr("\"knock.who\": expected an attribute"));
}

TEST(HandlerProtocol, AloneInACatalogueIsAllThereIs) {
  const auto catalog = std::make_shared<const Catalog>(CatalogBuilder().add(kKnock).freeze());
  Handler handler({}, catalog);
  Texts texts;
  handler.on_attribute("knock.who",
                       [&](const AttributeEvent& event) { texts.push_back(event.text()); });
  feed(handler, 0, from_client(40000, 9999).payload("KNOCK bear"));
  feed(handler, 0, hello_packet("a.example"));
  handler.finish();
  EXPECT_EQ(texts, Texts{"bear"});
  EXPECT_EQ(handler.statistics().dpi.classified_flows, 1u);
}

}  // namespace
}  // namespace weir::test

// SPDX-License-Identifier: Apache-2.0
//
// Packet fields of literal packets, and of every truncation of tunnelled ones.
#include "dpi/packet_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "dpi/attribute_store.h"
#include "dpi/packet_headers.h"
#include "tests/support/decoded_packet.h"
#include "tests/support/inner_packets.h"
#include "tests/support/packet_builder.h"
#include "weir/attribute_block.h"

namespace weir {
namespace {

using test::Bytes;
using test::decode;
using test::decode_frame;
using test::Decoded;
using test::ethernet;
using test::frame_of;
using test::outer_ip;
using test::outer_udp;
using test::PacketBuilder;
using test::question;
using test::question6;
using test::raw;

constexpr const char* kInnerMacA = "02:00:00:00:00:1a";
constexpr const char* kInnerMacB = "02:00:00:00:00:1b";

// A protocol of somebody else's in front, so that the numbers do not begin with 0.
constexpr Attribute kForeignRows[] = {
    {"foreign.name", FieldType::kString, 0, Keep::kFirst, "A name."},
    {"foreign.size", FieldType::kU32, 1, Keep::kFirst, "A size."},
};
constexpr Protocol kForeign{
    .name = "foreign", .help = "No header of a packet.", .attributes = kForeignRows};

const Catalog& catalog() {
  static const Catalog built = [] {
    CatalogBuilder builder;
    builder.add(kForeign);
    for (const Protocol* protocol : packet_protocols()) builder.add(*protocol);
    return builder.freeze();
  }();
  return built;
}

std::vector<uint16_t> every_number() {
  std::vector<uint16_t> numbers;
  for (uint16_t number = 0; number < catalog().attribute_count(); ++number)
    numbers.push_back(number);
  return numbers;
}

const PacketFields& every_field() {
  static const PacketFields fields(catalog(), every_number());
  return fields;
}

using Texts = std::map<std::string, std::string, std::less<>>;

// What is visited as text, list values with spaces between.
Texts texts_of(const Packet& packet, const PacketFields& fields = every_field(),
               std::string_view interface = {}) {
  Texts texts;
  uint16_t last = 0;
  auto visit = [&](uint16_t number, std::span<const uint8_t> bytes) {
    EXPECT_LE(last, number) << "numbers fall";
    const Field& field = *catalog().attribute(number);
    EXPECT_TRUE(number != last || field.is_list() || texts.empty()) << field.name << " twice";
    last = number;
    EXPECT_LE(bytes.size(), kAttributeSizeMax);
    Value value;
    decode_attribute(field, {number, bytes}, value);
    EXPECT_NE(value.kind, ValueKind::kAbsent) << field.name;
    std::string& text = texts[std::string(field.name)];
    if (!text.empty()) text += ' ';
    append_text(text, value);
  };
  fields.extract(packet, interface, visit);
  return texts;
}

Texts texts_of(const PacketBuilder& builder, const DecodeOptions& options = {}) {
  return texts_of(decode(builder, options).packet);
}

// Only those whose names begin so.
Texts part(const Texts& texts, std::string_view begin) {
  Texts result;
  for (const auto& [name, text] : texts) {
    if (name.starts_with(begin)) result.emplace(name, text);
  }
  return result;
}

PacketFields fields_named(std::initializer_list<std::string_view> names) {
  std::vector<uint16_t> numbers;
  for (const std::string_view name : names) numbers.push_back(catalog().find(name)->attribute);
  return {catalog(), numbers};
}

const Bytes kUsualOptions = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 1, 2, 0, 0, 0, 7, 1, 3, 3, 7};

TEST(PacketFields, OfATcpSegment) {
  const Texts texts = texts_of(
      ethernet()
          .ipv4("10.0.0.1", "10.0.0.2", {.id = 0x1234, .dont_fragment = true, .ttl = 57})
          .tcp(
              1234, 80,
              {.flags = 0xc2, .seq = 0xfffffff0, .ack = 9, .window = 512, .options = kUsualOptions})
          .payload("abc"));
  EXPECT_EQ(part(texts, "eth."),
            (Texts{{"eth.src", test::kMacA}, {"eth.dst", test::kMacB}, {"eth.type", "2048"}}));
  EXPECT_EQ(part(texts, "ip."), (Texts{{"ip.version", "4"},
                                       {"ip.src", "10.0.0.1"},
                                       {"ip.dst", "10.0.0.2"},
                                       {"ip.ttl", "57"},
                                       {"ip.dscp", "0"},
                                       {"ip.ecn", "0"},
                                       {"ip.length", "63"},
                                       {"ip.protocol", "6"},
                                       {"ip.id", "4660"},
                                       {"ip.dont_fragment", "true"},
                                       {"ip.more_fragments", "false"},
                                       {"ip.fragment_offset", "0"},
                                       {"ip.header_length", "20"},
                                       {"ip.has_options", "false"},
                                       {"ip.checksum", texts.at("ip.checksum")}}));
  EXPECT_EQ(part(texts, "tcp."), (Texts{{"tcp.src_port", "1234"},
                                        {"tcp.dst_port", "80"},
                                        {"tcp.seq", "4294967280"},
                                        {"tcp.ack", "9"},
                                        {"tcp.flags", "SEC"},
                                        {"tcp.window", "512"},
                                        {"tcp.header_length", "40"},
                                        {"tcp.payload_length", "3"},
                                        {"tcp.checksum", "0"},
                                        {"tcp.urgent_pointer", "0"},
                                        {"tcp.option_kinds", "2 4 8 1 3"},
                                        {"tcp.mss", "1460"},
                                        {"tcp.window_scale", "7"},
                                        {"tcp.sack_permitted", "true"},
                                        {"tcp.timestamp_value", "258"},
                                        {"tcp.timestamp_echo", "7"}}));
  EXPECT_EQ(part(texts, "ipv6."), Texts{});
  EXPECT_EQ(part(texts, "outer."), Texts{});
  EXPECT_EQ(part(texts, "udp."), Texts{});
}

TEST(PacketFields, OfTheFrame) {
  const Bytes bytes = ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).bytes();
  Frame frame = frame_of(bytes, 1, 1'500'000'000'000'000'001, 77);
  frame.wire_size = 1500;
  frame.direction = Direction::kOutbound;
  const Decoded decoded = decode_frame(bytes, frame);
  EXPECT_EQ(part(texts_of(decoded.packet, every_field(), "eth0"), "frame."),
            (Texts{{"frame.number", "77"},
                   {"frame.time", "2017-07-14T02:40:00.000000001Z"},
                   {"frame.length", "1500"},
                   {"frame.captured_length", "42"},
                   {"frame.interface", "eth0"},
                   {"frame.link_type", "EN10MB"},
                   {"frame.direction", "outbound"},
                   {"frame.protocols", "eth.ip.udp"}}));

  frame.direction = Direction::kUnknown;
  frame.link_type = 9999;
  frame.ts_ns = -1;
  const Texts unknown = texts_of(decode_frame(bytes, frame).packet);
  EXPECT_EQ(unknown.at("frame.link_type"), "link-type-9999");
  EXPECT_EQ(unknown.at("frame.time"), "1969-12-31T23:59:59.999999999Z");
  EXPECT_FALSE(unknown.contains("frame.direction"));
  EXPECT_FALSE(unknown.contains("frame.interface"));
  EXPECT_FALSE(unknown.contains("frame.protocols"));
  EXPECT_EQ(part(unknown, "eth."), Texts{});

  frame.is_oversized = true;
  frame.captured_size = 0;
  EXPECT_EQ(texts_of(decode_frame(bytes, frame).packet).at("frame.length"), "1500");
}

TEST(PacketFields, OfIpv6WithExtensionHeaders) {
  const Texts texts = texts_of(raw()
                                   .ipv6("fd00::1", "fd00::2", {.hop_limit = 3})
                                   .extension(0)
                                   .extension(60, 16)
                                   .ah()
                                   .udp(5, 6)
                                   .payload("x"));
  EXPECT_EQ(part(texts, "ipv6."), (Texts{{"ipv6.traffic_class", "0"},
                                         {"ipv6.flow_label", "0"},
                                         {"ipv6.payload_length", "57"},
                                         {"ipv6.next_header", "0"},
                                         {"ipv6.hop_limit", "3"},
                                         {"ipv6.extension_headers", "0 60 51"}}));
  EXPECT_EQ(part(texts, "ip."), (Texts{{"ip.version", "6"},
                                       {"ip.src", "fd00::1"},
                                       {"ip.dst", "fd00::2"},
                                       {"ip.ttl", "3"},
                                       {"ip.dscp", "0"},
                                       {"ip.ecn", "0"},
                                       {"ip.length", "97"},
                                       {"ip.protocol", "17"}}));
  EXPECT_EQ(part(texts, "udp."), (Texts{{"udp.src_port", "5"},
                                        {"udp.dst_port", "6"},
                                        {"udp.length", "9"},
                                        {"udp.checksum", "0"}}));
  EXPECT_EQ(part(texts, "eth."), Texts{});
}

TEST(PacketFields, ReadEveryBitOfTheIpv6Head) {
  Bytes bytes = raw().ipv6("fd00::1", "fd00::2").udp(5, 6).bytes();
  bytes[0] = 0x6b;
  bytes[1] = 0x9a;
  bytes[2] = 0xbc;
  bytes[3] = 0xde;
  const Texts texts = texts_of(decode_frame(bytes, frame_of(bytes, 101)).packet);
  EXPECT_EQ(texts.at("ipv6.traffic_class"), "185");
  EXPECT_EQ(texts.at("ip.dscp"), "46");
  EXPECT_EQ(texts.at("ip.ecn"), "1");
  EXPECT_EQ(texts.at("ipv6.flow_label"), "703710");
}

// Fields of the IP header exist for every piece, those of the transport for the first.
TEST(PacketFields, OfPieces) {
  const Texts first =
      texts_of(raw().ipv4("10.0.0.1", "10.0.0.2", {.id = 7, .more_fragments = true}).udp(1, 2));
  EXPECT_EQ(first.at("ip.more_fragments"), "true");
  EXPECT_EQ(first.at("udp.dst_port"), "2");

  const Texts later =
      texts_of(raw().ipv4("10.0.0.1", "10.0.0.2", {.id = 7, .fragment_offset = 1480}).udp(1, 2));
  EXPECT_EQ(later.at("ip.fragment_offset"), "1480");
  EXPECT_EQ(later.at("ip.protocol"), "17");
  EXPECT_EQ(part(later, "udp."), Texts{});

  const Texts later6 = texts_of(raw()
                                    .ipv6("fd00::1", "fd00::2")
                                    .extension(60)
                                    .ipv6_fragment(0x89abcdef, 1448, true, 6)
                                    .payload_of_size(64));
  EXPECT_EQ(later6.at("ip.id"), "2309737967");
  EXPECT_EQ(later6.at("ip.fragment_offset"), "1448");
  EXPECT_EQ(later6.at("ip.more_fragments"), "true");
  EXPECT_EQ(later6.at("ip.protocol"), "6");
  EXPECT_EQ(later6.at("ipv6.extension_headers"), "60 44");
  EXPECT_EQ(part(later6, "tcp."), Texts{});
}

// The tunnel's UDP header is no transport header of a piece inside it.
TEST(PacketFields, OfAPieceInATunnel) {
  const Texts texts = texts_of(outer_udp(4789)
                                   .vxlan(5)
                                   .ethernet(kInnerMacA, kInnerMacB)
                                   .ipv4("10.0.0.1", "10.0.0.2", {.fragment_offset = 8})
                                   .payload_of_size(32));
  EXPECT_EQ(texts.at("ip.fragment_offset"), "8");
  EXPECT_EQ(texts.at("outer.udp_dst_port"), "4789");
  EXPECT_EQ(part(texts, "udp."), Texts{});
}

TEST(PacketFields, OfATunnelAreOfTheInnermost) {
  const Texts texts = texts_of(ethernet()
                                   .vlan(0xe000 | 100)
                                   .ipv6("fd00::a", "fd00::b", {.hop_limit = 9})
                                   .udp(40000, 4789)
                                   .vxlan(0x123456)
                                   .ethernet(kInnerMacA, kInnerMacB)
                                   .vlan(0x5000 | 200)
                                   .ipv4("10.0.0.1", "10.0.0.2", {.ttl = 63})
                                   .tcp(1234, 80, {.window = 99}));
  EXPECT_EQ(texts.at("ip.src"), "10.0.0.1");
  EXPECT_EQ(texts.at("ip.ttl"), "63");
  EXPECT_EQ(texts.at("tcp.window"), "99");
  EXPECT_EQ(texts.at("eth.src"), kInnerMacA);
  EXPECT_EQ(texts.at("vxlan.vni"), "1193046");
  EXPECT_EQ(texts.at("vxlan.flags"), "8");
  EXPECT_EQ(part(texts, "vlan."), (Texts{{"vlan.id", "100 200"},
                                         {"vlan.priority", "2"},
                                         {"vlan.drop_eligible", "true"},
                                         {"vlan.type", "2048"}}));
  EXPECT_EQ(part(texts, "ipv6."), Texts{}) << "of the tunnel";
  EXPECT_EQ(part(texts, "udp."), Texts{}) << "of the tunnel";
  EXPECT_EQ(part(texts, "outer."), (Texts{{"outer.count", "1"},
                                          {"outer.eth_src", test::kMacA},
                                          {"outer.eth_dst", test::kMacB},
                                          {"outer.ip_src", "fd00::a"},
                                          {"outer.ip_dst", "fd00::b"},
                                          {"outer.ip_ttl", "9"},
                                          {"outer.ip_dscp", "0"},
                                          {"outer.ip_ecn", "0"},
                                          {"outer.ip_length", texts.at("outer.ip_length")},
                                          {"outer.ip_protocol", "17"},
                                          {"outer.udp_src_port", "40000"},
                                          {"outer.udp_dst_port", "4789"}}));
}

TEST(PacketFields, OfATunnelThatIsNotEnteredAreItsOwn) {
  const PacketBuilder packet = question(outer_udp(4789).vxlan(5).ethernet(kInnerMacA, kInnerMacB));
  const Texts texts = texts_of(packet, {.decapsulate = false});
  EXPECT_EQ(texts.at("ip.src"), "192.0.2.1");
  EXPECT_EQ(texts.at("udp.dst_port"), "4789");
  EXPECT_EQ(part(texts, "tcp."), Texts{});
  EXPECT_EQ(part(texts, "outer."), Texts{});
}

// The IP headers around it are the tunnel's, which the flow has no address of.
TEST(PacketFields, OfALayer2FlowInATunnel) {
  const Texts texts = texts_of(
      outer_ip().gre(7).ethernet(kInnerMacA, kInnerMacB).ethertype(0x88b8).payload_of_size(30));
  EXPECT_EQ(part(texts, "ip."), Texts{});
  EXPECT_EQ(texts.at("eth.type"), "35000");
  EXPECT_EQ(texts.at("outer.ip_src"), "192.0.2.1");
  EXPECT_EQ(texts.at("outer.eth_src"), test::kMacA);
  EXPECT_FALSE(texts.contains("outer.udp_src_port"));
  EXPECT_EQ(part(texts, "gre."),
            (Texts{{"gre.flags", "8192"}, {"gre.protocol", "25944"}, {"gre.key", "7"}}));
}

TEST(PacketFields, OfAPseudoWire) {
  const Texts texts =
      texts_of(question(ethernet().mpls(100, false).mpls(16).ethernet(kInnerMacA, kInnerMacB)));
  EXPECT_EQ(part(texts, "mpls."),
            (Texts{{"mpls.label", "100 16"}, {"mpls.traffic_class", "0"}, {"mpls.ttl", "64"}}));
  EXPECT_EQ(texts.at("ip.src"), "10.0.0.1");
  EXPECT_EQ(texts.at("eth.src"), kInnerMacA);
  EXPECT_EQ(part(texts, "outer."), (Texts{{"outer.count", "1"},
                                          {"outer.eth_src", test::kMacA},
                                          {"outer.eth_dst", test::kMacB}}));
}

TEST(PacketFields, OfTunnelsInTunnels) {
  const Texts texts = texts_of(
      question6(outer_ip().gre(1).ipv4("198.51.100.1", "198.51.100.2").udp(2152, 2152).gtp(77)));
  EXPECT_EQ(texts.at("outer.count"), "2");
  EXPECT_EQ(texts.at("outer.ip_src"), "192.0.2.1");
  EXPECT_FALSE(texts.contains("outer.udp_src_port")) << "that is the tunnel in between";
  EXPECT_EQ(part(texts, "gtp."), (Texts{{"gtp.teid", "77"}}));
  EXPECT_EQ(texts.at("ip.src"), "fd00::1");
  EXPECT_EQ(texts.at("eth.src"), test::kMacA) << "nothing inside has an Ethernet header";
}

TEST(PacketFields, OfOtherHeaders) {
  EXPECT_EQ(part(texts_of(question(ethernet().pppoe(0x0021))), "pppoe."),
            (Texts{{"pppoe.code", "0"}, {"pppoe.session_id", "1"}}));
  EXPECT_EQ(part(texts_of(question(outer_udp(6081).geneve(99, 2).ethernet())), "geneve."),
            (Texts{{"geneve.protocol", "25944"}, {"geneve.vni", "99"}}));
  EXPECT_EQ(part(texts_of(raw().ipv4("10.0.0.1", "10.0.0.2").sctp(7, 8, 0xdeadbeef)), "sctp."),
            (Texts{{"sctp.src_port", "7"},
                   {"sctp.dst_port", "8"},
                   {"sctp.verification_tag", "3735928559"},
                   {"sctp.checksum", "0"}}));
  EXPECT_EQ(part(texts_of(question(outer_ip().pptp(5, 0x0021))), "gre."),
            (Texts{{"gre.flags", "12289"},
                   {"gre.protocol", "34827"},
                   {"gre.call_id", "7"},
                   {"gre.sequence", "5"}}));
  EXPECT_EQ(part(texts_of(question(outer_ip().gre({}, 6, true))), "gre."),
            (Texts{{"gre.flags", "36864"}, {"gre.protocol", "2048"}, {"gre.sequence", "6"}}));
  EXPECT_EQ(texts_of(ethernet().length().llc(0x42).payload_of_size(4)).at("eth.length"), "7");
  EXPECT_EQ(part(texts_of(ethernet().vlan(3).length().llc(0x42).payload_of_size(4)), "vlan.type"),
            Texts{});
  const Texts options =
      texts_of(raw().ipv4("10.0.0.1", "10.0.0.2", {.options = {148, 4, 0, 0}}).udp(1, 2));
  EXPECT_EQ(options.at("ip.has_options"), "true");
  EXPECT_EQ(options.at("ip.header_length"), "24");
}

// The kernel took it off, so it is in the frame's record and not in its bytes.
TEST(PacketFields, OfAStrippedTag) {
  const Bytes bytes = ethernet().vlan(20).ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).bytes();
  Frame frame = frame_of(bytes);
  frame.has_vlan = true;
  frame.vlan_tci = 0xa000 | 10;
  Texts texts = texts_of(decode_frame(bytes, frame).packet);
  EXPECT_EQ(texts.at("vlan.id"), "10 20");
  EXPECT_EQ(texts.at("vlan.priority"), "0") << "the innermost is in the bytes";

  const Bytes plain = ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).bytes();
  texts = texts_of(decode_frame(plain,
                                [&] {
                                  Frame stripped = frame;
                                  stripped.captured_size = static_cast<uint32_t>(plain.size());
                                  return stripped;
                                }())
                       .packet);
  EXPECT_EQ(part(texts, "vlan."),
            (Texts{{"vlan.id", "10"}, {"vlan.priority", "5"}, {"vlan.drop_eligible", "false"}}));
}

TEST(PacketFields, TcpOptionsAreReadUpToTheFirstImpossibleOne) {
  const auto options = [](const Bytes& bytes) {
    return part(texts_of(raw().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2, {.options = bytes})), "tcp.");
  };
  EXPECT_EQ(options({1, 1, 0, 2, 4, 5, 180}).at("tcp.option_kinds"), "1 1 0");
  EXPECT_EQ(options({3, 3, 7, 2, 1, 1, 1, 1}).at("tcp.option_kinds"), "3") << "size 1";
  EXPECT_EQ(options({3, 3, 7, 2, 200, 1, 1, 1}).at("tcp.option_kinds"), "3") << "beyond the header";
  const Texts odd = options({2, 3, 9, 8, 4, 0, 0, 4, 3, 0, 3, 2});
  EXPECT_EQ(odd.at("tcp.option_kinds"), "2 8 4 3") << "of other sizes than theirs";
  for (const char* name :
       {"tcp.mss", "tcp.timestamp_value", "tcp.sack_permitted", "tcp.window_scale"}) {
    EXPECT_FALSE(odd.contains(name)) << name;
  }
  EXPECT_EQ(options({2, 4, 0, 1, 2, 4, 0, 2}).at("tcp.mss"), "2");
  EXPECT_FALSE(options({}).contains("tcp.option_kinds"));
  EXPECT_EQ(options(Bytes(40, 1)).at("tcp.option_kinds").size(), 79u);
}

// The segment is decoded without its options; those that are there have fields.
TEST(PacketFields, OfOptionsCutBySnapLength) {
  const Bytes whole =
      raw().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2, {.options = kUsualOptions}).payload("x").bytes();
  Frame frame = frame_of(whole, 101);
  frame.captured_size = 20 + 20 + 6 + 3;
  const Texts texts = texts_of(decode_frame(whole, frame).packet);
  EXPECT_EQ(texts.at("tcp.header_length"), "40");
  EXPECT_EQ(texts.at("tcp.option_kinds"), "2 4");
  EXPECT_EQ(texts.at("tcp.payload_length"), "1");
}

// ---- Which fields are visited

TEST(PacketFields, OnlyWantedOnesAreVisited) {
  const Decoded decoded = decode(question(ethernet()));
  EXPECT_EQ(texts_of(decoded.packet, fields_named({"tcp.window", "ip.ttl", "ip.ttl"})),
            (Texts{{"tcp.window", "65535"}, {"ip.ttl", "64"}}));
  EXPECT_EQ(texts_of(decoded.packet, fields_named({"frame.number"})),
            (Texts{{"frame.number", "1"}}));
  EXPECT_EQ(texts_of(decoded.packet, fields_named({"udp.length", "outer.count"})), Texts{});
  EXPECT_EQ(texts_of(decoded.packet, PacketFields()), Texts{});
}

TEST(PacketFields, OfOthersArePassedOver) {
  EXPECT_TRUE(PacketFields().is_empty());
  EXPECT_TRUE(fields_named({"foreign.name", "foreign.size"}).is_empty());
  EXPECT_FALSE(fields_named({"foreign.name", "ip.src"}).is_empty());
  EXPECT_TRUE(PacketFields(catalog(), std::vector<uint16_t>{kNoAttribute, 5000}).is_empty());
  EXPECT_FALSE(PacketFields::is_packet_field(catalog(), 1));
  EXPECT_TRUE(PacketFields::is_packet_field(catalog(), 2));
  const auto last = static_cast<uint16_t>(catalog().attribute_count() - 1);
  EXPECT_TRUE(PacketFields::is_packet_field(catalog(), last));
  EXPECT_FALSE(PacketFields::is_packet_field(catalog(), static_cast<uint16_t>(last + 1)));
  EXPECT_FALSE(PacketFields::is_packet_field(CatalogBuilder().freeze(), 0));
}

// Each field alone is what it is among all others.
TEST(PacketFields, DoNotDependOnEachOther) {
  for (const PacketBuilder& packet :
       {question(ethernet().vlan(5).mpls(3)),
        question6(outer_udp(4789).vxlan(1).ethernet(kInnerMacA, kInnerMacB)),
        raw().ipv6("fd00::1", "fd00::2").extension(0).tcp(1, 2, {.options = kUsualOptions})}) {
    const Decoded decoded = decode(packet);
    const Texts all = texts_of(decoded.packet);
    for (const uint16_t number : every_number()) {
      const std::string name(catalog().attribute(number)->name);
      const Texts one = texts_of(decoded.packet, PacketFields(catalog(), {&number, 1}));
      const auto found = all.find(name);
      EXPECT_EQ(one, found == all.end() ? Texts{} : Texts{*found}) << name;
    }
  }
}

TEST(PacketFields, CanBeStored) {
  MemoryPool pool(1 << 20);
  AttributeStore store(4, pool);
  uint32_t handle = kNoAttributes;
  const Decoded decoded =
      decode(ethernet().vlan(1).vlan(2).ipv4("10.0.0.1", "10.0.0.2", {.ttl = 9}).udp(1, 2));
  auto visit = [&](uint16_t number, std::span<const uint8_t> value) {
    EXPECT_TRUE(store.put(handle, *catalog().attribute(number), value));
  };
  fields_named({"ip.ttl", "vlan.id", "ip.src"}).extract(decoded.packet, {}, visit);
  std::string json;
  append_json_attributes(json, catalog(), store.block(handle));
  EXPECT_EQ(json, R"("vlan":{"id":[1,2]},"ip":{"src":"10.0.0.1","ttl":9})");
  store.release(handle);
}

TEST(PacketFields, RowsAreSentences) {
  for (const Protocol* protocol : packet_protocols()) {
    EXPECT_TRUE(protocol->help.ends_with('.')) << protocol->name;
    EXPECT_EQ(protocol->probe, nullptr);
    EXPECT_EQ(protocol->parse, nullptr);
    EXPECT_EQ(protocol->transports, 0);
    for (const Attribute& row : protocol->attributes) {
      EXPECT_TRUE(row.name.starts_with(std::string(protocol->name) + ".")) << row.name;
      EXPECT_TRUE(row.help.ends_with('.')) << row.name;
      EXPECT_EQ(row.help.find(". "), std::string_view::npos) << row.name;
    }
  }
}

// ---- Hostile packets

std::vector<PacketBuilder> samples() {
  std::vector<PacketBuilder> packets;
  packets.push_back(question(outer_udp(4789).vxlan(5).ethernet(kInnerMacA, kInnerMacB).vlan(9)));
  packets.push_back(question6(outer_udp(6081).geneve(5, 3).ethernet(kInnerMacA, kInnerMacB)));
  packets.push_back(question(outer_udp(2152).gtp(9, true)));
  packets.push_back(question(outer_ip().gre(1, 2, true)));
  packets.push_back(question(outer_ip().pptp(5, 0x0021)));
  packets.push_back(question(ethernet().pppoe(0x0021)));
  packets.push_back(question(ethernet().vlan(1).mpls(100, false).mpls(16).ethernet()));
  packets.push_back(ethernet()
                        .ipv6("fd00::1", "fd00::2")
                        .extension(0)
                        .extension(43, 24)
                        .ah()
                        .ipv6_fragment(5, 0, true)
                        .tcp(1, 2, {.options = kUsualOptions})
                        .payload("x"));
  packets.push_back(
      ethernet().ipv4("10.0.0.1", "10.0.0.2", {.options = {148, 4, 0, 0}}).sctp(1, 2));
  return packets;
}

// A cut packet says what it said before or nothing, in each field; frame.* and lists apart. From a heap
// block of exactly its size, so that a sanitizer sees a read beyond it.
TEST(PacketFields, OfEveryTruncation) {
  for (const PacketBuilder& builder : samples()) {
    const Bytes whole = builder.bytes();
    const Decoded full = decode(builder);
    const Texts all = texts_of(full.packet);
    for (size_t size = 0; size <= whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      Frame frame = frame_of(cut, builder.link_type());
      frame.wire_size = static_cast<uint32_t>(whole.size());
      const Decoded decoded = decode_frame(cut, frame);
      const Texts texts = texts_of(decoded.packet);
      if (decoded.packet.verdict == Verdict::kDecoded) {
        const bool is_layer2 = is_link_address(decoded.packet.key.kind);
        EXPECT_EQ(texts.contains("ip.src"), !is_layer2) << size;
      }
      // What is undecided yet may seem to be the tunnel's packet.
      if (decoded.packet.path.count < full.packet.path.count) continue;
      for (const auto& [name, text] : texts) {
        if (name.starts_with("frame.")) continue;
        ASSERT_TRUE(all.contains(name)) << name << " at " << size;
        EXPECT_TRUE(all.at(name).starts_with(text)) << name << " at " << size;
      }
    }
  }
}

// Random bytes over headers keep every promise texts_of() checks.
TEST(PacketFields, OfDamagedPackets) {
  const uint32_t seed = 20240607;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::vector<PacketBuilder> builders = samples();
  for (int round = 0; round < 20000; ++round) {
    const PacketBuilder& builder = builders[random() % builders.size()];
    Bytes bytes = builder.bytes();
    for (uint32_t count = random() % 4; count-- > 0;)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    const Decoded decoded = decode_frame(bytes, frame_of(bytes, builder.link_type()));
    const Texts texts = texts_of(decoded.packet);
    if (decoded.packet.verdict != Verdict::kDecoded) continue;
    EXPECT_EQ(texts.contains("ip.src"), !is_link_address(decoded.packet.key.kind));
    EXPECT_EQ(texts.contains("tcp.seq"), decoded.packet.has_tcp);
  }
}

}  // namespace
}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// DNS: names, records and what is believed to be DNS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "dpi/protocol_run.h"

namespace weir {
namespace {

using test::from_hex;
using test::PayloadBytes;
using test::ProtocolRun;
using test::RunOptions;

constexpr Side kClient = Side::kInitiator;
constexpr Side kServer = Side::kResponder;
constexpr RunOptions kUdp{.transport = kOverUdp, .dst_port = 53};
constexpr RunOptions kTcp{.transport = kOverTcp, .dst_port = 53};
constexpr RunOptions kUdpElsewhere{.transport = kOverUdp, .dst_port = 4711};

// A message in the making. Counts are those of what was added.
class Message {
 public:
  explicit Message(uint16_t flags, uint16_t id = 0x1234) {
    put16(id);
    put16(flags);
    bytes_.resize(12);
  }
  Message& put8(unsigned value) {
    bytes_.push_back(static_cast<uint8_t>(value));
    return *this;
  }
  Message& put16(unsigned value) { return put8(value >> 8).put8(value & 255); }
  Message& put32(uint32_t value) { return put16(value >> 16).put16(value & 0xffff); }
  Message& name(std::string_view dotted) {
    while (!dotted.empty()) {
      const std::string_view label = dotted.substr(0, dotted.find('.'));
      put8(static_cast<unsigned>(label.size()));
      bytes_.insert(bytes_.end(), label.begin(), label.end());
      dotted.remove_prefix(std::min(dotted.size(), label.size() + 1));
    }
    return put8(0);
  }
  Message& question(std::string_view asked, unsigned type, unsigned question_class = 1) {
    ++bytes_[5];
    return name(asked).put16(type).put16(question_class);
  }
  // section: 0 answer, 1 authority, 2 additional. The name points to the first question.
  Message& record(unsigned section, unsigned type, const PayloadBytes& data, uint32_t ttl = 300) {
    ++bytes_[7 + section * 2];
    put16(0xc00c).put16(type).put16(1).put32(ttl);
    put16(static_cast<unsigned>(data.size()));
    bytes_.insert(bytes_.end(), data.begin(), data.end());
    return *this;
  }
  Message& edns(unsigned size, uint32_t flags, const PayloadBytes& options = {}) {
    ++bytes_[11];
    put8(0).put16(41).put16(size).put32(flags).put16(static_cast<unsigned>(options.size()));
    bytes_.insert(bytes_.end(), options.begin(), options.end());
    return *this;
  }
  const PayloadBytes& bytes() const { return bytes_; }
  // With its size in front, as over TCP.
  PayloadBytes framed() const {
    PayloadBytes framed;
    framed.push_back(static_cast<uint8_t>(bytes_.size() >> 8));
    framed.push_back(static_cast<uint8_t>(bytes_.size()));
    for (const uint8_t byte : bytes_) framed.push_back(byte);
    return framed;
  }

 private:
  PayloadBytes bytes_;
};

Message query(std::string_view name = "www.example.com", unsigned type = 1) {
  Message message(0x0100);
  message.question(name, type);
  return message;
}

std::string data_of(unsigned type, std::string_view hex) {
  ProtocolRun run(kUdp);
  Message message(0x8180);
  message.question("example.com", type).record(0, type, from_hex(hex));
  run.send(kServer, message.bytes());
  const std::string json = run.json();
  const std::string key = R"("data":")";
  const size_t begin = json.find(key);
  if (begin == std::string::npos) return "";
  const size_t end = json.find("\"}", begin);
  return json.substr(begin + key.size(), end - begin - key.size());
}

TEST(Dns, tells_a_query_and_its_response) {
  ProtocolRun run(kUdp);
  run.send(kClient, query().bytes());
  EXPECT_EQ(run.app(), "dns");
  run.advance_clock(2'500'000);
  Message response(0x8580);
  response.question("www.example.com", 1)
      .record(0, 5, from_hex("03 77 65 62 c0 10"), 60)
      .record(0, 1, {192, 0, 2, 7});
  run.send(kServer, response.bytes());
  run.finish();
  EXPECT_EQ(
      run.json(),
      R"({"dns":{"type":["query","response"],"query":["www.example.com"],"query_type":["A"],)"
      R"("query_class":["IN"],"opcode":["QUERY"],"rcode":["NOERROR"],"authoritative":true,)"
      R"("recursion_desired":true,"recursion_available":true,"query_count":1,"response_count":1,)"
      R"("answer_count":2,"response_time":0.0025,"resolved_ip":["192.0.2.7"],"answers":[)"
      R"({"name":"www.example.com","type":"CNAME","ttl":60,"data":"web.example.com"},)"
      R"({"name":"www.example.com","type":"A","ttl":300,"data":"192.0.2.7"}]}})");
  EXPECT_EQ(run.events().size(), 2u);
}

TEST(Dns, writes_the_data_of_records_as_a_zone_file_does) {
  EXPECT_EQ(data_of(1, "c0 00 02 01"), "192.0.2.1");
  EXPECT_EQ(data_of(28, "20010db8 00000000 00000000 00000001"), "2001:db8::1");
  EXPECT_EQ(data_of(2, "02 6e 73 c0 0c"), "ns.example.com");
  EXPECT_EQ(data_of(12, "c0 0c"), "example.com");
  EXPECT_EQ(data_of(15, "00 0a 02 6d 78 c0 0c"), "10 mx.example.com");
  EXPECT_EQ(data_of(16, "03 61 3d 62 02 63 64"), "a=b cd");
  EXPECT_EQ(data_of(6, "c0 0c 01 68 c0 0c 00000001 00000e10 00000258 00093a80 0000003c"),
            "example.com h.example.com 1 3600 600 604800 60");
  EXPECT_EQ(data_of(33, "0001 0002 01bd c0 0c"), "1 2 445 example.com");
  EXPECT_EQ(data_of(43, "162e 08 02 aabbcc"), "5678 8 2 aabbcc");
  EXPECT_EQ(data_of(257, "00 05 69 73 73 75 65 63 61"), R"(0 issue \"ca\")");
  EXPECT_EQ(data_of(65, "0001 00 0001 0006 02 68 33 02 68 32 0004 0004 c0000201"),
            "1 . alpn=h3,h2 ipv4hint=192.0.2.1");
  EXPECT_EQ(
      data_of(65, "0001 00 0003 0002 01bb 0006 0010 20010db8 00000000 00000000 00000002 0002 0000"),
      "1 . port=443 ipv6hint=2001:db8::2 no-default-alpn");
  EXPECT_EQ(data_of(35, "0064 000a 01 75 03 73 69 70 00 c0 0c"),
            R"(100 10 \"u\" \"sip\" \"\" example.com)");
  EXPECT_EQ(data_of(47, "c0 0c 00 01 40 01 01 80"), "example.com A URI");
  EXPECT_EQ(data_of(46, "0001 08 02 00000e10 00000002 00000001 1234 c0 0c ffff"),
            "A 8 2 3600 2 1 4660 example.com");
  EXPECT_EQ(data_of(4711, "de ad"), "dead");
}

TEST(Dns, leaves_out_data_that_reaches_behind_its_record) {
  EXPECT_EQ(data_of(15, "00"), "");
  EXPECT_EQ(data_of(2, "c0"), "");
  EXPECT_EQ(data_of(33, "0001 0002"), "");
  EXPECT_EQ(data_of(1, "c0 00"), "c000");
}

TEST(Dns, follows_pointers_to_earlier_bytes_only) {
  // To itself, forward, into the header.
  for (const char* name : {"c0 0c", "c0 20", "c0 02"}) {
    ProtocolRun run(kUdp);
    PayloadBytes bytes = from_hex("1234 0100 0001 0000 0000 0000");
    for (const uint8_t byte : from_hex(name)) bytes.push_back(byte);
    for (const uint8_t byte : from_hex("0001 0001")) bytes.push_back(byte);
    run.send(kClient, bytes);
    EXPECT_EQ(run.attribute("dns.query"), "") << name;
  }
}

// Each pointer goes to the one before: a chain as long as the message is given up.
TEST(Dns, gives_up_long_chains_of_pointers) {
  ProtocolRun run(kUdp);
  Message message(0x8180);
  message.question("example.com", 16);
  PayloadBytes chain;
  const size_t begin = message.bytes().size() + 12;
  for (size_t link = 0; link < 200; ++link) {
    const size_t target = link == 0 ? 12 : begin + (link - 1) * 2;
    chain.push_back(static_cast<uint8_t>(0xc0 | target >> 8));
    chain.push_back(static_cast<uint8_t>(target));
  }
  message.record(0, 10, chain);
  const size_t last = begin + 199 * 2;
  message.record(0, 5, {static_cast<uint8_t>(0xc0 | last >> 8), static_cast<uint8_t>(last)});
  run.send(kServer, message.bytes());
  EXPECT_THAT(run.json(), testing::HasSubstr(R"("type":"CNAME","ttl":300})"));
}

TEST(Dns, escapes_dots_within_labels) {
  ProtocolRun run(kUdp);
  PayloadBytes bytes = from_hex("1234 0100 0001 0000 0000 0000 03 61 2e 62 01 5c 00 0001 0001");
  run.send(kClient, bytes);
  EXPECT_THAT(run.json(), testing::HasSubstr(R"("query":["a\\.b.\\\\"])"));
}

TEST(Dns, reads_edns) {
  ProtocolRun run(kUdp);
  Message message(0x0110);
  message.question("example.com", 255)
      .edns(1232, 0x8000, from_hex("0008 0007 0001 18 00 c00002 000a 0008 0102030405060708"));
  run.send(kClient, message.bytes());
  Message response(0x8182);
  response.question("example.com", 255).edns(4096, 0x01000000, from_hex("000f 0002 0016"));
  run.send(kServer, response.bytes());
  EXPECT_EQ(run.attribute("dns.edns_size"), "1232");
  EXPECT_EQ(run.attribute("dns.dnssec_ok"), "true");
  EXPECT_EQ(run.attribute("dns.client_subnet"), "192.0.2.0/24");
  EXPECT_EQ(run.attribute("dns.checking_disabled"), "true");
  EXPECT_EQ(run.attribute("dns.query_type"), "ANY");
  EXPECT_EQ(run.attribute("dns.extended_error"), "22");
  EXPECT_EQ(run.attribute("dns.rcode"), "BADTIME") << "1 of EDNS above 2 of the header";
}

TEST(Dns, takes_what_is_legal_and_odd) {
  // A refusal without a question; cookies alone; an update; a query of the root zone; a class.
  for (const char* hex : {
           "1234 8185 0000 0000 0000 0000",
           "1234 0120 0000 0000 0000 0001 00 0029 04d0 00000000 000c 000a 0008 0102030405060708",
           ("1234 2800 0001 0000 0001 0000 07 6578616d706c65 00 0006 0001"
            " 01 78 c00c 0001 0001 0000003c 0004 c0000201"),
           "1234 0000 0001 0000 0000 0000 00 0002 0001",
           "1234 0000 0001 0000 0000 0000 07 76657273696f6e 04 62696e64 00 0010 0003",
           "1234 0980 0000 0001 0000 0000 00 0001 0001 00007a69 0004 04030201",
       }) {
    ProtocolRun run(kUdp);
    run.send(kClient, from_hex(hex));
    EXPECT_EQ(run.app(), "dns") << hex;
  }
  ProtocolRun run(kUdp);
  run.send(kClient, from_hex("1234 2800 0001 0000 0001 0000 07 6578616d706c65 00 0006 0001"
                             " 01 78 c00c 0001 0001 0000003c 0004 c0000201"));
  EXPECT_EQ(run.attribute("dns.opcode"), "UPDATE");
  EXPECT_EQ(run.attribute("dns.authorities"), "{name=x.example type=A ttl=60 data=192.0.2.1}");
}

TEST(Dns, is_found_on_any_port_but_those_of_its_relatives) {
  for (const uint16_t port : {uint16_t{53}, uint16_t{443}, uint16_t{4711}, uint16_t{1053}}) {
    ProtocolRun run({.transport = kOverUdp, .dst_port = port});
    run.send(kClient, query().bytes());
    EXPECT_EQ(run.app(), "dns") << port;
  }
  for (const uint16_t port : {uint16_t{5353}, uint16_t{5355}, uint16_t{137}}) {
    ProtocolRun run({.transport = kOverUdp, .dst_port = port});
    run.send(kClient, query().bytes());
    EXPECT_NE(run.app(), "dns") << port;
    ProtocolRun other({.transport = kOverUdp, .src_port = port, .dst_port = 53});
    other.send(kClient, query().bytes());
    EXPECT_EQ(other.app(), "dns") << port;
  }
}

TEST(Dns, takes_a_cut_datagram_for_what_is_there) {
  const PayloadBytes whole = query("a.long.name.example.com").bytes();
  for (size_t size = 12; size < whole.size(); ++size) {
    ProtocolRun run(kUdp);
    run.send(kClient, PayloadBytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)),
             static_cast<uint32_t>(whole.size()));
    EXPECT_EQ(run.app(), "dns") << size;
  }
}

TEST(Dns, does_not_take_damaged_messages_on_other_ports) {
  const PayloadBytes good = query().bytes();
  const auto is_dns = [](const PayloadBytes& bytes) {
    ProtocolRun run(kUdpElsewhere);
    run.send(kClient, bytes);
    return run.app() == "dns";
  };
  EXPECT_TRUE(is_dns(good));
  const auto with = [&](size_t at, uint8_t value) {
    PayloadBytes bytes = good;
    bytes[at] = value;
    return bytes;
  };
  EXPECT_FALSE(is_dns(with(2, 0x19))) << "opcode 3";
  EXPECT_FALSE(is_dns(with(3, 0x40))) << "reserved bit";
  EXPECT_FALSE(is_dns(with(3, 0x03))) << "a query has no result";
  EXPECT_FALSE(is_dns(with(5, 0))) << "no question, no record";
  EXPECT_FALSE(is_dns(with(7, 1))) << "a query has no answer";
  EXPECT_FALSE(is_dns(with(10, 9))) << "more records than there is room for";
  EXPECT_FALSE(is_dns(with(12, 0x43))) << "label kind";
  EXPECT_FALSE(is_dns(with(13, 0x01))) << "not printable";
  EXPECT_FALSE(is_dns(with(good.size() - 1, 9))) << "class";
  EXPECT_FALSE(is_dns(with(good.size() - 4, 0x77))) << "type";
  for (size_t size = 1; size < good.size(); ++size)
    EXPECT_FALSE(is_dns(PayloadBytes(good.begin(), good.begin() + static_cast<ptrdiff_t>(size))));
}

TEST(Dns, names_what_is_damaged_on_its_port) {
  PayloadBytes bytes = query().bytes();
  bytes[10] = 0xaa;  // an absurd count
  ProtocolRun run(kUdp);
  run.send(kClient, bytes);
  EXPECT_EQ(run.app(), "dns");
  EXPECT_EQ(run.attribute("dns.query"), "www.example.com");
}

TEST(Dns, refuses_other_protocols) {
  for (const char* hex : {
           "16 03 01 00 2e 01 00 00 2a 03 03 00 00 00 00 00 00 00",
           "47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a 0d 0a",
           "53 53 48 2d 32 2e 30 2d 78 0d 0a 00 00 00 00 00",
           "00 00 00 00 00 06 01 03 00 00 00 0a",
           "1b 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
           "00 01 00 00 21 12 a4 42 00 00 00 00 00 00 00 00 00 00 00 00",
           "80 00 00 01 00 00 00 a0 12 34 56 78 00 00 00 00 00",
       }) {
    ProtocolRun udp(kUdpElsewhere);
    udp.send(kClient, from_hex(hex));
    EXPECT_NE(udp.app(), "dns") << hex;
    ProtocolRun tcp({.transport = kOverTcp, .dst_port = 4711});
    tcp.send(kClient, from_hex(hex));
    EXPECT_NE(tcp.app(), "dns") << hex;
    ProtocolRun on_port(kTcp);
    on_port.send(kClient, from_hex(hex));
    EXPECT_NE(on_port.app(), "dns") << hex;
  }
}

PayloadBytes stream_of_queries() {
  PayloadBytes stream;
  for (const char* name : {"one.example.com", "two.example.com", "three.example.com"}) {
    const PayloadBytes framed = query(name).framed();
    stream.insert(stream.end(), framed.begin(), framed.end());
  }
  return stream;
}

TEST(Dns, reads_messages_of_a_stream_however_they_are_cut) {
  const PayloadBytes stream = stream_of_queries();
  for (const uint16_t port : {uint16_t{53}, uint16_t{4711}}) {
    for (size_t size = 1; size <= stream.size(); ++size) {
      ProtocolRun run({.transport = kOverTcp, .dst_port = port});
      // As much as it takes to be known within the budget of a flow that is not.
      const auto known = stream.begin() + 40;
      run.send_in_pieces(kClient, PayloadBytes(stream.begin(), known), std::max<size_t>(size, 8));
      run.send_in_pieces(kClient, PayloadBytes(known, stream.end()), size);
      ASSERT_EQ(run.app(), "dns") << size;
      ASSERT_EQ(run.attribute("dns.query"), "one.example.com two.example.com three.example.com");
      ASSERT_EQ(run.events().size(), 3u);
    }
  }
}

TEST(Dns, every_beginning_of_a_stream_has_the_messages_that_are_whole) {
  const PayloadBytes stream = stream_of_queries();
  const size_t message_size = query("one.example.com").framed().size();
  for (size_t size = 0; size <= stream.size(); ++size) {
    ProtocolRun run(kTcp);
    if (size > 0)
      run.send(kClient,
               PayloadBytes(stream.begin(), stream.begin() + static_cast<ptrdiff_t>(size)));
    run.finish();
    const size_t whole_count =
        size / message_size > 2 && size < stream.size() ? 2 : size / message_size;
    EXPECT_EQ(run.events().size(), std::min<size_t>(whole_count, 3)) << size;
  }
}

TEST(Dns, goes_on_behind_a_gap_with_the_next_message) {
  const PayloadBytes first = query("one.example.com").framed();
  ProtocolRun run(kTcp);
  run.send(kClient, first);
  run.lose(kClient, 100);
  // What waits behind a hole is given up for lost when enough has come.
  run.send(kClient, PayloadBytes(40, 0xff));
  for (int index = 0; index < 40; ++index) run.send(kClient, query("two.example.com").framed());
  run.finish();
  EXPECT_EQ(run.attribute("dns.query"), "one.example.com two.example.com");
}

TEST(Dns, reads_from_the_middle_of_a_stream) {
  ProtocolRun run({.transport = kOverTcp, .dst_port = 53, .is_midstream = true});
  run.send(kClient, from_hex("65 78 61 6d 70 6c 65 03 63 6f 6d 00 00 01 00 01 c0 0c"));
  EXPECT_NE(run.app(), "dns");
  run.send(kClient, query("two.example.com").framed());
  EXPECT_EQ(run.app(), "dns");
  EXPECT_EQ(run.attribute("dns.query"), "two.example.com");
}

// A zone transfer of more than the assembly holds: the first part of the message is read, the rest
// skipped.
TEST(Dns, reads_the_begin_of_a_message_that_is_too_long) {
  Message message(0x8400);
  message.question("example.com", 252);
  for (int index = 0; index < 200; ++index)
    message.record(0, 16, PayloadBytes(250, static_cast<uint8_t>(249)));
  PayloadBytes stream = message.framed();
  ASSERT_GT(stream.size(), kAssemblySizeMax);
  const PayloadBytes next = query("after.example.com").framed();
  stream.insert(stream.end(), next.begin(), next.end());
  ProtocolRun run(kTcp);
  run.send_in_pieces(kServer, stream, 1400);
  EXPECT_EQ(run.attribute("dns.query"), "example.com after.example.com");
  EXPECT_EQ(run.attribute("dns.query_type"), "AXFR A");
}

TEST(Dns, keeps_a_record_that_is_nearly_too_large) {
  ProtocolRun run(kUdp);
  std::string name;
  for (int index = 0; index < 4; ++index) {
    if (!name.empty()) name += '.';
    name += std::string(index == 3 ? 58 : 63, static_cast<char>('a' + index));
  }
  Message message(0x8180);
  message.question(name, 16);
  PayloadBytes text(256, 'x');
  text[0] = 255;
  message.record(0, 16, text);
  run.send(kServer, message.bytes());
  EXPECT_THAT(run.json(), testing::HasSubstr(R"("type":"TXT","ttl":300,"data":"xxx)"));
}

}  // namespace
}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// attribute_cost: what a Handler costs per packet by what is asked of it, to see that it is linear.
//
//   attribute_cost [ROUNDS]
//
// Three tables, over traffic that is made here and fed from memory again and again:
//
//   subscriptions   1,000 DNS lookups and 1,000 TLS handshakes, with 0, 1, 10, 100 attributes
//                   subscribed to (those of DNS and TLS, then others); with 100 that the traffic
//                   never has; without looking into payload, as what there is beneath
//   callbacks       the same traffic, with 1, 10, 100 callbacks of one attribute
//   layers          packets of UDP in 1 to 16 headers, without and with header fields subscribed to
//
// Nanoseconds of thread CPU time per packet, the best of the rounds; ratios to the first row.
// Each round is a new handler, so that flows begin and end in it; making it is not counted.
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/handler_feed.h"
#include "weir/handler.h"
#include "weir/standard_catalog.h"

namespace {

using namespace weir;
using test::Bytes;
using test::PacketBuilder;

constexpr int kRoundCount = 7;
constexpr uint16_t kFlowCount = 1000;  // of each kind
constexpr int kPacketCount = 20'000;   // of the layers
constexpr size_t kSubscriptionCounts[] = {0, 1, 10, 100};

using Packets = std::vector<Bytes>;
using Setup = std::function<void(Handler&, uint64_t& event_count)>;

struct Cost {
  double ns = 0;  // per packet
  double events = 0;
};

int64_t thread_time_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{1'000'000'000} * now.tv_sec + now.tv_nsec;
}

Cost measure(const Packets& packets, const HandlerOptions& options, const Setup& set_up,
             int round_count) {
  Cost cost;
  for (int round = 0; round < round_count; ++round) {
    Handler handler(options);
    uint64_t event_count = 0;
    set_up(handler, event_count);
    Frame frame;
    frame.link_type = 1;
    frame.ts_ns = test::kFeedStartNs;
    const int64_t begin_ns = thread_time_ns();
    for (const Bytes& bytes : packets) {
      frame.data = bytes.data();
      frame.captured_size = frame.wire_size = static_cast<uint32_t>(bytes.size());
      frame.ts_ns += 1000;
      handler.process(frame);
    }
    handler.finish();
    const double count = static_cast<double>(packets.size());
    const double ns = static_cast<double>(thread_time_ns() - begin_ns) / count;
    if (round == 0 || ns < cost.ns) cost.ns = ns;
    cost.events = static_cast<double>(event_count) / count;
  }
  return cost;
}

Bytes tcp(bool is_client, uint16_t port, uint8_t flags, uint32_t seq, const Bytes& payload) {
  PacketBuilder builder = test::ethernet();
  if (is_client) {
    builder.ipv4(test::kClientAddress, test::kServerAddress)
        .tcp(port, 443, {.flags = flags, .seq = seq});
  } else {
    builder.ipv4(test::kServerAddress, test::kClientAddress)
        .tcp(443, port, {.flags = flags, .seq = seq});
  }
  return builder.payload(payload).bytes();
}

// A lookup is two packets, a connection ten: handshakes of TCP and TLS, and data.
Packets conversations() {
  constexpr uint8_t kSyn = 0x02, kAck = 0x10;
  Packets packets;
  for (uint16_t flow = 0; flow < kFlowCount; ++flow) {
    const auto port = static_cast<uint16_t>(10'000 + flow);
    const std::string name = "host" + std::to_string(flow % 100) + ".example";
    packets.push_back(test::from_client(port).payload(test::dns_query(name)).bytes());
    packets.push_back(test::from_server(port).payload(test::dns_answer(name, 2)).bytes());
    const Bytes hello = test::hello_for(name);
    const Bytes answer = test::record(22, test::server_hello(0x1301, {}));
    const Bytes data = test::record(23, Bytes(600, 0x17));
    packets.push_back(tcp(true, port, kSyn, 0, {}));
    packets.push_back(tcp(false, port, kSyn | kAck, 0, {}));
    packets.push_back(tcp(true, port, kAck, 1, hello));
    packets.push_back(tcp(false, port, kAck, 1, answer));
    auto client_seq = static_cast<uint32_t>(1 + hello.size());
    auto server_seq = static_cast<uint32_t>(1 + answer.size());
    for (int exchange = 0; exchange < 3; ++exchange) {
      packets.push_back(tcp(true, port, kAck, client_seq, data));
      packets.push_back(tcp(false, port, kAck, server_seq, data));
      client_seq += static_cast<uint32_t>(data.size());
      server_seq += static_cast<uint32_t>(data.size());
    }
  }
  return packets;
}

// What can be subscribed to: first what the traffic has, then the rest.
std::vector<uint16_t> attributes_by_use(const Catalog& catalog) {
  std::vector<uint16_t> numbers;
  for (uint16_t number = 0; number < catalog.attribute_count(); ++number) {
    if (!catalog.attribute(number)->is_member()) numbers.push_back(number);
  }
  std::ranges::stable_partition(numbers, [&](uint16_t number) {
    const std::string_view protocol = catalog.app_name(catalog.protocol_of(number));
    return protocol == "dns" || protocol == "tls";
  });
  // Header fields are the third table's.
  std::erase_if(numbers, [&](uint16_t number) {
    const uint8_t protocol = catalog.protocol_of(number);
    return catalog.protocols()[protocol - 1u]->probe == nullptr;
  });
  return numbers;
}

void print_row(const std::string& what, const Cost& cost, const Cost& first) {
  std::printf("  %-44s %8.1f %8.2f %8.2f\n", what.c_str(), cost.ns, cost.ns / first.ns,
              cost.events);
}
void print_heading(const char* what) {
  std::printf("%-46s %8s %8s %8s\n", what, "ns", "ratio", "events");
}

void show_subscriptions(int round_count) {
  const Packets packets = conversations();
  const HandlerOptions subscribed{.keeps_attributes = KeptAttributes::kSubscribed};
  const Setup nothing = [](Handler&, uint64_t&) {};
  print_heading("subscriptions, per packet");
  const Cost first = measure(packets, {.looks_into_payload = false}, nothing, round_count);
  print_row("payload not looked into", first, first);
  for (const size_t count : kSubscriptionCounts) {
    const Setup subscribe = [&](Handler& handler, uint64_t& event_count) {
      const std::vector<uint16_t> numbers = attributes_by_use(handler.catalog());
      for (size_t index = 0; index < std::min(count, numbers.size()); ++index)
        handler.on_attribute(numbers[index], [&](const AttributeEvent&) { ++event_count; });
    };
    print_row(std::to_string(count) + " attributes",
              measure(packets, subscribed, subscribe, round_count), first);
  }
  const Setup subscribe_others = [&](Handler& handler, uint64_t& event_count) {
    const std::vector<uint16_t> numbers = attributes_by_use(handler.catalog());
    for (size_t index = 0; index < std::min<size_t>(100, numbers.size()); ++index) {
      const uint16_t number = numbers[numbers.size() - 1 - index];
      handler.on_attribute(number, [&](const AttributeEvent&) { ++event_count; });
    }
  };
  print_row("100 attributes that never come",
            measure(packets, subscribed, subscribe_others, round_count), first);
  print_row("0 attributes, flows keep all", measure(packets, {}, nothing, round_count), first);
  for (const size_t count : kSubscriptionCounts) {
    if (count == 0) continue;
    const Setup subscribe = [&](Handler& handler, uint64_t& event_count) {
      for (size_t index = 0; index < count; ++index)
        handler.on_attribute("dns.type", [&](const AttributeEvent&) { ++event_count; });
    };
    print_row(std::to_string(count) + " callbacks of one attribute",
              measure(packets, subscribed, subscribe, round_count), first);
  }
}

// Ethernet, VLAN tags, and so many times IPv4, UDP, VXLAN and Ethernet around IPv4 and UDP.
Bytes in_headers(int tunnel_count, int tag_count) {
  PacketBuilder builder = test::ethernet();
  for (int tag = 0; tag < tag_count; ++tag) builder.vlan(static_cast<uint16_t>(5 + tag));
  for (int tunnel = 0; tunnel < tunnel_count; ++tunnel)
    builder.ipv4("198.51.100.1", "198.51.100.2").udp(5000, 4789).vxlan(7).ethernet();
  return builder.ipv4("192.0.2.1", "192.0.2.2").udp(4000, 4001).payload_of_size(32).bytes();
}

size_t header_count_of(const Bytes& packet) {
  size_t count = 0;
  Handler handler;
  handler.on_flow_end([&](const Flow& flow) { count = flow.record().path.count; });
  Frame frame;
  frame.data = packet.data();
  frame.captured_size = frame.wire_size = static_cast<uint32_t>(packet.size());
  frame.link_type = 1;
  frame.ts_ns = test::kFeedStartNs;
  handler.process(frame);
  handler.finish();
  return count;
}

void show_layers(int round_count) {
  const Setup nothing = [](Handler&, uint64_t&) {};
  const Setup headers = [](Handler& handler, uint64_t& event_count) {
    for (const char* name : {"ip.ttl", "ip.src", "outer.ip_src", "eth.src", "frame.number"})
      handler.on_attribute(name, [&](const AttributeEvent&) { ++event_count; });
  };
  const Bytes bare = test::ethernet().ethertype(0x88cc).payload_of_size(46).bytes();
  const Bytes arp = test::ethernet().arp(1, "192.0.2.1", "192.0.2.2").bytes();
  const Packets kinds = {bare,
                         arp,
                         in_headers(0, 0),
                         in_headers(0, 2),
                         in_headers(1, 0),
                         in_headers(2, 0),
                         in_headers(3, 0),
                         in_headers(3, 1)};
  Cost first, first_with;
  print_heading("\nheaders of a packet, per packet");
  for (const Bytes& kind : kinds) {
    const std::string count = std::to_string(header_count_of(kind)) + " headers";
    const Packets packets(kPacketCount, kind);
    const Cost cost = measure(packets, {}, nothing, round_count);
    const Cost with = measure(packets, {}, headers, round_count);
    if (&kind == &kinds.front()) {
      first = cost;
      first_with = with;
    }
    print_row(count, cost, first);
    print_row(count + ", 5 header fields", with, first_with);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int round_count = argc > 1 ? std::max(1, std::atoi(argv[1])) : kRoundCount;
  show_subscriptions(round_count);
  show_layers(round_count);
}

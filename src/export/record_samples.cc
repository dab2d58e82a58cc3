// SPDX-License-Identifier: Apache-2.0
#include "export/record_samples.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "net/packet.h"
#include "weir/field.h"

namespace weir {

FlowRecord tcp_sample() {
  FlowRecord record;
  record.id = 0x0001'0000'0000'002a;
  record.address_kind = AddressKind::kIpv4;
  record.has_ports = true;
  record.has_macs = true;
  record.state = FlowState::kClosed;
  record.end_reason = EndReason::kEnd;
  record.origin = FlowOrigin::kSyn;
  record.conn_state = ConnState::kSf;
  record.proto_number = 6;
  record.first_seen_ns = 1'120'469'540'839'354'000;
  record.last_seen_ns = record.first_seen_ns + 1'500'000'000;
  record.rtt_ns = 20'500'000;
  record.history_size = 6;
  std::copy_n("ShADFf", 6, record.history.begin());
  record.path = {4, {Layer::kEthernet, Layer::kVlan, Layer::kIpv4, Layer::kTcp}};
  record.vlans = {1, {5}};
  record.src.address = {10, 0, 0, 1};
  record.dst.address = {192, 0, 2, 1};
  record.src.mac = {2, 0, 0, 0, 0, 1};
  record.dst.mac = {2, 0, 0, 0, 0, 2};
  record.src.port = 50'000;
  record.dst.port = 443;
  record.src.total = {12, 3456, 3264, 2800};
  record.dst.total = {1'250, 1'800'000, 1'780'000, 1'730'000};
  record.src.tcp_flags = kTcpSyn | kTcpAck | kTcpFin | kTcpPsh;
  record.dst.tcp_flags = kTcpSyn | kTcpAck | kTcpFin;
  record.src.tcp_isn = 4'000'000'000;
  record.src.has_tcp_isn = true;
  record.dst.tcp_isn = 7;
  record.dst.has_tcp_isn = true;
  record.dst.retransmits = 3;
  return record;
}

FlowRecord udp_interim_sample() {
  FlowRecord record;
  record.id = 0x0001'0000'0000'0007;
  record.sequence = 2;
  record.is_final = false;
  record.address_kind = AddressKind::kIpv6;
  record.zone_kind = ZoneKind::kVlan;
  record.zone = 5u << 16 | 7u;
  record.has_ports = true;
  record.state = FlowState::kActive;
  record.end_reason = EndReason::kActive;
  record.conn_state = ConnState::kSf;
  record.proto_number = 17;
  record.first_seen_ns = 1'700'000'000'000'000'001;
  record.last_seen_ns = record.first_seen_ns + 60'000'000'000;
  record.udp_typical_size = 120;
  record.path = {5, {Layer::kEthernet, Layer::kVlan, Layer::kVlan, Layer::kIpv6, Layer::kUdp}};
  record.vlans = {2, {5, 7}};
  record.src.address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  record.dst.address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  record.src.port = 5353;
  record.dst.port = 53;
  record.src.total = {10, 1000, 900, 500};
  record.dst.total = {11, 1100, 990, 550};
  record.src.delta = {1, 100, 90, 50};
  record.dst.delta = {2, 200, 180, 100};
  return record;
}

FlowRecord layer2_sample() {
  FlowRecord record;
  record.id = 1;
  record.end_reason = EndReason::kForced;
  record.has_macs = true;
  record.proto_number = 0x88b8;
  record.first_seen_ns = 1'000'000'000;
  record.last_seen_ns = 1'000'000'000;
  record.path = {1, {Layer::kEthernet}};
  record.src.address = {0, 0x1b, 0x44, 0x11, 0x3a, 0xb7};
  record.dst.address = {1, 0x0c, 0xcd, 1, 0, 1};
  record.src.mac = {0, 0x1b, 0x44, 0x11, 0x3a, 0xb7};
  record.dst.mac = {1, 0x0c, 0xcd, 1, 0, 1};
  record.src.total = {1, 150, 0, 136};
  return record;
}

namespace {

// Small, large and extreme numbers alike, so that every length of a varint occurs.
template <typename T>
T any_number(std::mt19937_64& random) {
  switch (random() % 4) {
    case 0:
      return 0;
    case 1:
      return static_cast<T>(random() >> random() % 64);
    case 2:
      return std::numeric_limits<T>::max();
    default:
      return static_cast<T>(random() % 200);
  }
}

template <typename Enum>
Enum any_of(std::mt19937_64& random, Enum last) {
  return static_cast<Enum>(random() % (static_cast<uint64_t>(last) + 1));
}

FlowCounters random_counters(std::mt19937_64& random) {
  FlowCounters counters;
  for (const CounterMember& counter : kCounterMembers) {
    counters.*counter.member = any_number<uint64_t>(random);
  }
  return counters;
}

FlowSide random_side(std::mt19937_64& random, const FlowRecord& record) {
  constexpr size_t kAddressSizes[] = {6, 4, 16, 8};
  FlowSide side;
  for (size_t index = 0; index < kAddressSizes[static_cast<size_t>(record.address_kind)]; ++index) {
    side.address[index] = any_number<uint8_t>(random);
  }
  if (record.has_macs) {
    for (uint8_t& byte : side.mac) byte = any_number<uint8_t>(random);
  }
  if (record.has_ports) side.port = any_number<uint16_t>(random);
  side.total = random_counters(random);
  if (random() % 3 == 0) side.delta = random_counters(random);
  if (random() % 2 == 0) return side;
  side.tcp_isn = any_number<uint32_t>(random);
  side.retransmits = any_number<uint32_t>(random);
  side.out_of_order = any_number<uint32_t>(random);
  side.tcp_flags = any_number<uint8_t>(random);
  side.has_tcp_isn = random() % 2 == 0;
  return side;
}

}  // namespace

FlowRecord random_record(std::mt19937_64& random) {
  FlowRecord record;
  record.id = any_number<uint64_t>(random);
  record.sequence = any_number<uint32_t>(random);
  record.is_final = random() % 2 == 0;
  record.address_kind = any_of(random, AddressKind::kEui64);
  record.zone_kind = any_of(random, ZoneKind::kInterface);
  if (record.zone_kind != ZoneKind::kNone) record.zone = any_number<uint32_t>(random);
  record.has_ports = random() % 2 == 0;
  record.has_macs = random() % 2 == 0;
  record.state = any_of(random, FlowState::kTimedOut);
  record.end_reason = any_of(random, EndReason::kActive);
  record.origin = any_of(random, FlowOrigin::kServicePort);
  record.conn_state = any_of(random, ConnState::kOth);
  record.proto_number = any_number<uint16_t>(random);
  record.interface = any_number<uint32_t>(random);
  record.first_seen_ns = any_number<int64_t>(random);
  record.last_seen_ns = any_number<int64_t>(random);
  if (random() % 2 == 0) record.rtt_ns = std::max<int64_t>(-1, any_number<int64_t>(random));
  if (random() % 2 == 0) {
    record.uid = any_number<int32_t>(random);
    record.udp_typical_size = any_number<uint16_t>(random);
    record.icmp_type = any_number<uint8_t>(random);
    record.icmp_code = any_number<uint8_t>(random);
    record.decision = any_of(random, Decision::kBlock);
  }
  record.history_size = static_cast<uint8_t>(random() % (kHistorySizeMax + 1));
  for (size_t index = 0; index < record.history_size; ++index) {
    record.history[index] = static_cast<char>('!' + random() % 94);
  }
  record.path.count = static_cast<uint8_t>(random() % (kLayerCountMax + 1));
  for (size_t index = 0; index < record.path.count; ++index) {
    record.path.layers[index] = static_cast<Layer>(random() % kLayerCount);
  }
  record.vlans.count = static_cast<uint8_t>(random() % (kTagCountMax + 1));
  for (size_t index = 0; index < record.vlans.count; ++index) {
    record.vlans.ids[index] = any_number<uint16_t>(random);
  }
  if (random() % 2 == 0) {
    record.app = any_number<uint8_t>(random);
    record.app_confidence = any_of(random, AppConfidence::kCertain);
    record.app_method = any_of(random, AppMethod::kExpected);
    record.app_path.count = static_cast<uint8_t>(random() % (kAppPathCountMax + 1));
    for (size_t index = 0; index < record.app_path.count; ++index)
      record.app_path.apps[index] = any_number<uint8_t>(random);
    record.service = any_number<uint16_t>(random);
  }
  if (random() % 2 == 0) {
    std::vector<uint8_t> block(random() % (kAttributesSizeMax + 1));
    for (uint8_t& byte : block) byte = static_cast<uint8_t>(random());
    record.attributes = AttributeBytes(block);
  }
  record.src = random_side(random, record);
  record.dst = random_side(random, record);
  return record;
}

namespace {

bool equal(const FlowCounters& x, const FlowCounters& y) {
  return std::all_of(
      kCounterMembers.begin(), kCounterMembers.end(),
      [&](const CounterMember& counter) { return x.*counter.member == y.*counter.member; });
}

bool equal(const FlowSide& x, const FlowSide& y) {
  return x.address == y.address && x.mac == y.mac && x.port == y.port && equal(x.total, y.total) &&
         equal(x.delta, y.delta) && x.tcp_isn == y.tcp_isn && x.retransmits == y.retransmits &&
         x.out_of_order == y.out_of_order && x.tcp_flags == y.tcp_flags &&
         x.has_tcp_isn == y.has_tcp_isn;
}

}  // namespace

bool equal(const FlowRecord& x, const FlowRecord& y) {
  return x.id == y.id && x.sequence == y.sequence && x.is_final == y.is_final &&
         x.address_kind == y.address_kind && x.zone_kind == y.zone_kind &&
         x.has_ports == y.has_ports && x.has_macs == y.has_macs && x.state == y.state &&
         x.end_reason == y.end_reason && x.origin == y.origin && x.conn_state == y.conn_state &&
         x.decision == y.decision && x.proto_number == y.proto_number && x.zone == y.zone &&
         x.interface == y.interface && x.uid == y.uid && x.first_seen_ns == y.first_seen_ns &&
         x.last_seen_ns == y.last_seen_ns && x.rtt_ns == y.rtt_ns &&
         x.udp_typical_size == y.udp_typical_size && x.icmp_type == y.icmp_type &&
         x.icmp_code == y.icmp_code && x.history_size == y.history_size && x.history == y.history &&
         x.path.count == y.path.count && x.path.layers == y.path.layers && x.app == y.app &&
         x.app_confidence == y.app_confidence && x.app_method == y.app_method &&
         x.app_path == y.app_path && x.service == y.service && x.attributes == y.attributes &&
         x.vlans.count == y.vlans.count && x.vlans.ids == y.vlans.ids && equal(x.src, y.src) &&
         equal(x.dst, y.dst);
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// How a flow begins: its slot, its place in index and wheel, what its first packet tells.
#include "base/byte_reader.h"
#include "flow/flow_table_state.h"
#include "net/service_map.h"

namespace weir {
namespace {

bool is_short_broadcast(const AddressBytes& address) noexcept {
  const bool is_short = (address[0] | address[1] | address[2] | address[3]) == 0;
  return is_short && address[6] == 0xff && address[7] == 0xff;
}

// Whether an address can only be a destination: multicast, the IPv4 limited broadcast, or 0xffff,
// the broadcast among the short addresses of IEEE 802.15.4.
bool is_group_address(AddressKind kind, const AddressBytes& address) noexcept {
  if (kind == AddressKind::kIpv6) return address[0] == 0xff;
  if (kind == AddressKind::kIpv4)
    return address[0] >= 224 && (address[0] < 240 || address[0] == 255);
  if (kind == AddressKind::kEui64) return is_short_broadcast(address);
  return (address[0] & 1) != 0;
}

FlowShape plain_shape(bool is_tcp, uint32_t interface) noexcept {
  FlowShape shape;
  shape.path.count = 3;
  shape.path.layers[0] = Layer::kEthernet;
  shape.path.layers[1] = Layer::kIpv4;
  shape.path.layers[2] = is_tcp ? Layer::kTcp : Layer::kUdp;
  shape.interface = interface;
  shape.has_ports = shape.has_macs = true;
  return shape;
}

}  // namespace

// Slabs that are asked in step give the same numbers.
bool FlowTable::State::take_slot(uint32_t& slot) noexcept {
  if (counters.live >= options.flow_count_max) return false;
  slot = hots.allocate();
  if (slot == kNoSlot) return false;
  const uint32_t cold = colds.allocate();
  ASSERT(cold == slot || cold == kNoSlot);
  const uint32_t dpi = inspector == nullptr || cold == kNoSlot ? cold : dpis.allocate();
  ASSERT(dpi == slot || dpi == kNoSlot);
  if (dpi == slot) return true;
  if (cold != kNoSlot) colds.free(cold);
  hots[slot].key.kinds = kFreeKinds;
  hots.free(slot);
  return false;
}

void FlowTable::State::give_back(uint32_t slot) noexcept {
  hots[slot].key.kinds = kFreeKinds;
  hots.free(slot);
  colds.free(slot);
  if (inspector != nullptr) dpis.free(slot);
}

// Who opened the flow: the SYN's sender, else the end whose port is
// less of a service.
void FlowTable::State::orient(HotFlow& hot, const Arrival& arrival) const noexcept {
  const PacketDigest& digest = arrival.digest;
  const bool from_b = (digest.key.bits & kDigestFromB) != 0;
  const bool is_syn =
      (digest.key.bits & kDigestTcp) != 0 && (digest.tcp_flags & (kTcpSyn | kTcpRst)) == kTcpSyn;
  if (is_syn) {
    const bool is_answer = (digest.tcp_flags & kTcpAck) != 0;
    hot.origin = FlowOrigin::kSyn;
    hot.set(kFlowFromB, from_b != is_answer);
    return;
  }
  hot.set(kFlowFromB, from_b);
  hot.origin = FlowOrigin::kFirstPacket;
  const bool has_ports = arrival.general == nullptr || arrival.general->has_ports;
  if (!has_ports || hot.family() == FlowFamily::kIcmp) return;
  const FlowKey key = key_of(hot);
  const uint16_t sender_port = from_b ? key.port_b : key.port_a;
  const uint16_t receiver_port = from_b ? key.port_a : key.port_b;
  if (service_rank(key.proto_number, sender_port) <= service_rank(key.proto_number, receiver_port))
    return;
  if (is_group_address(key.kind, from_b ? key.a : key.b)) return;
  hot.set(kFlowFromB, !from_b);
  hot.origin = FlowOrigin::kServicePort;
  hot.history[hot.history_size++] = '^';
}

// Of a plain packet the shape is known but for the interface, and most often that of the flow before.
void FlowTable::State::take_shape(HotFlow& hot, const Arrival& arrival) {
  if (arrival.general == nullptr) {
    const bool is_tcp = (arrival.digest.key.bits & kDigestTcp) != 0;
    uint16_t& last = plain_shapes[is_tcp ? 0 : 1];
    if (last != ShapeTable::kBlank && shapes[last].interface == arrival.frame.interface) {
      shapes.acquire_again(last);
      hot.shape = last;
      return;
    }
    // The table itself holds on to the last one, so that it stays known.
    shapes.release(last);
    last = shapes.acquire(plain_shape(is_tcp, arrival.frame.interface));
    hot.shape = last;
    if (last != ShapeTable::kBlank) shapes.acquire_again(last);
  } else {
    hot.shape = shapes.acquire(shape_of(*arrival.general));
  }
  if (hot.shape == ShapeTable::kBlank) ++limits[static_cast<size_t>(Limit::kFlowShape)];
}

void FlowTable::State::begin(uint32_t slot, const Arrival& arrival) {
  const Frame& frame = arrival.frame;
  const PacketDigest& digest = arrival.digest;
  HotFlow& hot = hots[slot];
  ColdFlow& cold = colds[slot];
  cold.id = static_cast<uint64_t>(frame.source) << 48 | (frame.number & 0xffff'ffff'ffff);
  cold.first_ts_ns = hot.own_last_ts_ns = frame.ts_ns;
  hot.last_clock_ns = digest.clock_ns;
  hot.set(kFlowInInterval, options.timeouts.active_ns > 0);
  hot.set_interval_end(options.timeouts.active_ns > 0
                           ? saturating_add(digest.clock_ns, options.timeouts.active_ns)
                           : hot.interval_end_ns);
  const size_t sender = digest.key.bits & kDigestFromB;
  if (arrival.general == nullptr) {
    ByteReader header(frame.data, frame.captured_size);
    header.copy(cold.macs[1 - sender].data(), cold.macs[0].size());
    header.copy(cold.macs[sender].data(), cold.macs[0].size());
  } else {
    const Packet& packet = *arrival.general;
    if (packet.has_macs) {
      cold.macs[sender] = packet.src_mac;
      cold.macs[1 - sender] = packet.dst_mac;
    }
    if (hot.family() == FlowFamily::kIcmp)
      hot.icmp_type_and_code() = static_cast<uint32_t>(packet.icmp_type) << 8 | packet.icmp_code;
  }
  orient(hot, arrival);
  take_shape(hot, arrival);
  if (inspector != nullptr) {
    dpis[slot] = FlowDpi{};
    hot.set(kFlowInspected, inspector->wants(transport_of(hot)));
    if (!options.packet_fields.is_empty()) keep_packet_fields(slot, arrival);
  }
}

uint32_t FlowTable::State::create(const Arrival& arrival, std::vector<FlowRecord>& records) {
  const PacketDigest& digest = arrival.digest;
  uint32_t wide = kNoPart;
  if (!digest.key.is_whole()) {
    // First, and nobody ends for want of one: a flow of another kind would give none back.
    wide = wides.allocate();
    if (wide == kNoSlot) {
      ++limits[static_cast<size_t>(Limit::kFlowCount)];
      return kNoSlot;
    }
  }
  uint32_t slot = kNoSlot;
  if (!take_slot(slot)) {
    ++limits[static_cast<size_t>(Limit::kFlowCount)];
    if (!make_room(digest.clock_ns, records) || !take_slot(slot)) {
      if (wide != kNoPart) wides.free(wide);
      return kNoSlot;
    }
  }
  if (index.is_growing()) migrate(1);
  if (!index.insert(digest.hash, digest.hash_tag, slot)) {
    ++limits[static_cast<size_t>(Limit::kFlowProbe)];
    if (wide != kNoPart) wides.free(wide);
    give_back(slot);
    return kNoSlot;
  }
  HotFlow& hot = hots[slot];
  hot = HotFlow{};
  colds[slot] = ColdFlow{};
  hot.key = digest.key;
  const FlowFamily family = flow_family(digest.key.kind(), digest.key.proto_number);
  hot.key.bits = static_cast<uint8_t>(static_cast<unsigned>(family) << kFlowFamilyShift);
  if (wide != kNoPart) {
    hot.key.a = wide;
    const FlowKey& key = arrival.general->key;
    wides[wide] = {key.a, key.b, key.zone};
  }
  ++counters.live;
  ++counters.created;
  begin(slot, arrival);
  wheel.arm(slot, due_ns(hot), digest.clock_ns);
  return slot;
}

// The new flow, with its first packet counted; kNoSlot when there is no room.
uint32_t FlowTable::State::begin_flow(const Arrival& arrival, std::vector<FlowRecord>& records) {
  const uint32_t slot = create(arrival, records);
  if (slot == kNoSlot) return kNoSlot;
  const bool has_counted = account(slot, arrival.digest, records);
  ASSERT(has_counted);
  return slot;
}

}  // namespace weir

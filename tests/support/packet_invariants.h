// SPDX-License-Identifier: Apache-2.0
//
// What holds for every packet the decoder answers, whatever the bytes were. Shared by the unit
// tests, the fuzz target and the prefix driver.
#pragma once

#include <cstddef>
#include <utility>

#include "net/flow_key.h"
#include "net/packet.h"

namespace weir::test {

inline const char* broken_key_invariant(const Packet& packet) {
  const FlowKey& key = packet.key;
  FlowKey canonical = key;
  if (canonicalize(canonical) || !(canonical == key)) return "the key is not canonical";
  FlowKey reversed = key;
  std::swap(reversed.a, reversed.b);
  std::swap(reversed.port_a, reversed.port_b);
  canonicalize(reversed);
  if (!(reversed == key)) return "the other direction has another key";
  if (key.one_way > 2) return "one_way is neither 0 nor an end";
  const size_t address_size = key.kind == AddressKind::kIpv4    ? 4
                              : key.kind == AddressKind::kMac   ? 6
                              : key.kind == AddressKind::kEui64 ? 8
                                                                : 16;
  for (size_t index = address_size; index < key.a.size(); ++index) {
    if (key.a[index] != 0 || key.b[index] != 0) return "bytes beyond the address are set";
  }
  if (!packet.has_ports && (key.port_a != 0 || key.port_b != 0)) return "ports without has_ports";
  return nullptr;
}

// The sentence of the first invariant that does not hold; null when all do.
inline const char* broken_invariant(const Packet& packet) {
  if (static_cast<size_t>(packet.verdict) >= kVerdictCount) return "not a verdict";
  const VerdictClass verdict_class = verdict_name(packet.verdict).verdict_class;
  if (verdict_class == VerdictClass::kUnflowed) return "the decoder knows nothing of flows";
  if (packet.flow_id != 0 || packet.flow_created) return "a flow before the flow table";
  if (packet.path.count > kLayerCountMax) return "the path is too long";
  if (packet.vlans.count > kTagCountMax) return "too many tags";
  if (packet.path.count == 0 && packet.layer != Layer::kNone) return "a layer without a path";
  if (packet.path.count > 0 && packet.layer != packet.path.layers[packet.path.count - 1u] &&
      packet.verdict != Verdict::kErrorTooManyLayers) {
    return "decoding ended somewhere else than at the end of the path";
  }
  if (packet.verdict != Verdict::kDecoded) return nullptr;

  const Frame& frame = *packet.frame;
  if (packet.payload < frame.data || packet.payload > frame.data + frame.captured_size) {
    return "the payload begins outside the frame";
  }
  const size_t offset = static_cast<size_t>(packet.payload - frame.data);
  if (packet.payload_captured > frame.captured_size - offset)
    return "the payload ends outside the frame";
  if (packet.payload_captured > packet.payload_size) return "more payload captured than there is";
  const bool is_layer2 = is_link_address(packet.key.kind);
  if (is_layer2 != (packet.ip_size == 0)) return "ip_size is for IP packets";
  if (!is_layer2 && packet.payload_size > packet.ip_size) return "more payload than IP packet";
  if (is_layer2 && (packet.has_ports || packet.fragment == FragmentKind::kLater)) {
    return "ports or later fragments in layer 2";
  }
  if (packet.has_tcp && (packet.key.proto_number != 6 || !packet.has_ports))
    return "TCP without TCP";
  if (packet.fragment == FragmentKind::kLater && (packet.has_ports || packet.has_tcp)) {
    return "a later fragment with a transport header";
  }
  return broken_key_invariant(packet);
}

// Whether two packets of equal bytes (at different addresses) were answered alike.
inline bool is_same_answer(const Packet& x, const Packet& y) {
  if (x.verdict != y.verdict || x.layer != y.layer || x.path.count != y.path.count) return false;
  for (size_t index = 0; index < x.path.count; ++index) {
    if (x.path.layers[index] != y.path.layers[index]) return false;
  }
  if (x.verdict != Verdict::kDecoded) return true;
  if (x.vlans.count != y.vlans.count) return false;
  for (size_t index = 0; index < x.vlans.count; ++index) {
    if (x.vlans.ids[index] != y.vlans.ids[index]) return false;
  }
  if (x.has_macs != y.has_macs ||
      (x.has_macs && (x.src_mac != y.src_mac || x.dst_mac != y.dst_mac))) {
    return false;
  }
  if (x.has_tcp != y.has_tcp ||
      (x.has_tcp && (x.tcp_seq != y.tcp_seq || x.tcp_ack != y.tcp_ack ||
                     x.tcp_flags != y.tcp_flags || x.tcp_window != y.tcp_window))) {
    return false;
  }
  if (x.fragment != FragmentKind::kWhole && !(x.datagram == y.datagram)) return false;
  return x.fragment == y.fragment && x.from_b == y.from_b && x.has_ports == y.has_ports &&
         x.ip_size == y.ip_size && x.payload_size == y.payload_size &&
         x.payload_captured == y.payload_captured && x.hash == y.hash && x.key == y.key;
}

}  // namespace weir::test

// SPDX-License-Identifier: Apache-2.0
#include "net/decode.h"

#include <algorithm>

#include "net/icmp.h"
#include "net/layer_cursor.h"

namespace weir {
namespace {

Layer layer_of_link_type(uint16_t link_type) noexcept {
  switch (link_type) {
#define ANNOUNCED_BY_LINK_TYPE(number, layer) \
  case number:                                \
    return Layer::layer;
#include "net/layer_steps.inc"
    default:
      return Layer::kNone;
  }
}

Layer layer_of_ethertype(uint16_t ethertype) noexcept {
  switch (ethertype) {
#define ANNOUNCED_BY_ETHERTYPE(number, layer) \
  case number:                                \
    return Layer::layer;
#include "net/layer_steps.inc"
    default:
      return Layer::kNone;
  }
}

Layer layer_of_ip_protocol(uint8_t protocol) noexcept {
  switch (protocol) {
#define ANNOUNCED_BY_IP_PROTOCOL(number, layer) \
  case number:                                  \
    return Layer::layer;
#include "net/layer_steps.inc"
    default:
      return Layer::kNone;
  }
}

Step decode_layer(Layer layer, LayerContext& context) noexcept {
  switch (layer) {
#define LAYER_STEP(step_layer, function) \
  case Layer::step_layer:                \
    return function(context);
#include "net/layer_steps.inc"
    case Layer::kNone:
      break;
  }
  return Step::end(Verdict::kIgnoredLinkType);
}

// What flow.zone makes part of the key. With VLANs: the outermost id in the upper half and the
// innermost in the lower; 0xffff, which is no VLAN id, when there is one tag only. A frame without
// a tag is in no zone. The VNI is that of a tunnel, and no tunnel is decoded.
void set_zone(ZoneKind zone, Packet& packet) noexcept {
  const VlanTags& vlans = packet.vlans;
  FlowKey& key = packet.key;
  if (zone == ZoneKind::kVlan && vlans.count > 0) {
    const uint32_t inner = vlans.count > 1 ? vlans.ids[vlans.count - 1u] : 0xffffu;
    key.zone_kind = ZoneKind::kVlan;
    key.zone = static_cast<uint32_t>(vlans.ids[0]) << 16 | inner;
  } else if (zone == ZoneKind::kInterface) {
    key.zone_kind = ZoneKind::kInterface;
    key.zone = packet.frame->interface;
  }
}

}  // namespace

Step after_link_header(LayerContext& context, uint16_t ethertype) noexcept {
  const bool is_outermost = context.packet.path.count == 1;
  if (context.frame.has_vlan && is_outermost) {
    if (!context.enter(Layer::kVlan)) return Step::end(Verdict::kErrorTooManyLayers);
    if (!context.add_tag(context.frame.vlan_tci)) return Step::end(Verdict::kErrorTooManyTags);
  }
  return next_of_ethertype(context, ethertype);
}

Step next_of_ethertype(LayerContext& context, uint16_t ethertype) noexcept {
  context.ethertype = ethertype;
  const Layer next = layer_of_ethertype(ethertype);
  if (next != Layer::kNone) return Step::to(next);
  if (ethertype < 0x600) return Step::end(Verdict::kIgnoredLlc);
  return finish_layer2(context);
}

Step finish_layer2(LayerContext& context) noexcept {
  Packet& packet = context.packet;
  packet.key = FlowKey{};
  std::copy(packet.src_mac.begin(), packet.src_mac.end(), packet.key.a.begin());
  std::copy(packet.dst_mac.begin(), packet.dst_mac.end(), packet.key.b.begin());
  packet.key.proto_number = context.ethertype;
  packet.key.kind = AddressKind::kMac;
  packet.fragment = FragmentKind::kWhole;
  packet.has_ports = false;
  packet.has_tcp = false;
  packet.ip_size = 0;
  return context.finish_with_payload();
}

Step next_of_ip_protocol(LayerContext& context, uint8_t protocol) noexcept {
  context.packet.key.proto_number = protocol;
  if (context.packet.fragment != FragmentKind::kLater) {
    const Layer next = layer_of_ip_protocol(protocol);
    if (next != Layer::kNone) return Step::to(next);
  }
  return context.finish_with_payload();
}

void begin_ip(Packet& packet, AddressKind kind, uint32_t ip_size) noexcept {
  packet.key = FlowKey{};
  packet.key.kind = kind;
  packet.fragment = FragmentKind::kWhole;
  packet.has_ports = false;
  packet.has_tcp = false;
  packet.ip_size = ip_size;
}

Decoder::Decoder(const DecodeOptions& options, const HashSecret& secret) noexcept
    : options_(options), secret_(secret) {}

void Decoder::decode(const Frame& frame, Packet& packet) const noexcept {
  packet.frame = &frame;
  packet.layer = Layer::kNone;
  packet.path.count = 0;
  packet.vlans.count = 0;
  packet.has_macs = false;
  packet.src_mac = {};
  packet.dst_mac = {};
  packet.flow_created = false;
  packet.flow_id = 0;
  if (frame.is_oversized) {
    packet.verdict = Verdict::kShedOversized;
    return;
  }

  // A file may claim that less was on the wire than it holds; what it holds counts.
  const uint32_t size = std::max(frame.captured_size, frame.wire_size);
  LayerContext context{frame, packet, ByteReader(frame.data, frame.captured_size), size};
  const Layer link = layer_of_link_type(frame.link_type);
  Step step = link != Layer::kNone ? Step::to(link) : Step::end(Verdict::kIgnoredLinkType);
  while (step.next != Layer::kNone) {  // bounded: every round adds a layer to the path
    step = context.enter(step.next) ? decode_layer(step.next, context)
                                    : Step::end(Verdict::kErrorTooManyLayers);
  }
  packet.verdict = step.verdict;
  if (packet.verdict != Verdict::kDecoded) return;

  set_zone(options_.zone, packet);
  packet.from_b = canonicalize(packet.key);
  // What goes one way only is a flow per direction, also where type and code are equal and so say
  // nothing of the direction.
  const bool is_icmp = packet.layer == Layer::kIcmp || packet.layer == Layer::kIcmpv6;
  if (is_icmp && !icmp_is_two_way(packet.key.proto_number, packet.icmp_type)) {
    packet.key.one_way = packet.from_b ? 2 : 1;
  }
  packet.hash = hash_key(secret_, packet.key);
}

}  // namespace weir

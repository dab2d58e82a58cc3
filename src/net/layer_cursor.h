// SPDX-License-Identifier: Apache-2.0
//
// What one step of the decoder works with. A step decodes one header: it reads it through the
// context's reader, writes what it learnt into the packet, moves the context behind the header, and
// says what comes next or how it ended. layer_steps.inc lists the steps; decode.cc is the loop
// around them.
//
// A header of known size is checked once and read through a prefix of that size: the compiler then
// sees that no read in it can fail, and drops its checks.
//
// A step never looks at the headers before or behind its own (a tunnel that only a port suggests
// takes a glimpse first: net/plausible.h). An IP header starts the packet's IP state anew (key,
// ip_size), so the innermost one decides, however deep it is.
//
// Threads: a context lives on the stack of one decode() call.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/assert.h"
#include "base/byte_reader.h"
#include "net/decode.h"
#include "net/packet.h"

namespace weir {

// EtherTypes begin here; smaller numbers in their place are lengths (IEEE 802.3, clause 3.2.6).
inline constexpr uint16_t kEthertypeMin = 0x600;

// What a step answers: the layer to decode next, or kNone and the verdict.
struct Step {
  Layer next = Layer::kNone;
  Verdict verdict = Verdict::kDecoded;

  static constexpr Step to(Layer layer) noexcept { return {layer, Verdict::kDecoded}; }
  static constexpr Step end(Verdict verdict) noexcept { return {Layer::kNone, verdict}; }
};

// Whose addresses the innermost header with addresses named so far.
enum class Endpoints : uint8_t { kNone, kLink, kIp };

struct LayerContext {
  const Frame& frame;
  Packet& packet;
  ByteReader reader;  // captured bytes from the current header on
  uint32_t size = 0;  // the same by wire and length fields: never less than reader.remaining()
  const DecodeOptions& options;
  uint16_t ethertype = 0;  // the last one read: the protocol of a layer-2 flow
  Endpoints endpoints = Endpoints::kNone;
  bool is_wlan_padded = false;  // radiotap: the 802.11 header is padded to 4 bytes
  bool has_vni = false;
  bool has_inner_macs = false;
  uint8_t tunnel_count = 0;
  uint32_t vni = 0;          // has_vni: of the innermost tunnel that has one
  MacBytes inner_src_mac{};  // has_inner_macs: of the innermost Ethernet header, another than the
  MacBytes inner_dst_mac{};  // outermost

  // Moves behind a header of at most `size` bytes. Its end may be cut by the snap length.
  void advance(uint32_t header_size) noexcept {
    DASSERT(header_size <= size);
    reader.skip(std::min<size_t>(header_size, reader.remaining()));
    size -= header_size;
  }

  // Forgets what is beyond `content_size`: padding, or what a length field leaves out.
  // A length field may also promise more than was captured or was on the wire: it is believed.
  void limit(uint32_t content_size) noexcept {
    reader = reader.prefix(content_size);
    size = content_size;
  }

  // Adds a layer to the path and makes it the one a verdict is counted at; false when the path is
  // full.
  bool enter(Layer layer) noexcept {
    LayerPath& path = packet.path;
    packet.layer = layer;
    if (path.count == kLayerCountMax) return false;
    packet.layer_offsets[path.count] = static_cast<uint32_t>(reader.position() - frame.data);
    path.layers[path.count++] = layer;
    return true;
  }

  // Adds the VLAN id of a tag control information field; false when there are too many.
  bool add_tag(uint16_t tci) noexcept {
    VlanTags& vlans = packet.vlans;
    if (vlans.count == kTagCountMax) return false;
    vlans.ids[vlans.count++] = tci & 0x0fff;
    return true;
  }

  // Goes on with the packet inside this one; `layer` is its first header, or the tunnel's own.
  Step enter_tunnel(Layer layer) noexcept {
    if (tunnel_count == kTunnelCountMax) return Step::end(Verdict::kErrorTooManyTunnels);
    ++tunnel_count;
    return Step::to(layer);
  }

  // The virtual network a tunnel's header names: 24 bits.
  void set_vni(uint32_t id) noexcept {
    vni = id;
    has_vni = true;
  }

  // The rest is payload, and the packet is understood.
  Step finish_with_payload() noexcept {
    packet.payload = reader.position();
    packet.payload_captured = static_cast<uint32_t>(reader.remaining());
    packet.payload_size = size;
    return Step::end(Verdict::kDecoded);
  }
};

// Takes the tag a kernel stripped as the outermost one, at the end of a link header; goes on when
// its verdict is kDecoded.
Step take_stripped_tag(LayerContext& context) noexcept;
// The layer an EtherType announces. Numbers below 0x600 are lengths of IEEE 802.3 frames (LLC). An
// unknown EtherType makes a layer-2 flow.
Step next_of_any_ethertype(LayerContext& context, uint16_t ethertype) noexcept;
inline Step next_of_ethertype(LayerContext& context, uint16_t ethertype) noexcept {
  context.ethertype = ethertype;
  const bool is_ipv4 = ethertype == 0x0800;  // before a search among many
  return is_ipv4 ? Step::to(Layer::kIpv4) : next_of_any_ethertype(context, ethertype);
}
// The end of most link headers: the stripped tag, then what the EtherType says.
inline Step after_link_header(LayerContext& context, uint16_t ethertype) noexcept {
  context.endpoints = Endpoints::kLink;
  if (context.frame.has_vlan) {
    const Step stop = take_stripped_tag(context);
    if (stop.verdict != Verdict::kDecoded) return stop;
  }
  return next_of_ethertype(context, ethertype);
}
// The layer an EtherType announces; kNone for one without a decoder.
Layer layer_of_ethertype(uint16_t ethertype) noexcept;
// The layer a LINKTYPE_ number announces; kNone for one without a decoder.
Layer layer_of_link_type(uint16_t link_type) noexcept;
// Ends without a network layer: as a flow between the addresses of the innermost header that has
// some. Link addresses make a layer-2 flow with the context's EtherType; IP addresses (a tunnel
// that carries its own control messages) keep the flow of that IP packet; with neither it is
// ignored{control}.
Step finish_layer2(LayerContext& context) noexcept;
// What an IEEE 802.3 length field announces: LLC, or Novell's IPX without it.
Step next_of_length(LayerContext& context, uint16_t length) noexcept;
// The five bytes of a SNAP header (IEEE 802, clause 10) and what they announce.
Step next_of_snap(LayerContext& context) noexcept;

// The layer an IP protocol announces. An unknown one makes a flow without ports.
Step next_of_ip_protocol(LayerContext& context, uint8_t protocol) noexcept;
// The same for the next header of IPv6, which may be an extension header.
Step next_of_ipv6_header(LayerContext& context, uint8_t next_header) noexcept;
// Starts the IP state of the packet anew, at an IP header that has been validated.
void begin_ip(Packet& packet, AddressKind kind, uint32_t ip_size) noexcept;
// The IP packet whose addresses the key has is a piece, kFirst or kLater. proto_number is that of a
// DatagramKey. The first such header on the way decides, but a later piece has no transport header,
// whatever it came in.
void note_fragment(LayerContext& context, FragmentKind kind, uint32_t id,
                   uint16_t proto_number) noexcept;
// A transport header with ports, as sender and receiver have them.
inline void set_ports(Packet& packet, uint16_t src_port, uint16_t dst_port) noexcept {
  packet.key.port_a = src_port;
  packet.key.port_b = dst_port;
  packet.has_ports = true;
}

#define LAYER_STEP(layer, function) Step function(LayerContext& context) noexcept;
#define TUNNELLED_TO_UDP_PORT(number, layer, looks_like) \
  bool looks_like(const LayerContext& context) noexcept;
#define TUNNELLED_BY_UDP_PORT(number, layer, looks_like) \
  bool looks_like(const LayerContext& context) noexcept;
#include "net/layer_steps.inc"

}  // namespace weir

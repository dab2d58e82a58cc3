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
// A step never looks at the headers before or behind its own. An IP header starts the packet's IP
// state anew (key, ip_size, fragment), so the innermost one decides, however deep it is.
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

// What a step answers: the layer to decode next, or kNone and the verdict.
struct Step {
  Layer next = Layer::kNone;
  Verdict verdict = Verdict::kDecoded;

  static constexpr Step to(Layer layer) noexcept { return {layer, Verdict::kDecoded}; }
  static constexpr Step end(Verdict verdict) noexcept { return {Layer::kNone, verdict}; }
};

struct LayerContext {
  const Frame& frame;
  Packet& packet;
  ByteReader reader;       // captured bytes from the current header on
  uint32_t size = 0;       // the same by wire and length fields: never less than reader.remaining()
  uint16_t ethertype = 0;  // the last one read: the protocol of a layer-2 flow

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

  // The rest is payload, and the packet is understood.
  Step finish_with_payload() noexcept {
    packet.payload = reader.position();
    packet.payload_captured = static_cast<uint32_t>(reader.remaining());
    packet.payload_size = size;
    return Step::end(Verdict::kDecoded);
  }
};

// The end of every link header: takes the tag a kernel stripped as the outermost one, then what the
// EtherType says.
Step after_link_header(LayerContext& context, uint16_t ethertype) noexcept;
// The layer an EtherType announces. Numbers below 0x600 are lengths of IEEE 802.3 frames (LLC), in
// a cooked header the kernel's own protocol numbers; both are ignored{llc}. An unknown EtherType
// makes a layer-2 flow.
Step next_of_ethertype(LayerContext& context, uint16_t ethertype) noexcept;
// Ends as a flow between the packet's MAC addresses with the context's EtherType.
Step finish_layer2(LayerContext& context) noexcept;

// The layer an IP protocol announces. An unknown one makes a flow without ports.
Step next_of_ip_protocol(LayerContext& context, uint8_t protocol) noexcept;
// Starts the IP state of the packet anew, at an IP header that has been validated.
void begin_ip(Packet& packet, AddressKind kind, uint32_t ip_size) noexcept;
// A transport header with ports, as sender and receiver have them.
inline void set_ports(Packet& packet, uint16_t src_port, uint16_t dst_port) noexcept {
  packet.key.port_a = src_port;
  packet.key.port_b = dst_port;
  packet.has_ports = true;
}

#define LAYER_STEP(layer, function) Step function(LayerContext& context) noexcept;
#include "net/layer_steps.inc"

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Whether bytes can be the packet inside a tunnel. A port is a habit and a pseudo-wire announces
// nothing, so before such a packet is entered, its headers have to look right: version, header
// length, a total length that fits, an EtherType with a name.
//
// Only what was captured can speak against it. Where the snap length cut the headers, the answer is
// yes, and the step that needs the missing bytes then ends as errors{truncated}: the flow of a
// packet does not depend on how much of it was captured. Where the length fields leave no room for
// the headers, the answer is no.
//
// A glimpse never touches the packet or its context. Threads: any.
#pragma once

#include <cstdint>

#include "net/layer_cursor.h"

namespace weir {

// What is to be judged: bytes from a position on, without moving there.
struct Glimpse {
  ByteReader reader;
  uint32_t size = 0;            // by length fields, as LayerContext::size
  bool is_first_piece = false;  // of a fragmented datagram: the packet inside may be longer

  explicit Glimpse(const LayerContext& context) noexcept
      : reader(context.reader),
        size(context.size),
        is_first_piece(context.packet.fragment == FragmentKind::kFirst) {}

  // Moves on; false when the length fields leave no room for it.
  bool skip(uint32_t count) noexcept {
    if (count > size) return false;
    reader.skip(count);
    size -= count;
    return true;
  }
};

bool looks_like_ipv4(Glimpse inner) noexcept;
bool looks_like_ipv6(Glimpse inner) noexcept;
// Either, by the version field.
bool looks_like_ip(const Glimpse& inner) noexcept;
// The same with a length that leaves nothing over but the padding of a short frame.
bool is_filled_by_ip(const Glimpse& inner) noexcept;
// A header with the source of a station, tags, and the name of a protocol; if that is IP, then IP.
bool looks_like_ethernet(Glimpse inner) noexcept;
// The same with IP in it, under tags or not: nothing else looks like that by chance.
bool looks_like_ip_in_ethernet(const Glimpse& inner) noexcept;
// The one of these a tunnel's header names; false for any other layer.
bool looks_like(Layer layer, const Glimpse& inner) noexcept;

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// SDP (RFC 8866) as a body of other protocols: its media and codecs become attributes of theirs,
// its ports expectations (RFC 3264). Line by line, so that a body may come in pieces.
//
// Threads: pure but for their arguments; any.
#pragma once

#include <array>
#include <cstdint>

#include "dpi/protocols/text_lines.h"
#include "dpi/wire_text.h"
#include "weir/protocol.h"

namespace weir {

// Which attributes of the protocol that carries it: a list of names, and a list of objects with its
// members.
struct SdpAttributes {
  uint8_t codec;
  uint8_t media;
  uint8_t media_type;
  uint8_t media_address;
  uint8_t media_port;
  uint8_t media_protocol;
  uint8_t media_direction;
};

struct SdpAddress {
  uint8_t size;  // 4 or 16; 0: none
  std::array<uint8_t, 16> bytes;
};

// The media section being read, and what the session says for all. Zero at the begin of a body.
struct SdpMedia {
  SdpAddress session_address;
  SdpAddress address;
  uint16_t port;
  uint16_t rtcp_port;  // a=rtcp; 0: the one after the port
  uint8_t type;        // places in tables of names, from one
  uint8_t protocol;
  uint8_t direction;
  uint8_t session_direction;
  uint8_t count;  // of sections
  bool is_rtcp_muxed;
  bool is_open;
};

void read_sdp_line(Context& context, const SdpAttributes& attributes, SdpMedia& media,
                   WireText line);
// The body ends.
void finish_sdp(Context& context, const SdpAttributes& attributes, SdpMedia& media);

}  // namespace weir

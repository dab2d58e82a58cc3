// SPDX-License-Identifier: Apache-2.0
//
// GTP-U, user packets (3GPP TS 29.281, section 5).
//
//   version 3b = 1 | protocol type 1b = 1 | reserved 1b | extension 1b | sequence 1b | N-PDU 1b |
//   message type 1 = 255 | length 2, beyond the first eight bytes | tunnel 4
//   sequence 2 | N-PDU 1 | next extension type 1      with any of the three flags
//   extension: size in 4 bytes 1 | content | next extension type 1
//
// The content is IP: that it may be Ethernet or nothing at all is known to the session alone, so
// other content, and every other message, stays UDP. The tunnel's number differs in the two
// directions and is never part of the key.
#include "net/plausible.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 8;
constexpr uint32_t kOptionalSize = 4;
constexpr uint32_t kExtensionUnit = 4;
constexpr uint8_t kGtpExtensionCountMax = 8;
constexpr uint8_t kVersionTypeReserved = 0xf8;
constexpr uint8_t kVersionOneGtp = 0x30;
constexpr uint8_t kHasExtension = 0x04;
constexpr uint8_t kHasOptional = 0x07;
constexpr uint8_t kUserPacket = 255;

// The headers in front of the user packet, as far as they were captured.
struct GtpHeaders {
  bool is_possible = false;  // nothing captured speaks against it
  bool is_whole = false;
  uint32_t size = 0;
};

GtpHeaders read_headers(const LayerContext& context) noexcept {
  if (context.size < kHeaderSizeMin) return {};
  ByteReader header = context.reader;
  const uint8_t flags = header.u8();
  const uint8_t type = header.u8();
  const uint32_t length = header.be16();
  header.skip(4);
  if (!header.ok()) return {.is_possible = true};
  const uint32_t room = context.size - kHeaderSizeMin;
  const bool is_piece = context.packet.fragment == FragmentKind::kFirst;
  if ((flags & kVersionTypeReserved) != kVersionOneGtp || type != kUserPacket) return {};
  if (length > room && !is_piece) return {};
  if ((flags & kHasOptional) == 0) return {true, true, kHeaderSizeMin};

  uint32_t size = kHeaderSizeMin + kOptionalSize;
  if (size > context.size) return {};
  header.skip(3);
  uint8_t next_extension = header.u8();
  if ((flags & kHasExtension) == 0) next_extension = 0;
  for (uint8_t count = 0; next_extension != 0; ++count) {
    if (count == kGtpExtensionCountMax) return {};
    const uint32_t extension_size = header.u8() * kExtensionUnit;
    if (!header.ok()) break;
    size += extension_size;
    if (extension_size == 0 || size > context.size) return {};
    header.skip(extension_size - 2);
    next_extension = header.u8();
  }
  return {true, header.ok(), size};
}

}  // namespace

bool looks_like_gtp(const LayerContext& context) noexcept {
  const GtpHeaders headers = read_headers(context);
  if (!headers.is_possible || !headers.is_whole) return headers.is_possible;
  Glimpse inner(context);
  return inner.skip(headers.size) && looks_like_ip(inner);
}

Step decode_gtp(LayerContext& context) noexcept {
  const GtpHeaders headers = read_headers(context);
  if (!headers.is_whole) return Step::end(Verdict::kErrorTruncated);
  context.advance(headers.size);
  const int version = context.reader.prefix(1).u8() >> 4;
  if (context.reader.remaining() == 0) return Step::end(Verdict::kErrorTruncated);
  return Step::to(version == 4 ? Layer::kIpv4 : Layer::kIpv6);
}

}  // namespace weir

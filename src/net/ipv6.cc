// SPDX-License-Identifier: Apache-2.0
//
// IPv6 and its extension headers (RFC 8200, sections 3 and 4).
//
//   version 4b | class 8b | label 20b | payload length 2 | next header 1 | hop limit 1 | source 16
//   | destination 16 extension header: next header 1 | size in 8 bytes, not counting the first 8, 1
//   | … fragment header:  next header 1 | reserved 1 | offset 13b, reserved 2b, more 1b |
//   identification 4
//
// The protocol of the flow is the upper-layer one behind the extension headers; 59, no next header,
// when there is none. The authentication header is a layer of its own, as in IPv4. Lengths are
// treated as in IPv4: a payload length of 0 with something behind it is offload or a jumbogram
// (RFC 2675) and means the rest of the frame.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 40;
constexpr uint32_t kExtensionUnit = 8;
constexpr uint8_t kNoNextHeader = 59;
constexpr uint8_t kFragmentHeader = 44;

bool is_extension(uint8_t next_header) noexcept {
  switch (next_header) {
    case 0:    // hop-by-hop options
    case 43:   // routing
    case 44:   // fragment
    case 60:   // destination options
    case 135:  // mobility
    case 139:  // HIP
    case 140:  // shim6
      return true;
    default:
      return false;
  }
}

// An atomic fragment, offset 0 and nothing to come, is a whole packet (RFC 6946).
void read_fragment(ByteReader header, LayerContext& context) noexcept {
  header.skip(2);
  const uint16_t offset_and_more = header.be16();
  const bool is_first = (offset_and_more & 0xfff8) == 0;
  if (is_first && (offset_and_more & 1) == 0) return;
  const uint32_t id = header.be32();
  note_fragment(context, is_first ? FragmentKind::kFirst : FragmentKind::kLater, id, 0);
}

}  // namespace

// Walks the extension headers; what follows a fragment header that is not of the first piece is
// that piece's bytes.
Step next_of_ipv6_header(LayerContext& context, uint8_t next_header) noexcept {
  for (uint8_t count = 0; is_extension(next_header); ++count) {
    if (count == kExtensionCountMax) return Step::end(Verdict::kErrorTooManyExtensions);
    ByteReader header = context.reader;
    const uint8_t following = header.u8();
    const uint8_t units = header.u8();
    header.skip(6);
    if (!header.ok()) return Step::end(Verdict::kErrorTruncated);
    const bool is_fragment = next_header == kFragmentHeader;
    const uint32_t size = is_fragment ? kExtensionUnit : (units + 1u) * kExtensionUnit;
    if (size > context.size) return Step::end(Verdict::kErrorBadHeaderLength);
    if (size > context.reader.remaining()) return Step::end(Verdict::kErrorTruncated);
    if (is_fragment) read_fragment(context.reader, context);
    context.advance(size);
    next_header = following;
    if (context.packet.fragment == FragmentKind::kLater) break;
  }
  return next_of_ip_protocol(context, next_header);
}

Step decode_ipv6(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSize);
  const uint32_t version_and_label = header.be32();
  const uint16_t payload_length = header.be16();
  const uint8_t next_header = header.u8();
  header.skip(1);
  const std::span<const uint8_t> src = header.bytes(16);
  const std::span<const uint8_t> dst = header.bytes(16);
  if (version_and_label >> 28 != 6) return Step::end(Verdict::kErrorBadVersion);

  Packet& packet = context.packet;
  const bool is_rest_of_frame = payload_length == 0 && next_header != kNoNextHeader;
  const uint32_t ip_size = is_rest_of_frame ? context.size : kHeaderSize + payload_length;
  begin_ip(packet, AddressKind::kIpv6, ip_size);
  ByteReader(src).copy(packet.key.a.data(), 16);
  ByteReader(dst).copy(packet.key.b.data(), 16);
  context.limit(ip_size);
  context.advance(kHeaderSize);
  return next_of_ipv6_header(context, next_header);
}

}  // namespace weir

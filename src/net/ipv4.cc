// SPDX-License-Identifier: Apache-2.0
//
// IPv4 (RFC 791, section 3.1).
//
//   version 4b | header words 4b | services 1 | total length 2 | identification 2 | flags 3b,
//   fragment offset 13b | time to live 1 | protocol 1 | checksum 2 | source 4 | destination 4 |
//   options
//
// Lengths: bytes beyond the total length are padding. A total length of 0 is a super-frame of
// segmentation offload or BIG TCP: the packet is the rest of the frame. One beyond the frame is
// believed for counting; reading stays within what was captured. Checksums are not looked at: a
// sending host's are wrong by design.
#include <array>
#include <bit>

#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 20;
constexpr uint16_t kMoreFragments = 0x2000;
constexpr uint16_t kFragmentOffset = 0x1fff;

// Written as whole words: narrow stores that are read back as words to compare and hash a key would
// stall.
AddressBytes address_bytes(uint32_t address) noexcept {
  const uint64_t word = static_cast<uint64_t>(address) << 32;
  const bool is_little = std::endian::native == std::endian::little;
  return std::bit_cast<AddressBytes>(
      std::array<uint64_t, 2>{is_little ? __builtin_bswap64(word) : word, 0});
}

}  // namespace

Step decode_ipv4(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSizeMin) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSizeMin);
  const uint8_t version_and_words = header.u8();
  header.skip(1);
  const uint16_t total_length = header.be16();
  const uint16_t identification = header.be16();
  const uint16_t fragment = header.be16();
  header.skip(1);
  const uint8_t protocol = header.u8();
  header.skip(2);
  const uint32_t src = header.be32();
  const uint32_t dst = header.be32();
  if (version_and_words >> 4 != 4) return Step::end(Verdict::kErrorBadVersion);
  const uint32_t header_size = (version_and_words & 0x0fu) * 4;
  const uint32_t ip_size = total_length != 0 ? total_length : context.size;
  if (header_size < kHeaderSizeMin) return Step::end(Verdict::kErrorBadHeaderLength);
  if (ip_size < kHeaderSizeMin) return Step::end(Verdict::kErrorBadLength);
  if (header_size > ip_size) return Step::end(Verdict::kErrorBadHeaderLength);
  if (header_size > context.reader.remaining()) return Step::end(Verdict::kErrorTruncated);

  Packet& packet = context.packet;
  begin_ip(packet, AddressKind::kIpv4, ip_size);
  packet.key.a = address_bytes(src);
  packet.key.b = address_bytes(dst);
  if ((fragment & (kMoreFragments | kFragmentOffset)) != 0) {
    const bool is_first = (fragment & kFragmentOffset) == 0;
    note_fragment(context, is_first ? FragmentKind::kFirst : FragmentKind::kLater, identification,
                  protocol);
  }
  context.limit(ip_size);
  context.advance(header_size);
  return next_of_ip_protocol(context, protocol);
}

}  // namespace weir

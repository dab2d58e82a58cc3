// SPDX-License-Identifier: Apache-2.0
#include "net/plausible.h"

#include "net/service_map.h"

namespace weir {
namespace {

constexpr uint32_t kIpv4SizeMin = 20;
constexpr uint32_t kIpv6Size = 40;
constexpr uint32_t kEthernetSize = 14;
constexpr uint32_t kTagSize = 4;
constexpr uint32_t kLlcSizeMin = 3;
constexpr uint32_t kEthernetPayloadMin = 46;  // shorter ones are padded
constexpr uint32_t kFcsSize = 4;
constexpr uint8_t kGroupAddress = 0x01;
constexpr uint8_t kNoNextHeader = 59;

// A length field of 0 is a super-frame: only what is too long for 16 bits has a reason for it.
bool is_beyond_16_bits(uint32_t size) noexcept {
  return size > UINT16_MAX;
}

bool looks_like_length(uint16_t length, const Glimpse& content) noexcept {
  if (length < kLlcSizeMin) return false;
  if (length > content.size) return content.is_first_piece;
  return content.size <= kEthernetPayloadMin + kFcsSize || content.size - length <= kFcsSize;
}

// What the last tag of an Ethernet header announces.
struct TaggedProtocol {
  bool is_possible = false;  // nothing captured speaks against the header
  bool is_known = false;     // it was captured, and has no more tags than are decoded
  uint16_t ethertype = 0;
};

// Moves behind the header and its tags.
TaggedProtocol read_ethernet(Glimpse& inner) noexcept {
  ByteReader header = inner.reader;
  if (!inner.skip(kEthernetSize)) return {};
  header.skip(6);
  if ((header.u8() & kGroupAddress) != 0) return {};
  header.skip(5);
  uint16_t ethertype = header.be16();
  for (size_t count = 0; layer_of_ethertype(ethertype) == Layer::kVlan; ++count) {
    if (count == kTagCountMax) return {.is_possible = true};
    if (!inner.skip(kTagSize)) return {};
    header.skip(2);
    ethertype = header.be16();
  }
  return {true, header.ok(), ethertype};
}

}  // namespace

bool looks_like_ipv4(Glimpse inner) noexcept {
  if (inner.size < kIpv4SizeMin) return false;
  ByteReader& header = inner.reader;
  const uint8_t version_and_words = header.u8();
  if (!header.ok()) return true;
  const uint32_t header_size = (version_and_words & 0x0fu) * 4;
  if (version_and_words >> 4 != 4 || header_size < kIpv4SizeMin) return false;
  header.skip(1);
  const uint16_t total_length = header.be16();
  if (!header.ok()) return true;
  if (total_length == 0) return is_beyond_16_bits(inner.size);
  return total_length >= header_size && (total_length <= inner.size || inner.is_first_piece);
}

bool looks_like_ipv6(Glimpse inner) noexcept {
  if (inner.size < kIpv6Size) return false;
  ByteReader& header = inner.reader;
  const uint8_t version_and_class = header.u8();
  if (!header.ok()) return true;
  if (version_and_class >> 4 != 6) return false;
  header.skip(3);
  const uint32_t payload_length = header.be16();
  const uint8_t next_header = header.u8();
  if (!header.ok()) return true;
  if (payload_length == 0)
    return next_header == kNoNextHeader || is_beyond_16_bits(inner.size - kIpv6Size);
  return kIpv6Size + payload_length <= inner.size || inner.is_first_piece;
}

bool looks_like_ip(const Glimpse& inner) noexcept {
  return looks_like_ipv4(inner) || looks_like_ipv6(inner);
}

bool is_filled_by_ip(const Glimpse& inner) noexcept {
  if (!looks_like_ip(inner)) return false;
  ByteReader header = inner.reader;
  const bool is_ipv4 = header.u8() >> 4 == 4;
  header.skip(is_ipv4 ? 1 : 3);
  const uint32_t size = header.be16() + (is_ipv4 ? 0 : kIpv6Size);
  return !header.ok() || size == inner.size || inner.size <= kEthernetPayloadMin;
}

bool looks_like_ethernet(Glimpse inner) noexcept {
  const TaggedProtocol protocol = read_ethernet(inner);
  if (!protocol.is_possible || !protocol.is_known) return protocol.is_possible;
  const uint16_t ethertype = protocol.ethertype;
  const Layer next = layer_of_ethertype(ethertype);
  if (next == Layer::kIpv4) return looks_like_ipv4(inner);
  if (next == Layer::kIpv6) return looks_like_ipv6(inner);
  if (ethertype < kEthertypeMin) return looks_like_length(ethertype, inner);
  return next != Layer::kNone || !ethertype_name(ethertype).empty();
}

bool looks_like_ip_in_ethernet(const Glimpse& inner) noexcept {
  Glimpse content = inner;
  const TaggedProtocol protocol = read_ethernet(content);
  if (!protocol.is_possible || !protocol.is_known) return protocol.is_possible;
  const Layer next = layer_of_ethertype(protocol.ethertype);
  return (next == Layer::kIpv4 || next == Layer::kIpv6) && looks_like(next, content);
}

bool looks_like(Layer layer, const Glimpse& inner) noexcept {
  switch (layer) {
    case Layer::kEthernet:
      return looks_like_ethernet(inner);
    case Layer::kIpv4:
      return looks_like_ipv4(inner);
    case Layer::kIpv6:
      return looks_like_ipv6(inner);
    default:
      return false;
  }
}

}  // namespace weir

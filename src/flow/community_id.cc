// SPDX-License-Identifier: Apache-2.0
#include "flow/community_id.h"

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "net/icmp.h"

namespace weir {
namespace {

constexpr size_t kSha1Size = 20;
constexpr uint8_t kIcmp = 1;
constexpr uint8_t kIcmpv6 = 58;

// The hashed bytes: at most seed, two IPv6 addresses, protocol, padding, two ports.
struct HashInput {
  std::array<uint8_t, 2 + 16 + 16 + 2 + 4> bytes{};
  size_t size = 0;

  void add(uint8_t byte) { bytes[size++] = byte; }
  void add_port(uint16_t port) {
    add(static_cast<uint8_t>(port >> 8));
    add(static_cast<uint8_t>(port));
  }
  void add_address(const AddressBytes& address, size_t address_size) {
    for (size_t index = 0; index < address_size; ++index) add(address[index]);
  }
};

// Looking the algorithm up costs more than hashing 40 bytes, so it is done once, and each thread
// keeps a context.
std::array<uint8_t, kSha1Size> sha1(const HashInput& input) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<uint8_t, kSha1Size> digest;
  unsigned digest_size = 0;
  const bool is_done = EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1 &&
                       EVP_DigestUpdate(context.get(), input.bytes.data(), input.size) == 1 &&
                       EVP_DigestFinal_ex(context.get(), digest.data(), &digest_size) == 1;
  ASSERT(is_done);
  ASSERT(digest_size == kSha1Size);
  return digest;
}

// 20 bytes are 27 characters of 6 bits and one '='.
void put_base64(const std::array<uint8_t, kSha1Size>& bytes, CommunityIdText& text) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint32_t bits = 0;
  unsigned bit_count = 0;
  size_t position = 2;
  for (const uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    bit_count += 8;
    while (bit_count >= 6) {
      bit_count -= 6;
      text[position++] = kAlphabet[bits >> bit_count & 63];
    }
  }
  text[position++] = kAlphabet[bits << (6 - bit_count) & 63];
  text[position++] = '=';
  ASSERT(position == kCommunityIdSize);
}

// True when `record` is an ICMP message nobody answers. Its source port is the type.
bool is_one_way(const FlowRecord& record) {
  if (record.proto_number != kIcmp && record.proto_number != kIcmpv6) return false;
  return !icmp_is_two_way(record.proto_number, static_cast<uint8_t>(record.src.port));
}

}  // namespace

std::string_view community_id(const FlowRecord& record, CommunityIdText& text) {
  if (is_link_address(record.address_kind)) return {};
  const size_t address_size = record.address_kind == AddressKind::kIpv4 ? 4 : 16;
  const FlowSide* first = &record.src;
  const FlowSide* second = &record.dst;
  const auto place = [](const FlowSide& side) { return std::pair(side.address, side.port); };
  if (!is_one_way(record) && place(*second) < place(*first)) std::swap(first, second);

  HashInput input;
  input.add_port(0);  // the seed
  input.add_address(first->address, address_size);
  input.add_address(second->address, address_size);
  input.add(static_cast<uint8_t>(record.proto_number));
  input.add(0);
  if (record.has_ports) {
    input.add_port(first->port);
    input.add_port(second->port);
  }
  text[0] = '1';
  text[1] = ':';
  put_base64(sha1(input), text);
  return {text.data(), text.size()};
}

}  // namespace weir

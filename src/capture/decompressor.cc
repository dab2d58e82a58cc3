// SPDX-License-Identifier: Apache-2.0
#include "capture/decompressor.h"

#include <algorithm>

namespace weir {

namespace {

// A magic may contain zeros, so its length is the literal's.
template <size_t kSize>
constexpr std::string_view bytes_of(const char (&literal)[kSize]) {
  static_assert(kSize - 1 <= kCompressionMagicSizeMax);
  return {literal, kSize - 1};
}

constexpr Compression kCompressions[] = {
#define COMPRESSION(name, magic, make) {name, bytes_of(magic), make},
#define UNREAD_COMPRESSION(name, magic) {name, bytes_of(magic), nullptr},
#include "capture/compressions.inc"
#undef COMPRESSION
#undef UNREAD_COMPRESSION
};

bool begins_with(std::span<const uint8_t> start, std::string_view magic) {
  if (start.size() < magic.size()) return false;
  return std::equal(magic.begin(), magic.end(), start.begin(),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

}  // namespace

const Compression* find_compression(std::span<const uint8_t> start) {
  for (const Compression& compression : kCompressions) {
    if (begins_with(start, compression.magic)) return &compression;
  }
  return nullptr;
}

}  // namespace weir

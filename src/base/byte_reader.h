// SPDX-License-Identifier: Apache-2.0
//
// How weir reads bytes it does not trust: ByteReader (weir/byte_reader.h, public because protocols of
// users read with it too), and HeaderView for the hottest loop: headers of a size known to the compiler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/assert.h"
#include "weir/byte_reader.h"

namespace weir {

// The first kSize bytes of a span that has been found to be that long. What is read is at an offset
// the compiler knows and holds to kSize, so a read is one load, in any order.
template <size_t kSize>
class HeaderView {
 public:
  // REQUIRES: bytes.size() >= kSize. The caller has just compared, and it is hot: DASSERT.
  explicit HeaderView(std::span<const uint8_t> bytes) : start_(bytes.data()) {
    DASSERT(bytes.size() >= kSize);
  }

  template <size_t kOffset>
  uint8_t u8() const {
    return read<uint8_t, kOffset>();
  }
  template <size_t kOffset>
  uint16_t be16() const {
    return from_big_endian(read<uint16_t, kOffset>());
  }
  template <size_t kOffset>
  uint32_t be32() const {
    return from_big_endian(read<uint32_t, kOffset>());
  }
  // As the bytes lie there, for what is compared, copied or shuffled.
  template <size_t kOffset>
  uint32_t native32() const {
    return read<uint32_t, kOffset>();
  }
  template <typename T, size_t kOffset>
  T as() const {
    return read<T, kOffset>();
  }

 private:
  template <typename T, size_t kOffset>
  T read() const {
    static_assert(kOffset + sizeof(T) <= kSize);
    T value;
    std::memcpy(&value, start_ + kOffset, sizeof(T));
    return value;
  }

  const uint8_t* start_;
};

}  // namespace weir

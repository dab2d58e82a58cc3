// SPDX-License-Identifier: Apache-2.0
//
// ByteReader: the one way weir reads bytes it does not trust. A cursor over a span that cannot
// leave it.
//
// A short read returns zero and makes ok() false from then on, so a parser reads its fields in wire
// order and checks once at the end. Lengths from the wire are compared with remaining(), never
// added to an offset. tools/tidy.py forbids every other way of reading packet bytes (pointer
// arithmetic, reinterpret_cast, memcpy).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace weir {

template <typename T>
constexpr T swap_bytes(T value) {
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  return value;
}
// The same the other way round.
template <typename T>
constexpr T from_big_endian(T value) {
  return std::endian::native == std::endian::big ? value : swap_bytes(value);
}
template <typename T>
constexpr T from_little_endian(T value) {
  return std::endian::native == std::endian::little ? value : swap_bytes(value);
}

class ByteReader {
 public:
  constexpr ByteReader() = default;
  constexpr ByteReader(const uint8_t* data, size_t size) : cursor_(data), end_(data + size) {}
  explicit constexpr ByteReader(std::span<const uint8_t> bytes)
      : ByteReader(bytes.data(), bytes.size()) {}

  bool ok() const { return ok_; }
  size_t remaining() const { return static_cast<size_t>(end_ - cursor_); }
  // Where the next read starts; valid for remaining() bytes.
  const uint8_t* position() const { return cursor_; }

  uint8_t u8() { return read<uint8_t>(); }
  uint16_t be16() { return from_big_endian(read<uint16_t>()); }
  uint32_t be32() { return from_big_endian(read<uint32_t>()); }
  uint64_t be64() { return from_big_endian(read<uint64_t>()); }
  uint16_t le16() { return from_little_endian(read<uint16_t>()); }
  uint32_t le32() { return from_little_endian(read<uint32_t>()); }
  uint64_t le64() { return from_little_endian(read<uint64_t>()); }
  // In the byte order a file announced.
  uint16_t u16(std::endian order) { return order == std::endian::big ? be16() : le16(); }
  uint32_t u32(std::endian order) { return order == std::endian::big ? be32() : le32(); }
  uint64_t u64(std::endian order) { return order == std::endian::big ? be64() : le64(); }

  void skip(size_t size) { take(size); }

  // The next `size` bytes, or an empty span and ok() false.
  std::span<const uint8_t> bytes(size_t size) {
    const uint8_t* start = cursor_;
    return take(size) ? std::span<const uint8_t>(start, size) : std::span<const uint8_t>();
  }

  // Copies `size` bytes to `out`; leaves `out` as it is when they are not there.
  void copy(void* out, size_t size) {
    const uint8_t* start = cursor_;
    if (take(size) && size > 0) std::memcpy(out, start, size);
  }

  // A reader over the next `size` bytes or as many as there are: for a header that announces its
  // payload's length.
  ByteReader prefix(size_t size) const {
    return ByteReader(cursor_, size < remaining() ? size : remaining());
  }

 private:
  bool take(size_t size) {
    if (!ok_ || size > remaining()) {
      ok_ = false;
      return false;
    }
    cursor_ += size;
    return true;
  }

  template <typename T>
  T read() {
    T value = 0;
    if (!ok_ || sizeof(T) > remaining()) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, cursor_, sizeof(T));
    cursor_ += sizeof(T);
    return value;
  }

  const uint8_t* cursor_ = nullptr;
  const uint8_t* end_ = nullptr;
  bool ok_ = true;
};

}  // namespace weir

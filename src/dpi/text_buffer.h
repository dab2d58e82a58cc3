// SPDX-License-Identifier: Apache-2.0
//
// TextBuffer: text a protocol composes out of what it read, on the stack. It exists because the packet
// path allocates nothing; whatever else is text (records, messages for people) is base/text.h.
//
// Bytes go in as they are on the wire: what prints attributes escapes them.
//
// Errors: what does not fit is left out, since an attribute's value has its limit anyway.
// Threads: a value, no sharing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "weir/field.h"

namespace weir {

template <size_t kSizeMax>
class TextBuffer {
 public:
  std::string_view view() const noexcept { return {characters_.data(), size_}; }
  size_t size() const noexcept { return size_; }
  bool is_empty() const noexcept { return size_ == 0; }
  bool is_full() const noexcept { return size_ == kSizeMax; }
  void clear() noexcept { size_ = 0; }
  // Forgets what stands behind `size`.
  void shorten(size_t size) noexcept { size_ = std::min(size, size_); }

  void append(char character) noexcept {
    if (size_ < kSizeMax) characters_[size_++] = character;
  }
  void append(std::string_view text) noexcept {
    const std::string_view fitting = text.substr(0, kSizeMax - size_);
    std::ranges::copy(fitting, characters_.begin() + static_cast<ptrdiff_t>(size_));
    size_ += fitting.size();
  }
  void append_bytes(std::span<const uint8_t> bytes) noexcept {
    const std::span<const uint8_t> fitting = bytes.first(std::min(bytes.size(), kSizeMax - size_));
    for (const uint8_t byte : fitting) characters_[size_++] = static_cast<char>(byte);
  }
  void append_unsigned(uint64_t value) noexcept {
    std::array<char, 20> digits{};
    size_t begin = digits.size();
    do {
      digits[--begin] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    append(std::string_view(digits.data(), digits.size()).substr(begin));
  }
  // Lower case, with leading zeros; digit_count 1..16, of the low bits.
  void append_hex(uint64_t value, unsigned digit_count) noexcept {
    while (digit_count > 0) append("0123456789abcdef"[(value >> (4 * --digit_count)) & 15]);
  }
  void append_hex(std::span<const uint8_t> bytes) noexcept {  // "00ff"
    for (const uint8_t byte : bytes) {
      if (is_full()) return;
      append_hex(byte, 2);
    }
  }

 private:
  std::array<char, kSizeMax> characters_;  // behind size_: never written
  size_t size_ = 0;
};

// As long as an attribute may be.
using AttributeText = TextBuffer<kAttributeSizeMax>;

void append_ipv4(AttributeText& text, std::span<const uint8_t, 4> address) noexcept;
void append_ipv6(AttributeText& text, std::span<const uint8_t, 16> address) noexcept;  // RFC 5952
// A group of an IPv6 address: without its leading zeros.
void append_ipv6_group(AttributeText& text, uint16_t group) noexcept;

}  // namespace weir

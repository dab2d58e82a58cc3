// SPDX-License-Identifier: Apache-2.0
#include "dpi/wire_text.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace weir {

bool equals_any_ignoring_case(WireText text, std::span<const std::string_view> lowers) noexcept {
  return std::ranges::any_of(
      lowers, [&](std::string_view lower) { return equals_ignoring_case(text, lower); });
}

// memchr rather than std::find, which GCC 12 leaves at a byte at a time: bodies of messages are
// long.
size_t find_byte(WireText text, uint8_t byte, size_t from) noexcept {
  if (from >= text.size()) return kNotFound;
  const WireText searched = text.subspan(from);
  const void* found = std::memchr(searched.data(), byte, searched.size());
  if (found == nullptr) return kNotFound;
  return from + static_cast<size_t>(static_cast<const uint8_t*>(found) - searched.data());
}

size_t find_ignoring_case(WireText text, std::string_view lower) noexcept {
  for (size_t start = 0; start + lower.size() <= text.size(); ++start) {
    if (equals_ignoring_case(text.subspan(start, lower.size()), lower)) return start;
  }
  return kNotFound;
}

bool contains_ignoring_case(WireText text, std::string_view lower) noexcept {
  return find_ignoring_case(text, lower) != kNotFound;
}

bool is_text(WireText text) noexcept {
  return std::ranges::all_of(text, [](uint8_t byte) { return !is_control(byte) || byte == '\t'; });
}

WireText take_until(WireText& rest, uint8_t separator) noexcept {
  const size_t at = find_byte(rest, separator);
  const WireText part = rest.first(at == kNotFound ? rest.size() : at);
  rest = at == kNotFound ? WireText() : rest.subspan(at + 1);
  return part;
}

WireText take_word(WireText& rest) noexcept {
  while (!rest.empty() && is_blank(rest.front())) rest = rest.subspan(1);
  size_t size = 0;
  while (size < rest.size() && !is_blank(rest[size])) ++size;
  const WireText word = rest.first(size);
  while (size < rest.size() && is_blank(rest[size])) ++size;
  rest = rest.subspan(size);
  return word;
}

HeaderField split_header_field(WireText line) noexcept {
  const WireText name = take_until(line, ':');
  return {trimmed(name), trimmed(line)};
}

bool take_decimal(WireText& rest, uint64_t limit, uint64_t& value) noexcept {
  size_t size = 0;
  uint64_t number = 0;
  while (size < rest.size() && is_digit(rest[size])) {
    const uint64_t digit = rest[size] - uint64_t{'0'};
    if (digit > limit || number > (limit - digit) / 10) return false;  // before it can overflow
    number = number * 10 + digit;
    ++size;
  }
  if (size == 0) return false;
  value = number;
  rest = rest.subspan(size);
  return true;
}

bool read_decimal(WireText text, uint64_t limit, uint64_t& value) noexcept {
  WireText rest = text;
  uint64_t number = 0;
  if (!take_decimal(rest, limit, number) || !rest.empty()) return false;
  value = number;
  return true;
}

size_t decode_base64(WireText text, std::span<uint8_t> out) noexcept {
  while (!text.empty() && text.back() == '=') text = text.first(text.size() - 1);
  uint32_t bits = 0;
  unsigned bit_count = 0;
  size_t size = 0;
  for (const uint8_t byte : text) {
    const uint8_t value = base64_value(byte);
    if (value >= 64) return 0;
    bits = (bits << 6 | value) & 0xffff;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    if (size == out.size()) return size;
    out[size++] = static_cast<uint8_t>(bits >> bit_count);
  }
  return size;
}

std::span<const uint8_t> read_address(WireText text, std::span<uint8_t, 16> out) noexcept {
  std::array<char, INET6_ADDRSTRLEN> letters{};
  if (text.empty() || text.size() >= letters.size()) return {};
  std::ranges::transform(text, letters.begin(),
                         [](uint8_t byte) { return static_cast<char>(byte); });
  const bool is_ipv6 = find_byte(text, ':') != kNotFound;
  if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, letters.data(), out.data()) != 1) return {};
  return std::span<const uint8_t>(out).first(is_ipv6 ? 16 : 4);
}

}  // namespace weir

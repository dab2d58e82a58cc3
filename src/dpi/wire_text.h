// SPDX-License-Identifier: Apache-2.0
//
// WireText: text as it is on the wire, compared and taken apart where it lies: words, numbers,
// addresses and base64. It exists because what protocols of lines and headers read are bytes, not
// characters: nothing is copied, cast or allocated.
//
// Letters are those of ASCII; any other byte is only equal to itself. A parameter `lower` is in lower
// case.
//
// Errors: what is not there is kNotFound, empty or false. Threads: pure; any.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir {

using WireText = std::span<const uint8_t>;

inline constexpr size_t kNotFound = SIZE_MAX;

constexpr bool is_digit(uint8_t byte) noexcept {
  return byte >= '0' && byte <= '9';
}
constexpr bool is_letter(uint8_t byte) noexcept {
  return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z' && byte < 0x80;
}
constexpr bool is_upper(uint8_t byte) noexcept {
  return byte >= 'A' && byte <= 'Z';
}
constexpr bool is_blank(uint8_t byte) noexcept {
  return byte == ' ' || byte == '\t';
}
// What a line of text does not contain.
constexpr bool is_control(uint8_t byte) noexcept {
  return byte < 0x20 || byte == 0x7f;
}
constexpr uint8_t to_lower(uint8_t byte) noexcept {
  return is_upper(byte) ? static_cast<uint8_t>(byte | 0x20) : byte;
}

constexpr bool equals(WireText text, std::string_view other) noexcept {
  return std::ranges::equal(text, other, [](uint8_t byte, char character) {
    return byte == static_cast<uint8_t>(character);
  });
}
constexpr bool begins_with(WireText text, std::string_view begin) noexcept {
  return text.size() >= begin.size() && equals(text.first(begin.size()), begin);
}
constexpr bool ends_with(WireText text, std::string_view end) noexcept {
  return text.size() >= end.size() && equals(text.last(end.size()), end);
}
// Whether what is there so far may become a text that begins so.
constexpr bool may_begin_with(WireText text, std::string_view begin) noexcept {
  return equals(text.first(std::min(text.size(), begin.size())), begin.substr(0, text.size()));
}
constexpr bool equals_ignoring_case(WireText text, std::string_view lower) noexcept {
  return std::ranges::equal(text, lower, [](uint8_t byte, char character) {
    return to_lower(byte) == static_cast<uint8_t>(character);
  });
}

constexpr bool begins_with_ignoring_case(WireText text, std::string_view lower) noexcept {
  return text.size() >= lower.size() && equals_ignoring_case(text.first(lower.size()), lower);
}
bool equals_any_ignoring_case(WireText text, std::span<const std::string_view> lowers) noexcept;

// Where `byte` is, at `from` or later.
size_t find_byte(WireText text, uint8_t byte, size_t from = 0) noexcept;
size_t find_ignoring_case(WireText text, std::string_view lower) noexcept;
bool contains_ignoring_case(WireText text, std::string_view lower) noexcept;

// Characters, tabs and bytes of 0x80 and more; no controls. The cheap way to tell text from other
// bytes.
bool is_text(WireText text) noexcept;

// Without spaces and tabs at both ends.
constexpr WireText trimmed(WireText text) noexcept {
  while (!text.empty() && is_blank(text.front())) text = text.subspan(1);
  while (!text.empty() && is_blank(text.back())) text = text.first(text.size() - 1);
  return text;
}

// The part before the first `separator`, or all; what is behind it stays in `rest`.
WireText take_until(WireText& rest, uint8_t separator) noexcept;
// Up to blanks, without them.
WireText take_word(WireText& rest) noexcept;

// A line without its end: CR LF or LF.
constexpr WireText without_line_end(WireText line) noexcept {
  if (!line.empty() && line.back() == '\n') line = line.first(line.size() - 1);
  if (!line.empty() && line.back() == '\r') line = line.first(line.size() - 1);
  return line;
}

// The name before the colon, and the value behind it, of a header field; both without blanks around.
struct HeaderField {
  WireText name;
  WireText value;
};
HeaderField split_header_field(WireText line) noexcept;

// The whole text as a decimal number of at most `limit`.
bool read_decimal(WireText text, uint64_t limit, uint64_t& value) noexcept;
// The decimal number the text begins with; `rest` is what follows. At most `limit`.
bool take_decimal(WireText& rest, uint64_t limit, uint64_t& value) noexcept;

// The value of a character of base64 (RFC 4648); 64: it is none.
constexpr uint8_t base64_value(uint8_t byte) noexcept {
  if (is_letter(byte)) return static_cast<uint8_t>(is_upper(byte) ? byte - 'A' : byte - 'a' + 26);
  if (is_digit(byte)) return static_cast<uint8_t>(byte - '0' + 52);
  return byte == '+' ? 62 : byte == '/' ? 63 : 64;
}
// What does not fit `out` is left out. The number of bytes written, 0 for what is no base64.
size_t decode_base64(WireText text, std::span<uint8_t> out) noexcept;

// An IPv4 or IPv6 address as text, as 4 or 16 bytes of `out`; empty when it is none.
std::span<const uint8_t> read_address(WireText text, std::span<uint8_t, 16> out) noexcept;

// FNV-1a, which tells names apart but resists nobody who looks for two with the same hash.
inline constexpr uint32_t kNameHashSeed = 2166136261u;
constexpr uint32_t name_hash(WireText name, uint32_t seed = kNameHashSeed) noexcept {
  for (const uint8_t byte : name) seed = (seed ^ byte) * 16777619u;
  return seed;
}

}  // namespace weir

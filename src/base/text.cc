// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <array>
#include <charconv>

#include "base/assert.h"

namespace weir {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr uint64_t kNsPerSecond = 1'000'000'000;

// "00" to "99": two digits per division, which is what makes times cheap to print.
constexpr std::array<char, 200> kTwoDigits = [] {
  std::array<char, 200> table{};
  for (size_t value = 0; value < 100; ++value) {
    table[value * 2] = static_cast<char>('0' + value / 10);
    table[value * 2 + 1] = static_cast<char>('0' + value % 10);
  }
  return table;
}();

void put_two_digits(char* out, uint64_t value) {
  out[0] = kTwoDigits[value * 2];
  out[1] = kTwoDigits[value * 2 + 1];
}

void put_nine_digits(char* out, uint64_t value) {
  for (int position = 7; position >= 1; position -= 2) {
    put_two_digits(out + position, value % 100);
    value /= 100;
  }
  out[0] = static_cast<char>('0' + value);
}

struct Date {
  unsigned year;
  unsigned month;
  unsigned day;
};

// Gregorian date of a day counted from 1970-01-01, by eras of 400 years that begin on 1 March.
// Every int64 of nanoseconds lies in 1677..2262, so the year always has four digits.
Date date_of(int64_t days_since_1970) {
  const int64_t day = days_since_1970 + 719'468;  // since 0000-03-01
  const int64_t era = day / 146'097;
  const auto day_of_era = static_cast<unsigned>(day - era * 146'097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;  // 0 is March
  Date date;
  date.day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  date.month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  date.year = year_of_era + static_cast<unsigned>(era) * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

}  // namespace

void append_unsigned(std::string& out, uint64_t value) {
  char digits[20];
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, result.ptr);
}

void append_signed(std::string& out, int64_t value) {
  if (value < 0) out.push_back('-');
  append_unsigned(out, magnitude(value));
}

void append_hex_bytes(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) append_hex(out, static_cast<uint8_t>(byte), 2);
}

void append_hex(std::string& out, uint64_t value, unsigned digit_count) {
  DASSERT(digit_count >= 1 && digit_count <= 16);
  char digits[16];
  for (unsigned index = digit_count; index-- > 0; value >>= 4)
    digits[index] = kHexDigits[value & 15];
  out.append(digits, digit_count);
}

void append_time(std::string& out, int64_t ns) {
  constexpr int64_t kNsPerDay = 86'400 * static_cast<int64_t>(kNsPerSecond);
  int64_t days = ns / kNsPerDay;
  int64_t rest_ns = ns % kNsPerDay;
  if (rest_ns < 0) {
    rest_ns += kNsPerDay;
    --days;
  }
  const Date date = date_of(days);
  const uint64_t seconds = static_cast<uint64_t>(rest_ns) / kNsPerSecond;
  char text[] = "0000-00-00T00:00:00.000000000Z";
  put_two_digits(text, date.year / 100);
  put_two_digits(text + 2, date.year % 100);
  put_two_digits(text + 5, date.month);
  put_two_digits(text + 8, date.day);
  put_two_digits(text + 11, seconds / 3600);
  put_two_digits(text + 14, seconds / 60 % 60);
  put_two_digits(text + 17, seconds % 60);
  put_nine_digits(text + 20, static_cast<uint64_t>(rest_ns) % kNsPerSecond);
  out.append(text, sizeof text - 1);
}

void append_seconds(std::string& out, int64_t ns) {
  if (ns < 0) out.push_back('-');
  const uint64_t size = magnitude(ns);
  append_unsigned(out, size / kNsPerSecond);
  char fraction[10] = {'.'};
  put_nine_digits(fraction + 1, size % kNsPerSecond);
  out.append(fraction, sizeof fraction);
}

void append_seconds_short(std::string& out, int64_t ns) {
  append_seconds(out, ns);
  // The nine digits just written bound the loop.
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
}

void append_ipv4(std::string& out, const AddressBytes& address) {
  for (size_t index = 0; index < 4; ++index) {
    if (index > 0) out.push_back('.');
    append_unsigned(out, address[index]);
  }
}

void append_ipv6(std::string& out, const AddressBytes& address) {
  std::array<unsigned, 8> groups;
  for (size_t index = 0; index < 8; ++index) {
    groups[index] = static_cast<unsigned>(address[index * 2] << 8 | address[index * 2 + 1]);
  }
  // The longest run of at least two zero groups, the first of equals, becomes "::"
  // (sections 4.2.2, 4.2.3).
  size_t gap_start = 8;
  size_t gap_count = 1;
  for (size_t start = 0; start < 8;) {
    size_t end = start;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - start > gap_count) {
      gap_start = start;
      gap_count = end - start;
    }
    start = end + 1;
  }
  const bool is_v4_mapped = gap_start == 0 && gap_count == 5 && groups[5] == 0xffff;

  for (size_t index = 0; index < 8; ++index) {
    if (index == gap_start) {
      out.append("::");
      index += gap_count - 1;
      continue;
    }
    if (index > 0 && index != gap_start + gap_count) out.push_back(':');
    if (is_v4_mapped && index == 6) {
      append_ipv4(out, {address[12], address[13], address[14], address[15]});
      return;
    }
    char digits[4];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, groups[index], 16).ptr);
  }
}

namespace {

template <size_t kSize, typename Bytes>
void append_octets(std::string& out, const Bytes& bytes) {
  char text[kSize * 3 - 1];
  for (size_t index = 0; index < kSize; ++index) {
    text[index * 3] = kHexDigits[bytes[index] >> 4];
    text[index * 3 + 1] = kHexDigits[bytes[index] & 15];
    if (index < kSize - 1) text[index * 3 + 2] = ':';
  }
  out.append(text, sizeof text);
}

}  // namespace

void append_mac(std::string& out, const MacBytes& mac) {
  append_octets<6>(out, mac);
}

void append_address(std::string& out, AddressKind kind, const AddressBytes& address) {
  switch (kind) {
    case AddressKind::kMac:
      append_octets<6>(out, address);
      return;
    case AddressKind::kIpv4:
      append_ipv4(out, address);
      return;
    case AddressKind::kIpv6:
      append_ipv6(out, address);
      return;
    case AddressKind::kEui64:
      append_octets<8>(out, address);
      return;
  }
}

namespace {

uint64_t rounded_ratio(uint64_t value, uint64_t unit) {
  return value / unit + (value % unit >= unit / 2 ? 1 : 0);
}

// True when the value would print as 1000 units, which is 1.0 of the next.
bool fills_unit(uint64_t value, uint64_t unit) {
  return rounded_ratio(value, unit) >= 1000;
}

// value / unit with one decimal below 100 and none above, rounded half up in integers. unit is at
// least 1000.
void append_scaled(std::string& out, uint64_t value, uint64_t unit) {
  const uint64_t tenths = rounded_ratio(value, unit / 10);
  if (tenths >= 1000) return append_unsigned(out, rounded_ratio(value, unit));
  append_unsigned(out, tenths / 10);
  out.push_back('.');
  out.push_back(static_cast<char>('0' + tenths % 10));
}

void append_human(std::string& out, uint64_t value, std::string_view suffix) {
  constexpr std::string_view kPrefixes = "kMGTPE";
  if (value < 1000) {
    append_unsigned(out, value);
    if (!suffix.empty()) out.append(" ").append(suffix);
    return;
  }
  uint64_t unit = 1000;
  size_t prefix = 0;
  while (prefix + 1 < kPrefixes.size() && fills_unit(value, unit)) {
    unit *= 1000;
    ++prefix;
  }
  append_scaled(out, value, unit);
  out.push_back(' ');
  out.push_back(kPrefixes[prefix]);
  out.append(suffix);
}

void append_clock_human(std::string& out, uint64_t major, char major_unit, uint64_t minor,
                        char minor_unit) {
  append_unsigned(out, major);
  out.push_back(major_unit);
  out.push_back(' ');
  char digits[2];
  put_two_digits(digits, minor);
  out.append(digits, 2);
  out.push_back(minor_unit);
}

}  // namespace

void append_count_human(std::string& out, uint64_t value) {
  append_human(out, value, "");
}

void append_bytes_human(std::string& out, uint64_t value) {
  append_human(out, value, "B");
}

void append_duration_human(std::string& out, int64_t ns) {
  if (ns < 0) out.push_back('-');
  const uint64_t size = magnitude(ns);
  const uint64_t seconds = size / kNsPerSecond;
  if (size == 0) {
    out.append("0 s");
  } else if (size < 1000) {
    append_unsigned(out, size);
    out.append(" ns");
  } else if (!fills_unit(size, 1000)) {
    append_scaled(out, size, 1000);
    out.append(" µs");
  } else if (!fills_unit(size, 1'000'000)) {
    append_scaled(out, size, 1'000'000);
    out.append(" ms");
  } else if (rounded_ratio(size, kNsPerSecond / 10) < 600) {
    append_scaled(out, size, kNsPerSecond);
    out.append(" s");
  } else if (seconds < 3600) {
    // 59.95 s and more reads as a minute.
    const uint64_t whole = seconds < 60 ? 60 : seconds;
    append_clock_human(out, whole / 60, 'm', whole % 60, 's');
  } else if (seconds < 86'400) {
    append_clock_human(out, seconds / 3600, 'h', seconds / 60 % 60, 'm');
  } else {
    append_clock_human(out, seconds / 86'400, 'd', seconds / 3600 % 24, 'h');
  }
}

namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t size = 0;  // bytes; 0 when the text does not begin with valid UTF-8
};

// The first code point of `text`, which is not empty (RFC 3629: no surrogates, nothing overlong or
// over U+10FFFF).
CodePoint first_code_point(std::string_view text) {
  const auto byte = [text](size_t index) { return static_cast<uint8_t>(text[index]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  uint32_t value = lead & (0x7fu >> size);
  for (size_t index = 1; index < size; ++index) {
    if ((byte(index) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(index) & 0x3fu);
  }
  if (size == 3 && (value < 0x800 || (value >= 0xd800 && value <= 0xdfff))) return {};
  if (size == 4 && (value < 0x10000 || value > 0x10ffff)) return {};
  return {value, size};
}

// Characters that change how their neighbours are shown, or end a line, where nobody expects it.
bool is_unsafe(uint32_t code_point) {
  if (code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f)) return true;
  return code_point == 0x061c || code_point == 0x200e || code_point == 0x200f ||
         (code_point >= 0x2028 && code_point <= 0x202e) ||
         (code_point >= 0x2066 && code_point <= 0x2069) || code_point == 0xfeff;
}

// Plain ASCII that no sink escapes: the usual case, copied in one go.
bool is_plain(char character) {
  return character >= 0x20 && character < 0x7f && character != '"' && character != '\\';
}

size_t plain_prefix_size(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && is_plain(text[size])) ++size;
  return size;
}

void append_escaped_byte(std::string& out, char byte, std::string_view backslash) {
  out.append(backslash).push_back('x');
  append_hex(out, static_cast<uint8_t>(byte), 2);
}

void append_u_escape(std::string& out, uint32_t code_point) {
  out.append("\\u");
  append_hex(out, code_point, 4);  // every unsafe code point is in the basic plane
}

// The letter of a two-character escape; 0 when there is none.
char short_escape(uint32_t code_point) {
  switch (code_point) {
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

void append_unsafe(std::string& out, uint32_t code_point) {
  if (const char letter = short_escape(code_point)) {
    out.push_back('\\');
    out.push_back(letter);
  } else {
    append_u_escape(out, code_point);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (;;) {
    const size_t plain_size = plain_prefix_size(text);
    out.append(text.substr(0, plain_size));
    text.remove_prefix(plain_size);
    if (text.empty()) break;
    const CodePoint point = first_code_point(text);
    if (point.size == 0) {
      append_escaped_byte(out, text[0], "\\\\");
    } else if (point.value == '"' || point.value == '\\') {
      out.push_back('\\');
      out.push_back(text[0]);
    } else if (is_unsafe(point.value)) {
      append_unsafe(out, point.value);
    } else {
      out.append(text.substr(0, point.size));
    }
    text.remove_prefix(point.size == 0 ? 1 : point.size);
  }
  out.push_back('"');
}

void append_csv_text(std::string& out, std::string_view text) {
  constexpr std::string_view kFormulaStarts = "=+-@\t\r\n";
  const bool is_formula = !text.empty() && kFormulaStarts.find(text[0]) != std::string_view::npos;
  const bool is_quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (is_quoted) out.push_back('"');
  if (is_formula) out.push_back('\'');
  while (!text.empty()) {
    const size_t plain_size = plain_prefix_size(text);
    out.append(text.substr(0, plain_size));
    text.remove_prefix(plain_size);
    if (text.empty()) break;
    const CodePoint point = first_code_point(text);
    if (point.size == 0) {
      append_escaped_byte(out, text[0], "\\");
    } else if (point.value == '"') {
      out.append("\"\"");
    } else if (is_unsafe(point.value) && point.value != '\t' && point.value != '\r' &&
               point.value != '\n') {
      append_u_escape(out, point.value);
    } else {
      out.append(text.substr(0, point.size));
    }
    text.remove_prefix(point.size == 0 ? 1 : point.size);
  }
  if (is_quoted) out.push_back('"');
}

void append_terminal_text(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (point.size == 0) {
      append_escaped_byte(out, text[0], "\\");
    } else if (is_unsafe(point.value)) {
      append_unsafe(out, point.value);
    } else {
      out.append(text.substr(0, point.size));
    }
    text.remove_prefix(point.size == 0 ? 1 : point.size);
  }
}

void append_quoted_text(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const std::string_view bytes = text.substr(0, point.size == 0 ? 1 : point.size);
    if (point.value == '\n' || point.value == '\r' || point.value == '\t') {
      out.push_back('\\');
      out.push_back(short_escape(point.value));
    } else if (point.size == 0 || is_unsafe(point.value)) {
      for (const char byte : bytes) append_escaped_byte(out, byte, "\\");
    } else {
      if (point.value == '"' || point.value == '\\') out.push_back('\\');
      out.append(bytes);
    }
    text.remove_prefix(bytes.size());
  }
  out.push_back('"');
}

size_t column_count(std::string_view text) {
  size_t count = 0;
  for (const char character : text) {
    if ((static_cast<uint8_t>(character) & 0xc0) != 0x80) ++count;
  }
  return count;
}

}  // namespace weir

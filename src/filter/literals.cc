// SPDX-License-Identifier: Apache-2.0
#include "filter/literals.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/quantity.h"
#include "base/text.h"

namespace weir {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr size_t kAddressTextSizeMax = 45;  // "ffff:" six times and "255.255.255.255"

// All of `text` as a number.
template <typename Number>
bool parse_all(std::string_view text, int base, Number& number) {
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number, base);
  return problem == std::errc() && rest == end;
}

// Decimal with a unit, or hexadecimal.
bool parse_number(std::string_view text, uint64_t& number) {
  if (text.starts_with("0x")) return parse_all(text.substr(2), 16, number);
  return parse_quantity(text, kBinaryUnits, number);
}

// A magnitude and its sign.
bool apply_sign(bool is_negative, uint64_t magnitude, int64_t& value) {
  const uint64_t most = static_cast<uint64_t>(INT64_MAX) + (is_negative ? 1 : 0);
  if (magnitude > most) return false;
  value = static_cast<int64_t>(is_negative ? 0 - magnitude : magnitude);
  return true;
}

bool take_sign(std::string_view& text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  return is_negative;
}

bool parse_duration(std::string_view text, int64_t& ns) {
  const bool is_negative = take_sign(text);
  uint64_t magnitude = 0;
  return parse_quantity(text, kTimeUnits, magnitude) && apply_sign(is_negative, magnitude, ns);
}

// Takes fields of fixed width from the begin of a time; once one is not there, ok() is false.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

  int64_t number(size_t digit_count, int64_t least, int64_t most) {
    int64_t value = 0;
    const std::string_view digits = rest_.substr(0, digit_count);
    const bool is_number =
        digits.size() == digit_count && digits[0] != '-' && parse_all(digits, 10, value);
    if (!is_number || value < least || value > most) return fail();
    rest_.remove_prefix(digit_count);
    return value;
  }
  // One of the characters, which is returned.
  char one_of(std::string_view characters) {
    const char found = rest_.empty() ? '\0' : rest_[0];
    if (rest_.empty() || characters.find(found) == std::string_view::npos) {
      fail();
      return '\0';
    }
    rest_.remove_prefix(1);
    return found;
  }
  // ".839354", in nanoseconds; 0 when there is none.
  int64_t fraction() {
    if (!rest_.starts_with('.')) return 0;
    rest_.remove_prefix(1);
    int64_t ns = 0;
    int64_t unit = kNsPerSecond;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
      if (unit == 1) return fail();
      unit /= 10;
      ns += (rest_[0] - '0') * unit;
      rest_.remove_prefix(1);
    }
    return unit == kNsPerSecond ? fail() : ns;
  }

 private:
  int64_t fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

constexpr bool is_leap_year(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int64_t days_of_month(int64_t year, int64_t month) {
  constexpr std::array<int64_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[static_cast<size_t>(month - 1)];
}

// Days from 1970-01-01 to the first of January. Exact for years 1 to 9999.
int64_t days_before_year(int64_t year) {
  const int64_t before = year - 1;
  return before * 365 + before / 4 - before / 100 + before / 400 - 719'162;
}

// MAC addresses have 6 bytes, those of IEEE 802.15.4 have 8; separated by : or -.
bool parse_mac(std::string_view text, AddressKind& kind, AddressBytes& bytes) {
  if (text.size() != 17 && text.size() != 23) return false;
  const char separator = text[2];
  if (separator != ':' && separator != '-') return false;
  const size_t count = (text.size() + 1) / 3;
  for (size_t index = 0; index < count; ++index) {
    if (!parse_all(text.substr(index * 3, 2), 16, bytes[index])) return false;
    if (index + 1 < count && text[index * 3 + 2] != separator) return false;
  }
  kind = count == 6 ? AddressKind::kMac : AddressKind::kEui64;
  return true;
}

bool parse_ip(std::string_view text, AddressKind& kind, AddressBytes& bytes) {
  std::array<char, kAddressTextSizeMax + 1> terminated{};
  if (text.size() > kAddressTextSizeMax) return false;
  std::ranges::copy(text, terminated.begin());
  if (text.find('\0') != std::string_view::npos) return false;
  kind = text.find(':') == std::string_view::npos ? AddressKind::kIpv4 : AddressKind::kIpv6;
  const int family = kind == AddressKind::kIpv4 ? AF_INET : AF_INET6;
  return inet_pton(family, terminated.data(), bytes.data()) == 1;
}

}  // namespace

bool parse_time(std::string_view text, int64_t& ns) {
  TimeReader reader(text);
  const int64_t year = reader.number(4, 1677, 2262);  // which int64 has, not to their ends
  reader.one_of("-");
  const int64_t month = reader.number(2, 1, 12);
  reader.one_of("-");
  const int64_t day = reader.number(2, 1, 31);
  if (!reader.ok() || day > days_of_month(year, month)) return false;
  int64_t days = days_before_year(year) + day - 1;
  for (int64_t before = 1; before < month; ++before) days += days_of_month(year, before);
  int64_t seconds = days * 86'400;
  int64_t fraction_ns = 0;
  if (!reader.rest().empty()) {
    reader.one_of("Tt ");
    seconds += reader.number(2, 0, 23) * 3600;
    reader.one_of(":");
    seconds += reader.number(2, 0, 59) * 60;
    reader.one_of(":");
    seconds += reader.number(2, 0, 60);  // 60 is a leap second: the next minute's begin
    fraction_ns = reader.fraction();
    const char zone = reader.one_of("Zz+-");
    if (zone == '+' || zone == '-') {
      int64_t offset = reader.number(2, 0, 23) * 3600;
      reader.one_of(":");
      offset += reader.number(2, 0, 59) * 60;
      seconds -= zone == '+' ? offset : -offset;
    }
  }
  if (!reader.ok() || !reader.rest().empty()) return false;
  if (seconds < 0) {  // so that the product is not below the least number when the sum is not
    ++seconds;
    fraction_ns -= kNsPerSecond;
  }
  return !__builtin_mul_overflow(seconds, kNsPerSecond, &ns) &&
         !__builtin_add_overflow(ns, fraction_ns, &ns);
}

bool parse_key(std::string_view text, FilterType type, std::optional<int64_t> reference_ns,
               FilterKey& key) {
  uint64_t number = 0;
  int64_t integer = 0;
  AddressKind kind = AddressKind::kMac;
  AddressBytes bytes{};
  switch (type) {
    case FilterType::kBool:
      key = key_of_unsigned(text == "true" ? 1 : 0);
      return text == "true" || text == "false";
    case FilterType::kNumber:
      key = key_of_unsigned(0);
      if (!parse_number(text, number)) return false;
      key = key_of_unsigned(number);
      return true;
    case FilterType::kInteger: {
      const bool is_negative = take_sign(text);
      if (!parse_number(text, number) || !apply_sign(is_negative, number, integer)) return false;
      key = key_of_signed(integer);
      return true;
    }
    case FilterType::kDuration:
      if (!parse_duration(text, integer)) return false;
      key = key_of_signed(integer);
      return true;
    case FilterType::kTime:
      if (text.starts_with('-') || text.starts_with('+')) {
        if (text.starts_with('+')) text.remove_prefix(1);
        if (!reference_ns || !parse_duration(text, integer)) return false;
        if (__builtin_add_overflow(*reference_ns, integer, &integer)) return false;
      } else if (!parse_time(text, integer)) {
        return false;
      }
      key = key_of_signed(integer);
      return true;
    case FilterType::kAddress:
      if (!parse_ip(text, kind, bytes)) return false;
      key = key_of_address(kind, bytes);
      return true;
    case FilterType::kMac:
      if (!parse_mac(text, kind, bytes)) return false;
      key = key_of_address(kind, bytes);
      return true;
    case FilterType::kText:
    case FilterType::kBytes:
    case FilterType::kNone:
      return false;
  }
  return false;
}

bool parse_network(std::string_view text, FilterOperand& operand) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  AddressKind kind = AddressKind::kIpv4;
  AddressBytes bytes{};
  uint8_t prefix_size = 0;
  if (!parse_ip(text.substr(0, slash), kind, bytes)) return false;
  if (!parse_all(text.substr(slash + 1), 10, prefix_size)) return false;
  const size_t bit_count = kind == AddressKind::kIpv4 ? 32 : 128;
  if (prefix_size > bit_count) return false;
  AddressBytes last = bytes;
  for (size_t bit = prefix_size; bit < bit_count; ++bit) {
    const auto mask = static_cast<uint8_t>(0x80u >> bit % 8);
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] & ~mask);
    last[bit / 8] = static_cast<uint8_t>(last[bit / 8] | mask);
  }
  operand.form = FilterOperand::Form::kNetwork;
  operand.prefix_size = prefix_size;
  operand.range = {key_of_address(kind, bytes), key_of_address(kind, last)};
  return true;
}

bool parse_hex_bytes(std::string_view text, std::string& bytes) {
  if (text.size() % 2 != 0 || text.empty()) return false;
  for (size_t index = 0; index < text.size(); index += 2) {
    uint8_t byte = 0;
    if (!parse_all(text.substr(index, 2), 16, byte)) return false;
    bytes.push_back(static_cast<char>(byte));
  }
  return true;
}

void append_key(std::string& out, FilterType type, const FilterKey& key) {
  switch (type) {
    case FilterType::kBool:
      out.append(key.low != 0 ? "true" : "false");
      return;
    case FilterType::kNumber:
      append_unsigned(out, key.low);
      return;
    case FilterType::kInteger:
      append_signed(out, signed_of(key));
      return;
    case FilterType::kTime:
      append_time(out, signed_of(key));
      return;
    case FilterType::kDuration: {
      const int64_t ns = signed_of(key);
      if (ns < 0) out.push_back('-');
      append_quantity(out, ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns),
                      kTimeUnits);
      return;
    }
    case FilterType::kAddress:
    case FilterType::kMac:
      append_address(out, static_cast<AddressKind>(key.kind), address_of(key));
      return;
    case FilterType::kText:
    case FilterType::kBytes:
    case FilterType::kNone:
      return;
  }
}

}  // namespace weir

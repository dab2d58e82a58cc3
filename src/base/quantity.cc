// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.h"

#include <cstddef>

#include "base/text.h"

namespace weir {
namespace {

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

// The digits at the begin of `text`, which move from it into `number`. False on overflow and when
// there are none.
bool take_digits(std::string_view& text, uint64_t& number, size_t& digit_count) {
  for (digit_count = 0; !text.empty() && is_digit(text.front()); ++digit_count) {
    if (__builtin_mul_overflow(number, uint64_t{10}, &number)) return false;
    if (__builtin_add_overflow(number, static_cast<uint64_t>(text.front() - '0'), &number))
      return false;
    text.remove_prefix(1);
  }
  return digit_count > 0;
}

}  // namespace

bool parse_quantity(std::string_view text, std::span<const QuantityUnit> units, uint64_t& value) {
  uint64_t whole = 0;
  uint64_t fraction = 0;
  uint64_t scale = 1;  // of the fraction: 10 per digit
  size_t digit_count = 0;
  if (!take_digits(text, whole, digit_count)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!take_digits(text, fraction, digit_count)) return false;
    for (; digit_count > 0; --digit_count) {
      if (__builtin_mul_overflow(scale, uint64_t{10}, &scale)) return false;
    }
  }
  while (scale > 1 && fraction % 10 == 0) {
    fraction /= 10;
    scale /= 10;
  }
  for (const QuantityUnit& unit : units) {
    if (unit.name != text) continue;
    uint64_t part = 0;
    if (__builtin_mul_overflow(whole, unit.size, &value)) return false;
    if (__builtin_mul_overflow(fraction, unit.size, &part) || part % scale != 0) return false;
    return !__builtin_add_overflow(value, part / scale, &value);
  }
  value = 0;
  return text.empty() && whole == 0 && fraction == 0;  // "0" needs no unit.
}

void append_quantity(std::string& out, uint64_t value, std::span<const QuantityUnit> units) {
  for (const QuantityUnit& unit : units) {
    if (value == 0 || value % unit.size != 0) continue;
    append_unsigned(out, value / unit.size);
    out.append(unit.name);
    return;
  }
  out.push_back('0');
}

}  // namespace weir

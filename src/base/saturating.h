// SPDX-License-Identifier: Apache-2.0
//
// Sums that stop at the ends of the range instead of wrapping: times come from files and say anything.
#pragma once

#include <concepts>
#include <limits>

namespace weir {

template <std::integral T>
constexpr T saturating_add(T x, T y) noexcept {
  T sum;
  if (!__builtin_add_overflow(x, y, &sum)) return sum;
  return y < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

template <std::integral T>
constexpr T saturating_subtract(T x, T y) noexcept {
  T difference;
  if (!__builtin_sub_overflow(x, y, &difference)) return difference;
  return y < 0 ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
}

// base + count · step.
template <std::integral T>
constexpr T saturating_multiply_add(T base, T count, T step) noexcept {
  T product;
  if (!__builtin_mul_overflow(count, step, &product)) return saturating_add(base, product);
  return (count < 0) != (step < 0) ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

}  // namespace weir

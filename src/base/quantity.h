// SPDX-License-Identifier: Apache-2.0
//
// Quantities as people write them: "64K", "1.5M", "90s", "5m". Units as in the configuration file:
// K is 1024, and so on.
//
// Errors: what is no quantity, or none that is whole, or does not fit, is false.
// Threads: pure functions; any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weir {

struct QuantityUnit {
  std::string_view name;
  uint64_t size;
};

// Largest first: writing takes the first that divides the value.
inline constexpr QuantityUnit kBinaryUnits[] = {{"T", uint64_t{1} << 40},
                                                {"G", uint64_t{1} << 30},
                                                {"M", uint64_t{1} << 20},
                                                {"K", uint64_t{1} << 10},
                                                {"", 1}};
// In nanoseconds.
inline constexpr QuantityUnit kTimeUnits[] = {{"d", 86'400'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"s", 1'000'000'000},
                                              {"ms", 1'000'000},
                                              {"us", 1'000},
                                              {"ns", 1}};

// "1.5" and the unit "s" of "1.5s": digits, perhaps a fraction, one of the units. Without a unit
// only when one of them has no name, or when it is "0".
[[nodiscard]] bool parse_quantity(std::string_view text, std::span<const QuantityUnit> units,
                                  uint64_t& value);
// The shortest form without a fraction: "90s", "5m", "0".
void append_quantity(std::string& out, uint64_t value, std::span<const QuantityUnit> units);

}  // namespace weir

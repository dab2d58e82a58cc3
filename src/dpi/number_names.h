// SPDX-License-Identifier: Apache-2.0
//
// Tables of what a number on the wire is called: record types, message types, function codes.
//
// Threads: pure but for the flow that is spoken of; any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "weir/protocol.h"

namespace weir {

struct NumberName {
  uint32_t number;
  std::string_view name;
};

// For a static_assert beside each table.
constexpr bool is_ascending(std::span<const NumberName> table) noexcept {
  return std::ranges::is_sorted(table, std::ranges::less_equal{}, &NumberName::number);
}

// Empty when the table does not have it. The table is ascending.
constexpr std::string_view find_name(std::span<const NumberName> table, uint32_t number) noexcept {
  const auto row = std::ranges::lower_bound(table, number, {}, &NumberName::number);
  return row != table.end() && row->number == number ? row->name : std::string_view{};
}

// Sets the attribute to the name, or to the number as text where it has none.
void set_name(Context& context, uint8_t index, std::span<const NumberName> table,
              uint32_t number) noexcept;

}  // namespace weir

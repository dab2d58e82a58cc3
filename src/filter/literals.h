// SPDX-License-Identifier: Apache-2.0
//
// Values as they stand in a filter: numbers, times, durations, addresses, networks, bytes. Reading
// and writing are each other's inverse, which is what makes the canonical text one.
//
// Errors: false of what is no such value.
// Threads: pure functions; any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "filter/expression.h"

namespace weir {

// RFC 3339, section 5.6: "2026-01-31T12:00:00Z", with a fraction of up to nine digits and an
// offset; also a date alone, whose time is 00:00:00Z. From 1677-09-21 to 2262-04-11.
[[nodiscard]] bool parse_time(std::string_view text, int64_t& ns);

// A value of a type that has keys. `-5m` and `+5m` as a time count from `reference_ns`, and are no
// time without one.
[[nodiscard]] bool parse_key(std::string_view text, FilterType type,
                             std::optional<int64_t> reference_ns, FilterKey& key);
// "10.0.0.0/8": a value of kAddress and the number of bits that count. Other bits are dropped.
[[nodiscard]] bool parse_network(std::string_view text, FilterOperand& operand);
// "00ff" as two bytes.
[[nodiscard]] bool parse_hex_bytes(std::string_view text, std::string& bytes);

void append_key(std::string& out, FilterType type, const FilterKey& key);

}  // namespace weir

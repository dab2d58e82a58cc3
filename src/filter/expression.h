// SPDX-License-Identifier: Apache-2.0
//
// A filter as a tree of terms: what the parser makes, what the evaluator runs and what a store may
// plan over.
//
// A term is one field compared with operands, or a field alone. Nodes join terms by and, or and
// not. Nodes and terms lie in arrays and name each other by index, so nobody needs recursion to
// walk or destroy an expression.
//
// Invariants: terms are numbered as they stand in the text, so the terms under a node are a range
// of them. An `and` has no child that is one, nor has an `or`, nor has a `not`.
// Threads: immutable once parsed; any.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filter/text_pattern.h"
#include "weir/attribute_block.h"
#include "weir/catalog.h"
#include "weir/field.h"

namespace weir {

inline constexpr size_t kFilterSizeMax = 4096;  // bytes of the text, also when written out in full
inline constexpr size_t kFilterTermCountMax = 256;
inline constexpr size_t kFilterDepthMax = 64;  // of parentheses and nots around a term
inline constexpr size_t kFilterPatternCountMax = 16;

// What a field's values are, as far as operators care.
enum class FilterType : uint8_t {
  kBool,
  kNumber,   // unsigned
  kInteger,  // signed
  kTime,
  kDuration,
  kAddress,
  kMac,
  kText,
  kBytes,
  kNone,  // objects and counters: they are there or not
};

enum class FilterOperator : uint8_t {
  kPresent,  // a field alone; of a boolean one: it is true
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kContains,
  kMatches,
};
std::string_view filter_operator_name(FilterOperator op) noexcept;  // "==", …; "" of kPresent

// A boolean, number, time, duration or address as something with one order.
struct FilterKey {
  uint64_t kind = 0;  // of addresses; 0 of all others
  uint64_t high = 0;  // bytes 0 to 7 of an address
  uint64_t low = 0;   // bytes 8 to 15; a number
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 of <=> for a pointer
  friend auto operator<=>(const FilterKey&, const FilterKey&) = default;
};
FilterKey key_of_unsigned(uint64_t number) noexcept;
FilterKey key_of_signed(int64_t number) noexcept;
FilterKey key_of_address(AddressKind kind, const AddressBytes& address) noexcept;
// False of what has no key: texts, lists, objects and what is absent.
bool key_of(const Value& value, FilterKey& key) noexcept;
int64_t signed_of(const FilterKey& key) noexcept;
AddressBytes address_of(const FilterKey& key) noexcept;

struct FilterRange {  // both ends are in it
  FilterKey first;
  FilterKey last;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 of <=> for a pointer
  friend auto operator<=>(const FilterRange&, const FilterRange&) = default;
};

// One value, range or network as written.
struct FilterOperand {
  enum class Form : uint8_t { kValue, kRange, kNetwork };
  Form form = Form::kValue;
  uint8_t prefix_size = 0;  // kNetwork: bits
  FilterRange range;        // what it covers; of texts and bytes empty
  std::string text;         // of texts and bytes
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 of <=> for a pointer
  friend auto operator<=>(const FilterOperand&, const FilterOperand&) = default;
};

struct FilterTerm {
  std::string_view name;  // as written: of a field or an alias
  const Alias* alias = nullptr;
  std::array<const Field*, 2> fields{};  // the second of an alias only
  FilterType type = FilterType::kNone;
  FilterOperator op = FilterOperator::kPresent;
  // Sorted, without doubles; one unless op is kIn; none of kPresent.
  std::vector<FilterOperand> operands;
  // What the operator accepts of values with a key: sorted, no two overlap. kNotEqual has what
  // it refuses.
  std::vector<FilterRange> ranges;
  std::shared_ptr<const TextPattern> pattern;  // kMatches

  // The way from the outermost object to a member, by numbers of attributes; empty of other fields.
  std::array<uint16_t, kNestingMax + 1> path{};
  uint8_t path_count = 0;
  const Field* root = nullptr;  // of the outermost object

  // Where the evaluator goes next: a later term, kFilterAccept or kFilterReject.
  uint16_t on_true = 0;
  uint16_t on_false = 0;
};

inline constexpr uint16_t kFilterAccept = UINT16_MAX - 1;
inline constexpr uint16_t kFilterReject = UINT16_MAX;
inline constexpr uint16_t kNoFilterNode = UINT16_MAX;

struct FilterNode {
  enum class Kind : uint8_t { kTerm, kAnd, kOr, kNot };
  Kind kind = Kind::kTerm;
  uint16_t first_term = 0;  // kTerm: it; else the first below
  uint16_t first_child = kNoFilterNode;
  uint16_t last_child = kNoFilterNode;
  uint16_t next = kNoFilterNode;  // of the same parent
};

struct FilterExpression {
  std::vector<FilterTerm> terms;
  std::vector<FilterNode> nodes;
  uint16_t root = kNoFilterNode;
};

// Sets each term's on_true and on_false.
void link_terms(FilterExpression& expression);
// The canonical text: parsed, it gives the same expression.
void append_expression(std::string& out, const FilterExpression& expression);

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// The evaluator. Terms are asked in the order of the text, each saying which one comes next, so
// there is no stack and no term is asked twice.
#include "filter/filter.h"

#include <algorithm>

#include "weir/attribute_block.h"

namespace weir {
namespace {

// What a term met so far: whether there was any value, and whether the operator accepted one. Of
// != the operator is asked for equality.
struct Findings {
  bool is_present = false;
  bool is_hit = false;
};

bool contains_key(const std::vector<FilterRange>& ranges, const FilterKey& key) {
  // The only range that can have it is the last one that does not begin after it.
  const auto after = std::ranges::upper_bound(ranges, key, {}, &FilterRange::first);
  return after != ranges.begin() && key <= std::prev(after)->last;
}

bool accepts_text(const FilterTerm& term, std::string_view text) {
  switch (term.op) {
    case FilterOperator::kContains:
      return text.find(term.operands[0].text) != std::string_view::npos;
    case FilterOperator::kMatches:
      return term.pattern->is_in(text);
    case FilterOperator::kPresent:
      return true;
    default: {
      const auto found = std::ranges::lower_bound(
          term.operands, text, {},
          [](const FilterOperand& operand) { return std::string_view(operand.text); });
      return found != term.operands.end() && found->text == text;
    }
  }
}

// One value, no list.
void judge(const FilterTerm& term, const Value& value, Findings& findings) {
  if (value.kind == ValueKind::kAbsent) return;
  findings.is_present = true;
  FilterKey key;
  if (value.kind == ValueKind::kText || value.kind == ValueKind::kBytes) {
    const ValueKind expected =
        term.type == FilterType::kText ? ValueKind::kText : ValueKind::kBytes;
    findings.is_hit = findings.is_hit || (value.kind == expected && accepts_text(term, value.text));
  } else if (key_of(value, key)) {
    findings.is_hit = findings.is_hit || contains_key(term.ranges, key);
  }
}

void judge_numbers(const FilterTerm& term, const Value& list, Findings& findings) {
  for (size_t index = 0; index < list.list_count; ++index) {
    findings.is_present = true;
    findings.is_hit =
        findings.is_hit || contains_key(term.ranges, key_of_unsigned(list.list[index]));
  }
}

// The entries of a list of `field`.
void judge_entries(const FilterTerm& term, const Field& field, std::span<const uint8_t> entries,
                   Value& element, Findings& findings) {
  AttributeReader reader(entries);
  for (AttributeEntry entry; reader.next(entry);) {
    if (entry.number != field.attribute) continue;
    element.kind = ValueKind::kAbsent;
    decode_attribute(field, entry, element);
    judge(term, element, findings);
  }
}

// A member of an object, or of each of a list of them: down the path and back up, a reader for each
// level. Each byte is read at most once per level.
void judge_members(const FilterTerm& term, const Field& field, Value& value, Findings& findings) {
  std::array<AttributeReader, kNestingMax + 1> readers = {AttributeReader({}), AttributeReader({}),
                                                          AttributeReader({}), AttributeReader({})};
  static_assert(kNestingMax + 1 == 4);
  size_t base = 0;
  if (value.kind == ValueKind::kObject) {
    base = 1;
  } else if (value.kind != ValueKind::kList) {
    return;
  }
  readers[base] = AttributeReader(value.encoded);
  const size_t last = term.path_count - 1u;
  for (size_t level = base;;) {
    AttributeEntry entry;
    if (!readers[level].next(entry)) {
      if (level == base) return;
      --level;
    } else if (entry.number == term.path[level]) {
      if (level < last) {
        readers[++level] = AttributeReader(entry.value);
        continue;
      }
      value.kind = ValueKind::kAbsent;
      decode_attribute(field, entry, value);
      judge(term, value, findings);
    }
  }
}

void judge_field(const FilterTerm& term, const Field& field, const ValueSource& source,
                 Value& value, Findings& findings) {
  value.kind = ValueKind::kAbsent;
  if (term.path_count > 0) {
    source.value(*term.root, value);
    return judge_members(term, field, value, findings);
  }
  source.value(field, value);
  if (value.kind == ValueKind::kList) {
    judge_entries(term, field, value.encoded, value, findings);
  } else if (value.kind == ValueKind::kListU16) {
    judge_numbers(term, value, findings);
  } else {
    judge(term, value, findings);
  }
}

// Of both ends; a sum that does not fit is the largest number.
void judge_sum(const FilterTerm& term, const ValueSource& source, Value& value,
               Findings& findings) {
  uint64_t sum = 0;
  for (const Field* field : term.fields) {
    value.kind = ValueKind::kAbsent;
    source.value(*field, value);
    if (value.kind != ValueKind::kUnsigned) continue;
    findings.is_present = true;
    if (__builtin_add_overflow(sum, value.number, &sum)) sum = UINT64_MAX;
  }
  if (findings.is_present) findings.is_hit = contains_key(term.ranges, key_of_unsigned(sum));
}

bool holds(const FilterTerm& term, const ValueSource& source, Value& value) {
  Findings findings;
  if (term.alias != nullptr && term.alias->means == Alias::Means::kSum) {
    judge_sum(term, source, value, findings);
  } else {
    for (const Field* field : term.fields) {
      if (field != nullptr) judge_field(term, *field, source, value, findings);
    }
  }
  if (term.op == FilterOperator::kNotEqual) return findings.is_present && !findings.is_hit;
  const bool is_presence = term.op == FilterOperator::kPresent && term.type != FilterType::kBool;
  return is_presence ? findings.is_present : findings.is_hit;
}

}  // namespace

void RecordValues::value(const Field& field, Value& value) const {
  get_value(field, record_, names_, value);
}

void MessageValues::value(const Field& field, Value& value) const {
  if (field.is_list()) {
    // A message may name one attribute here and there: the list is whatever of the block is its
    // own.
    find_attribute(field, block_, value);
    if (value.kind == ValueKind::kList) value.encoded = block_;
  } else if (field.is_attribute()) {
    find_attribute(field, block_, value);
  }
  if (value.kind != ValueKind::kAbsent) return;
  for (const Extra& extra : extras_) {
    if (extra.field != &field) continue;
    value = extra.value;
    return;
  }
}

bool Filter::matches(const ValueSource& source) const {
  Value value;
  // Every jump is forward, so the loop ends.
  uint16_t next = 0;
  while (next < expression_.terms.size()) {
    const FilterTerm& term = expression_.terms[next];
    next = holds(term, source, value) ? term.on_true : term.on_false;
  }
  return next == kFilterAccept;
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "filter/expression.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "filter/lexer.h"
#include "filter/literals.h"

namespace weir {
namespace {

using Kind = FilterNode::Kind;

constexpr uint64_t kSignBit = uint64_t{1} << 63;

// A text that reads back as itself without quotes: a lower-case word. Others might be one day
// what they are not today.
bool is_plain_word(std::string_view text) {
  if (text.empty() || is_filter_keyword(text)) return false;
  if (text[0] < 'a' || text[0] > 'z') return false;
  return std::ranges::all_of(text, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_' ||
           letter == '-';
  });
}

void append_operand(std::string& out, FilterType type, const FilterOperand& operand) {
  if (type == FilterType::kBytes) return append_hex_bytes(out, operand.text);
  if (type == FilterType::kText) {
    if (is_plain_word(operand.text)) {
      out.append(operand.text);
    } else {
      append_quoted_text(out, operand.text);
    }
    return;
  }
  append_key(out, type, operand.range.first);
  if (operand.form == FilterOperand::Form::kRange) {
    out.append("..");
    append_key(out, type, operand.range.last);
  } else if (operand.form == FilterOperand::Form::kNetwork) {
    out.push_back('/');
    append_unsigned(out, operand.prefix_size);
  }
}

void append_term(std::string& out, const FilterTerm& term) {
  out.append(term.name);
  if (term.op == FilterOperator::kPresent) return;
  out.append(" ").append(filter_operator_name(term.op)).append(" ");
  // One range or network needs no braces, one value does.
  const bool has_braces =
      term.op == FilterOperator::kIn &&
      (term.operands.size() > 1 || term.operands[0].form == FilterOperand::Form::kValue);
  if (has_braces) out.push_back('{');
  for (const FilterOperand& operand : term.operands) {
    if (&operand != &term.operands.front()) out.append(", ");
    append_operand(out, term.type, operand);
  }
  if (has_braces) out.push_back('}');
}

uint64_t big_endian(const AddressBytes& bytes, size_t first) {
  uint64_t number = 0;
  for (size_t index = first; index < first + 8; ++index) number = number << 8 | bytes[index];
  return number;
}

}  // namespace

std::string_view filter_operator_name(FilterOperator op) noexcept {
  constexpr std::array<std::string_view, 10> kNames = {
      "", "==", "!=", "<", "<=", ">", ">=", "in", "contains", "matches"};
  return kNames[static_cast<size_t>(op)];
}

FilterKey key_of_unsigned(uint64_t number) noexcept {
  return {0, 0, number};
}

// The flipped sign bit puts negative numbers first.
FilterKey key_of_signed(int64_t number) noexcept {
  return {0, 0, static_cast<uint64_t>(number) ^ kSignBit};
}

int64_t signed_of(const FilterKey& key) noexcept {
  return static_cast<int64_t>(key.low ^ kSignBit);
}

FilterKey key_of_address(AddressKind kind, const AddressBytes& address) noexcept {
  return {static_cast<uint64_t>(kind), big_endian(address, 0), big_endian(address, 8)};
}

AddressBytes address_of(const FilterKey& key) noexcept {
  AddressBytes bytes{};
  for (size_t index = 0; index < 8; ++index) {
    bytes[index] = static_cast<uint8_t>(key.high >> (56 - 8 * index));
    bytes[index + 8] = static_cast<uint8_t>(key.low >> (56 - 8 * index));
  }
  return bytes;
}

bool key_of(const Value& value, FilterKey& key) noexcept {
  switch (value.kind) {
    case ValueKind::kBool:
      key = key_of_unsigned(value.boolean ? 1 : 0);
      return true;
    case ValueKind::kUnsigned:
      key = key_of_unsigned(value.number);
      return true;
    case ValueKind::kSigned:
    case ValueKind::kTime:
    case ValueKind::kDuration:
      key = key_of_signed(value.signed_number);
      return true;
    case ValueKind::kAddress:
      key = key_of_address(value.address_kind, value.address);
      return true;
    default:
      return false;
  }
}

// From the root down: a child that does not decide its parent goes on with its next sibling, the
// last one with what follows the parent. So every jump is forward.
void link_terms(FilterExpression& expression) {
  struct Step {
    uint16_t node;
    uint16_t on_true;
    uint16_t on_false;
  };
  std::vector<Step> steps = {{expression.root, kFilterAccept, kFilterReject}};
  while (!steps.empty()) {
    const Step step = steps.back();
    steps.pop_back();
    const FilterNode& node = expression.nodes[step.node];
    if (node.kind == Kind::kTerm) {
      FilterTerm& term = expression.terms[node.first_term];
      term.on_true = step.on_true;
      term.on_false = step.on_false;
      continue;
    }
    if (node.kind == Kind::kNot) {
      steps.push_back({node.first_child, step.on_false, step.on_true});
      continue;
    }
    for (uint16_t child = node.first_child; child != kNoFilterNode;) {
      const uint16_t next = expression.nodes[child].next;
      Step down{child, step.on_true, step.on_false};
      if (next != kNoFilterNode) {
        const uint16_t next_term = expression.nodes[next].first_term;
        (node.kind == Kind::kAnd ? down.on_true : down.on_false) = next_term;
      }
      steps.push_back(down);
      child = next;
    }
  }
}

void append_expression(std::string& out, const FilterExpression& expression) {
  // What is still to be written, the last first: a literal, or a node when there is none.
  struct Step {
    std::string_view literal;
    uint16_t node = kNoFilterNode;
    Kind parent = Kind::kTerm;
  };
  std::vector<Step> steps = {{{}, expression.root, Kind::kTerm}};
  while (!steps.empty()) {
    const Step step = steps.back();
    steps.pop_back();
    if (step.node == kNoFilterNode) {
      out.append(step.literal);
      continue;
    }
    const FilterNode& node = expression.nodes[step.node];
    if (node.kind == Kind::kTerm) {
      append_term(out, expression.terms[node.first_term]);
      continue;
    }
    if (node.kind == Kind::kNot) {
      out.append("not ");
      steps.push_back({{}, node.first_child, Kind::kNot});
      continue;
    }
    // An `or` is weaker than any parent, an `and` only than `not`.
    const bool has_parentheses =
        step.parent == Kind::kNot || (step.parent == Kind::kAnd && node.kind == Kind::kOr);
    const size_t first = steps.size();
    if (has_parentheses) steps.push_back({"("});
    for (uint16_t child = node.first_child; child != kNoFilterNode;
         child = expression.nodes[child].next) {
      if (child != node.first_child) steps.push_back({node.kind == Kind::kAnd ? " and " : " or "});
      steps.push_back({{}, child, node.kind});
    }
    if (has_parentheses) steps.push_back({")"});
    std::reverse(steps.begin() + static_cast<std::ptrdiff_t>(first), steps.end());
  }
}

}  // namespace weir

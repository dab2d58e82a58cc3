// SPDX-License-Identifier: Apache-2.0
#include "filter/term_parser.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/text.h"
#include "filter/literals.h"
#include "schema/nearest.h"

namespace weir {
namespace {

using Form = FilterOperand::Form;

constexpr size_t kShownSizeMax = 64;  // of what a message repeats

// What the values of a type are called, which operators they have and what they look like.
struct TypeRow {
  std::string_view noun;
  std::string_view operators;
  std::string_view example;
};
constexpr std::string_view kOrdered = "==, !=, <, <=, >, >= or in";
constexpr std::array<TypeRow, 10> kTypeRows = {{
    {"true or false", "== or !=", "true or false"},
    {"a number", kOrdered, "a number such as 1500, 64K or 0x1f"},
    {"a number", kOrdered, "a number such as 1500, -1 or 64K"},
    {"a time", kOrdered, "a time such as 2026-01-31T12:00:00Z or -5m"},
    {"a duration", kOrdered, "a duration such as 5m or 1.5s"},
    {"an address", "==, != or in", "an address such as 10.0.0.1 or 2001:db8::1"},
    {"a MAC address", "==, != or in", "a MAC address such as 00:1b:44:11:3a:b7"},
    {"text", "==, !=, in, contains or matches", "text"},
    {"bytes", "==, !=, in or contains", "bytes in hexadecimal such as 00ff"},
    {"an object", "", ""},
}};
const TypeRow& row_of(FilterType type) {
  return kTypeRows[static_cast<size_t>(type)];
}

FilterType type_of(const Field& field) {
  if (field.keep == Keep::kCount) return FilterType::kNumber;
  switch (field.type) {
    case FieldType::kBool:
      return FilterType::kBool;
    case FieldType::kU8:
    case FieldType::kU16:
    case FieldType::kU32:
    case FieldType::kU64:
    case FieldType::kListU16:
      return FilterType::kNumber;
    case FieldType::kI32:
      return FilterType::kInteger;
    case FieldType::kString:
      return FilterType::kText;
    case FieldType::kAddress:
      return FilterType::kAddress;
    case FieldType::kMac:
      return FilterType::kMac;
    case FieldType::kTime:
      return FilterType::kTime;
    case FieldType::kDuration:
      return FilterType::kDuration;
    case FieldType::kBytes:
      return FilterType::kBytes;
    case FieldType::kCounters:
    case FieldType::kObject:
      return FilterType::kNone;
  }
  ASSERT(false && "every type is listed");
}

// The largest number the term's field can be.
uint64_t number_max(const FilterTerm& term) {
  const bool is_sum = term.alias != nullptr && term.alias->means == Alias::Means::kSum;
  if (is_sum || term.fields[0]->keep == Keep::kCount) return UINT64_MAX;
  switch (term.fields[0]->type) {
    case FieldType::kU8:
      return UINT8_MAX;
    case FieldType::kU16:
    case FieldType::kListU16:
      return UINT16_MAX;
    case FieldType::kU32:
      return UINT32_MAX;
    default:
      return UINT64_MAX;
  }
}

// Whether a key is one the field can have: a comparison with any other is a mistake.
bool is_in_range(const FilterTerm& term, const FilterKey& key) {
  if (term.type == FilterType::kNumber) return key.low <= number_max(term);
  if (term.type != FilterType::kInteger) return true;
  return signed_of(key) >= INT32_MIN && signed_of(key) <= INT32_MAX;
}

std::string expectation(const FilterTerm& term, bool has_clock) {
  if (term.type == FilterType::kNumber && number_max(term) != UINT64_MAX)
    return "a number from 0 to " + std::to_string(number_max(term));
  if (term.type == FilterType::kInteger) return "a number from -2147483648 to 2147483647";
  if (term.type == FilterType::kTime && !has_clock) return "a time such as 2026-01-31T12:00:00Z";
  return std::string(row_of(term.type).example);
}

std::string shown(std::string_view text) {
  std::string out;
  append_quoted_text(out, text.substr(0, kShownSizeMax));
  if (text.size() > kShownSizeMax) out.append("…");
  return out;
}

std::string suggestion(std::string_view found, std::string_view otherwise) {
  if (found.empty()) return std::string(otherwise);
  return ", did you mean " + std::string(found) + "?";
}

// "new, established or idle"; empty words left out.
std::string listed(std::span<const std::string_view> words) {
  std::string out;
  std::string_view last;
  for (const std::string_view word : words) {
    if (word.empty()) continue;
    if (!last.empty()) out.append(out.empty() ? "" : ", ").append(last);
    last = word;
  }
  return out.append(out.empty() ? "" : " or ").append(last);
}

constexpr std::pair<std::string_view, FilterOperator> kOperators[] = {
    {"==", FilterOperator::kEqual},       {"!=", FilterOperator::kNotEqual},
    {"<", FilterOperator::kLess},         {"<=", FilterOperator::kLessEqual},
    {">", FilterOperator::kGreater},      {">=", FilterOperator::kGreaterEqual},
    {"in", FilterOperator::kIn},          {"contains", FilterOperator::kContains},
    {"matches", FilterOperator::kMatches}};

bool has_operator(FilterType type, FilterOperator op) {
  switch (op) {
    case FilterOperator::kPresent:
      return true;
    case FilterOperator::kEqual:
    case FilterOperator::kNotEqual:
      return type != FilterType::kNone;
    case FilterOperator::kLess:
    case FilterOperator::kLessEqual:
    case FilterOperator::kGreater:
    case FilterOperator::kGreaterEqual:
      return type == FilterType::kNumber || type == FilterType::kInteger ||
             type == FilterType::kTime || type == FilterType::kDuration;
    case FilterOperator::kIn:
      return type != FilterType::kNone && type != FilterType::kBool;
    case FilterOperator::kContains:
      return type == FilterType::kText || type == FilterType::kBytes;
    case FilterOperator::kMatches:
      return type == FilterType::kText;
  }
  return false;
}

}  // namespace

bool TermParser::fail_at(size_t offset, std::string message) {
  if (token_.kind == FilterToken::Kind::kWrong) {
    offset = token_.offset;
    message = token_.text;
  }
  error_ = {column_count(text_.substr(0, offset)) + 1, std::move(message)};
  return false;
}

bool TermParser::fail_expecting(std::string_view expected) {
  std::string message = "expected " + std::string(expected) + ", got ";
  message += token_.kind == FilterToken::Kind::kEnd    ? "the end"
             : token_.kind == FilterToken::Kind::kText ? shown(token_.text)
                                                       : shown(token_.written);
  return fail_at(token_.offset, std::move(message));
}

bool TermParser::parse(FilterTerm& term) {
  if (!find_field(term)) return false;
  advance();
  if (!read_operator(term)) return false;
  if (term.op != FilterOperator::kPresent && !read_operands(term)) return false;
  if (term.op == FilterOperator::kMatches && !read_pattern(term)) return false;
  if (term.op == FilterOperator::kIn) {
    std::ranges::sort(term.operands);
    term.operands.erase(std::unique(term.operands.begin(), term.operands.end()),
                        term.operands.end());
  }
  make_ranges(term);
  if (term.op != FilterOperator::kPresent) advance();
  return true;
}

bool TermParser::find_field(FilterTerm& term) {
  const std::string_view name = token_.written;
  if (const Field* field = catalog_.find(name)) {
    term.name = field->name;
    term.fields[0] = field;
  } else if (const Alias* alias = catalog_.find_alias(name)) {
    term.name = alias->name;
    term.alias = alias;
    term.fields = {catalog_.find(alias->members[0]), catalog_.find(alias->members[1])};
  } else {
    return fail_at(token_.offset,
                   "unknown field " + shown(name) +
                       suggestion(catalog_.nearest_or_alias(name), ", weir protocols lists them"));
  }
  const Field& field = *term.fields[0];
  term.type = type_of(field);
  if (!field.is_member()) return true;
  for (const Field* step = &field; step != nullptr; step = catalog_.attribute(step->parent)) {
    ASSERT(term.path_count < term.path.size());
    term.path[term.path_count++] = step->attribute;
    term.root = step;
  }
  std::reverse(term.path.begin(), term.path.begin() + term.path_count);
  return true;
}

bool TermParser::read_operator(FilterTerm& term) {
  for (const auto& [name, op] : kOperators) {
    if (token_.written != name || token_.kind == FilterToken::Kind::kText) continue;
    term.op = op;
  }
  if (has_operator(term.type, term.op)) return true;
  const TypeRow& row = row_of(term.type);
  const std::string start = std::string(term.name) + " is " + std::string(row.noun);
  if (term.type != FilterType::kNone)
    return fail_at(token_.offset, start + ": expected " + std::string(row.operators) + ", got " +
                                      std::string(token_.written));
  for (const Field& member : catalog_.fields()) {
    if (member.is_member() && member.parent == term.fields[0]->attribute)
      return fail_at(token_.offset,
                     start + ": compare a member of it such as " + std::string(member.name));
  }
  return fail_at(token_.offset,
                 start + ", which is there or not: it has no " + std::string(token_.written));
}

// Stops at the last token of them: an error of what follows is told after those of the term.
bool TermParser::read_operands(FilterTerm& term) {
  advance();
  if (term.op != FilterOperator::kIn) return read_operand(term, false);
  if (token_.kind == FilterToken::Kind::kOpenSet) return read_set(term);
  const size_t offset = token_.offset;
  if (token_.is_value() && !is_filter_keyword(token_.written)) {
    const bool has_form =
        token_.kind == FilterToken::Kind::kWord && term.type != FilterType::kText &&
        term.type != FilterType::kBytes &&
        (token_.written.find("..") != std::string_view::npos ||
         (term.type == FilterType::kAddress && token_.written.find('/') != std::string_view::npos));
    if (has_form) return read_operand(term, true);
    return fail_at(offset, std::string(term.name) +
                               ": in has a set, a range or a network; one value has ==, or {} "
                               "around it");
  }
  return fail_expecting("a set such as {443, 8443}");
}

bool TermParser::read_set(FilterTerm& term) {
  const size_t open = token_.offset;
  advance();
  if (token_.kind == FilterToken::Kind::kCloseSet) return fail_at(open, "an empty set");
  while (true) {
    if (!read_operand(term, true)) return false;
    advance();
    if (token_.kind == FilterToken::Kind::kCloseSet) return true;
    if (token_.kind == FilterToken::Kind::kEnd) return fail_at(open, "\"{\" without its \"}\"");
    if (token_.kind != FilterToken::Kind::kComma) return fail_expecting("\",\" or \"}\"");
    advance();
  }
}

bool TermParser::read_operand(FilterTerm& term, bool is_in_set) {
  if (!token_.is_value()) return fail_expecting("a value");
  const bool is_word = token_.kind == FilterToken::Kind::kWord;
  if (is_word && is_filter_keyword(token_.written))
    return fail_expecting("a value (a keyword in quotes is text)");
  std::string text = is_word ? std::string(token_.written) : token_.text;
  FilterOperand operand;
  if (term.type == FilterType::kText || term.type == FilterType::kBytes) {
    if (!read_text(term, std::move(text), operand)) return false;
    term.operands.push_back(std::move(operand));
    return true;
  }
  const size_t dots = is_word ? text.find("..") : std::string::npos;
  const bool is_network =
      is_word && term.type == FilterType::kAddress && text.find('/') != std::string::npos;
  if (!is_in_set && (dots != std::string::npos || is_network))
    return fail_at(token_.offset, std::string(term.name) + ": " + shown(text) +
                                      (is_network ? " is a network" : " is a range") +
                                      ", which only in has");
  if (dots != std::string::npos) {
    operand.form = Form::kRange;
    const std::string_view view = text;
    if (!read_value(term, view.substr(0, dots), operand.range.first)) return false;
    if (!read_value(term, view.substr(dots + 2), operand.range.last)) return false;
    if (operand.range.first > operand.range.last ||
        operand.range.first.kind != operand.range.last.kind)
      return fail_at(token_.offset, std::string(term.name) + ": nothing is in the range " +
                                        shown(text) + ": its first value is the smaller one");
  } else if (is_network) {
    if (!parse_network(text, operand))
      return fail_at(
          token_.offset,
          std::string(term.name) + ": expected a network such as 10.0.0.0/8, got " + shown(text));
  } else {
    if (!read_value(term, text, operand.range.first)) return false;
    operand.range.last = operand.range.first;
  }
  term.operands.push_back(std::move(operand));
  return true;
}

bool TermParser::read_value(const FilterTerm& term, std::string_view text, FilterKey& key) {
  if (parse_key(text, term.type, options_.reference_ns, key) && is_in_range(term, key)) return true;
  return fail_at(token_.offset, std::string(term.name) + ": expected " +
                                    expectation(term, options_.reference_ns.has_value()) +
                                    ", got " + shown(text));
}

bool TermParser::read_text(const FilterTerm& term, std::string text, FilterOperand& operand) {
  if (term.type == FilterType::kBytes) {
    if (parse_hex_bytes(text, operand.text)) return true;
    return fail_at(token_.offset, std::string(term.name) + ": expected " +
                                      std::string(row_of(term.type).example) + ", got " +
                                      shown(text));
  }
  const bool is_whole = term.op != FilterOperator::kContains && term.op != FilterOperator::kMatches;
  if (is_whole && !check_word(*term.fields[0], text)) return false;
  operand.text = std::move(text);
  return true;
}

bool TermParser::check_word(const Field& field, std::string_view word) {
  Nearest nearest(word);
  std::string message(field.name);
  switch (field.words.from()) {
    case Words::From::kAnything:
      return true;
    case Words::From::kList:
      for (const std::string_view candidate : field.words.list()) {
        if (candidate == word && !word.empty()) return true;
        if (!candidate.empty()) nearest.offer(candidate);
      }
      message += ": expected " + listed(field.words.list()) + ", got " + shown(word) +
                 suggestion(nearest.found(), "");
      break;
    case Words::From::kProtocols: {
      const std::string_view unknown = catalog_.app_name(kUnknownApp);
      if (word == unknown || catalog_.protocol_number(word) != kUnknownApp) return true;
      nearest.offer(unknown);
      for (const Protocol* protocol : catalog_.protocols()) nearest.offer(protocol->name);
      message += ": unknown protocol " + shown(word) +
                 suggestion(nearest.found(), ", weir protocols lists them");
      break;
    }
    case Words::From::kServices:
      for (const Service& service : catalog_.services()) {
        if (service.name == word) return true;
        nearest.offer(service.name);
      }
      message += ": unknown service " + shown(word) + suggestion(nearest.found(), "");
      break;
  }
  return fail_at(token_.offset, std::move(message));
}

bool TermParser::read_pattern(FilterTerm& term) {
  if (++pattern_count_ > kFilterPatternCountMax)
    return fail_at(token_.offset, "too many patterns: at most 16 times matches");
  std::string problem;
  term.pattern = TextPattern::compile(term.operands[0].text, problem);
  if (term.pattern == nullptr) {
    std::string message = std::string(term.name) + ": expected a regular expression, got ";
    message += shown(term.operands[0].text) + " (";
    append_terminal_text(message, problem.substr(0, kShownSizeMax));
    return fail_at(token_.offset, message + ")");
  }
  return true;
}

void make_ranges(FilterTerm& term) {
  constexpr FilterKey kLeast{0, 0, 0};
  constexpr FilterKey kMost{0, 0, UINT64_MAX};
  const bool has_keys = term.type != FilterType::kText && term.type != FilterType::kBytes;
  if (term.op == FilterOperator::kPresent) {
    // Of a boolean field alone, which is no comparison.
    if (term.type == FilterType::kBool) term.ranges = {{key_of_unsigned(1), key_of_unsigned(1)}};
    return;
  }
  if (!has_keys) return;
  const FilterKey key = term.operands[0].range.first;
  switch (term.op) {
    case FilterOperator::kLess:
      if (key.low > 0) term.ranges = {{kLeast, {0, 0, key.low - 1}}};
      return;
    case FilterOperator::kLessEqual:
      term.ranges = {{kLeast, key}};
      return;
    case FilterOperator::kGreater:
      if (key.low < UINT64_MAX) term.ranges = {{{0, 0, key.low + 1}, kMost}};
      return;
    case FilterOperator::kGreaterEqual:
      term.ranges = {{key, kMost}};
      return;
    default:
      break;
  }
  for (const FilterOperand& operand : term.operands) term.ranges.push_back(operand.range);
  std::ranges::sort(term.ranges);
  size_t count = 0;
  for (const FilterRange& range : term.ranges) {
    if (count > 0 && range.first <= term.ranges[count - 1].last) {
      term.ranges[count - 1].last = std::max(term.ranges[count - 1].last, range.last);
    } else {
      term.ranges[count++] = range;
    }
  }
  term.ranges.resize(count);
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// The structure of an expression: and, or, not and parentheses, by precedence with a stack of
// operators of its own (shunting yard), so that no input makes it recurse.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "filter/filter.h"
#include "filter/term_parser.h"

namespace weir {
namespace {

using Kind = FilterNode::Kind;

// Weakest first.
enum class Pending : uint8_t { kOpen, kOr, kAnd, kNot };

struct PendingOperator {
  Pending what;
  size_t offset;
};

class Parser {
 public:
  Parser(std::string_view text, const Catalog& catalog, const FilterOptions& options,
         FilterError& error)
      : terms_(text, catalog, options, error) {}

  bool parse();
  FilterExpression take() { return std::move(expression_); }

 private:
  bool before_term();
  bool behind_term(bool& is_term_next);
  bool push(Pending what);
  bool close();
  void reduce(Pending weakest);
  void join(Kind kind);
  void negate();
  uint16_t add_node(FilterNode node);
  void append_child(uint16_t parent, uint16_t child);

  TermParser terms_;
  FilterExpression expression_;
  std::vector<PendingOperator> operators_;
  std::vector<uint16_t> operands_;
  bool is_field_alone_ = false;  // the last term, right before token()
  size_t depth_ = 0;             // of kOpen and kNot among the operators
};

uint16_t Parser::add_node(FilterNode node) {
  expression_.nodes.push_back(node);
  return static_cast<uint16_t>(expression_.nodes.size() - 1);
}

void Parser::append_child(uint16_t parent, uint16_t child) {
  FilterNode& node = expression_.nodes[parent];
  if (node.first_child == kNoFilterNode) {
    node.first_child = child;
    node.first_term = expression_.nodes[child].first_term;
  } else {
    expression_.nodes[node.last_child].next = child;
  }
  node.last_child = child;
}

// The two operands on top become one: an existing node of the kind takes the other in.
void Parser::join(Kind kind) {
  const uint16_t right = operands_.back();
  operands_.pop_back();
  uint16_t left = operands_.back();
  std::vector<FilterNode>& nodes = expression_.nodes;
  if (nodes[left].kind != kind) {
    const uint16_t child = left;
    left = add_node({.kind = kind});
    append_child(left, child);
  }
  if (nodes[right].kind == kind) {
    nodes[nodes[left].last_child].next = nodes[right].first_child;
    nodes[left].last_child = nodes[right].last_child;
  } else {
    append_child(left, right);
  }
  operands_.back() = left;
}

void Parser::negate() {
  const uint16_t child = operands_.back();
  if (expression_.nodes[child].kind == Kind::kNot) {
    operands_.back() = expression_.nodes[child].first_child;
    return;
  }
  const uint16_t node = add_node({.kind = Kind::kNot});
  append_child(node, child);
  operands_.back() = node;
}

// Applies what is at least as strong as `weakest`.
void Parser::reduce(Pending weakest) {
  while (!operators_.empty() && operators_.back().what >= weakest) {
    const Pending what = operators_.back().what;
    operators_.pop_back();
    if (what == Pending::kNot) {
      negate();
      --depth_;
    } else {
      join(what == Pending::kAnd ? Kind::kAnd : Kind::kOr);
    }
  }
}

bool Parser::push(Pending what) {
  operators_.push_back({what, terms_.token().offset});
  if (what != Pending::kOpen && what != Pending::kNot) return true;
  if (++depth_ <= kFilterDepthMax) return true;
  return terms_.fail_at(terms_.token().offset,
                        "nested too deep: at most 64 levels of not and parentheses");
}

bool Parser::close() {
  reduce(Pending::kOr);
  if (operators_.empty()) return terms_.fail_at(terms_.token().offset, "\")\" without its \"(\"");
  operators_.pop_back();
  --depth_;
  return true;
}

// Reads a term, or what may stand before one.
bool Parser::before_term() {
  const FilterToken& token = terms_.token();
  if (token.is_word("not") || token.kind == FilterToken::Kind::kOpen) {
    const bool is_not = token.kind == FilterToken::Kind::kWord;
    if (!push(is_not ? Pending::kNot : Pending::kOpen)) return false;
    terms_.advance();
    return true;
  }
  if (token.kind != FilterToken::Kind::kWord || is_filter_keyword(token.written))
    return terms_.fail_expecting("a field, not or \"(\"");
  if (expression_.terms.size() == kFilterTermCountMax)
    return terms_.fail_at(token.offset, "too long: at most 256 conditions");
  FilterTerm term;
  if (!terms_.parse(term)) return false;
  is_field_alone_ = term.op == FilterOperator::kPresent;
  const auto number = static_cast<uint16_t>(expression_.terms.size());
  expression_.terms.push_back(std::move(term));
  operands_.push_back(add_node({.kind = Kind::kTerm, .first_term = number}));
  return true;
}

bool Parser::behind_term(bool& is_term_next) {
  const FilterToken& token = terms_.token();
  if (token.is_word("and") || token.is_word("or")) {
    const Pending what = token.written == "and" ? Pending::kAnd : Pending::kOr;
    reduce(what);
    push(what);
    is_term_next = true;
  } else if (token.kind == FilterToken::Kind::kClose) {
    if (!close()) return false;
    is_field_alone_ = false;
  } else {
    return terms_.fail_expecting(is_field_alone_ ? "a comparison, and, or or the end"
                                                 : "and, or or the end");
  }
  terms_.advance();
  return true;
}

bool Parser::parse() {
  terms_.advance();
  if (terms_.token().kind == FilterToken::Kind::kEnd)
    return terms_.fail_at(0, "empty: expected a condition such as app == tls");
  bool is_term_next = true;
  while (is_term_next || terms_.token().kind != FilterToken::Kind::kEnd) {
    if (!is_term_next) {
      if (!behind_term(is_term_next)) return false;
      continue;
    }
    const size_t term_count = expression_.terms.size();
    if (!before_term()) return false;
    is_term_next = expression_.terms.size() == term_count;
  }
  reduce(Pending::kOr);
  if (!operators_.empty())
    return terms_.fail_at(operators_.back().offset, "\"(\" without its \")\"");
  expression_.root = operands_.back();
  return true;
}

void add_field(std::vector<const Field*>& fields, const Field* field) {
  if (std::ranges::find(fields, field) == fields.end()) fields.push_back(field);
}

std::vector<const Field*> fields_of(const FilterExpression& expression, const Catalog& catalog) {
  std::vector<const Field*> fields;
  for (const FilterTerm& term : expression.terms) {
    for (size_t level = 0; level < term.path_count; ++level)
      add_field(fields, catalog.attribute(term.path[level]));
    for (const Field* field : term.fields) {
      if (field != nullptr) add_field(fields, field);
    }
  }
  return fields;
}

}  // namespace

std::optional<Filter> parse_filter(std::string_view text, const Catalog& catalog,
                                   const FilterOptions& options, FilterError& error) {
  if (text.size() > kFilterSizeMax) {
    error = {1, "too long: at most 4096 bytes"};
    return std::nullopt;
  }
  Parser parser(text, catalog, options, error);
  if (!parser.parse()) return std::nullopt;
  Filter filter;
  filter.expression_ = parser.take();
  link_terms(filter.expression_);
  append_expression(filter.text_, filter.expression_);
  // So that the canonical text is always one that can be parsed.
  if (filter.text_.size() > kFilterSizeMax) {
    error = {1, "too long: at most 4096 bytes when numbers, times and texts are written in full"};
    return std::nullopt;
  }
  filter.fields_ = fields_of(filter.expression_, catalog);
  return filter;
}

}  // namespace weir

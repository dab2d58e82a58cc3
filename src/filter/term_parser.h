// SPDX-License-Identifier: Apache-2.0
//
// One term: a field, what it is compared by, and with what. Everything that depends on a field's
// type is decided here, so that the evaluator need not ask.
//
// Threads: each parser has its own.
#pragma once

#include <string_view>

#include "filter/filter.h"
#include "filter/lexer.h"

namespace weir {

class TermParser {
 public:
  TermParser(std::string_view text, const Catalog& catalog, const FilterOptions& options,
             FilterError& error)
      : text_(text), catalog_(catalog), options_(options), error_(error), lexer_(text) {}

  // The token that is next, and on to the one behind it.
  const FilterToken& token() const { return token_; }
  void advance() { token_ = lexer_.next(); }

  // Reads the term whose field is token(), and stops behind it. False: there is an error.
  bool parse(FilterTerm& term);

  // Sets the error, at the offset of a byte; returns false. A token of kWrong has its own message,
  // which is told instead.
  bool fail_at(size_t offset, std::string message);
  // The same at token(), with ", got …".
  bool fail_expecting(std::string_view expected);

 private:
  bool find_field(FilterTerm& term);
  bool read_operator(FilterTerm& term);
  bool read_operands(FilterTerm& term);
  bool read_set(FilterTerm& term);
  bool read_operand(FilterTerm& term, bool is_in_set);
  bool read_value(const FilterTerm& term, std::string_view text, FilterKey& key);
  bool read_text(const FilterTerm& term, std::string text, FilterOperand& operand);
  bool check_word(const Field& field, std::string_view word);
  bool read_pattern(FilterTerm& term);

  std::string_view text_;
  const Catalog& catalog_;
  const FilterOptions& options_;
  FilterError& error_;
  FilterLexer lexer_;
  FilterToken token_;
  size_t pattern_count_ = 0;
};

// FilterTerm::ranges from its operator and operands.
void make_ranges(FilterTerm& term);

}  // namespace weir

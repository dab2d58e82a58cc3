// SPDX-License-Identifier: Apache-2.0
//
// The tokens of a filter expression, one at a time.
//
// A word is a run of letters, digits and _ . : / + - @ %: a name, keyword, number, time, address or
// network. Which of them it is, the parser knows from where it stands. A text is in double quotes.
//
// Threads: each has its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

struct FilterToken {
  enum class Kind : uint8_t {
    kEnd,
    kWord,
    kText,
    kCompare,  // == != < <= > >=
    kOpen,
    kClose,
    kOpenSet,
    kCloseSet,
    kComma,
    kWrong,  // `text` is the message
  };
  Kind kind = Kind::kEnd;
  size_t offset = 0;         // of its first byte
  std::string_view written;  // all of it
  std::string text;          // kText: without quotes and escapes

  bool is_word(std::string_view word) const { return kind == Kind::kWord && written == word; }
  bool is_value() const { return kind == Kind::kWord || kind == Kind::kText; }
};

// and, or, not, in, contains, matches: no value without quotes, and no field.
bool is_filter_keyword(std::string_view word) noexcept;
bool is_word_character(char character) noexcept;

class FilterLexer {
 public:
  explicit FilterLexer(std::string_view text) : text_(text) {}
  // After kEnd and kWrong the same again.
  FilterToken next();

 private:
  FilterToken quoted();
  FilterToken one(FilterToken::Kind kind, size_t size);
  FilterToken wrong(size_t offset, std::string message) const;

  std::string_view text_;
  size_t offset_ = 0;
};

}  // namespace weir

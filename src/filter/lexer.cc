// SPDX-License-Identifier: Apache-2.0
#include "filter/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace weir {
namespace {

using Kind = FilterToken::Kind;

constexpr std::array<std::string_view, 6> kKeywords = {"and", "or",       "not",
                                                       "in",  "contains", "matches"};

bool is_blank(char character) {
  return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

// The value of a hexadecimal digit, 16 of what is none.
unsigned digit_of(char character) {
  if (character >= '0' && character <= '9') return static_cast<unsigned>(character - '0');
  const char lower = static_cast<char>(character | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10 : 16;
}

// What `escaped`, the text behind a backslash, stands for; its size, 0 when it is no escape.
size_t read_escape(std::string_view escaped, char& meant) {
  if (escaped.empty()) return 0;
  constexpr std::string_view kLetters = "\"\\nrt";
  constexpr std::string_view kMeanings = "\"\\\n\r\t";
  if (const size_t index = kLetters.find(escaped[0]); index != std::string_view::npos) {
    meant = kMeanings[index];
    return 1;
  }
  if (escaped[0] != 'x' || escaped.size() < 3) return 0;
  const unsigned high = digit_of(escaped[1]);
  const unsigned low = digit_of(escaped[2]);
  if (high > 15 || low > 15) return 0;
  meant = static_cast<char>(high << 4 | low);
  return 3;
}

// For who comes from another language.
std::string_view hint(std::string_view rest) {
  if (rest.starts_with("&")) return ", did you mean and?";
  if (rest.starts_with("|")) return ", did you mean or?";
  if (rest.starts_with("!")) return ", did you mean not or !=?";
  if (rest.starts_with("=")) return ", did you mean ==?";
  if (rest.starts_with("~")) return ", did you mean matches?";
  if (rest.starts_with("'")) return ": a text stands in double quotes";
  return {};
}

}  // namespace

bool is_filter_keyword(std::string_view word) noexcept {
  return std::ranges::find(kKeywords, word) != kKeywords.end();
}

bool is_word_character(char character) noexcept {
  const char lower = static_cast<char>(character | 0x20);
  if (lower >= 'a' && lower <= 'z') return true;
  if (character >= '0' && character <= '9') return true;
  constexpr std::string_view kOthers = "_.:/+-@%";
  return kOthers.find(character) != std::string_view::npos;
}

FilterToken FilterLexer::one(Kind kind, size_t size) {
  FilterToken token{kind, offset_, text_.substr(offset_, size), {}};
  offset_ += size;
  return token;
}

FilterToken FilterLexer::wrong(size_t offset, std::string message) const {
  return {Kind::kWrong, offset, text_.substr(offset, 1), std::move(message)};
}

FilterToken FilterLexer::next() {
  while (offset_ < text_.size() && is_blank(text_[offset_])) ++offset_;
  const std::string_view rest = text_.substr(offset_);
  if (rest.empty()) return one(Kind::kEnd, 0);
  if (is_word_character(rest[0])) {
    size_t size = 1;
    while (size < rest.size() && is_word_character(rest[size])) ++size;
    return one(Kind::kWord, size);
  }
  for (const std::string_view two : {"==", "!=", "<=", ">="}) {
    if (rest.starts_with(two)) return one(Kind::kCompare, 2);
  }
  switch (rest[0]) {
    case '<':
    case '>':
      return one(Kind::kCompare, 1);
    case '(':
      return one(Kind::kOpen, 1);
    case ')':
      return one(Kind::kClose, 1);
    case '{':
      return one(Kind::kOpenSet, 1);
    case '}':
      return one(Kind::kCloseSet, 1);
    case ',':
      return one(Kind::kComma, 1);
    case '"':
      return quoted();
    default:
      break;
  }
  // All bytes of a character of several.
  size_t size = 1;
  while (size < rest.size() && size < 4 && (rest[size] & 0xc0) == 0x80) ++size;
  std::string message = "unexpected ";
  append_quoted_text(message, rest.substr(0, size));
  return wrong(offset_, message.append(hint(rest)));
}

FilterToken FilterLexer::quoted() {
  FilterToken token{Kind::kText, offset_, {}, {}};
  for (size_t end = offset_ + 1; end < text_.size(); ++end) {
    char character = text_[end];
    if (character == '"') {
      const size_t size = end + 1 - offset_;
      token.written = text_.substr(offset_, size);
      offset_ += size;
      return token;
    }
    if (character == '\\') {
      const size_t size = read_escape(text_.substr(end + 1), character);
      if (size == 0) return wrong(end, "unknown escape, allowed are \\\" \\\\ \\n \\r \\t \\xNN");
      end += size;
    }
    token.text.push_back(character);
  }
  return wrong(offset_, "a text without its closing quote");
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Whether a text is what it has to be: JSON (RFC 8259) that every reader takes for the same thing, a
// CSV cell that stays one cell and is no formula. For tests that feed hostile bytes to what writes
// such texts; written apart from it, so that both are not wrong in the same way.
//
// Stricter than the RFC where readers differ: no object has a name twice, texts are valid UTF-8.
// Errors: the sentence of the first thing wrong; null when nothing is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::test {

inline constexpr size_t kJsonDepthMax = 64;

// Valid UTF-8 (RFC 3629) without control characters.
inline const char* broken_text(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<uint8_t>(text[at]);
    if (lead < 0x20 || lead == 0x7f) return "a control character";
    const size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead >= 0x80 && (lead < 0xc2 || lead > 0xf4)) return "no UTF-8: a byte that begins nothing";
    if (text.size() - at < size) return "no UTF-8: cut short";
    uint32_t value = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t next = at + 1; next < at + size; ++next) {
      const auto byte = static_cast<uint8_t>(text[next]);
      if ((byte & 0xc0) != 0x80) return "no UTF-8: cut short";
      value = value << 6 | (byte & 0x3fu);
    }
    if (size == 3 && (value < 0x800 || (value >= 0xd800 && value < 0xe000)))
      return "no UTF-8: overlong, or a surrogate";
    if (size == 4 && (value < 0x10000 || value > 0x10ffff))
      return "no UTF-8: overlong, or too large";
    at += size;
  }
  return nullptr;
}

class JsonCheck {
 public:
  explicit JsonCheck(std::string_view text) : text_(text) {}

  const char* run() {
    // What may come next; `levels_` are the objects and arrays that are open.
    enum class Wanted : uint8_t { kValue, kValueOrEnd, kName, kNameOrEnd, kCommaOrEnd };
    Wanted wanted = Wanted::kValue;
    for (;;) {
      skip_blanks();
      const char next = peek();
      if (wanted == Wanted::kCommaOrEnd) {
        if (levels_.empty()) return at_ == text_.size() ? nullptr : "something behind the end";
        if (next == ',') {
          ++at_;
          wanted = levels_.back().is_object ? Wanted::kName : Wanted::kValue;
          continue;
        }
        if (next != (levels_.back().is_object ? '}' : ']')) return "neither a comma nor an end";
        ++at_;
        levels_.pop_back();
        continue;
      }
      if ((wanted == Wanted::kNameOrEnd && next == '}') ||
          (wanted == Wanted::kValueOrEnd && next == ']')) {
        ++at_;
        levels_.pop_back();
        wanted = Wanted::kCommaOrEnd;
        continue;
      }
      if (wanted == Wanted::kName || wanted == Wanted::kNameOrEnd) {
        std::string_view name;
        if (const char* const broken = take_string(name)) return broken;
        std::vector<std::string_view>& names = levels_.back().names;
        if (std::find(names.begin(), names.end(), name) != names.end()) return "a name twice";
        names.push_back(name);
        skip_blanks();
        if (peek() != ':') return "a name without a colon";
        ++at_;
        wanted = Wanted::kValue;
        continue;
      }
      if (next == '{' || next == '[') {
        if (levels_.size() == kJsonDepthMax) return "too deep";
        ++at_;
        levels_.push_back({next == '{', {}});
        wanted = next == '{' ? Wanted::kNameOrEnd : Wanted::kValueOrEnd;
        continue;
      }
      if (const char* const broken = take_scalar()) return broken;
      wanted = Wanted::kCommaOrEnd;
    }
  }

 private:
  struct Level {
    bool is_object;
    std::vector<std::string_view> names;
  };

  char peek() const { return at_ < text_.size() ? text_[at_] : 0; }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  size_t take_digits() {
    const size_t begin = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ - begin;
  }

  const char* take_scalar() {
    if (peek() == '"') {
      std::string_view text;
      return take_string(text);
    }
    if (take("true") || take("false") || take("null")) return nullptr;
    take("-");
    if (!take("0") && take_digits() == 0) return "no value";
    if (take(".") && take_digits() == 0) return "a fraction without digits";
    if (take("e") || take("E")) {
      if (!take("+")) take("-");
      if (take_digits() == 0) return "an exponent without digits";
    }
    return nullptr;
  }

  const char* take_string(std::string_view& text) {
    if (peek() != '"') return "no string";
    const size_t begin = ++at_;
    for (;; ++at_) {
      if (at_ == text_.size()) return "a string without end";
      if (text_[at_] == '"') break;
      if (text_[at_] != '\\') continue;
      ++at_;
      if (peek() == 'u') {
        uint32_t value = 0;
        for (size_t digit = 0; digit < 4; ++digit) {
          ++at_;
          const auto found = std::string_view("0123456789abcdefABCDEF").find(peek());
          if (peek() == 0 || found == std::string_view::npos) return "\\u without four digits";
          value = value << 4 | static_cast<uint32_t>(found < 16 ? found : found - 6);
        }
        if (value >= 0xd800 && value < 0xe000) return "\\u of a surrogate";
      } else if (peek() == 0 ||
                 std::string_view("\"\\/bfnrt").find(peek()) == std::string_view::npos) {
        return "an unknown escape";
      }
    }
    text = text_.substr(begin, at_ - begin);
    ++at_;
    return broken_text(text);
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<Level> levels_;
};

inline const char* broken_json(std::string_view text) {
  return JsonCheck(text).run();
}

// A cell as it stands between two commas (RFC 4180), with any text in it.
inline const char* broken_csv_cell(std::string_view cell) {
  constexpr std::string_view kFormulaStarts = "=+-@\t\r\n";
  const bool is_quoted = cell.starts_with('"');
  std::string_view text = cell;
  if (is_quoted) {
    if (cell.size() < 2 || !cell.ends_with('"')) return "a quote without end";
    text = cell.substr(1, cell.size() - 2);
  }
  if (!text.empty() && kFormulaStarts.find(text[0]) != std::string_view::npos) return "a formula";
  for (size_t at = 0; at < text.size(); ++at) {
    if (!is_quoted && std::string_view(",\"\r\n").find(text[at]) != std::string_view::npos)
      return "a separator without quotes";
    if (!is_quoted || text[at] != '"') continue;
    if (++at == text.size() || text[at] != '"') return "a quote alone";
  }
  // Those a cell may have: \t, \r, \n.
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of("\t\r\n", at), text.size());
    if (const char* const broken = broken_text(text.substr(at, end - at))) return broken;
    at = end + 1;
  }
  return nullptr;
}

}  // namespace weir::test

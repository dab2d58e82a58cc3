// SPDX-License-Identifier: Apache-2.0
//
// TextPattern: a regular expression in RE2's syntax, which never takes longer than linear in the
// text and never more memory than kPatternMemorySize. The one header that stands before RE2.
//
// Patterns are case-sensitive unless they begin with (?i), find their match anywhere in the text
// unless they have ^ and $, and read UTF-8: a byte that is none is matched by \C alone.
//
// Threads: any number may match one pattern. Matching may allocate within that memory, the first
// time a text needs it, and takes a lock of RE2's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace weir {

inline constexpr size_t kPatternMemorySize = 1 << 20;

class TextPattern {
 public:
  // Null, and one line in `error`, of what is no pattern or takes too much memory.
  static std::shared_ptr<const TextPattern> compile(std::string_view text, std::string& error);
  explicit TextPattern(std::unique_ptr<const re2::RE2> compiled);
  ~TextPattern();
  TextPattern(const TextPattern&) = delete;
  TextPattern& operator=(const TextPattern&) = delete;

  bool is_in(std::string_view text) const;

 private:
  std::unique_ptr<const re2::RE2> compiled_;
};

}  // namespace weir

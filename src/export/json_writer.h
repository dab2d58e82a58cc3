// SPDX-License-Identifier: Apache-2.0
//
// JsonWriter: one JSON document with nested objects, indented by two blanks so that people can read
// it too. For documents written once per run; flow records have a writer of their own that does
// less (json_lines.h).
//
// Threads: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/text.h"

namespace weir {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) { out_.push_back('{'); }

  void begin_object(std::string_view key) {
    start(key);
    out_.push_back('{');
    ++depth_;
    is_empty_ = true;
  }
  void end_object() {
    ASSERT(depth_ > 0);
    --depth_;
    if (!is_empty_) new_line();
    out_.push_back('}');
    is_empty_ = false;
  }
  void number(std::string_view key, uint64_t value) {
    start(key);
    append_unsigned(out_, value);
  }
  void signed_number(std::string_view key, int64_t value) {
    start(key);
    append_signed(out_, value);
  }
  void seconds(std::string_view key, int64_t ns) {
    start(key);
    append_seconds_short(out_, ns);
  }
  void time(std::string_view key, int64_t ns) {
    start(key);
    out_.push_back('"');
    append_time(out_, ns);
    out_.push_back('"');
  }
  void begin_array(std::string_view key) {
    start(key);
    out_.push_back('[');
    is_empty_ = true;
  }
  void element(std::string_view text) {
    if (!is_empty_) out_.append(", ");
    append_json_string(out_, text);
    is_empty_ = false;
  }
  void end_array() {
    out_.push_back(']');
    is_empty_ = false;
  }
  // The end of the document, with a newline.
  void finish() {
    ASSERT(depth_ == 0);
    out_.append("\n}\n");
  }

 private:
  void new_line() { out_.append("\n").append(2 * (depth_ + 1), ' '); }
  void start(std::string_view key) {
    if (!is_empty_) out_.push_back(',');
    is_empty_ = false;
    new_line();
    append_json_string(out_, key);
    out_.append(": ");
  }

  std::string& out_;
  size_t depth_ = 0;
  bool is_empty_ = true;  // of the innermost object or array
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "filter/text_pattern.h"

#include <re2/re2.h>

#include <utility>

namespace weir {

std::shared_ptr<const TextPattern> TextPattern::compile(std::string_view text, std::string& error) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(static_cast<int64_t>(kPatternMemorySize));
  auto compiled =
      std::make_unique<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!compiled->ok()) {
    error = compiled->error();
    return nullptr;
  }
  return std::make_shared<const TextPattern>(std::move(compiled));
}

TextPattern::TextPattern(std::unique_ptr<const re2::RE2> compiled)
    : compiled_(std::move(compiled)) {}
TextPattern::~TextPattern() = default;

bool TextPattern::is_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace weir

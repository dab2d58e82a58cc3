// SPDX-License-Identifier: Apache-2.0
//
// "Did you mean": the word of a list that is nearest to what somebody typed.
//
// Threads: pure functions; any.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir {

// The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours), the
// first of equals; empty when none is near: a third of the word's letters, at least one, may
// differ.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates);

// ", did you mean WORD?", or nothing when there is no near candidate: the end of an error message.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace weir

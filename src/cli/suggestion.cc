// SPDX-License-Identifier: Apache-2.0
#include "cli/suggestion.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace weir {
namespace {

// Longer words are not typing mistakes of ours, and the rows below stay on the stack.
constexpr size_t kWordSizeMax = 64;

// Optimal string alignment distance. Three rows of the usual matrix are alive: this one, the one
// above, and the one above that for swapped neighbours.
size_t edit_distance(std::string_view x, std::string_view y) {
  std::array<std::array<size_t, kWordSizeMax + 1>, 3> rows;
  for (size_t j = 0; j <= y.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= x.size(); ++i) {
    std::array<size_t, kWordSizeMax + 1>& row = rows[i % 3];
    const std::array<size_t, kWordSizeMax + 1>& above = rows[(i + 2) % 3];
    const std::array<size_t, kWordSizeMax + 1>& above2 = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= y.size(); ++j) {
      const size_t replaced = above[j - 1] + (x[i - 1] == y[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool is_swap = i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1];
      if (is_swap) row[j] = std::min(row[j], above2[j - 2] + 1);
    }
  }
  return rows[x.size() % 3][y.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > kWordSizeMax) return {};
  std::string_view best;
  size_t best_distance = word.size() / 3 + 1;
  for (std::string_view candidate : candidates) {
    if (candidate.empty() || candidate.size() > kWordSizeMax) continue;
    const size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view nearest = nearest_word(word, candidates);
  return nearest.empty() ? std::string() : ", did you mean " + std::string(nearest) + "?";
}

}  // namespace weir

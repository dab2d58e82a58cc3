// SPDX-License-Identifier: Apache-2.0
#include "schema/nearest.h"

#include <algorithm>
#include <array>

namespace weir {
namespace {

// Levenshtein distance, one row at a time.
size_t edit_distance(std::string_view x, std::string_view y) {
  std::array<size_t, kNearestSizeMax + 1> row;
  for (size_t column = 0; column <= y.size(); ++column) row[column] = column;
  for (size_t line = 1; line <= x.size(); ++line) {
    size_t diagonal = row[0];
    row[0] = line;
    for (size_t column = 1; column <= y.size(); ++column) {
      const size_t replaced = diagonal + (x[line - 1] == y[column - 1] ? 0 : 1);
      diagonal = row[column];
      row[column] = std::min({replaced, row[column] + 1, row[column - 1] + 1});
    }
  }
  return row[y.size()];
}

}  // namespace

Nearest::Nearest(std::string_view word)
    : word_(word), distance_max_(std::max<size_t>(1, word.size() / 3) + 1) {}

void Nearest::offer(std::string_view candidate) {
  if (word_.size() > kNearestSizeMax || candidate.size() > kNearestSizeMax) return;
  const size_t distance = edit_distance(word_, candidate);
  if (distance >= distance_max_) return;
  best_ = candidate;
  distance_max_ = distance;
}

}  // namespace weir

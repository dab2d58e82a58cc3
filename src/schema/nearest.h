// SPDX-License-Identifier: Apache-2.0
//
// Nearest: of the words it is offered, the one that differs least from what somebody typed, for
// "did you mean". Words are offered one by one, so that nobody makes a list of them.
//
// Threads: each has its own.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

// Longer words are compared with nothing: the table of the distance has a fixed size.
inline constexpr size_t kNearestSizeMax = 64;

class Nearest {
 public:
  explicit Nearest(std::string_view word);
  void offer(std::string_view candidate);
  // The first of those with the smallest edit distance (insert, delete, replace); empty when none
  // is near: more than a third of the letters, but one at least, would have to change.
  std::string_view found() const { return best_; }

 private:
  std::string_view word_;
  std::string_view best_;
  size_t distance_max_;  // what a better one must be below
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// For tests of protocols of text: who says what, delivered in pieces of any size.
//
// Threads: one thread.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "dpi/protocol_run.h"

namespace weir::test {

struct Turn {
  Side side;
  std::string text;
};
inline Turn client(std::string text) {
  return {Side::kInitiator, std::move(text)};
}
inline Turn server(std::string text) {
  return {Side::kResponder, std::move(text)};
}

// Of each turn pieces of `piece_size` bytes, but the first one whole: what takes more packets than
// kClassifyPacketsMax to say what it is stays unknown. In all at most `size_max` bytes.
inline void deliver(ProtocolRun& run, const std::vector<Turn>& turns, size_t piece_size = SIZE_MAX,
                    size_t size_max = SIZE_MAX) {
  for (const Turn& turn : turns) {
    const size_t size = std::min(turn.text.size(), size_max);
    const size_t step = &turn == &turns.front() ? size : piece_size;
    for (size_t at = 0; at < size; at += std::min(step, size - at))
      run.send(turn.side, turn.text.substr(at, std::min(step, size - at)));
    size_max -= size;
  }
}

inline size_t size_of(const std::vector<Turn>& turns) {
  size_t size = 0;
  for (const Turn& turn : turns) size += turn.text.size();
  return size;
}

}  // namespace weir::test

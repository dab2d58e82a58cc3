// SPDX-License-Identifier: Apache-2.0
//
// SlotPool: numbered objects that are taken, given back in any order, and used again. What batches
// and read buffers are made of: once as many exist as are ever outstanding at the same time,
// nothing allocates.
//
// A slot keeps its address and its contents between uses. It does not count who uses a slot.
// Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/assert.h"

namespace weir {

template <typename Slot>
class SlotPool {
 public:
  // The index of a slot nobody uses; a new, value-initialized one when there is none.
  uint32_t take() {
    if (free_.empty()) {
      slots_.push_back(std::make_unique<Slot>());
      free_.reserve(slots_.capacity());
      return static_cast<uint32_t>(slots_.size() - 1);
    }
    const uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }

  void give_back(uint32_t index) {
    ASSERT(index < slots_.size());
    ASSERT(free_.size() < slots_.size());
    free_.push_back(index);
  }

  Slot& operator[](uint32_t index) {
    DASSERT(index < slots_.size());
    return *slots_[index];
  }
  const Slot& operator[](uint32_t index) const {
    DASSERT(index < slots_.size());
    return *slots_[index];
  }
  size_t size() const { return slots_.size(); }

 private:
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Arena: scratch memory that is handed out piece by piece and taken back all at once: what a parser
// needs until its packet is done with.
//
//   block    [ piece | piece  | piece . . . . . . . . . . . . size_max )
//                             used_size ^
//
// Why: a piece costs an addition and a comparison, nobody frees one, and a packet that asks for
// much can have no more than the block. A piece begins at a multiple of 16 bytes, so that any plain
// type may lie there. Its bytes are what the last packet left there; who needs zeros writes them.
//
// It does not grow, destroys nothing, and charges no pool: its owner knows size_max beforehand.
// With the address sanitizer whatever was not handed out since the last reset() is out of bounds.
//
// Limits: size_max. A piece that does not fit is empty and counted; smaller ones may still fit.
// Errors: the constructor throws std::bad_alloc.
// Threads: one thread owns an arena.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "base/access_check.h"
#include "base/assert.h"

namespace weir {

inline constexpr size_t kArenaAlignment = 16;

class Arena {
 public:
  // At least kArenaAlignment, and a multiple of it.
  explicit Arena(size_t size_max)
      : size_max_(size_max),
        block_(
            static_cast<uint8_t*>(::operator new (size_max, std::align_val_t{kArenaAlignment}))) {
    ASSERT(size_max > 0);
    ASSERT(size_max % kArenaAlignment == 0);
    forbid_access(block_.get(), size_max_);
  }
  ~Arena() { allow_access(block_.get(), size_max_); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` bytes until the next reset(), not initialised; empty when there is no room. A size of 0
  // is always granted, as an empty piece.
  std::span<uint8_t> allocate(size_t size) noexcept {
    if (size > size_max_ - used_size_) {
      ++refused_count_;
      return {};
    }
    const std::span<uint8_t> piece(block_.get() + used_size_, size);
    allow_access(piece.data(), size);
    // Both are multiples of the alignment, so rounding up stays within the block.
    used_size_ += (size + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
    return piece;
  }

  // Takes all pieces back: their spans are not to be used any more.
  void reset() noexcept {
    forbid_access(block_.get(), used_size_);
    used_size_max_ = std::max(used_size_max_, used_size_);
    used_size_ = 0;
  }

  bool is_empty() const noexcept { return used_size_ == 0; }
  size_t size_max() const noexcept { return size_max_; }
  size_t used_size() const noexcept { return used_size_; }  // with what alignment costs
  // The most that was ever in use at once: how much of the block is worth having.
  size_t used_size_max() const noexcept { return std::max(used_size_max_, used_size_); }
  uint64_t refused_count() const noexcept { return refused_count_; }  // also before a reset()

 private:
  struct Free {
    void operator()(uint8_t* block) const noexcept {
      ::operator delete (block, std::align_val_t{kArenaAlignment});
    }
  };

  const size_t size_max_;
  size_t used_size_ = 0;
  size_t used_size_max_ = 0;
  uint64_t refused_count_ = 0;
  const std::unique_ptr<uint8_t, Free> block_;
};

}  // namespace weir

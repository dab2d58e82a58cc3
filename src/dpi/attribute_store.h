// SPDX-License-Identifier: Apache-2.0
//
// AttributeStore: the attributes of live flows, as blocks (weir/attribute_block.h) sorted by number, in
// slabs of five sizes. A flow holds a 4-byte handle; a block that outgrows its size moves to the next.
//
// Limits: kAttributesSizeMax per flow and kAttributeSizeMax per value (the caller cuts); what the pool
// refuses, or does not fit, is not kept and is an answer, not an error.
// Threads: one thread owns a store; the pool may be shared.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/memory_budget.h"
#include "base/slab.h"
#include "weir/field.h"

namespace weir {

inline constexpr uint32_t kNoAttributes = UINT32_MAX;

class AttributeStore {
 public:
  // block_count_max: of each size.
  AttributeStore(uint32_t block_count_max, MemoryPool& pool);

  // Makes memory ready for `count` blocks of each size, fewer of the large ones.
  void prepare(uint32_t count) noexcept;

  // Keeps the value as the field wants it kept. False when there is no room. Of Keep::kCount the value
  // is 8 bytes, little endian, and is added.
  bool put(uint32_t& handle, const Field& field, std::span<const uint8_t> value) noexcept;
  // Valid until the next put() or release() of the handle.
  std::span<const uint8_t> block(uint32_t handle) const noexcept;
  void release(uint32_t& handle) noexcept;
  uint64_t used_count() const noexcept;  // blocks

 private:
  template <size_t kSize>
  struct Chunk {
    uint16_t used_size;
    std::array<uint8_t, kSize - 2> bytes;
  };
  static constexpr uint32_t kClassShift = 28;
  static constexpr uint32_t kSlotMask = (1u << kClassShift) - 1;
  static constexpr uint32_t kClassCount = 5;

  struct Room {
    uint16_t* used_size = nullptr;
    std::span<uint8_t> bytes;
  };
  // What `use` gives for the slab of blocks of one size.
  template <typename Store, typename Use>
  static auto with_slab(Store& store, uint32_t size_class, Use use) noexcept;
  uint32_t allocate(uint32_t size_class) noexcept;
  Room room(uint32_t handle) noexcept;
  // Room for `size` more bytes; may move the block.
  bool grow(uint32_t& handle, size_t size) noexcept;

  Slab<Chunk<64>> tiny_;
  Slab<Chunk<128>> small_;
  Slab<Chunk<256>> medium_;
  Slab<Chunk<512>> large_;
  Slab<Chunk<kAttributesSizeMax + 8>> full_;
};

}  // namespace weir

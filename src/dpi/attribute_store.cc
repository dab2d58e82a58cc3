// SPDX-License-Identifier: Apache-2.0
#include "dpi/attribute_store.h"

#include <algorithm>

#include "base/assert.h"
#include "weir/attribute_block.h"
#include "weir/byte_reader.h"

namespace weir {
namespace {

void write16(std::span<uint8_t> out, size_t offset, size_t value) {
  out[offset] = static_cast<uint8_t>(value);
  out[offset + 1] = static_cast<uint8_t>(value >> 8);
}

uint64_t read64(std::span<const uint8_t> bytes) {
  return ByteReader(bytes).le64();
}

}  // namespace

AttributeStore::AttributeStore(uint32_t block_count_max, MemoryPool& pool)
    : tiny_(block_count_max, pool),
      small_(block_count_max, pool),
      medium_(block_count_max, pool),
      large_(block_count_max, pool),
      full_(block_count_max, pool) {}

void AttributeStore::prepare(uint32_t count) noexcept {
  tiny_.prepare(count);
  small_.prepare(count);
  medium_.prepare(count);
  large_.prepare(count / 4 + 1);
  full_.prepare(count / 4 + 1);
}

template <typename Store, typename Use>
auto AttributeStore::with_slab(Store& store, uint32_t size_class, Use use) noexcept {
  switch (size_class) {
    case 0:
      return use(store.tiny_);
    case 1:
      return use(store.small_);
    case 2:
      return use(store.medium_);
    case 3:
      return use(store.large_);
    default:
      return use(store.full_);
  }
}

uint32_t AttributeStore::allocate(uint32_t size_class) noexcept {
  const uint32_t slot = with_slab(*this, size_class, [](auto& slab) { return slab.allocate(); });
  if (slot == kNoSlot) return kNoAttributes;
  const uint32_t handle = size_class << kClassShift | slot;
  *room(handle).used_size = 0;
  return handle;
}

AttributeStore::Room AttributeStore::room(uint32_t handle) noexcept {
  const uint32_t slot = handle & kSlotMask;
  return with_slab(*this, handle >> kClassShift, [slot](auto& slab) {
    auto& chunk = slab[slot];
    return Room{&chunk.used_size, chunk.bytes};
  });
}

std::span<const uint8_t> AttributeStore::block(uint32_t handle) const noexcept {
  if (handle == kNoAttributes) return {};
  const uint32_t slot = handle & kSlotMask;
  return with_slab(*this, handle >> kClassShift, [slot](const auto& slab) {
    const auto& chunk = slab[slot];
    return std::span<const uint8_t>(chunk.bytes).first(chunk.used_size);
  });
}

void AttributeStore::release(uint32_t& handle) noexcept {
  if (handle == kNoAttributes) return;
  const uint32_t slot = handle & kSlotMask;
  with_slab(*this, handle >> kClassShift, [slot](auto& slab) { slab.free(slot); });
  handle = kNoAttributes;
}

uint64_t AttributeStore::used_count() const noexcept {
  return uint64_t{tiny_.used_count()} + small_.used_count() + medium_.used_count() +
         large_.used_count() + full_.used_count();
}

bool AttributeStore::grow(uint32_t& handle, size_t size) noexcept {
  const size_t wanted = size + block(handle).size();
  // The largest chunk has a few bytes more than a flow may have.
  if (wanted > kAttributesSizeMax) return false;
  if (handle != kNoAttributes && wanted <= room(handle).bytes.size()) return true;
  uint32_t size_class = 0;
  while (size_class + 1 < kClassCount && wanted > (size_t{64} << size_class) - 2) ++size_class;
  const uint32_t larger = allocate(size_class);
  if (larger == kNoAttributes) return false;
  if (handle != kNoAttributes) {
    const Room from = room(handle);
    const Room to = room(larger);
    std::copy_n(from.bytes.begin(), *from.used_size, to.bytes.begin());
    *to.used_size = *from.used_size;
    release(handle);
  }
  handle = larger;
  return true;
}

bool AttributeStore::put(uint32_t& handle, const Field& field,
                         std::span<const uint8_t> value) noexcept {
  DASSERT(value.size() <= UINT16_MAX);
  // Where the value goes: behind those of its number, or where its number would be.
  size_t offset = 0;
  size_t same_count = 0;
  size_t same_offset = 0;
  std::span<const uint8_t> before;
  AttributeEntry entry;
  const std::span<const uint8_t> bytes = block(handle);
  for (AttributeReader reader(bytes); reader.next(entry) && entry.number <= field.attribute;) {
    if (entry.number == field.attribute) {
      if (field.keep == Keep::kFirst) return true;
      if (field.keep == Keep::kList && std::ranges::equal(entry.value, value)) return true;
      before = entry.value;
      same_offset = offset;
      ++same_count;
    }
    offset = bytes.size() - reader.rest().size();
  }
  if (same_count > 0 && field.keep == Keep::kList && same_count == kListCountMax) return true;
  if (same_count > 0 && (field.keep == Keep::kLast || field.keep == Keep::kCount)) {
    const Room here = room(handle);
    if (field.keep == Keep::kCount) {
      const uint64_t sum = read64(before) + read64(value);
      for (size_t at = 0; at < 8; ++at)
        here.bytes[same_offset + kEntryHeaderSize + at] = static_cast<uint8_t>(sum >> 8 * at);
      return true;
    }
    if (before.size() == value.size()) {
      std::ranges::copy(
          value, here.bytes.begin() + static_cast<std::ptrdiff_t>(same_offset + kEntryHeaderSize));
      return true;
    }
    // Another size: the old one goes first, so that there is room where there was some.
    const size_t entry_size = kEntryHeaderSize + before.size();
    const size_t kept_size = *here.used_size - entry_size;
    if (kept_size + kEntryHeaderSize + value.size() > kAttributesSizeMax) return false;
    std::copy(here.bytes.begin() + static_cast<std::ptrdiff_t>(same_offset + entry_size),
              here.bytes.begin() + *here.used_size,
              here.bytes.begin() + static_cast<std::ptrdiff_t>(same_offset));
    *here.used_size = static_cast<uint16_t>(kept_size);
    offset = same_offset;
  }
  const size_t entry_size = kEntryHeaderSize + value.size();
  if (!grow(handle, entry_size)) return false;
  const Room here = room(handle);
  const auto at = here.bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  std::copy_backward(
      at, here.bytes.begin() + *here.used_size,
      here.bytes.begin() + static_cast<std::ptrdiff_t>(*here.used_size + entry_size));
  write16(here.bytes, offset, field.attribute);
  write16(here.bytes, offset + 2, value.size());
  std::ranges::copy(value, at + kEntryHeaderSize);
  *here.used_size = static_cast<uint16_t>(*here.used_size + entry_size);
  return true;
}

}  // namespace weir

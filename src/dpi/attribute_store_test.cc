// SPDX-License-Identifier: Apache-2.0
//
// How much the attributes of one flow may be.
#include "dpi/attribute_store.h"

#include <gtest/gtest.h>

#include <vector>

#include "weir/attribute_block.h"

namespace weir {
namespace {

// Blocks filled to the last byte, and by one more: whoever reads records believes the limit.
TEST(AttributeStore, ABlockIsNeverLargerThanItsLimit) {
  constexpr size_t kEntrySize = 200;
  constexpr size_t kEntryCount = kAttributesSizeMax / kEntrySize;
  constexpr size_t kRest = kAttributesSizeMax % kEntrySize;
  for (size_t last = kEntryHeaderSize; last < kRest + 12; ++last) {
    MemoryPool pool(uint64_t{1} << 20);
    AttributeStore store(8, pool);
    uint32_t handle = kNoAttributes;
    Field field{};
    for (field.attribute = 0; field.attribute < kEntryCount; ++field.attribute) {
      const std::vector<uint8_t> value(kEntrySize - kEntryHeaderSize, 1);
      EXPECT_TRUE(store.put(handle, field, value));
    }
    const std::vector<uint8_t> value(last - kEntryHeaderSize, 2);
    EXPECT_EQ(store.put(handle, field, value), last <= kRest) << last;
    EXPECT_LE(store.block(handle).size(), kAttributesSizeMax);
    store.release(handle);
  }
}

}  // namespace
}  // namespace weir

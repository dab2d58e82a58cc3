// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.h"

#include <gtest/gtest.h>

#include <array>

namespace weir {
namespace {

constexpr uint8_t kBytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

TEST(ByteReader, ReadsBothByteOrders) {
  ByteReader reader(kBytes);
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.be16(), 0x0203);
  EXPECT_EQ(reader.le16(), 0x0504);
  EXPECT_EQ(reader.be32(), 0x06070809u);
  EXPECT_EQ(reader.u32(std::endian::little), 0x0d0c0b0au);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 3u);
}

TEST(ByteReader, FailsStickilyAtEveryShortLength) {
  for (size_t size = 0; size < 8; ++size) {
    ByteReader reader(kBytes, size);
    EXPECT_EQ(reader.be64(), 0u);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.u8(), 0) << "no read succeeds after a failed one";
    EXPECT_TRUE(reader.bytes(0).empty());
  }
}

TEST(ByteReader, NeverWrapsOnHugeLengths) {
  ByteReader reader(kBytes);
  reader.skip(8);
  EXPECT_TRUE(reader.bytes(SIZE_MAX - 4).empty());
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, CopyLeavesTheTargetAloneWhenShort) {
  ByteReader reader(kBytes, 3);
  uint32_t target = 42;
  reader.copy(&target, sizeof target);
  EXPECT_EQ(target, 42u);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, PrefixIsBoundedByWhatIsThere) {
  ByteReader reader(kBytes, 4);
  EXPECT_EQ(reader.prefix(2).remaining(), 2u);
  EXPECT_EQ(reader.prefix(100).remaining(), 4u);
}

TEST(HeaderView, ReadsAtFixedOffsetsInAnyOrder) {
  const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const HeaderView<8> header{std::span<const uint8_t>(bytes)};
  EXPECT_EQ(header.be32<4>(), 0x05060708U);
  EXPECT_EQ(header.be16<0>(), 0x0102);
  EXPECT_EQ(header.be32<1>(), 0x02030405U);
  EXPECT_EQ(header.u8<7>(), 8);
  EXPECT_EQ(from_big_endian(header.native32<2>()), 0x03040506U);
  const std::array<uint8_t, 3> middle = {3, 4, 5};
  EXPECT_EQ((header.as<std::array<uint8_t, 3>, 2>()), middle);
}

}  // namespace
}  // namespace weir

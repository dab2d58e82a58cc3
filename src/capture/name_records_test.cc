// SPDX-License-Identifier: Apache-2.0
#include "capture/name_records.h"

#include <gtest/gtest.h>

#include "capture/input.h"
#include "tests/support/frame_collector.h"

namespace weir {
namespace {

using test::Bytes;
using test::ByteWriter;
using test::collect;
using test::open_bytes;
using test::PcapngWriter;

TEST(NameRecords, FirstNameOfAnAddressStays) {
  NameRecords records;
  const Bytes four = {1, 2, 3, 4};
  const Bytes sixteen = {1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(records.find(four), "");
  records.add(four, "");
  EXPECT_EQ(records.count(), 0u);
  records.add(four, "first");
  records.add(four, "second");
  records.add(sixteen, "other");
  EXPECT_EQ(records.find(four), "first");
  EXPECT_EQ(records.find(sixteen), "other");
  EXPECT_EQ(records.count(), 2u);
  EXPECT_EQ(records.rejected_count(), 0u);
}

TEST(NameRecords, LongNamesAreCut) {
  NameRecords records;
  records.add(Bytes(4), std::string(1000, 'n'));
  EXPECT_EQ(records.find(Bytes(4)), std::string(NameRecords::kNameSizeMax, 'n'));
}

TEST(NameRecords, CountIsBounded) {
  NameRecords records;
  for (uint32_t i = 0; i < NameRecords::kCountMax + 3; ++i) {
    ByteWriter address(std::endian::big);
    address.u32(i);
    records.add(address.bytes(), "n");
  }
  records.add(Bytes{0, 0, 0, 7}, "known already");
  EXPECT_EQ(records.count(), NameRecords::kCountMax);
  EXPECT_EQ(records.rejected_count(), 3u);
}

// Names and reported drops of all files of a run come together in the input.
TEST(NameRecords, InputCollectsThemFromAllSources) {
  InterfaceNames names;
  std::vector<SourceOpener> openers;
  for (uint8_t i = 0; i < 3; ++i) {
    PcapngWriter file(std::endian::little);
    file.section();
    file.interface();
    file.enhanced(0, 1, Bytes(60));
    file.block(4, Bytes{1, 0, 6, 0, 10, 0, 0, i, 'h', 0, 0, 0});
    ByteWriter drops(std::endian::little);
    drops.u32(0);
    drops.u64(0);
    drops.u16(5);
    drops.u16(8);
    drops.u64(10);
    file.block(5, drops.bytes());
    openers.push_back(
        [&names, bytes = file.bytes()](std::string&) { return open_bytes(bytes, names); });
  }
  Input input(std::move(openers));
  EXPECT_EQ(collect(input).frames.size(), 3u);
  EXPECT_EQ(input.statistics().name_records, 3u);
  EXPECT_EQ(input.statistics().dropped_reported, 30u);
  EXPECT_EQ(input.name_records().find(Bytes{10, 0, 0, 2}), "h");
}

}  // namespace
}  // namespace weir

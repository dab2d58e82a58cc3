// SPDX-License-Identifier: Apache-2.0
#include "export/record_codec.h"

#include <gtest/gtest.h>

#include <vector>

#include "export/record_samples.h"

namespace weir {
namespace {

std::vector<uint8_t> encoded(const FlowRecord& record) {
  std::string bytes;
  append_encoded(bytes, record);
  return {bytes.begin(), bytes.end()};
}

// Decodes exactly these bytes.
bool decode(const std::vector<uint8_t>& bytes, FlowRecord& record) {
  ByteReader reader(bytes.data(), bytes.size());
  return decode_record(reader, record) && reader.remaining() == 0;
}

TEST(RecordCodec, KeepsRandomRecords) {
  const uint64_t seed = 148;
  std::mt19937_64 random(seed);
  size_t size_max = 0;
  for (int round = 0; round < 20'000; ++round) {
    const FlowRecord record = random_record(random);
    const std::vector<uint8_t> bytes = encoded(record);
    FlowRecord result;
    ASSERT_TRUE(decode(bytes, result)) << "seed " << seed << " round " << round;
    ASSERT_TRUE(equal(record, result)) << "seed " << seed << " round " << round;
    size_max = std::max(size_max, bytes.size());
  }
  EXPECT_LE(size_max, kEncodedRecordSizeMax);
}

TEST(RecordCodec, KeepsTheSamplesCompactly) {
  for (const FlowRecord& record :
       {tcp_sample(), udp_interim_sample(), layer2_sample(), FlowRecord()}) {
    FlowRecord result;
    ASSERT_TRUE(decode(encoded(record), result));
    EXPECT_TRUE(equal(record, result));
  }
  EXPECT_LE(encoded(tcp_sample()).size(), 120u);
}

TEST(RecordCodec, EqualsTheExampleOfTheFormatPage) {
  FlowRecord record;
  record.id = 1;
  record.end_reason = EndReason::kForced;
  record.proto_number = 0x88b8;
  record.path = {1, {Layer::kEthernet}};
  const std::vector<uint8_t> expected = {
      0x57, 0x02, 0x00,                                            // magic, version, groups
      0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // id, sequence, interface
      0x04, 0x30, 0x1c, 0xb8, 0x91, 0x02,  // kinds, lifecycle, outcome, proto_number
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,        // times
      0x01, 0x01,                                                  // path
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // src
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // dst
  };
  EXPECT_EQ(encoded(record), expected);
}

TEST(RecordCodec, RejectsEveryTruncation) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 300; ++round) {
    const std::vector<uint8_t> bytes = encoded(random_record(random));
    for (size_t size = 0; size < bytes.size(); ++size) {
      FlowRecord result;
      ASSERT_FALSE(
          decode({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}, result));
    }
  }
}

// One encoding per record: whatever a changed byte decodes to encodes to the same bytes again.
TEST(RecordCodec, AcceptsOnlyWhatItWrites) {
  const uint64_t seed = 5;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 50'000; ++round) {
    std::vector<uint8_t> bytes = encoded(random_record(random));
    for (uint64_t changes = random() % 3 + 1; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    }
    FlowRecord result;
    if (!decode(bytes, result)) continue;
    ASSERT_EQ(encoded(result), bytes) << "seed " << seed;
  }
}

TEST(RecordCodec, RejectsALaterVersion) {
  std::vector<uint8_t> bytes = encoded(tcp_sample());
  FlowRecord result;
  bytes[1] = 3;
  EXPECT_FALSE(decode(bytes, result));
  bytes[1] = 2;
  bytes[0] = 'X';
  EXPECT_FALSE(decode(bytes, result));
}

TEST(RecordCodec, LeavesTheReaderBehindTheRecord) {
  std::string bytes;
  append_encoded(bytes, tcp_sample());
  append_encoded(bytes, layer2_sample());
  const std::vector<uint8_t> both(bytes.begin(), bytes.end());
  ByteReader reader(both.data(), both.size());
  FlowRecord record;
  ASSERT_TRUE(decode_record(reader, record));
  EXPECT_TRUE(equal(record, tcp_sample()));
  ASSERT_TRUE(decode_record(reader, record));
  EXPECT_TRUE(equal(record, layer2_sample()));
  EXPECT_EQ(reader.remaining(), 0u);
}

}  // namespace
}  // namespace weir

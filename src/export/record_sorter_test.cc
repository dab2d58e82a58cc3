// SPDX-License-Identifier: Apache-2.0
//
// The sorter against std::sort with schema/value.h's compare(), for every field, budget and limit.
#include "export/record_sorter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "export/record_samples.h"
#include "flow/flow_fields.h"

namespace weir {
namespace {

constexpr std::string_view kNames[] = {"eth0", "eth", "", "a\0b", "longer-than-the-others.pcap"};

RecordNames names_of(const FlowRecord& record) {
  return {kNames[record.interface % std::size(kNames)]};
}

bool is_in_default_order(const FlowRecord& x, const FlowRecord& y) {
  return std::tie(x.first_seen_ns, x.id, x.sequence) < std::tie(y.first_seen_ns, y.id, y.sequence);
}

// Few different values, so that fields tie; ids are unique, as in a run of weir.
std::vector<FlowRecord> random_records(uint64_t seed, size_t count) {
  std::mt19937_64 random(seed);
  std::vector<FlowRecord> records;
  for (size_t index = 0; index < count; ++index) {
    FlowRecord record = random_record(random);
    if (random() % 2 == 0) record.first_seen_ns = static_cast<int64_t>(random() % 3) - 1;
    if (random() % 2 == 0) record.src.total.bytes = random() % 3;
    record.id = random() << 16 | index;
    record.sequence %= 3;
    records.push_back(record);
  }
  return records;
}

std::vector<FlowRecord> naively_sorted(std::vector<FlowRecord> records,
                                       const SortOptions& options) {
  std::sort(records.begin(), records.end(), [&](const FlowRecord& x, const FlowRecord& y) {
    if (options.field == nullptr) return is_in_default_order(x, y);
    Value value_x;
    Value value_y;
    get_value(*options.field, x, names_of(x), value_x);
    get_value(*options.field, y, names_of(y), value_y);
    const int order = options.is_descending ? compare(value_y, value_x) : compare(value_x, value_y);
    return order != 0 ? order < 0 : is_in_default_order(x, y);
  });
  if (options.record_count_max > 0 && records.size() > options.record_count_max) {
    records.resize(options.record_count_max);
  }
  return records;
}

void expect_sorted(const std::vector<FlowRecord>& records, const SortOptions& options) {
  const std::vector<FlowRecord> expected = naively_sorted(records, options);
  RecordSorter sorter(options);
  for (const FlowRecord& record : records)
    ASSERT_TRUE(sorter.add(record, names_of(record))) << sorter.error();
  ASSERT_TRUE(sorter.finish()) << sorter.error();
  FlowRecord record;
  for (const FlowRecord& wanted : expected) {
    ASSERT_TRUE(sorter.next(record)) << sorter.error();
    ASSERT_TRUE(equal(record, wanted));
  }
  EXPECT_FALSE(sorter.next(record));
  EXPECT_EQ(sorter.error(), "");
  EXPECT_EQ(sorter.added_count(), records.size());
}

TEST(RecordSorter, SortsByEveryFieldBothWays) {
  const Catalog& catalog = flow_catalog();
  const std::vector<FlowRecord> records = random_records(1, 400);
  for (const Field& field : catalog.fields()) {
    SCOPED_TRACE(field.name);
    for (const bool is_descending : {false, true}) {
      SortOptions options;
      options.field = &field;
      options.is_descending = is_descending;
      expect_sorted(records, options);
      options.memory_size_max = 20'000;
      expect_sorted(records, options);
    }
  }
}

TEST(RecordSorter, IsTheSameWithAnyBudgetAndLimit) {
  const std::vector<FlowRecord> records = random_records(2, 1500);
  // 1 byte writes a run per record: five times over the fan-in squared.
  for (const uint64_t budget : {1u, 5'000u, 100'000u, 100'000'000u}) {
    for (const uint64_t limit : {0u, 1u, 7u, 1499u, 1500u, 5000u}) {
      SCOPED_TRACE(testing::Message() << "budget " << budget << " limit " << limit);
      SortOptions options;
      options.memory_size_max = budget;
      options.record_count_max = limit;
      expect_sorted(records, options);
    }
  }
}

TEST(RecordSorter, SpillsOnlyBeyondTheBudget) {
  const std::vector<FlowRecord> records = random_records(3, 300);
  SortOptions options;
  RecordSorter in_memory(options);
  options.memory_size_max = 1;
  RecordSorter spilling(options);
  options.memory_size_max = 10'000;
  options.record_count_max = 5;
  RecordSorter limited(options);
  for (const FlowRecord& record : records) {
    ASSERT_TRUE(in_memory.add(record, {}));
    ASSERT_TRUE(spilling.add(record, {}));
    ASSERT_TRUE(limited.add(record, {}));
  }
  EXPECT_EQ(in_memory.spilled_size(), 0u);
  EXPECT_EQ(limited.spilled_size(), 0u) << "five records fit";
  EXPECT_EQ(spilling.run_count(), 300u);
  EXPECT_GT(spilling.spilled_size(), 300u * 60);
}

TEST(RecordSorter, ReportsAProblemOnceAndStops) {
  SortOptions options;
  options.memory_size_max = 1;
  options.temporary_folder = "/nonexistent-folder";
  RecordSorter sorter(options);
  EXPECT_FALSE(sorter.add(tcp_sample(), {}));
  EXPECT_EQ(sorter.error(),
            "cannot create a temporary file in /nonexistent-folder: no such file or directory");
  EXPECT_FALSE(sorter.add(tcp_sample(), {}));
  EXPECT_FALSE(sorter.finish());
  FlowRecord record;
  EXPECT_FALSE(sorter.next(record));
}

TEST(RecordSorter, NothingInNothingOut) {
  RecordSorter sorter({});
  EXPECT_TRUE(sorter.finish());
  FlowRecord record;
  EXPECT_FALSE(sorter.next(record));
  EXPECT_EQ(sorter.error(), "");
}

TEST(ParseSort, TakesFieldsAndSumsBothWays) {
  const Catalog& catalog = flow_catalog();
  SortOptions options;
  std::string error;
  ASSERT_TRUE(parse_sort("src_ip", catalog, options, error));
  EXPECT_EQ(options.field, catalog.find("src_ip"));
  EXPECT_FALSE(options.is_descending);
  ASSERT_TRUE(parse_sort("-bytes", catalog, options, error));
  EXPECT_TRUE(options.is_descending);
  Value value;
  get_value(*options.field, tcp_sample(), {}, value);
  EXPECT_EQ(value.number, 1'803'456u);
  expect_sorted(random_records(4, 200), options);
}

TEST(ParseSort, SuggestsTheNearestField) {
  const Catalog& catalog = flow_catalog();
  SortOptions options;
  std::string error;
  EXPECT_FALSE(parse_sort("-scr_bytes", catalog, options, error));
  EXPECT_EQ(error, "unknown field \"scr_bytes\"; did you mean \"src_bytes\"?");
  EXPECT_FALSE(parse_sort("", catalog, options, error));
  EXPECT_EQ(
      error,
      "unknown field \"\"; allowed are the fields of \"weir protocols flow\", bytes and packets");
  EXPECT_EQ(options.field, nullptr);
}

}  // namespace
}  // namespace weir

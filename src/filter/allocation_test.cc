// SPDX-License-Identifier: Apache-2.0
//
// Asking a filter takes nothing from the heap. This program counts every operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "filter/filter.h"
#include "tests/support/filter_catalog.h"

namespace {
std::atomic<size_t> allocation_count = 0;
}

void* operator new(size_t size) {
  ++allocation_count;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace weir {
namespace {

TEST(FilterAllocation, AskingTakesNothingFromTheHeap) {
  constexpr std::string_view kText =
      "not (port == 1 or bytes < 5 or vlan == 99 or tls.sni == x or tls.alpn contains y or "
      "dns.answers.option.code == 1 or dns.answers.data in {9.0.0.0/8, ::/0} or not final or "
      "tls.serial == 01 or app in {dns, modbus} or first_seen < 2000-01-01 or rtt > 1h or mac == "
      "00:00:00:00:00:09)";
  FilterError error;
  const auto filter = parse_filter(kText, test::filter_test_catalog(), error);
  ASSERT_TRUE(filter.has_value()) << error.message;
  const FlowRecord record = test::filter_test_record();
  const RecordNames names{"eth0", &test::filter_test_catalog()};
  const size_t before = allocation_count;
  bool is_match = true;
  for (int repeat = 0; repeat < 100; ++repeat)
    is_match = is_match && filter->matches(record, names);
  EXPECT_EQ(allocation_count, before);
  EXPECT_TRUE(is_match) << "every condition was asked";
}

// What RE2 keeps of a pattern grows with what it has seen, not with how often.
TEST(FilterAllocation, AKnownTextTakesNothingFromAPattern) {
  FilterError error;
  const auto filter =
      parse_filter("tls.sni matches \"(?i)ex(a|b)+mple\"", test::filter_test_catalog(), error);
  ASSERT_TRUE(filter.has_value()) << error.message;
  const FlowRecord record = test::filter_test_record();
  const RecordNames names{"eth0", &test::filter_test_catalog()};
  EXPECT_TRUE(filter->matches(record, names));
  const size_t before = allocation_count;
  for (int repeat = 0; repeat < 100; ++repeat) filter->matches(record, names);
  EXPECT_EQ(allocation_count, before);
}

}  // namespace
}  // namespace weir

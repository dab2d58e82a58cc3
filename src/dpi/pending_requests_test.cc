// SPDX-License-Identifier: Apache-2.0
#include "dpi/pending_requests.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(PendingRequests, gives_the_time_since_the_first_request) {
  PendingRequests<4> pending{};
  int64_t elapsed_ns = 0;
  EXPECT_FALSE(pending.take(7, 100, elapsed_ns));
  pending.add(7, 100);
  pending.add(7, 150);
  EXPECT_TRUE(pending.has(7));
  EXPECT_TRUE(pending.take(7, 160, elapsed_ns));
  EXPECT_EQ(elapsed_ns, 60);
  EXPECT_FALSE(pending.take(7, 170, elapsed_ns)) << "answered already";
}

TEST(PendingRequests, forgets_the_oldest_when_full_and_knows_no_negative_time) {
  PendingRequests<4> pending{};
  for (uint32_t key = 0; key < 5; ++key) pending.add(key, key);
  EXPECT_FALSE(pending.has(0));
  int64_t elapsed_ns = 0;
  EXPECT_TRUE(pending.take(4, 10, elapsed_ns));
  EXPECT_EQ(elapsed_ns, 6);
  EXPECT_FALSE(pending.take(3, 2, elapsed_ns)) << "the clock went back";
  EXPECT_FALSE(pending.has(3));
}

}  // namespace
}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// What a packet of a known flow takes from the heap: nothing, whatever is subscribed to. This program
// counts every operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/support/handler_feed.h"

namespace {
std::atomic<size_t> allocation_count = 0;
}

// Not inlined: GCC takes a free() beside a call of operator new for a mistake.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocation_count;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace weir::test {
namespace {

// Of a thousand rounds of a conversation, after ten to grow into.
size_t allocations_of(Handler& handler) {
  const Bytes question = from_client().payload(dns_query("a.example")).bytes();
  const Bytes answer = from_server().payload(dns_answer("a.example")).bytes();
  size_t before = 0;
  for (int round = -10; round < 1000; ++round) {
    if (round == 0) before = allocation_count;
    for (const Bytes* bytes : {&question, &answer}) {
      Frame frame;
      frame.data = bytes->data();
      frame.captured_size = frame.wire_size = static_cast<uint32_t>(bytes->size());
      frame.link_type = 1;
      frame.ts_ns = kFeedStartNs + round * 1'000'000;
      handler.process(frame);
    }
  }
  return allocation_count - before;
}

TEST(HandlerAllocation, WithoutSubscriptionsThereIsNone) {
  Handler handler;
  EXPECT_EQ(allocations_of(handler), 0u);
  Handler counting({.looks_into_payload = false});
  EXPECT_EQ(allocations_of(counting), 0u);
}

TEST(HandlerAllocation, EventsTakeNone) {
  Handler handler;
  size_t event_count = 0;
  const auto count = [&](const AttributeEvent&) { ++event_count; };
  for (const std::string_view name : {"dns.query", "dns.answers", "ip.ttl", "frame.number"})
    ASSERT_TRUE(handler.on_attribute(name, count));
  ASSERT_TRUE(handler.on_attribute("dns.type", count, "dns.rcode != NXDOMAIN"));
  EXPECT_EQ(allocations_of(handler), 0u);
  EXPECT_GT(event_count, 6000u);
}

TEST(HandlerAllocation, ScratchMemoryTakesNone) {
  Handler handler;
  size_t granted = 0;
  handler.on_packet([&](const PacketEvent&) { granted += handler.scratch(1000).size(); });
  EXPECT_EQ(allocations_of(handler), 0u);
  EXPECT_EQ(granted, 2020u * 1000);
}

}  // namespace
}  // namespace weir::test

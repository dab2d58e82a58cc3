// SPDX-License-Identifier: Apache-2.0
#include "flow/timeouts.h"

#include "base/assert.h"

namespace weir {
namespace {

constexpr size_t kLinger = static_cast<size_t>(FlowState::kClosed);

void check(int64_t timeout_ns) {
  ASSERT(timeout_ns >= 0 && timeout_ns <= kIdleTimeoutMaxNs);
}

}  // namespace

const char* flow_family_name(FlowFamily family) noexcept {
  constexpr std::array<const char*, kFlowFamilyCount> kNames = {"tcp", "udp", "icmp", "other"};
  return kNames[static_cast<size_t>(family)];
}

Timeouts::Timeouts() {
  set_family(FlowFamily::kTcp, 300 * kSecondNs);
  set_family(FlowFamily::kUdp, 60 * kSecondNs);
  set_family(FlowFamily::kIcmp, 10 * kSecondNs);
  set_family(FlowFamily::kOther, 60 * kSecondNs);
  set_linger(10 * kSecondNs);
}

void Timeouts::set_family(FlowFamily family, int64_t timeout_ns) {
  check(timeout_ns);
  for (size_t state = 0; state < kLinger; ++state)
    idle_ns[static_cast<size_t>(family)][state] = timeout_ns;
}

void Timeouts::set_linger(int64_t timeout_ns) {
  check(timeout_ns);
  for (auto& by_state : idle_ns) by_state[kLinger] = timeout_ns;
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Timeouts: how long a silent flow stays in the table, per protocol family and state. All in ns of
// the clock.
#pragma once

#include <array>
#include <cstdint>

#include "weir/flow_record.h"

namespace weir {

// Families with a timeout of their own; layer 2, SCTP and every other protocol is kOther.
enum class FlowFamily : uint8_t { kTcp, kUdp, kIcmp, kOther };
inline constexpr size_t kFlowFamilyCount = 4;
const char* flow_family_name(FlowFamily family) noexcept;  // "tcp", …

// States that have a timeout: kNew..kClosing are idle timeouts, kClosed is the linger.
inline constexpr size_t kTimedStateCount = 5;

inline constexpr int64_t kSecondNs = 1'000'000'000;
inline constexpr int64_t kIdleTimeoutMaxNs = 3600 * kSecondNs;  // 60 min

struct Timeouts {
  // [family][state]; each 0..kIdleTimeoutMaxNs.
  std::array<std::array<int64_t, kTimedStateCount>, kFlowFamilyCount> idle_ns;
  int64_t active_ns = 60 * kSecondNs;  // interval of interim records; 0 = none

  Timeouts();
  void set_family(FlowFamily family, int64_t timeout_ns);  // new, established, active, closing
  void set_linger(int64_t timeout_ns);                     // closed, of every family
};

}  // namespace weir

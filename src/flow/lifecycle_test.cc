// SPDX-License-Identifier: Apache-2.0
//
// The transition tables, edge by edge: every edge leads where it must, every pair without one
// changes nothing.
#include "flow/lifecycle.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace weir {
namespace {

using enum FlowState;
using Edges = std::map<std::pair<FlowState, FlowEvent>, FlowState>;

const Edges kTcp = {
    {{kNew, FlowEvent::kMidstream}, kEstablished},
    {{kNew, FlowEvent::kHandshake}, kEstablished},
    {{kNew, FlowEvent::kFin}, kClosing},
    {{kNew, FlowEvent::kReset}, kClosed},
    {{kNew, FlowEvent::kTimeout}, kTimedOut},
    {{kEstablished, FlowEvent::kPayload}, kActive},
    {{kEstablished, FlowEvent::kFin}, kClosing},
    {{kEstablished, FlowEvent::kReset}, kClosed},
    {{kEstablished, FlowEvent::kTimeout}, kTimedOut},
    {{kActive, FlowEvent::kFin}, kClosing},
    {{kActive, FlowEvent::kReset}, kClosed},
    {{kActive, FlowEvent::kTimeout}, kTimedOut},
    {{kClosing, FlowEvent::kFinsAcked}, kClosed},
    {{kClosing, FlowEvent::kReset}, kClosed},
    {{kClosing, FlowEvent::kTimeout}, kTimedOut},
};
const Edges kOthers = {
    {{kNew, FlowEvent::kReply}, kEstablished},     {{kNew, FlowEvent::kTimeout}, kTimedOut},
    {{kEstablished, FlowEvent::kPacket}, kActive}, {{kEstablished, FlowEvent::kTimeout}, kTimedOut},
    {{kActive, FlowEvent::kTimeout}, kTimedOut},
};

void expect_exactly(FlowFamily family, const Edges& edges) {
  for (size_t state = 0; state < kFlowStateCount; ++state) {
    for (size_t event = 0; event < kFlowEventCount; ++event) {
      const auto from = static_cast<FlowState>(state);
      const auto found = edges.find({from, static_cast<FlowEvent>(event)});
      const FlowState expected = found == edges.end() ? from : found->second;
      EXPECT_EQ(next_state(family, from, static_cast<FlowEvent>(event)), expected)
          << flow_family_name(family) << " " << flow_state_name(from) << " event " << event;
    }
  }
}

TEST(Lifecycle, TcpHasExactlyItsEdges) {
  expect_exactly(FlowFamily::kTcp, kTcp);
}

TEST(Lifecycle, OtherFamiliesHaveExactlyTheirEdges) {
  expect_exactly(FlowFamily::kUdp, kOthers);
  expect_exactly(FlowFamily::kIcmp, kOthers);
  expect_exactly(FlowFamily::kOther, kOthers);
}

TEST(Lifecycle, EndedStatesAreFinal) {
  for (size_t event = 0; event < kFlowEventCount; ++event) {
    EXPECT_EQ(next_state(FlowFamily::kTcp, kClosed, static_cast<FlowEvent>(event)), kClosed);
    EXPECT_EQ(next_state(FlowFamily::kTcp, kTimedOut, static_cast<FlowEvent>(event)), kTimedOut);
  }
}

TEST(Lifecycle, IdleIsShownAfterHalfTheTimeoutAndNeverForClosed) {
  EXPECT_EQ(shown_state(kActive, 50, 100), kActive);
  EXPECT_EQ(shown_state(kActive, 51, 100), kIdle);
  EXPECT_EQ(shown_state(kNew, 51, 100), kIdle);
  EXPECT_EQ(shown_state(kClosed, 100, 100), kClosed);
}

TEST(Lifecycle, ClosedEndsAsEndAndTheRestAsIdle) {
  EXPECT_EQ(timeout_reason(kClosed), EndReason::kEnd);
  for (const FlowState state : {kNew, kEstablished, kActive, kClosing})
    EXPECT_EQ(timeout_reason(state), EndReason::kIdle);
}

TEST(Timeouts, DefaultsAreThoseOfTheConventions) {
  const Timeouts timeouts;
  const auto of = [&](FlowFamily family, FlowState state) {
    return timeouts.idle_ns[static_cast<size_t>(family)][static_cast<size_t>(state)] / kSecondNs;
  };
  EXPECT_EQ(of(FlowFamily::kTcp, kActive), 300);
  EXPECT_EQ(of(FlowFamily::kUdp, kNew), 60);
  EXPECT_EQ(of(FlowFamily::kIcmp, kEstablished), 10);
  EXPECT_EQ(of(FlowFamily::kOther, kActive), 60);
  EXPECT_EQ(of(FlowFamily::kTcp, kClosed), 10);
  EXPECT_EQ(timeouts.active_ns / kSecondNs, 60);
}

}  // namespace
}  // namespace weir

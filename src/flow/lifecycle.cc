// SPDX-License-Identifier: Apache-2.0
#include "flow/lifecycle.h"

#include <array>

namespace weir {
namespace {

struct Edge {
  FlowState from;
  FlowEvent event;
  FlowState to;
};

constexpr Edge kTcpEdges[] = {
    {FlowState::kNew, FlowEvent::kMidstream, FlowState::kEstablished},
    {FlowState::kNew, FlowEvent::kHandshake, FlowState::kEstablished},
    {FlowState::kEstablished, FlowEvent::kPayload, FlowState::kActive},
    {FlowState::kNew, FlowEvent::kFin, FlowState::kClosing},
    {FlowState::kEstablished, FlowEvent::kFin, FlowState::kClosing},
    {FlowState::kActive, FlowEvent::kFin, FlowState::kClosing},
    {FlowState::kClosing, FlowEvent::kFinsAcked, FlowState::kClosed},
    {FlowState::kNew, FlowEvent::kReset, FlowState::kClosed},
    {FlowState::kEstablished, FlowEvent::kReset, FlowState::kClosed},
    {FlowState::kActive, FlowEvent::kReset, FlowState::kClosed},
    {FlowState::kClosing, FlowEvent::kReset, FlowState::kClosed},
    {FlowState::kNew, FlowEvent::kTimeout, FlowState::kTimedOut},
    {FlowState::kEstablished, FlowEvent::kTimeout, FlowState::kTimedOut},
    {FlowState::kActive, FlowEvent::kTimeout, FlowState::kTimedOut},
    {FlowState::kClosing, FlowEvent::kTimeout, FlowState::kTimedOut},
};

constexpr Edge kOtherEdges[] = {
    {FlowState::kNew, FlowEvent::kReply, FlowState::kEstablished},
    {FlowState::kEstablished, FlowEvent::kPacket, FlowState::kActive},
    {FlowState::kNew, FlowEvent::kTimeout, FlowState::kTimedOut},
    {FlowState::kEstablished, FlowEvent::kTimeout, FlowState::kTimedOut},
    {FlowState::kActive, FlowEvent::kTimeout, FlowState::kTimedOut},
};

using StateByEvent = std::array<std::array<FlowState, kFlowEventCount>, kFlowStateCount>;

template <size_t kEdgeCount>
constexpr StateByEvent build_table(const Edge (&edges)[kEdgeCount]) {
  StateByEvent table{};
  for (size_t state = 0; state < kFlowStateCount; ++state) {
    for (size_t event = 0; event < kFlowEventCount; ++event)
      table[state][event] = static_cast<FlowState>(state);
  }
  for (const Edge& edge : edges)
    table[static_cast<size_t>(edge.from)][static_cast<size_t>(edge.event)] = edge.to;
  return table;
}

constexpr StateByEvent kTcpTable = build_table(kTcpEdges);
constexpr StateByEvent kOtherTable = build_table(kOtherEdges);

}  // namespace

FlowState next_state(FlowFamily family, FlowState state, FlowEvent event) noexcept {
  const StateByEvent& table = family == FlowFamily::kTcp ? kTcpTable : kOtherTable;
  return table[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

}  // namespace weir

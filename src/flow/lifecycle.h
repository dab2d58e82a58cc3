// SPDX-License-Identifier: Apache-2.0
//
// Lifecycle: the states of a flow and what moves it between them. One transition table per kind of
// flow; an event that has no row for a state changes nothing.
//
//   TCP:     new ─handshake→ established ─payload→ active ─fin→ closing ─fins acked→ closed
//            any of these ─reset→ closed; a flow picked up mid-stream starts as established
//   others:  new ─reply→ established ─packet→ active
//   all:     ─timeout→ timed_out (closed: stays closed, its linger is over), then clean-up:
//            record published, end callback, slot freed
//
// `idle` is how a live flow that has been silent for more than half its timeout is shown; it is
// never stored, so the next packet returns the flow to its state by itself.
#pragma once

#include <cstdint>

#include "flow/timeouts.h"
#include "weir/flow_record.h"

namespace weir {

enum class FlowEvent : uint8_t {
  kReply,      // first packet of the responder
  kPacket,     // any packet after the one that established the flow
  kMidstream,  // TCP without its handshake: the first packet seen carries no SYN
  kHandshake,  // the three-way handshake is complete
  kPayload,    // TCP payload
  kFin,        // first FIN
  kFinsAcked,  // both FINs are acknowledged
  kReset,
  kTimeout,  // silent for longer than timeout(state)
};
inline constexpr size_t kFlowEventCount = 9;

// The state after `event`; the same state when the table has no such edge.
FlowState next_state(FlowFamily family, FlowState state, FlowEvent event) noexcept;

// Why a flow that timed out in this state ended: its linger over, or idle.
constexpr EndReason timeout_reason(FlowState state) noexcept {
  return state == FlowState::kClosed ? EndReason::kEnd : EndReason::kIdle;
}

// The state as shown for a live flow that has been silent for silence_ns.
constexpr FlowState shown_state(FlowState state, int64_t silence_ns, int64_t timeout_ns) noexcept {
  return state != FlowState::kClosed && silence_ns > timeout_ns / 2 ? FlowState::kIdle : state;
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Handler: weir's engine for people who embed it. Feed it frames, be called with flows.
//
//   weir::Handler handler;
//   handler.on_flow_end([](const weir::Flow& flow) { puts(flow.json().c_str()); });
//   for (…) handler.process(frame);
//   handler.finish();
//
// A handler owns its flow table and nothing else: no globals, so any number of them may live in one
// process.
// Errors: nothing throws. Every frame is answered with its verdict; an exception thrown by a callback
// is caught, counted (Statistics::callback_errors) and the run goes on.
// Threads: one thread at a time per handler; different handlers on different threads need no lock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "weir/flow_record.h"
#include "weir/frame.h"
#include "weir/statistics.h"
#include "weir/verdict.h"

namespace weir {

struct HandlerOptions {
  // Idle timeouts in ns, at most 60 min each; the linger is that of closed TCP flows.
  int64_t tcp_timeout_ns = 300'000'000'000;
  int64_t udp_timeout_ns = 60'000'000'000;
  int64_t icmp_timeout_ns = 10'000'000'000;
  int64_t other_timeout_ns = 60'000'000'000;
  int64_t linger_ns = 10'000'000'000;
  int64_t active_timeout_ns = 60'000'000'000;  // interval of flow-update callbacks; 0 = none
  uint32_t flow_count_max = 1'000'000;
  ZoneKind zone = ZoneKind::kNone;
  std::string interface_name = "handler";  // the `interface` of its flows
};

// A flow as a callback sees it. Valid during the callback; copy record() to keep it.
class Flow {
 public:
  const FlowRecord& record() const noexcept { return *record_; }
  // The same object `weir read --format json` prints, one line without the newline.
  std::string json() const;
  // One field by its schema name as text ("192.0.2.1", "12345"); empty when it does not apply or
  // does not exist.
  std::string text(const char* field_name) const;

 private:
  friend class Handler;
  Flow(const FlowRecord& record, const std::string& interface_name)
      : record_(&record), interface_name_(&interface_name) {}
  const FlowRecord* record_;
  const std::string* interface_name_;
};

// What a per-packet callback sees.
struct PacketEvent {
  const Frame& frame;
  Verdict verdict;
  Layer layer;                // where decoding ended
  uint64_t flow_id;           // 0 when the packet has no flow
  const uint8_t* payload;     // above the transport header; null when there is none
  uint32_t payload_captured;  // bytes at `payload`
  uint32_t payload_size;      // bytes by the packet's own length fields
};

class Handler {
 public:
  explicit Handler(const HandlerOptions& options = {});
  ~Handler();
  Handler(Handler&&) noexcept;
  Handler& operator=(Handler&&) noexcept;

  void on_flow_start(std::function<void(const Flow&)> callback);  // after its first packet
  void on_flow_update(
      std::function<void(const Flow&)> callback);  // interim record, every active timeout
  void on_flow_end(
      std::function<void(const Flow&)> callback);  // final record; the flow is gone after it
  void on_packet(
      std::function<void(const PacketEvent&)> callback);  // every frame, also those without a flow

  // Reads the frame's bytes, sizes, ts_ns, link_type and VLAN members; number, source, interface
  // and clock_ns are the handler's own. next_ts_ns is the time of the frame that follows, when
  // known: it tells a wrong timestamp, which moves no clock, from a gap, which does. Without it a
  // forward step counts as a gap.
  Verdict process(const Frame& frame, std::optional<int64_t> next_ts_ns = std::nullopt) noexcept;
  // Ends every flow as forced. The handler may be fed again afterwards.
  void finish() noexcept;

  Statistics statistics() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Reads a capture file (or "-") into the handler. Returns the number of frames; on a problem
// `error`, when given, holds one line and what came before the damage has been processed.
uint64_t read_capture(const std::string& path, Handler& handler,
                      std::string* error = nullptr) noexcept;

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Handler: weir's engine for people who embed it. Feed it frames, be called with flows and with what
// their payload says.
//
//   weir::Handler handler;
//   handler.on_attribute("tls.sni", [](const weir::AttributeEvent& event) {
//     printf("%s\n", event.json().c_str());
//   });
//   handler.on_flow_end([](const weir::Flow& flow) { puts(flow.json().c_str()); });
//   for (…) handler.process(frame);
//   handler.finish();
//
// The order of calls for one frame: flows that ended because of it, update records, start of its
// flow, attributes of its messages, the packet. A callback returns nothing, or an Answer: what is to
// happen next.
//
// Protocols and attributes are those of a Catalog, which is frozen and may be shared by any number of
// handlers; standard_catalog() (weir/standard_catalog.h) has all that weir knows, and takes yours.
// What nobody subscribes to is neither looked for nor kept, if HandlerOptions::keeps_attributes says
// so.
//
// A handler owns its flow table and nothing else: no globals, so any number of them may live in one
// process.
// Errors: nothing throws but the constructor (std::bad_alloc). Every frame is answered with its
// verdict; an exception thrown by a callback is caught, counted (Statistics::callback_errors) and the
// run goes on.
// Threads: one thread at a time per handler; different handlers on different threads need no lock.
// paths() may be read by any thread at any time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weir/catalog.h"
#include "weir/flow_record.h"
#include "weir/frame.h"
#include "weir/path_statistics.h"
#include "weir/protocol.h"
#include "weir/statistics.h"
#include "weir/verdict.h"

namespace weir {

// What a callback wants to happen next. Updates and ends of flows, of which a frame may cause any
// number, come before its own callbacks and are never left out by kStopPacket.
enum class Answer : uint8_t {
  kContinue,
  kStopPacket,  // no more callbacks for this packet
  kStopFlow,    // nor for this flow, but its end; its payload is not looked into any more, after an
                // update from its next packet on
  kStopRun,  // nor for anything: is_stopped(). What is fed after that is counted, without callbacks
};

enum class KeptAttributes : uint8_t {
  kAll,         // a flow keeps what its protocol finds: Flow::attribute() at any time
  kSubscribed,  // only what some on_attribute() asked for is looked for and kept
};

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
  bool looks_into_payload = true;          // false: flows have no app and no attributes
  bool guesses_by_port = true;             // an app, marked as guess, for flows nobody recognised
  KeptAttributes keeps_attributes = KeptAttributes::kAll;
  uint64_t dpi_memory_max = uint64_t{256} << 20;  // bytes for flows being inspected and attributes
};

// A flow as a callback sees it. Valid during the callback; copy record() to keep it.
class Flow {
 public:
  const FlowRecord& record() const;
  // The same object `weir read --format json` prints, one line without the newline.
  std::string json() const;
  // One field by its schema name as text ("192.0.2.1", "12345"); empty when it does not apply or
  // does not exist.
  std::string text(std::string_view field_name) const;
  // One attribute ("tls.sni") or field; nothing when the flow has none, which differs from empty.
  std::optional<std::string> attribute(std::string_view name) const;
  // The same, typed. False when it is absent or there is no such name. Lives as long as the callback.
  bool value(std::string_view name, Value& value) const;

 private:
  friend struct HandlerState;
  Flow(const struct HandlerState& handler, const FlowRecord* record)
      : handler_(&handler), record_(record) {}
  const struct HandlerState* handler_;
  mutable const FlowRecord* record_;  // none: that of the packet in hand, made when asked for
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
  const Flow* flow;           // as it is with this packet; null when the packet has no flow
  uint64_t index;             // of the frame among all that were fed, from 1
};

// An attribute of a message, or of a packet's headers.
struct AttributeEvent {
  // Of a list attribute, one value per event.
  const Field& field;
  const Value& value;
  const Catalog& catalog;
  const Flow* flow;  // null when the packet has no flow
  Side side;         // who sent the message
  int64_t ts_ns;
  uint64_t index;  // of the frame
  // All attributes of the message (weir/attribute_block.h); with KeptAttributes::kSubscribed those
  // that somebody asked for.
  std::span<const uint8_t> message;

  std::string text() const;  // as it was sent: any byte may be in it
  std::string json() const;  // escaped: safe for a terminal
};

class Handler {
 public:
  using FlowCallback = std::function<Answer(const Flow&)>;
  using PacketCallback = std::function<Answer(const PacketEvent&)>;
  using AttributeCallback = std::function<Answer(const AttributeEvent&)>;

  // Without a catalogue: the standard one.
  explicit Handler(const HandlerOptions& options = {},
                   std::shared_ptr<const Catalog> catalog = nullptr);
  ~Handler();
  Handler(Handler&&) noexcept;
  Handler& operator=(Handler&&) noexcept;

  // A callback takes what its using-declaration says and returns Answer or void. One of each kind;
  // the last one set counts. Set them before the first frame.
  template <typename Callback>
  void on_flow_start(Callback callback) {  // after its first packet
    set_flow_start(answering<Flow>(std::move(callback)));
  }
  template <typename Callback>
  void on_flow_update(Callback callback) {  // interim record, every active timeout
    set_flow_update(answering<Flow>(std::move(callback)));
  }
  template <typename Callback>
  void on_flow_end(Callback callback) {  // final record; the flow is gone after it
    set_flow_end(answering<Flow>(std::move(callback)));
  }
  template <typename Callback>
  void on_packet(Callback callback) {  // every frame, also those without a flow
    set_packet(answering<PacketEvent>(std::move(callback)));
  }
  // Every value of an attribute, as messages come; any number of callbacks. `condition` is a filter
  // (docs/formats/filter.md) over the message's attributes, the header fields of its packet and the
  // flow's fields; what other protocols said is the flow's. Empty: always.
  // False, and one line in `error`, when there is no such attribute, the options leave out the
  // payload it is in, or the filter is wrong. An object is one value (next_element()), its members
  // are no attributes by themselves.
  template <typename Callback>
  bool on_attribute(std::string_view name, Callback callback, std::string_view condition = {},
                    std::string* error = nullptr) {
    return add_attribute(name, answering<AttributeEvent>(std::move(callback)), condition, error);
  }
  // By number (Field::attribute), for those who looked it up once.
  template <typename Callback>
  bool on_attribute(uint16_t number, Callback callback, std::string_view condition = {},
                    std::string* error = nullptr) {
    return add_attribute(number, answering<AttributeEvent>(std::move(callback)), condition, error);
  }

  // Reads the frame's bytes, sizes, ts_ns, link_type and VLAN members; number, source, interface
  // and clock_ns are the handler's own. next_ts_ns is the time of the frame that follows, when
  // known: it tells a wrong timestamp, which moves no clock, from a gap, which does. Without it a
  // forward step counts as a gap.
  Verdict process(const Frame& frame, std::optional<int64_t> next_ts_ns = std::nullopt) noexcept;
  // Ends every flow as forced. The handler may be fed again afterwards.
  void finish() noexcept;
  // A callback answered kStopRun; for good, also after finish().
  bool is_stopped() const noexcept;

  // Memory for a callback, not initialised, until the frame is done with; what a flow's update or end
  // takes, until that callback returns. Empty beyond kScratchSizeMax.
  std::span<uint8_t> scratch(size_t size) noexcept;

  Statistics statistics() const noexcept;
  // Traffic by protocol and what carries it, as of now.
  const PathStatistics& paths() const noexcept;
  const Catalog& catalog() const noexcept;

 private:
  template <typename Event, typename Callback>
  static std::function<Answer(const Event&)> answering(Callback callback) {
    if constexpr (std::is_void_v<std::invoke_result_t<Callback&, const Event&>>) {
      return [callback = std::move(callback)](const Event& event) mutable {
        callback(event);
        return Answer::kContinue;
      };
    } else {
      return callback;
    }
  }
  void set_flow_start(FlowCallback callback);
  void set_flow_update(FlowCallback callback);
  void set_flow_end(FlowCallback callback);
  void set_packet(PacketCallback callback);
  bool add_attribute(std::string_view name, AttributeCallback callback, std::string_view condition,
                     std::string* error);
  bool add_attribute(uint16_t number, AttributeCallback callback, std::string_view condition,
                     std::string* error);

  std::unique_ptr<struct HandlerState> state_;
};

// Reads a capture file (or "-") into the handler, until its end or until the handler is stopped.
// Returns the number of frames; on a problem `error`, when given, holds one line and what came before
// the damage has been processed.
uint64_t read_capture(const std::string& path, Handler& handler,
                      std::string* error = nullptr) noexcept;

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// The public library: a shard fed one frame at a time, with callbacks. Each frame is a burst of its
// own, so that callbacks come in the order of the frames; the engine is there for those who want
// files read fast.
//
// Attribute callbacks are readers of the Inspector's events, which are asked for protocol by protocol:
// what nobody subscribes to makes none.
#include "weir/handler.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "base/arena.h"
#include "capture/capture_file.h"
#include "capture/source_clock.h"
#include "export/json_lines.h"
#include "filter/filter.h"
#include "flow/flow_fields.h"
#include "pipeline/shard.h"
#include "weir/attribute_block.h"

namespace weir {
namespace {

FlowTableOptions table_options(const HandlerOptions& options) {
  const auto bounded = [](int64_t timeout_ns) {
    return std::clamp<int64_t>(timeout_ns, 0, kIdleTimeoutMaxNs);
  };
  FlowTableOptions table;
  table.timeouts.set_family(FlowFamily::kTcp, bounded(options.tcp_timeout_ns));
  table.timeouts.set_family(FlowFamily::kUdp, bounded(options.udp_timeout_ns));
  table.timeouts.set_family(FlowFamily::kIcmp, bounded(options.icmp_timeout_ns));
  table.timeouts.set_family(FlowFamily::kOther, bounded(options.other_timeout_ns));
  table.timeouts.set_linger(bounded(options.linger_ns));
  table.timeouts.active_ns = std::max<int64_t>(0, options.active_timeout_ns);
  table.flow_count_max = std::max<uint32_t>(1, options.flow_count_max);
  table.secret = HashSecret::random();
  return table;
}

InspectorOptions inspector_options(const HandlerOptions& options, const Catalog& catalog) {
  InspectorOptions inspector;
  inspector.guesses_by_port = options.guesses_by_port;
  const bool keeps_all = options.keeps_attributes == KeptAttributes::kAll;
  inspector.stored.assign(catalog.attribute_count(), keeps_all);
  inspector.events_are_whole = keeps_all;
  return inspector;
}

// The catalogue of handlers that were given none lives as long as the process.
std::shared_ptr<const Catalog> or_standard(std::shared_ptr<const Catalog> catalog) {
  if (catalog != nullptr) return catalog;
  return {std::shared_ptr<const Catalog>(), &flow_catalog()};
}

struct Subscription {
  Handler::AttributeCallback callback;
  std::optional<Filter> condition;
};

}  // namespace

struct HandlerState {
  HandlerState(const HandlerOptions& handler_options, std::shared_ptr<const Catalog> shared_catalog)
      : options(handler_options),
        catalog(or_standard(std::move(shared_catalog))),
        json_format(*catalog),
        table(table_options(options)),
        decoder({.zone = options.zone}, table.secret),
        fragments({}, table.secret),
        protocols(*catalog),
        dpi_pool(options.dpi_memory_max),
        paths(*catalog),
        subscriptions(catalog->attribute_count()) {
    if (options.looks_into_payload) {
      shard.emplace(table, SweepMode::kAuto, protocols, inspector_options(options, *catalog),
                    dpi_pool);
    } else {
      shard.emplace(table, SweepMode::kAuto);
    }
  }

  RecordNames names() const noexcept { return {options.interface_name, catalog.get()}; }

  // What a callback answers, or that it threw.
  template <typename Event>
  Answer call(const std::function<Answer(const Event&)>& callback, const Event& event) noexcept {
    if (!callback || is_stopped) return Answer::kContinue;
    Answer answer = Answer::kContinue;
    try {
      answer = callback(event);
    } catch (...) {
      // Whatever the user's code threw: the frames go on.
      ++statistics.callback_errors;
    }
    if (answer == Answer::kStopRun) is_stopped = true;
    return answer;
  }

  // Somebody subscribes to the attribute, or a condition asks for it.
  void want(uint16_t number) {
    if (PacketFields::is_packet_field(*catalog, number)) {
      headers_wanted.push_back(number);
      headers = PacketFields(*catalog, headers_wanted);
    } else if (Inspector* const inspector = shard->inspector(); inspector != nullptr) {
      inspector->want_events(catalog->protocol_of(number));
      inspector->want_stored(number);
    }
  }

  // The header fields somebody wants, as a message of its own.
  void collect_headers() {
    header_message.clear();
    if (headers.is_empty()) return;
    auto append = [this](uint16_t number, std::span<const uint8_t> value) {
      append_entry(header_message, number, value);
    };
    headers.extract(packet, options.interface_name, append);
  }

  // Of the packet in hand: false when its callbacks are over.
  bool obey(Answer answer) noexcept {
    if (answer == Answer::kContinue) return true;
    if (answer == Answer::kStopFlow && packet.flow_id != 0) {
      silence(packet.flow_id);
      stop_inspection();
    }
    return false;
  }

  void silence(uint64_t flow_id) noexcept {
    try {
      silenced.insert(flow_id);
    } catch (...) {
      ++statistics.callback_errors;
    }
  }

  void stop_inspection() noexcept {
    shard->table().stop_inspection(packet.key, packet.hash, packet.frame->clock_ns);
  }

  // Updates and ends, with scratch memory of their own each: one frame may end any number of flows.
  // False when one of them wants no more callbacks for the frame.
  bool hand_out() noexcept {
    bool goes_on = true;
    for (const FlowRecord& record : records) {
      const Flow flow(*this, &record);
      const bool is_silenced = !silenced.empty() && silenced.contains(record.id);
      Answer answer = Answer::kContinue;
      if (record.is_final) {
        answer = call(on_end, flow);
        paths.count_flow(record.path, record.app_path);
        if (is_silenced) silenced.erase(record.id);
      } else if (!is_silenced) {
        answer = call(on_update, flow);
        // Its inspection stops with its next packet, which may be the one in hand.
        if (answer == Answer::kStopFlow) silence(record.id);
      }
      goes_on = goes_on && answer != Answer::kStopPacket;
      take_scratch_back();
    }
    records.clear();
    return goes_on;
  }

  void take_scratch_back() noexcept {
    if (!scratch.is_empty()) scratch.reset();
  }

  // The flow of the packet in hand as it is now.
  const FlowRecord* snapshot() const {
    if (!has_snapshot) {
      has_snapshot =
          shard->table().snapshot(packet.key, packet.hash, packet.frame->clock_ns, snapshot_record);
      if (!has_snapshot) snapshot_record = FlowRecord();
    }
    return &snapshot_record;
  }

  // What a condition may ask. Attributes of the message's protocol are the message's or absent: what
  // earlier messages said is not what this one says. Others are the packet's headers, then the flow's.
  class MessageOfFlow final : public ValueSource {
   public:
    MessageOfFlow(const HandlerState& handler, std::span<const uint8_t> message, uint8_t protocol)
        : handler_(handler), message_(message), protocol_(protocol) {}
    void value(const Field& field, Value& value) const override {
      if (field.is_attribute()) {
        message_.value(field, value);
        if (handler_.catalog->protocol_of(field.attribute) == protocol_) return;
        if (value.kind == ValueKind::kAbsent)
          MessageValues(handler_.header_message).value(field, value);
      }
      if (value.kind == ValueKind::kAbsent && handler_.packet.flow_id != 0)
        RecordValues(*handler_.snapshot(), names_ = handler_.names()).value(field, value);
    }

   private:
    const HandlerState& handler_;
    MessageValues message_;
    uint8_t protocol_;
    mutable RecordNames names_;
  };

  bool call_attributes(std::span<const uint8_t> message, uint8_t protocol, Side side, int64_t ts_ns,
                       const Flow* flow) noexcept {
    AttributeEntry entry;
    for (AttributeReader reader(message); reader.next(entry);) {
      if (entry.number >= subscriptions.size()) continue;
      for (const Subscription& subscription : subscriptions[entry.number]) {
        if (!call_attribute(subscription, entry, message, protocol, side, ts_ns, flow))
          return false;
      }
    }
    return true;
  }

  bool call_attribute(const Subscription& subscription, const AttributeEntry& entry,
                      std::span<const uint8_t> message, uint8_t protocol, Side side, int64_t ts_ns,
                      const Flow* flow) noexcept {
    try {
      if (subscription.condition &&
          !subscription.condition->matches(MessageOfFlow(*this, message, protocol)))
        return true;
    } catch (...) {
      ++statistics.callback_errors;
      return true;
    }
    const Field& field = *catalog->attribute(entry.number);
    Value value;
    decode_attribute(field, entry, value);
    return obey(call(subscription.callback, AttributeEvent{field, value, *catalog, flow, side,
                                                           ts_ns, frame_count, message}));
  }

  // Starts, attributes and the packet itself; ends when a callback says so.
  void call_packet(const Frame& frame, bool is_decoded) noexcept {
    const Flow flow(*this, nullptr);
    const Flow* const its_flow = packet.flow_id != 0 ? &flow : nullptr;
    if (!silenced.empty() && silenced.contains(packet.flow_id)) {
      stop_inspection();
      return;
    }
    if (on_start && packet.flow_created && !obey(call(on_start, flow))) return;
    if (!header_message.empty()) {
      const Side side = packet.flow_id == 0 ? Side::kInitiator : shard->table().sender_of(packet);
      if (!call_attributes(header_message, kUnknownApp, side, frame.ts_ns, its_flow)) return;
    }
    for (const MessageEvent& message : events.messages) {
      if (!call_attributes(events.block(message), message.protocol, message.side, message.ts_ns,
                           its_flow))
        return;
    }
    if (!on_packet) return;
    const bool has_payload = is_decoded && packet.payload_captured > 0;
    obey(call(on_packet, PacketEvent{frame, packet.verdict, packet.layer, packet.flow_id,
                                     has_payload ? packet.payload : nullptr,
                                     has_payload ? packet.payload_captured : 0,
                                     is_decoded ? packet.payload_size : 0, its_flow, frame_count}));
  }

  Verdict process(const Frame& frame) noexcept {
    statistics.delivered.add(frame.wire_size);
    statistics.captured_bytes += frame.captured_size;
    decoder.decode(frame, packet);
    Packet* const one = &packet;
    const bool is_decoded = packet.verdict == Verdict::kDecoded;
    const size_t ready_count = fragments.admit(packet) ? 1 : 0;
    statistics.add_verdict(packet.layer, packet.verdict, frame.link_type, frame.wire_size);
    packet.app_path = {};
    shard->process(std::span<Packet* const>(&one, ready_count), frame.clock_ns, records);
    if (Inspector* const inspector = shard->inspector(); inspector != nullptr)
      inspector->take_events(events);
    has_snapshot = false;

    const bool goes_on = hand_out();
    paths.count(packet.path, packet.app_path, frame.wire_size, is_decoded ? packet.payload_size : 0,
                frame.ts_ns);
    if (goes_on && !is_stopped) {
      collect_headers();
      call_packet(frame, is_decoded);
    }
    events.clear();
    take_scratch_back();
    return packet.verdict;
  }

  HandlerOptions options;
  std::shared_ptr<const Catalog> catalog;
  JsonFormat json_format;
  FlowTableOptions table;
  Decoder decoder;
  FragmentCache fragments;
  ProtocolTable protocols;
  MemoryPool dpi_pool;
  PathStatistics paths;
  std::optional<Shard> shard;
  SourceClock clock;
  uint64_t frame_count = 0;
  Packet packet;  // in hand
  std::vector<FlowRecord> records;
  Events events;  // of the packet in hand
  std::vector<uint16_t> headers_wanted;
  PacketFields headers;
  std::vector<uint8_t> header_message;  // of the packet in hand
  mutable bool has_snapshot = false;
  mutable FlowRecord snapshot_record;
  Arena scratch{kScratchSizeMax};
  Statistics statistics;  // but for the flows, which the shard counts
  bool is_stopped = false;
  std::unordered_set<uint64_t> silenced;  // flows whose callbacks a callback stopped; live ones
  Handler::FlowCallback on_start, on_update, on_end;
  Handler::PacketCallback on_packet;
  std::vector<std::vector<Subscription>> subscriptions;  // by number of the attribute
};

const FlowRecord& Flow::record() const {
  if (record_ == nullptr) record_ = handler_->snapshot();
  return *record_;
}

std::string Flow::json() const {
  std::string line;
  handler_->json_format.append(line, record(), handler_->names());
  return line;
}

bool Flow::value(std::string_view name, Value& value) const {
  const Field* field = handler_->catalog->find(name);
  if (field == nullptr) return false;
  get_value(*field, record(), handler_->names(), value);
  return value.kind != ValueKind::kAbsent;
}

std::optional<std::string> Flow::attribute(std::string_view name) const {
  Value found;
  if (!value(name, found)) return std::nullopt;
  std::string text;
  append_text(text, *handler_->catalog, found);
  return text;
}

std::string Flow::text(std::string_view field_name) const {
  return attribute(field_name).value_or(std::string());
}

std::string AttributeEvent::text() const {
  std::string text;
  append_text(text, catalog, value);
  return text;
}

std::string AttributeEvent::json() const {
  std::string text;
  append_json(text, catalog, value);
  return text;
}

Handler::Handler(const HandlerOptions& options, std::shared_ptr<const Catalog> catalog)
    : state_(std::make_unique<HandlerState>(options, std::move(catalog))) {}
Handler::~Handler() = default;
Handler::Handler(Handler&&) noexcept = default;
Handler& Handler::operator=(Handler&&) noexcept = default;

void Handler::set_flow_start(FlowCallback callback) {
  state_->on_start = std::move(callback);
}
void Handler::set_flow_update(FlowCallback callback) {
  state_->on_update = std::move(callback);
}
void Handler::set_flow_end(FlowCallback callback) {
  state_->on_end = std::move(callback);
}
void Handler::set_packet(PacketCallback callback) {
  state_->on_packet = std::move(callback);
}

bool Handler::add_attribute(std::string_view name, AttributeCallback callback,
                            std::string_view condition, std::string* error) {
  const Field* field = state_->catalog->find(name);
  if (field != nullptr && field->is_attribute())
    return add_attribute(field->attribute, std::move(callback), condition, error);
  if (error == nullptr) return false;
  *error = "\"" + std::string(name) + "\": expected an attribute";
  const std::string_view nearest = state_->catalog->nearest(name);
  if (field != nullptr) *error += ", this is a field of flows";
  if (field == nullptr && !nearest.empty())
    *error += " (did you mean \"" + std::string(nearest) + "\"?)";
  return false;
}

bool Handler::add_attribute(uint16_t number, AttributeCallback callback, std::string_view condition,
                            std::string* error) {
  const Field* field = state_->catalog->attribute(number);
  const auto refuse = [error](const std::string& problem) {
    if (error != nullptr) *error = problem;
    return false;
  };
  if (field == nullptr)
    return refuse(std::to_string(number) + ": expected the number of an attribute");
  const std::string name = "\"" + std::string(field->name) + "\"";
  if (field->is_member()) {
    const std::string_view whole = state_->catalog->attribute(field->parent)->name;
    return refuse(name + ": expected a whole attribute, this is a part of \"" + std::string(whole) +
                  "\"");
  }
  if (!state_->options.looks_into_payload &&
      !PacketFields::is_packet_field(*state_->catalog, number))
    return refuse(name + ": expected a header field, as payload is not looked into");
  Subscription subscription{std::move(callback), std::nullopt};
  if (!condition.empty()) {
    FilterError wrong;
    subscription.condition = parse_filter(condition, *state_->catalog, wrong);
    if (!subscription.condition)
      return refuse("column " + std::to_string(wrong.column) + ": " + wrong.message);
  }
  state_->want(number);
  if (subscription.condition) {
    for (const Field* asked : subscription.condition->fields()) {
      if (asked->is_attribute()) state_->want(asked->attribute);
    }
  }
  state_->subscriptions[number].push_back(std::move(subscription));
  return true;
}

Verdict Handler::process(const Frame& frame, std::optional<int64_t> next_ts_ns) noexcept {
  Frame numbered = frame;
  numbered.number = ++state_->frame_count;
  numbered.source = 1;
  numbered.interface = 0;
  numbered.clock_ns = state_->clock.advance(frame.ts_ns, next_ts_ns);
  return state_->process(numbered);
}

void Handler::finish() noexcept {
  while (!state_->shard->finish_some(state_->clock.now_ns(), state_->records)) state_->hand_out();
  state_->fragments.clear();
  state_->hand_out();
}

bool Handler::is_stopped() const noexcept {
  return state_->is_stopped;
}

std::span<uint8_t> Handler::scratch(size_t size) noexcept {
  return state_->scratch.allocate(size);
}

Statistics Handler::statistics() const noexcept {
  Statistics result = state_->statistics;
  state_->shard->add_statistics(result);
  state_->fragments.add_statistics(result);
  result.time_outliers = state_->clock.outlier_count();
  result.time_rebases = state_->clock.rebase_count();
  result.dpi.scratch_size_max = kScratchSizeMax;
  result.dpi.scratch_high_water =
      std::max(result.dpi.scratch_high_water, uint64_t{state_->scratch.used_size_max()});
  return result;
}

const PathStatistics& Handler::paths() const noexcept {
  return state_->paths;
}

const Catalog& Handler::catalog() const noexcept {
  return *state_->catalog;
}

uint64_t read_capture(const std::string& path, Handler& handler, std::string* error) noexcept {
  uint64_t frame_count = 0;
  try {
    InterfaceNames names;
    std::string problem;
    std::unique_ptr<CaptureSource> source = open_capture_file(path, names, problem);
    // A frame waits for the next one's time, so that one wrong timestamp is told from a gap. Its
    // batch is held until then.
    std::optional<Frame> waiting;
    std::optional<Batch> held;
    const auto process_waiting = [&](std::optional<int64_t> next_ts_ns) {
      if (!waiting) return;
      handler.process(*waiting, next_ts_ns);
      waiting.reset();
      ++frame_count;
    };
    for (Next next = Next::kData;
         source != nullptr && next == Next::kData && !handler.is_stopped();) {
      Batch batch;
      next = source->next(batch);
      for (const Frame& frame : batch.frames) {
        process_waiting(frame.ts_ns);
        if (handler.is_stopped()) break;
        waiting = frame;
      }
      if (handler.is_stopped()) waiting.reset();
      if (next != Next::kData) process_waiting(std::nullopt);
      if (next == Next::kError) problem = source->error();
      if (held) source->release(*held);
      held.reset();
      if (next == Next::kData) held = batch;
    }
    if (error != nullptr) *error = problem;
  } catch (const std::exception& exception) {
    if (error != nullptr) *error = path + ": " + exception.what();
  }
  return frame_count;
}

}  // namespace weir

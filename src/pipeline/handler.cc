// SPDX-License-Identifier: Apache-2.0
//
// The public library: a shard fed one frame at a time, with callbacks. Each frame is a burst of its
// own, so that callbacks come in the order of the frames; the engine is there for those who want
// files read fast.
#include "weir/handler.h"

#include <algorithm>
#include <vector>

#include "capture/capture_file.h"
#include "capture/source_clock.h"
#include "export/json_lines.h"
#include "flow/flow_fields.h"
#include "pipeline/shard.h"

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

}  // namespace

struct Handler::State {
  explicit State(const HandlerOptions& handler_options)
      : options(handler_options),
        table(table_options(options)),
        decoder({.zone = options.zone}, table.secret),
        fragments({}, table.secret),
        shard(table, SweepMode::kAuto) {}

  template <typename Callback, typename Argument>
  void call(const Callback& callback, const Argument& argument) noexcept {
    if (!callback) return;
    try {
      callback(argument);
    } catch (...) {
      // Whatever the user's code threw: the frames go on.
      ++statistics.callback_errors;
    }
  }

  void hand_out() noexcept {
    for (const FlowRecord& record : records) {
      call(record.is_final ? on_end : on_update, Flow(record, options.interface_name));
    }
    records.clear();
  }

  Verdict process(const Frame& frame) noexcept {
    statistics.delivered.add(frame.wire_size);
    statistics.captured_bytes += frame.captured_size;
    decoder.decode(frame, packet);
    Packet* const one = &packet;
    const bool is_decoded = packet.verdict == Verdict::kDecoded;
    const size_t ready_count = fragments.admit(packet) ? 1 : 0;
    statistics.add_verdict(packet.layer, packet.verdict, frame.link_type, frame.wire_size);
    shard.process(std::span<Packet* const>(&one, ready_count), frame.clock_ns, records);

    hand_out();
    if (on_start && packet.flow_created) {
      FlowRecord record;
      if (shard.table().snapshot(packet.key, packet.hash, frame.clock_ns, record)) {
        call(on_start, Flow(record, options.interface_name));
      }
    }
    if (on_packet) {
      const bool has_payload = is_decoded && packet.payload_captured > 0;
      call(on_packet, PacketEvent{frame, packet.verdict, packet.layer, packet.flow_id,
                                  has_payload ? packet.payload : nullptr,
                                  has_payload ? packet.payload_captured : 0,
                                  is_decoded ? packet.payload_size : 0});
    }
    return packet.verdict;
  }

  HandlerOptions options;
  FlowTableOptions table;
  Decoder decoder;
  FragmentCache fragments;
  Shard shard;
  SourceClock clock;
  uint64_t frame_count = 0;
  Packet packet;
  std::vector<FlowRecord> records;
  Statistics statistics;  // but for the flows, which the shard counts
  std::function<void(const Flow&)> on_start, on_update, on_end;
  std::function<void(const PacketEvent&)> on_packet;
};

std::string Flow::json() const {
  std::string line;
  static const JsonFormat json_format(flow_catalog());
  json_format.append(line, *record_, {.interface = *interface_name_});
  return line;
}

std::string Flow::text(const char* field_name) const {
  const Field* field = flow_catalog().find(field_name);
  if (field == nullptr) return {};
  Value value;
  field->get(*record_, {.interface = *interface_name_}, value);
  std::string text;
  append_text(text, value);
  return text;
}

Handler::Handler(const HandlerOptions& options) : state_(std::make_unique<State>(options)) {}
Handler::~Handler() = default;
Handler::Handler(Handler&&) noexcept = default;
Handler& Handler::operator=(Handler&&) noexcept = default;

void Handler::on_flow_start(std::function<void(const Flow&)> callback) {
  state_->on_start = std::move(callback);
}
void Handler::on_flow_update(std::function<void(const Flow&)> callback) {
  state_->on_update = std::move(callback);
}
void Handler::on_flow_end(std::function<void(const Flow&)> callback) {
  state_->on_end = std::move(callback);
}
void Handler::on_packet(std::function<void(const PacketEvent&)> callback) {
  state_->on_packet = std::move(callback);
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
  while (!state_->shard.finish_some(state_->clock.now_ns(), state_->records)) state_->hand_out();
  state_->fragments.clear();
  state_->hand_out();
}

Statistics Handler::statistics() const noexcept {
  Statistics result = state_->statistics;
  state_->shard.add_statistics(result);
  state_->fragments.add_statistics(result);
  result.time_outliers = state_->clock.outlier_count();
  result.time_rebases = state_->clock.rebase_count();
  return result;
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
    for (Next next = Next::kData; source != nullptr && next == Next::kData;) {
      Batch batch;
      next = source->next(batch);
      for (const Frame& frame : batch.frames) {
        process_waiting(frame.ts_ns);
        waiting = frame;
      }
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

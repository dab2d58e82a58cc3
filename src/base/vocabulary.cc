// SPDX-License-Identifier: Apache-2.0
//
// The names of the enumerations in include/weir/: one table each, indexed by the value. And the
// arithmetic of Statistics, which only adds and subtracts what others counted.
#include <array>

#include "base/memory_budget.h"
#include "weir/flow_record.h"
#include "weir/statistics.h"
#include "weir/verdict.h"

namespace weir {
namespace {

constexpr std::array<VerdictName, kVerdictCount> kVerdictNames = {{
#define VERDICT(enumerator, verdict_class, reason, help) \
  {VerdictClass::verdict_class, reason, help},
#include "weir/verdicts.inc"
#undef VERDICT
}};

struct LayerName {
  const char* name;
  const char* help;
};
constexpr std::array<LayerName, kLayerCount> kLayerNames = {{
#define LAYER(enumerator, name, help) {name, help},
#include "weir/layers.inc"
#undef LAYER
}};

constexpr std::array kVerdictClassNames = {"decoded", "ignored", "errors", "shed", "unflowed"};
constexpr std::array<const char*, kFlowStateCount> kFlowStateNames = {
    "new", "established", "active", "closing", "closed", "idle", "timed_out"};
constexpr std::array<const char*, kEndReasonCount> kEndReasonNames = {
    "", "idle", "end", "forced", "resources", "active"};
constexpr std::array kFlowOriginNames = {"syn", "first_packet", "service_port"};
constexpr std::array kConnStateNames = {"S0",   "S1",     "SF",    "REJ", "S2",  "S3", "RSTO",
                                        "RSTR", "RSTOS0", "RSTRH", "SH",  "SHR", "OTH"};
constexpr std::array kDecisionNames = {"undecided", "allow", "block"};
constexpr std::array<const char*, kLimitCount> kLimitNames = {
    "flow_count",  "fragment_count", "history_size", "flow_pressure",
    "flow_detail", "flow_shape",     "flow_probe"};

template <typename Table, typename Enum>
auto& at(const Table& table, Enum value) noexcept {
  return table[static_cast<size_t>(value)];
}

}  // namespace

const VerdictName& verdict_name(Verdict verdict) noexcept {
  return at(kVerdictNames, verdict);
}
const char* verdict_class_name(VerdictClass verdict_class) noexcept {
  return at(kVerdictClassNames, verdict_class);
}
const char* layer_name(Layer layer) noexcept {
  return at(kLayerNames, layer).name;
}
const char* layer_help(Layer layer) noexcept {
  return at(kLayerNames, layer).help;
}
const char* flow_state_name(FlowState state) noexcept {
  return at(kFlowStateNames, state);
}
const char* end_reason_name(EndReason reason) noexcept {
  return at(kEndReasonNames, reason);
}
const char* flow_origin_name(FlowOrigin origin) noexcept {
  return at(kFlowOriginNames, origin);
}
const char* conn_state_name(ConnState state) noexcept {
  return at(kConnStateNames, state);
}
const char* decision_name(Decision decision) noexcept {
  return at(kDecisionNames, decision);
}
const char* limit_name(Limit limit) noexcept {
  return at(kLimitNames, limit);
}

static_assert(kMemoryPoolCount == kPoolCount);
const char* memory_pool_name(size_t pool) noexcept {
  return pool_name(static_cast<Pool>(pool));
}

void Statistics::move(Layer layer, Verdict from, Verdict to, const FrameCount& count) noexcept {
  auto& row = verdicts[static_cast<size_t>(layer)];
  row[static_cast<size_t>(from)].frames -= count.frames;
  row[static_cast<size_t>(from)].bytes -= count.bytes;
  row[static_cast<size_t>(to)] += count;
}

FrameCount Statistics::of_class(VerdictClass verdict_class) const noexcept {
  FrameCount sum;
  for (const auto& row : verdicts) {
    for (size_t verdict = 0; verdict < kVerdictCount; ++verdict) {
      if (kVerdictNames[verdict].verdict_class == verdict_class) sum += row[verdict];
    }
  }
  return sum;
}

void IgnoredLinkTypes::add(uint16_t link_type, const FrameCount& count) noexcept {
  for (size_t index = 0; index < row_count; ++index) {
    if (rows[index].link_type != link_type) continue;
    rows[index].count += count;
    return;
  }
  if (row_count < rows.size()) {
    rows[row_count++] = {link_type, count};
  } else {
    others += count;
  }
}

IgnoredLinkTypes& IgnoredLinkTypes::operator+=(const IgnoredLinkTypes& other) noexcept {
  for (size_t index = 0; index < other.row_count; ++index)
    add(other.rows[index].link_type, other.rows[index].count);
  others += other.others;
  return *this;
}

Statistics& Statistics::operator+=(const Statistics& other) noexcept {
  delivered += other.delivered;
  captured_bytes += other.captured_bytes;
  for (size_t layer = 0; layer < kLayerCount; ++layer) {
    for (size_t verdict = 0; verdict < kVerdictCount; ++verdict)
      verdicts[layer][verdict] += other.verdicts[layer][verdict];
  }
  ignored_link_types += other.ignored_link_types;
  flows.created += other.flows.created;
  flows.live += other.flows.live;
  for (size_t index = 0; index < kEndReasonCount; ++index)
    flows.ended[index] += other.flows.ended[index];
  for (size_t index = 0; index < kFlowStateCount; ++index) {
    flows.live_by_state[index] += other.flows.live_by_state[index];
    flows.ended_by_state[index] += other.flows.ended_by_state[index];
  }
  flows.interim_records += other.flows.interim_records;
  flows.in_live += other.flows.in_live;
  flows.in_ended += other.flows.in_ended;
  time_outliers += other.time_outliers;
  time_rebases += other.time_rebases;
  time_clamped += other.time_clamped;
  drops_reported += other.drops_reported;
  name_records += other.name_records;
  for (size_t index = 0; index < kLimitCount; ++index) limits_hit[index] += other.limits_hit[index];
  callback_errors += other.callback_errors;
  sweep_errors += other.sweep_errors;
  for (size_t pool = 0; pool < kMemoryPoolCount; ++pool) {
    memory[pool].limit_size += other.memory[pool].limit_size;
    memory[pool].used_size += other.memory[pool].used_size;
    memory[pool].peak_size += other.memory[pool].peak_size;
    memory[pool].refused_count += other.memory[pool].refused_count;
  }
  return *this;
}

namespace {

int64_t difference(uint64_t left, uint64_t right) noexcept {
  return static_cast<int64_t>(left - right);
}

}  // namespace

Imbalance imbalance(const Statistics& statistics) noexcept {
  const FrameCount decoded = statistics.of_class(VerdictClass::kDecoded);
  const FrameCount unflowed = statistics.of_class(VerdictClass::kUnflowed);
  FrameCount explained = decoded;
  explained += unflowed;
  explained += statistics.of_class(VerdictClass::kIgnored);
  explained += statistics.of_class(VerdictClass::kErrors);
  explained += statistics.of_class(VerdictClass::kShed);

  const FlowStatistics& flows = statistics.flows;
  uint64_t ended = 0;
  for (const uint64_t count : flows.ended) ended += count;

  Imbalance result;
  result.verdict_frames = difference(statistics.delivered.frames, explained.frames);
  result.verdict_bytes = difference(statistics.delivered.bytes, explained.bytes);
  result.flow_frames = difference(decoded.frames, flows.in_live.frames + flows.in_ended.frames);
  result.flow_bytes = difference(decoded.bytes, flows.in_live.bytes + flows.in_ended.bytes);
  result.flows = difference(flows.created, flows.live + ended);
  return result;
}

}  // namespace weir

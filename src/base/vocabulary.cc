// SPDX-License-Identifier: Apache-2.0
//
// The names of the enumerations in include/weir/: one table each, indexed by the value (those of the
// record's are in weir/words.h, where its fields find them too). And the
// arithmetic of Statistics, which only adds and subtracts what others counted.
#include <algorithm>
#include <array>

#include "base/memory_budget.h"
#include "weir/flow_record.h"
#include "weir/statistics.h"
#include "weir/verdict.h"
#include "weir/words.h"

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
constexpr std::array<const char*, kLimitCount> kLimitNames = {
    "flow_count", "fragment_count", "history_size", "flow_pressure", "flow_detail",  "flow_shape",
    "flow_probe", "dpi_flows",      "dpi_assembly", "attributes",    "expectations", "decryptions",
};

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
  return at(kFlowStateWords, state).data();
}
const char* app_confidence_name(AppConfidence confidence) noexcept {
  return at(kAppConfidenceWords, confidence).data();
}
const char* app_method_name(AppMethod method) noexcept {
  return at(kAppMethodWords, method).data();
}
const char* end_reason_name(EndReason reason) noexcept {
  return at(kEndReasonWords, reason).data();
}
const char* flow_origin_name(FlowOrigin origin) noexcept {
  return at(kFlowOriginWords, origin).data();
}
const char* conn_state_name(ConnState state) noexcept {
  return at(kConnStateWords, state).data();
}
const char* decision_name(Decision decision) noexcept {
  return at(kDecisionWords, decision).data();
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

void DpiStatistics::add_error(std::string_view protocol, std::string_view reason,
                              uint64_t count) noexcept {
  for (size_t index = 0; index < error_count; ++index) {
    if (errors[index].protocol != protocol || errors[index].reason != reason) continue;
    errors[index].count += count;
    return;
  }
  if (error_count == errors.size()) {
    other_errors += count;
  } else {
    errors[error_count++] = {protocol, reason, count};
  }
}

DpiStatistics& DpiStatistics::operator+=(const DpiStatistics& other) noexcept {
  inspected_flows += other.inspected_flows;
  inspected_packets += other.inspected_packets;
  classified_flows += other.classified_flows;
  gaps += other.gaps;
  overlaps += other.overlaps;
  reordered += other.reordered;
  refused += other.refused;
  scratch_size_max = std::max(scratch_size_max, other.scratch_size_max);
  scratch_high_water = std::max(scratch_high_water, other.scratch_high_water);
  for (size_t index = 0; index < other.error_count; ++index) {
    const DpiError& error = other.errors[index];
    add_error(error.protocol, error.reason, error.count);
  }
  other_errors += other.other_errors;
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
  dpi += other.dpi;
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

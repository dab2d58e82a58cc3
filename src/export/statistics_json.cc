// SPDX-License-Identifier: Apache-2.0
#include "export/statistics_json.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "export/json_writer.h"
#include "flow/flow_fields.h"
#include "net/link_types.h"

namespace weir {
namespace {

constexpr VerdictClass kClassesWithReasons[] = {VerdictClass::kIgnored, VerdictClass::kErrors,
                                                VerdictClass::kShed, VerdictClass::kUnflowed};

using FrameCounts = std::array<FrameCount, kVerdictCount>;

FrameCounts over_all_layers(const Statistics& statistics) {
  FrameCounts counts{};
  for (const FrameCounts& row : statistics.verdicts) {
    for (size_t verdict = 0; verdict < kVerdictCount; ++verdict) counts[verdict] += row[verdict];
  }
  return counts;
}

// {reason: n, …} of each class, and all that was decoded in front: a frame without a flow was
// decoded too.
void write_verdicts(JsonWriter& json, const FrameCounts& counts, uint64_t FrameCount::*unit) {
  uint64_t decoded = 0;
  for (size_t verdict = 0; verdict < kVerdictCount; ++verdict) {
    const VerdictClass verdict_class = verdict_name(static_cast<Verdict>(verdict)).verdict_class;
    const bool is_decoded =
        verdict_class == VerdictClass::kDecoded || verdict_class == VerdictClass::kUnflowed;
    if (is_decoded) decoded += counts[verdict].*unit;
  }
  json.number(verdict_class_name(VerdictClass::kDecoded), decoded);
  for (const VerdictClass verdict_class : kClassesWithReasons) {
    json.begin_object(verdict_class_name(verdict_class));
    for (size_t verdict = 0; verdict < kVerdictCount; ++verdict) {
      const VerdictName& name = verdict_name(static_cast<Verdict>(verdict));
      if (name.verdict_class == verdict_class) json.number(name.reason, counts[verdict].*unit);
    }
    json.end_object();
  }
}

void write_layers(JsonWriter& json, const Statistics& statistics) {
  json.begin_object("by_layer");
  for (size_t layer = 0; layer < kLayerCount; ++layer) {
    const FrameCounts& row = statistics.verdicts[layer];
    bool is_empty = true;
    for (const FrameCount& count : row) is_empty = is_empty && count.frames == 0;
    if (is_empty) continue;
    json.begin_object(layer_name(static_cast<Layer>(layer)));
    for (size_t verdict = 0; verdict < kVerdictCount; ++verdict) {
      const char* reason = verdict_name(static_cast<Verdict>(verdict)).reason;
      if (row[verdict].frames > 0) json.number(reason, row[verdict].frames);
    }
    json.end_object();
  }
  json.end_object();
}

// By number, so that the order of the frames does not show.
void write_ignored_link_types(JsonWriter& json, const IgnoredLinkTypes& ignored) {
  std::map<uint16_t, uint64_t> frames;
  for (size_t index = 0; index < ignored.row_count; ++index)
    frames[ignored.rows[index].link_type] = ignored.rows[index].count.frames;
  json.begin_object("ignored_link_types");
  for (const auto& [link_type, count] : frames) json.number(link_type_text(link_type), count);
  if (ignored.others.frames > 0) json.number("others", ignored.others.frames);
  json.end_object();
}

void write_flows(JsonWriter& json, const FlowStatistics& flows) {
  json.begin_object("flows");
  json.number("created", flows.created);
  json.number("live", flows.live);
  json.begin_object("ended");
  for (size_t index = 0; index < kEndReasonCount; ++index) {
    const auto reason = static_cast<EndReason>(index);
    // Neither ends a flow.
    if (reason == EndReason::kNone || reason == EndReason::kActive) continue;
    json.number(end_reason_name(reason), flows.ended[index]);
  }
  json.end_object();
  json.begin_object("by_state");
  for (size_t index = 0; index < kFlowStateCount; ++index) {
    json.number(flow_state_name(static_cast<FlowState>(index)),
                flows.live_by_state[index] + flows.ended_by_state[index]);
  }
  json.end_object();
  json.number("interim_records", flows.interim_records);
  json.end_object();
}

void write_sums(JsonWriter& json, const char* key,
                const std::vector<std::pair<std::string, FlowSum>>& sums) {
  json.begin_object(key);
  for (const auto& [name, sum] : sums) {
    json.begin_object(name);
    json.number("flows", sum.flows);
    json.number("packets", sum.packets);
    json.number("bytes", sum.bytes);
    json.end_object();
  }
  json.end_object();
}

void write_summary(JsonWriter& json, const Summary& summary, const Catalog* catalog) {
  using Sums = std::vector<std::pair<std::string, FlowSum>>;
  write_sums(json, "protocols", summary.protocols());
  write_sums(json, "apps", catalog == nullptr ? Sums() : summary.apps(*catalog));
  write_sums(json, "services", catalog == nullptr ? Sums() : summary.services(*catalog));
  json.begin_object("span");
  if (summary.total().flows > 0) {
    json.time(kFirstSeenField, summary.first_seen_ns());
    json.time(kLastSeenField, summary.last_seen_ns());
  }
  json.end_object();
}

// Errors by protocol and reason, in the order of their names: that of first sight depends on threads.
void write_dpi(JsonWriter& json, const DpiStatistics& dpi) {
  json.begin_object("dpi");
  json.number("inspected_flows", dpi.inspected_flows);
  json.number("inspected_packets", dpi.inspected_packets);
  json.number("classified_flows", dpi.classified_flows);
  json.number("gaps", dpi.gaps);
  json.number("overlaps", dpi.overlaps);
  json.number("reordered", dpi.reordered);
  json.number("refused", dpi.refused);
  json.begin_object("scratch");
  json.number("limit", dpi.scratch_size_max);
  json.number("peak", dpi.scratch_high_water);
  json.end_object();
  std::map<std::string_view, std::map<std::string_view, uint64_t>> errors;
  for (size_t index = 0; index < dpi.error_count; ++index) {
    const DpiError& error = dpi.errors[index];
    errors[error.protocol][error.reason] += error.count;
  }
  json.begin_object("errors");
  for (const auto& [protocol, reasons] : errors) {
    json.begin_object(protocol);
    for (const auto& [reason, count] : reasons) json.number(reason, count);
    json.end_object();
  }
  json.end_object();
  json.number("other_errors", dpi.other_errors);
  json.end_object();
}

void write_memory(JsonWriter& json, const Statistics& statistics) {
  json.begin_object("memory");
  for (size_t pool = 0; pool < kMemoryPoolCount; ++pool) {
    const PoolUse& use = statistics.memory[pool];
    if (use.limit_size == 0) continue;
    json.begin_object(memory_pool_name(pool));
    json.number("limit", use.limit_size);
    json.number("peak", use.peak_size);
    json.number("refused", use.refused_count);
    json.end_object();
  }
  json.end_object();
}

void write_imbalance(JsonWriter& json, const Imbalance& difference) {
  json.begin_object("imbalance");
  json.signed_number("verdict_frames", difference.verdict_frames);
  json.signed_number("verdict_bytes", difference.verdict_bytes);
  json.signed_number("flow_frames", difference.flow_frames);
  json.signed_number("flow_bytes", difference.flow_bytes);
  json.signed_number("flows", difference.flows);
  json.end_object();
}

}  // namespace

std::string statistics_json(const Statistics& statistics, const Summary& summary,
                            std::span<const Timing> timings, const Catalog* catalog) {
  std::string out;
  JsonWriter json(out);
  json.number("frames", statistics.delivered.frames);
  json.number("wire_bytes", statistics.delivered.bytes);
  json.number("captured_bytes", statistics.captured_bytes);

  const FrameCounts counts = over_all_layers(statistics);
  write_verdicts(json, counts, &FrameCount::frames);
  json.begin_object("verdict_bytes");
  write_verdicts(json, counts, &FrameCount::bytes);
  json.end_object();
  write_layers(json, statistics);
  write_ignored_link_types(json, statistics.ignored_link_types);

  write_flows(json, statistics.flows);
  write_summary(json, summary, catalog);
  write_dpi(json, statistics.dpi);
  write_imbalance(json, imbalance(statistics));

  json.begin_array("limits_hit");
  for (size_t index = 0; index < kLimitCount; ++index) {
    if (statistics.limits_hit[index] > 0) json.element(limit_name(static_cast<Limit>(index)));
  }
  json.end_array();
  write_memory(json, statistics);
  json.begin_object("failures");
  json.number("callbacks", statistics.callback_errors);
  json.number("sweep_steps", statistics.sweep_errors);
  json.end_object();
  json.begin_object("time");
  json.number("outliers", statistics.time_outliers);
  json.number("rebases", statistics.time_rebases);
  json.number("clamped", statistics.time_clamped);
  json.end_object();
  json.begin_object("captures");
  json.number("drops_reported", statistics.drops_reported);
  json.number("name_records", statistics.name_records);
  json.end_object();
  json.begin_object("timings");
  for (const Timing& timing : timings) json.seconds(timing.name, timing.ns);
  json.end_object();
  json.finish();
  return out;
}

}  // namespace weir

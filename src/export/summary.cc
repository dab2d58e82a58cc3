// SPDX-License-Identifier: Apache-2.0
#include "export/summary.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/assert.h"
#include "base/text.h"
#include "net/service_map.h"

namespace weir {

FlowSum& FlowSum::operator+=(const FlowSum& other) noexcept {
  flows += other.flows;
  packets += other.packets;
  bytes += other.bytes;
  return *this;
}

void Summary::add(const FlowRecord& record) {
  if (!record.is_final) return;
  const FlowSum flow = {1, record.src.total.packets + record.dst.total.packets,
                        record.src.total.bytes + record.dst.total.bytes};
  const bool is_first = total_.flows == 0;
  first_seen_ns_ = is_first ? record.first_seen_ns : std::min(first_seen_ns_, record.first_seen_ns);
  last_seen_ns_ = is_first ? record.last_seen_ns : std::max(last_seen_ns_, record.last_seen_ns);
  total_ += flow;
  protocols_[{is_link_address(record.address_kind), record.proto_number}] += flow;
  apps_[record.app] += flow;
  if (record.service != kNoService) services_[record.service] += flow;
  states_[static_cast<size_t>(record.state)] += flow;
  end_reasons_[static_cast<size_t>(record.end_reason)] += flow;
}

Summary& Summary::operator+=(const Summary& other) {
  if (other.total_.flows == 0) return *this;
  const bool is_first = total_.flows == 0;
  first_seen_ns_ = is_first ? other.first_seen_ns_ : std::min(first_seen_ns_, other.first_seen_ns_);
  last_seen_ns_ = is_first ? other.last_seen_ns_ : std::max(last_seen_ns_, other.last_seen_ns_);
  total_ += other.total_;
  for (const auto& [protocol, sum] : other.protocols_) protocols_[protocol] += sum;
  for (const auto& [app, sum] : other.apps_) apps_[app] += sum;
  for (const auto& [service, sum] : other.services_) services_[service] += sum;
  for (size_t index = 0; index < states_.size(); ++index) states_[index] += other.states_[index];
  for (size_t index = 0; index < end_reasons_.size(); ++index) {
    end_reasons_[index] += other.end_reasons_[index];
  }
  return *this;
}

namespace {

// Most bytes first; names break ties.
std::vector<std::pair<std::string, FlowSum>> by_bytes(const std::map<std::string, FlowSum>& sums) {
  std::vector<std::pair<std::string, FlowSum>> sorted(sums.begin(), sums.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& x, const auto& y) { return x.second.bytes > y.second.bytes; });
  return sorted;
}

}  // namespace

std::vector<std::pair<std::string, FlowSum>> Summary::protocols() const {
  // By name first: a name that an EtherType and an IP protocol share is one protocol to people.
  std::map<std::string, FlowSum> by_name;
  for (const auto& [protocol, sum] : protocols_) {
    by_name[proto_text(protocol.first, protocol.second)] += sum;
  }
  return by_bytes(by_name);
}

std::vector<std::pair<std::string, FlowSum>> Summary::apps(const Catalog& catalog) const {
  std::map<std::string, FlowSum> by_name;
  for (const auto& [app, sum] : apps_) by_name[std::string(catalog.app_name(app))] += sum;
  return by_bytes(by_name);
}

std::vector<std::pair<std::string, FlowSum>> Summary::services(const Catalog& catalog) const {
  std::map<std::string, FlowSum> by_name;
  for (const auto& [service, sum] : services_)
    by_name[std::string(catalog.service_name(service))] += sum;
  return by_bytes(by_name);
}

namespace {

constexpr size_t kNamesShown = 8;  // of protocols, apps, services
constexpr std::string_view kSeparator = " · ";

void append_label(std::string& out, std::string_view label) {
  constexpr size_t kLabelWidth = 11;
  ASSERT(label.size() < kLabelWidth);
  out.append(label).append(kLabelWidth - label.size(), ' ');
}

void append_quantity(std::string& out, uint64_t count, std::string_view noun) {
  append_count_human(out, count);
  out.push_back(' ');
  out.append(noun);
  if (count != 1) out.push_back('s');
}

// "word 12" for each count that is not 0.
class CountLine {
 public:
  CountLine(std::string& out, std::string_view label) : out_(out), label_(label) {}
  ~CountLine() {
    if (!is_empty_) out_.push_back('\n');
  }
  CountLine(const CountLine&) = delete;
  CountLine& operator=(const CountLine&) = delete;

  void add(std::string_view word, uint64_t count) {
    if (count == 0) return;
    append_start();
    out_.append(word).push_back(' ');
    append_count_human(out_, count);
  }
  void append_start() {
    if (is_empty_) {
      append_label(out_, label_);
    } else {
      out_.append(kSeparator);
    }
    is_empty_ = false;
  }

 private:
  std::string& out_;
  std::string_view label_;
  bool is_empty_ = true;
};

void append_span(std::string& out, const Summary& summary) {
  append_label(out, "span");
  append_time(out, summary.first_seen_ns());
  out.append(" to ");
  append_time(out, summary.last_seen_ns());
  const int64_t span_ns = summary.last_seen_ns() - summary.first_seen_ns();
  out.append(" (");
  append_duration_human(out, span_ns);
  out.append(")\n");
  if (span_ns <= 0) return;
  const auto per_second = [span_ns](uint64_t count) {
    return static_cast<uint64_t>(
        std::llround(static_cast<double>(count) * 1e9 / static_cast<double>(span_ns)));
  };
  append_label(out, "rate");
  append_count_human(out, per_second(summary.total().packets));
  out.append(" packets/s").append(kSeparator);
  append_bytes_human(out, per_second(summary.total().bytes));
  out.append("/s\n");
}

// "tls 12 flows 3.4 MB" for the first of them.
void append_sums(std::string& out, std::string_view label,
                 const std::vector<std::pair<std::string, FlowSum>>& sums) {
  CountLine line(out, label);
  for (size_t index = 0; index < std::min(sums.size(), kNamesShown); ++index) {
    const auto& [name, sum] = sums[index];
    line.append_start();
    out.append(name).push_back(' ');
    append_quantity(out, sum.flows, "flow");
    out.push_back(' ');
    append_bytes_human(out, sum.bytes);
  }
  if (sums.size() > kNamesShown) line.add("others", sums.size() - kNamesShown);
}

// Frames that are not in any flow, each class by reason, and what was lost or bent on the way.
void append_verdicts(std::string& out, const Statistics& statistics) {
  std::array<uint64_t, kVerdictCount> frames{};
  for (const auto& row : statistics.verdicts) {
    for (size_t verdict = 0; verdict < kVerdictCount; ++verdict)
      frames[verdict] += row[verdict].frames;
  }
  constexpr VerdictClass kClasses[] = {VerdictClass::kIgnored, VerdictClass::kErrors,
                                       VerdictClass::kShed, VerdictClass::kUnflowed};
  for (const VerdictClass verdict_class : kClasses) {
    CountLine line(out, verdict_class_name(verdict_class));
    for (size_t verdict = 0; verdict < kVerdictCount; ++verdict) {
      const VerdictName& name = verdict_name(static_cast<Verdict>(verdict));
      if (name.verdict_class == verdict_class) line.add(name.reason, frames[verdict]);
    }
  }
  // What protocols could not make sense of, all of it together: --stats has it by protocol and reason.
  uint64_t dpi_errors = statistics.dpi.other_errors;
  for (size_t index = 0; index < statistics.dpi.error_count; ++index)
    dpi_errors += statistics.dpi.errors[index].count;
  {
    CountLine line(out, "payloads");
    line.add("malformed", dpi_errors);
    line.add("gaps", statistics.dpi.gaps);
  }
  CountLine(out, "drops").add("reported by the capturing program", statistics.drops_reported);
  CountLine limits(out, "limits hit");
  for (size_t limit = 0; limit < kLimitCount; ++limit) {
    limits.add(limit_name(static_cast<Limit>(limit)), statistics.limits_hit[limit]);
  }
}

}  // namespace

std::string summary_text(const Summary& summary, const Statistics& statistics,
                         const Catalog* catalog) {
  std::string out;
  append_label(out, "flows");
  append_quantity(out, summary.total().flows, "flow");
  out.append(kSeparator);
  append_quantity(out, summary.total().packets, "packet");
  out.append(kSeparator);
  append_bytes_human(out, summary.total().bytes);
  out.push_back('\n');
  if (summary.total().flows > 0) append_span(out, summary);
  append_sums(out, "protocols", summary.protocols());
  if (catalog != nullptr) {
    append_sums(out, "apps", summary.apps(*catalog));
    append_sums(out, "services", summary.services(*catalog));
  }
  {
    CountLine line(out, "states");
    for (size_t state = 0; state < kFlowStateCount; ++state) {
      line.add(flow_state_name(static_cast<FlowState>(state)), summary.states()[state].flows);
    }
  }
  {
    CountLine line(out, "ended");
    for (size_t reason = 0; reason < kEndReasonCount; ++reason) {
      line.add(end_reason_name(static_cast<EndReason>(reason)),
               summary.end_reasons()[reason].flows);
    }
  }
  append_label(out, "frames");
  append_quantity(out, statistics.delivered.frames, "frame");
  out.append(kSeparator);
  append_bytes_human(out, statistics.delivered.bytes);
  out.push_back('\n');
  append_verdicts(out, statistics);
  return out;
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Summary: what the final records of a run add up to. Counted as records are published, so that
// nothing has to be kept for it. Interim records are not counted: their flow's final record says it
// all.
//
// Bounded by the number of protocols: 256 of IP, 65,536 EtherTypes, 256 apps; and of services, 65,536.
// Threads: one thread per summary; += joins them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "weir/catalog.h"
#include "weir/flow_record.h"
#include "weir/statistics.h"

namespace weir {

struct FlowSum {
  uint64_t flows = 0;
  uint64_t packets = 0;
  uint64_t bytes = 0;

  FlowSum& operator+=(const FlowSum& other) noexcept;
};

class Summary {
 public:
  void add(const FlowRecord& record);
  Summary& operator+=(const Summary& other);

  const FlowSum& total() const { return total_; }
  // By the `proto` of flows, most bytes first, then by name.
  std::vector<std::pair<std::string, FlowSum>> protocols() const;
  // By the `app` of flows, and by the `service` of those that have one; in the same order. The records
  // are of a run with this catalogue.
  std::vector<std::pair<std::string, FlowSum>> apps(const Catalog& catalog) const;
  std::vector<std::pair<std::string, FlowSum>> services(const Catalog& catalog) const;
  const std::array<FlowSum, kFlowStateCount>& states() const { return states_; }
  const std::array<FlowSum, kEndReasonCount>& end_reasons() const { return end_reasons_; }
  // Of all packets of flows; 0 when there is no flow.
  int64_t first_seen_ns() const { return first_seen_ns_; }
  int64_t last_seen_ns() const { return last_seen_ns_; }

 private:
  using Protocol = std::pair<bool, uint16_t>;  // is layer 2, number

  FlowSum total_;
  std::map<Protocol, FlowSum> protocols_;
  std::map<uint8_t, FlowSum> apps_;
  std::map<uint16_t, FlowSum> services_;
  std::array<FlowSum, kFlowStateCount> states_{};
  std::array<FlowSum, kEndReasonCount> end_reasons_{};
  int64_t first_seen_ns_ = 0;
  int64_t last_seen_ns_ = 0;
};

// A few lines for people: span, rates, protocols, apps, states, verdicts and losses. Without a catalogue,
// when nobody looked into payloads, there is nothing of apps.
std::string summary_text(const Summary& summary, const Statistics& statistics,
                         const Catalog* catalog = nullptr);

}  // namespace weir

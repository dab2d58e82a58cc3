// SPDX-License-Identifier: Apache-2.0
//
// FlowPrinter: what `weir read` makes of the records: sums them up, sorts them, prints them where
// they were asked for.
//
// The output is opened only when there is an input, so a mistyped capture never empties a file.
// Errors: the first is printed; from then on nothing more is, and exit_code() says it.
// Threads: one thread.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "capture/interface_names.h"
#include "cli/commands/read_plan.h"
#include "export/summary.h"

namespace weir {

class FlowPrinter {
 public:
  // All must outlive it.
  FlowPrinter(const ReadPlan& plan, const InterfaceNames& names);

  // Opens the output, once. False when that failed.
  bool open();
  bool is_open() const { return stream_ != nullptr; }
  // False when nothing more can be printed, so reading on is in vain.
  bool add(std::span<const FlowRecord> records);
  bool add(const Events& events);  // messages, as they come
  // Prints what was held back, and the summary.
  void finish(const Statistics& statistics);

  const Summary& summary() const { return summary_; }
  int exit_code() const { return exit_code_; }

 private:
  bool prints_flows() const { return plan_.format->is_ordered && !plan_.is_summary_only; }
  RecordNames names_of(const FlowRecord& record) const;
  void print(const FlowRecord& record);
  void print_sorted();
  void fail(const std::string& message);

  const ReadPlan& plan_;
  const Catalog& catalog_;
  const InterfaceNames& names_;
  std::unique_ptr<OutputStream> stream_;
  std::unique_ptr<Exporter> exporter_;
  std::optional<RecordSorter> sorter_;  // when records are printed in order
  Summary summary_;
  uint64_t added_count_ = 0;
  uint64_t printed_count_ = 0;
  int exit_code_;
};

}  // namespace weir

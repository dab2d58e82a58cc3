// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/flow_printer.h"

#include <unistd.h>

#include "base/assert.h"
#include "cli/exit_code.h"
#include "cli/results.h"
#include "cli/terminal.h"
#include "cli/user_message.h"
#include "export/event_lines.h"

namespace weir {
namespace {

constexpr size_t kTableColumnCount = 120;  // of a table that goes to a file or pipe

}  // namespace

FlowPrinter::FlowPrinter(const ReadPlan& plan, const InterfaceNames& names)
    : plan_(plan), catalog_(plan.catalog), names_(names), exit_code_(kExitDone) {
  if (prints_flows() && !plan.is_unordered) sorter_.emplace(plan.sort);
}

bool FlowPrinter::open() {
  if (is_open() || exit_code_ != kExitDone) return exit_code_ == kExitDone;
  std::string error;
  if (plan_.output_path.empty()) {
    stream_ = std::make_unique<OutputStream>(STDOUT_FILENO, "standard output");
  } else {
    stream_ = OutputStream::create(plan_.output_path, error);
  }
  if (stream_ == nullptr) {
    fail(error);
    return false;
  }
  ExportOptions options;
  options.fields = plan_.fields;
  options.width = static_cast<uint32_t>(kTableColumnCount);
  if (plan_.output_path.empty()) {
    options.width = static_cast<uint32_t>(terminal_column_count(kTableColumnCount));
    options.is_coloured = has_colour_on_stdout();
  }
  exporter_ = plan_.format->make(catalog_, options, *stream_);
  if (prints_flows()) exporter_->begin();
  return true;
}

bool FlowPrinter::add(std::span<const FlowRecord> records) {
  ASSERT(is_open() || exit_code_ != kExitDone);
  for (const FlowRecord& record : records) {
    if (plan_.filter && !plan_.prints_events && !plan_.filter->matches(record, names_of(record)))
      continue;
    summary_.add(record);
    ++added_count_;
    if (!prints_flows() || exit_code_ != kExitDone) continue;
    if (!sorter_) {
      print(record);
    } else if (!sorter_->add(record, names_of(record))) {
      fail(sorter_->error());
    }
  }
  return exit_code_ == kExitDone && stream_->is_ok();
}

bool FlowPrinter::add(const Events& events) {
  const uint64_t count_max = plan_.sort.record_count_max;
  for (const MessageEvent& message : events.messages) {
    if (count_max > 0 && printed_count_ == count_max) break;
    const std::span<const uint8_t> block = events.block(message);
    if (plan_.filter && !plan_.filter->matches(EventValues(catalog_, message, block))) continue;
    append_event(stream_->buffer(), catalog_, message, block, plan_.fields);
    ++printed_count_;
  }
  stream_->commit();
  return exit_code_ == kExitDone && stream_->is_ok();
}

RecordNames FlowPrinter::names_of(const FlowRecord& record) const {
  return {names_.name(record.interface), &catalog_};
}

void FlowPrinter::print(const FlowRecord& record) {
  const uint64_t count_max = plan_.sort.record_count_max;
  if (count_max > 0 && printed_count_ == count_max) return;
  exporter_->write(record, names_of(record));
  ++printed_count_;
}

void FlowPrinter::print_sorted() {
  FlowRecord record;
  bool has_more = sorter_->finish() && sorter_->next(record);
  while (has_more && stream_->is_ok()) {
    print(record);
    has_more = sorter_->next(record);
  }
  if (!sorter_->error().empty()) fail(sorter_->error());
}

void FlowPrinter::finish(const Statistics& statistics) {
  if (!is_open()) return;
  if (sorter_ && exit_code_ == kExitDone) print_sorted();
  if (prints_flows()) exporter_->end();

  if (plan_.is_table) {
    std::string& out = stream_->buffer();
    if (prints_flows() && added_count_ > printed_count_) {
      out += "… and " + std::to_string(added_count_ - printed_count_) +
             " more (--limit 0 prints all)\n";
    }
    if (prints_flows()) out += '\n';
    out += summary_text(summary_, statistics, plan_.engine.catalog);
  }
  if (plan_.is_summary_on_stderr)
    print_to_stderr(summary_text(summary_, statistics, plan_.engine.catalog));
  const int code = finish_results(*stream_);
  if (exit_code_ == kExitDone) exit_code_ = code;
}

void FlowPrinter::fail(const std::string& message) {
  if (exit_code_ == kExitDone) print_error(message);
  exit_code_ = kExitFailure;
}

}  // namespace weir

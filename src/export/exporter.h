// SPDX-License-Identifier: Apache-2.0
//
// Exporter: the contract of everything that writes flow records out, and the list of them
// (exporters.inc).
//
//   begin()  once, before the first record
//   write()  for each record, in the order they are to appear
//   end()    once, after the last record
//
// An exporter appends to the OutputStream it was made with and holds back at most a named number of
// records. Errors: the stream keeps them; an exporter goes on without looking. A new one is its own
// file and one line in exporters.inc.
//
// Threads: one thread, the one that formats records.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "export/output_stream.h"
#include "weir/catalog.h"

namespace weir {

struct ExportOptions {
  uint32_t width = 120;              // columns a table may take
  bool is_coloured = false;          // a table may use terminal colours
  std::vector<const Field*> fields;  // columns of CSV; none: those of the flow record
};

class Exporter {
 public:
  virtual ~Exporter() = default;
  virtual void begin() {}
  virtual void write(const FlowRecord& record, const RecordNames& names) = 0;
  virtual void end() {}
};

// One row of the list. The catalogue and the stream must outlive what make() returns.
struct ExportFormat {
  std::string_view name;  // of --format
  std::string_view help;
  bool is_ordered;  // prints records, so that their order matters
  std::unique_ptr<Exporter> (*make)(const Catalog&, const ExportOptions&, OutputStream&);
};

std::span<const ExportFormat> export_formats();
const ExportFormat* find_export_format(std::string_view name);
// "table, json, csv, none": what a message says is allowed.
std::string export_format_names();

}  // namespace weir

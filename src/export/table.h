// SPDX-License-Identifier: Apache-2.0
//
// Table: flows for people. Aligned, humanised, as wide as the terminal. Shows the columns people
// look at first; every field is in JSON and CSV.
//
// Widths come from the first kSampleCount rows, which are held back until then. Where they all
// began on one day, that day is the heading of the time column. What does not fit: first the gaps
// narrow, then endpoints lose their middle, then whole columns go (duration, state, packets, time).
// Below 66 columns the terminal may have to wrap.
//
// Everything in a cell is weir's own text: no byte of a packet or file name reaches the terminal
// from here.
// Threads: one thread.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "export/exporter.h"

namespace weir {

class Table final : public Exporter {
 public:
  Table(const Catalog& catalog, const ExportOptions& options, OutputStream& stream);
  void write(const FlowRecord& record, const RecordNames& names) override;
  void end() override;

  static constexpr size_t kSampleCount = 1000;
  static constexpr size_t kColumnCount = 11;
  using Row = std::array<std::string, kColumnCount>;

 private:
  Row cells_of(const FlowRecord& record, const RecordNames& names) const;
  void lay_out();
  void fit();
  uint32_t total_width() const;
  void print(const Row& row, bool is_heading);
  void print_sample();

  const Catalog& catalog_;
  const ExportOptions options_;
  OutputStream& stream_;
  std::array<const Field*, kColumnCount> fields_;
  Row headings_;
  std::array<uint32_t, kColumnCount> widths_{};  // 0: the column is left out
  std::vector<Row> sample_;
  std::string day_;  // of all rows of the sample; empty when they differ
  uint32_t gap_ = 2;
  bool is_laid_out_ = false;
};

}  // namespace weir

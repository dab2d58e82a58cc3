// SPDX-License-Identifier: Apache-2.0
//
// CSV (RFC 4180, lines end in LF): a header line with the names of all fields, then one line per
// record.
//
// The columns never depend on the records. A field that does not apply is an empty cell. Times are
// RFC 3339, durations seconds with nine decimals, lists have spaces between, and the delta of
// interim records is one column per counter ("delta." in front, empty in final records). Texts that
// a spreadsheet would run as a formula get a ' in front; numbers do not, they are numbers.
//
// Threads: one thread.
#pragma once

#include "export/exporter.h"

namespace weir {

class Csv final : public Exporter {
 public:
  Csv(const Catalog& catalog, const ExportOptions& options, OutputStream& stream);
  void begin() override;
  void write(const FlowRecord& record, const RecordNames& names) override;

 private:
  const Catalog& catalog_;
  std::vector<const Field*> fields_;
  OutputStream& stream_;
};

}  // namespace weir

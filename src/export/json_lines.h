// SPDX-License-Identifier: Apache-2.0
//
// JSON Lines (NDJSON): one flow record per line, one key per field of the catalogue, in its order.
//
// A field that does not apply is absent. Times are RFC 3339 texts, durations numbers of seconds
// with up to nine decimals, ids texts (64 bits do not fit a JSON number), lists always arrays,
// delta an object. The bytes depend on the record alone.
//
// Threads: JsonFormat is immutable after construction; any. JsonLines: one thread.
#pragma once

#include <string>
#include <vector>

#include "export/exporter.h"

namespace weir {

// One record as a JSON object: what a line is made of, also for those who embed weir.
class JsonFormat {
 public:
  explicit JsonFormat(const Catalog& catalog);
  // Appends the object, without a newline.
  void append(std::string& out, const FlowRecord& record, const RecordNames& names) const;

 private:
  struct Member {
    std::string key;  // with quotes and colon
    decltype(Field::get) get;
  };
  std::vector<Member> members_;
};

class JsonLines final : public Exporter {
 public:
  JsonLines(const Catalog& catalog, const ExportOptions& options, OutputStream& stream);
  void write(const FlowRecord& record, const RecordNames& names) override;

 private:
  JsonFormat format_;
  OutputStream& stream_;
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// JSON Lines (NDJSON): one flow record per line, one key per field of the catalogue, in its order.
//
// A field that does not apply is absent. Times are RFC 3339 texts, durations numbers of seconds
// with up to nine decimals, ids texts (64 bits do not fit a JSON number), lists always arrays,
// delta an object; the attributes of each protocol are an object under its name. The bytes depend on the
// record alone.
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
  // Of these fields, all when there are none.
  explicit JsonFormat(const Catalog& catalog, std::span<const Field* const> fields = {});
  // Appends the object, without a newline.
  void append(std::string& out, const FlowRecord& record, const RecordNames& names) const;

 private:
  struct Member {
    std::string key;  // with quotes and colon
    decltype(Field::get) get;
  };
  const Catalog& catalog_;
  std::vector<const Field*> attributes_;  // only these, if `is_chosen_`
  bool is_chosen_ = false;
  std::vector<Member> members_;  // of the record; attributes follow, an object per protocol
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

// SPDX-License-Identifier: Apache-2.0
//
// RecordSorter: flow records in order, in bounded memory.
//
// Records are kept serialized beside a sort key whose bytes compare as the order does. When they
// take more than the budget they are sorted and written to an unlinked temporary file (a run); at
// the end the runs and what is still in memory are merged. At most kMergeFanIn runs are open per
// level: when a level is full its runs are merged into one of the next, so open files grow with the
// logarithm of the data.
//
// Order: by a field if one is chosen (absent values first; all reversed when descending), then
// always by first_seen, id, sequence ascending. It is total over the records of a run of weir, so
// the output depends on the records alone, not on the order they were added in or on the budget.
//
// With a limit only the best N are kept, in a heap, and nothing is written unless these alone
// exceed the budget.
//
//   for (…) sorter.add(record, names);
//   sorter.finish();
//   while (sorter.next(record)) …
//   if (!sorter.error().empty()) …            // a disk that is full, say
//
// Errors: after the first one, add() and finish() return false and next() ends.
// Threads: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/catalog.h"

namespace weir {

struct SortOptions {
  const Field* field = nullptr;  // null: the default order alone
  bool is_descending = false;
  uint64_t record_count_max = 0;  // --limit; 0 = all
  uint64_t memory_size_max =
      uint64_t{256} * 1024 * 1024;  // of kept records; a part of memory.limit
  std::string temporary_folder;     // empty: default_temporary_folder()
};

// Reads what --sort takes: FIELD or -FIELD (descending) of the catalogue, or "bytes" or "packets"
// (both ways). False and one line in `error` otherwise.
bool parse_sort(std::string_view text, const Catalog& catalog, SortOptions& options,
                std::string& error);

class RecordSorter {
 public:
  // Runs of one level that are merged at once.
  static constexpr size_t kMergeFanIn = 16;

  explicit RecordSorter(SortOptions options);
  ~RecordSorter();

  bool add(const FlowRecord& record, const RecordNames& names);
  // No add() after this.
  bool finish();
  bool next(FlowRecord& record);

  const std::string& error() const;
  uint64_t added_count() const;
  uint64_t spilled_size() const;  // bytes written to temporary files, merges included
  uint64_t run_count() const;     // runs written because of the budget

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir

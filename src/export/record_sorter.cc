// SPDX-License-Identifier: Apache-2.0
#include "export/record_sorter.h"

#include <algorithm>
#include <array>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/byte_reader.h"
#include "base/text.h"
#include "export/record_codec.h"
#include "export/sorted_run.h"

namespace weir {
namespace {

void get_total_bytes(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_unsigned(record.src.total.bytes + record.dst.total.bytes);
}

void get_total_packets(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_unsigned(record.src.total.packets + record.dst.total.packets);
}

// Sums of both directions: things to sort by, not fields of their own.
constexpr Field kSums[] = {
    {"bytes", FieldType::kU64, Unit::kBytes, "bytes", "Wire bytes both ways.", {}, get_total_bytes},
    {"packets",
     FieldType::kU64,
     Unit::kPackets,
     "pkts",
     "Packets both ways.",
     {},
     get_total_packets},
};

void append_big_endian(std::string& out, uint64_t value, int byte_count) {
  for (int shift = 8 * (byte_count - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

// Keys are prefix-free in their field part, so inverting its bytes reverses the order
// (schema/value.h).
void append_key(std::string& out, const SortOptions& options, const FlowRecord& record,
                const RecordNames& names) {
  if (options.field != nullptr) {
    Value value;
    get_value(*options.field, record, names, value);
    append_sort_key(out, value);
    if (options.is_descending) {
      for (char& byte : out) byte = static_cast<char>(~byte);
    }
  }
  append_big_endian(out, static_cast<uint64_t>(record.first_seen_ns) ^ (uint64_t{1} << 63), 8);
  append_big_endian(out, record.id, 8);
  append_big_endian(out, record.sequence, 4);
}

// A kept record: key and encoded record side by side in a block. The first bytes of the key decide
// most comparisons without leaving the index.
struct Entry {
  uint64_t prefix;
  const char* bytes;
  uint32_t key_size;
  uint32_t record_size;

  std::string_view key() const { return {bytes, key_size}; }
  std::string_view record() const { return {bytes + key_size, record_size}; }
};

bool precedes(const Entry& x, const Entry& y) {
  return x.prefix != y.prefix ? x.prefix < y.prefix : x.key() < y.key();
}

uint64_t prefix_of(std::string_view key) {
  uint64_t prefix = 0;
  for (size_t index = 0; index < 8; ++index) {
    prefix = prefix << 8 | (index < key.size() ? static_cast<uint8_t>(key[index]) : 0u);
  }
  return prefix;
}

// Entries in memory. Their bytes never move, so the index can point at them.
class EntryStore {
 public:
  void add(std::string_view key, std::string_view record) {
    const size_t size = key.size() + record.size();
    if (blocks_.empty() || block_used_ + size > blocks_.back().size()) {
      blocks_.emplace_back(std::max(kBlockSize, size));
      memory_size_ += blocks_.back().size();
      block_used_ = 0;
    }
    char* bytes = blocks_.back().data() + block_used_;
    std::copy(record.begin(), record.end(), std::copy(key.begin(), key.end(), bytes));
    block_used_ += size;
    entries_.push_back({prefix_of(key), bytes, static_cast<uint32_t>(key.size()),
                        static_cast<uint32_t>(record.size())});
  }
  std::span<const Entry> sorted() {
    std::sort(entries_.begin(), entries_.end(), precedes);
    return entries_;
  }
  // What is taken, a block as a whole only when it is full.
  uint64_t used_size() const {
    const uint64_t unused = blocks_.empty() ? 0 : blocks_.back().size() - block_used_;
    return memory_size_ - unused + entries_.size() * sizeof(Entry);
  }
  bool is_empty() const { return entries_.empty(); }
  void clear() {
    if (blocks_.size() > 1) blocks_.resize(1);
    memory_size_ = blocks_.empty() ? 0 : blocks_.front().size();
    block_used_ = 0;
    entries_.clear();
  }

 private:
  static constexpr size_t kBlockSize = size_t{256} * 1024;
  std::vector<std::vector<char>> blocks_;
  size_t block_used_ = 0;
  uint64_t memory_size_ = 0;
  std::vector<Entry> entries_;
};

// One input of a merge: a run, or the entries in memory.
class Cursor {
 public:
  explicit Cursor(SortedRun* run) : run_(run) {}
  explicit Cursor(std::span<const Entry> entries) : entries_(entries) {}

  // To the next entry, at first to the first one.
  bool advance(std::string& error) {
    if (run_ != nullptr) {
      if (!run_->next(error)) return false;
      key_ = run_->key();
      record_ = run_->record();
      return true;
    }
    if (entries_.empty()) return false;
    key_ = entries_.front().key();
    record_ = entries_.front().record();
    entries_ = entries_.subspan(1);
    return true;
  }
  std::string_view key() const { return key_; }
  std::string_view record() const { return record_; }

 private:
  SortedRun* run_ = nullptr;
  std::span<const Entry> entries_;
  std::string_view key_;
  std::string_view record_;
};

// Several sorted inputs as one: a heap with the smallest key on top. Inputs must stay where they
// are.
class Merge {
 public:
  bool add(Cursor cursor, std::string& error) {
    if (cursor.advance(error)) {
      heap_.push_back(cursor);
      std::push_heap(heap_.begin(), heap_.end(), follows);
    }
    return error.empty();
  }
  // The current smallest; null when all inputs are at their end.
  const Cursor* top() const { return heap_.empty() ? nullptr : &heap_.front(); }
  // Past the current smallest.
  bool pop(std::string& error) {
    std::pop_heap(heap_.begin(), heap_.end(), follows);
    if (heap_.back().advance(error)) {
      std::push_heap(heap_.begin(), heap_.end(), follows);
    } else {
      heap_.pop_back();
    }
    return error.empty();
  }

 private:
  static bool follows(const Cursor& x, const Cursor& y) { return y.key() < x.key(); }
  std::vector<Cursor> heap_;
};

// A candidate of --limit; its bytes are key and record.
struct Candidate {
  std::string bytes;
  size_t key_size;

  std::string_view key() const { return std::string_view(bytes).substr(0, key_size); }
  std::string_view record() const { return std::string_view(bytes).substr(key_size); }
  bool operator<(const Candidate& other) const { return key() < other.key(); }
};

uint64_t memory_size(const Candidate& candidate) {
  return sizeof(Candidate) + candidate.bytes.capacity();
}

}  // namespace

struct RecordSorter::State {
  SortOptions options;
  std::string error;
  uint64_t added_count = 0;
  uint64_t returned_count = 0;
  uint64_t spilled_size = 0;
  uint64_t run_count = 0;
  std::string key;     // scratch of add()
  std::string record;  // scratch of add()

  EntryStore store;
  std::vector<std::vector<SortedRun>> levels;  // each below kMergeFanIn runs
  std::deque<SortedRun> last_runs;             // of the last merge
  std::vector<Candidate> best;                 // heap, the worst on top; while keeps_best
  uint64_t best_size = 0;
  bool keeps_best = false;
  bool is_finished = false;
  Merge merge;

  bool add_candidate(const FlowRecord& flow);
  void move_best_to_store();
  bool spill();
  bool add_run(SortedRun run);
  bool merge_runs(std::span<SortedRun> inputs, SortedRun& output);
  bool gather_runs();
};

// Encodes the record only when it is among the best so far.
bool RecordSorter::State::add_candidate(const FlowRecord& flow) {
  const bool is_full = best.size() == options.record_count_max;
  if (is_full && best.front().key() <= std::string_view(key)) return true;
  record.clear();
  append_encoded(record, flow);
  if (is_full) {
    best_size -= memory_size(best.front());
    std::pop_heap(best.begin(), best.end());
    best.back().bytes.assign(key).append(record);
    best.back().key_size = key.size();
  } else {
    best.push_back({key + record, key.size()});
  }
  best_size += memory_size(best.back());
  std::push_heap(best.begin(), best.end());
  if (best_size <= options.memory_size_max) return true;
  // A limit so large that it is none.
  move_best_to_store();
  return spill();
}

void RecordSorter::State::move_best_to_store() {
  for (const Candidate& candidate : best) store.add(candidate.key(), candidate.record());
  best = std::vector<Candidate>();
  keeps_best = false;
}

bool RecordSorter::State::spill() {
  SortedRun run;
  if (!run.create(options.temporary_folder, error)) return false;
  for (const Entry& entry : store.sorted()) {
    if (!run.append(entry.key(), entry.record(), error)) return false;
  }
  if (!run.rewind(error)) return false;
  store.clear();
  spilled_size += run.size();
  ++run_count;
  return add_run(std::move(run));
}

// A full level becomes one run of the next.
bool RecordSorter::State::add_run(SortedRun run) {
  for (size_t level = 0;; ++level) {
    if (level == levels.size()) levels.emplace_back();
    levels[level].push_back(std::move(run));
    if (levels[level].size() < kMergeFanIn) return true;
    SortedRun merged;
    if (!merge_runs(levels[level], merged)) return false;
    levels[level].clear();
    run = std::move(merged);
  }
}

bool RecordSorter::State::merge_runs(std::span<SortedRun> inputs, SortedRun& output) {
  if (!output.create(options.temporary_folder, error)) return false;
  Merge inputs_merge;
  for (SortedRun& input : inputs) {
    if (!inputs_merge.add(Cursor(&input), error)) return false;
  }
  while (const Cursor* top = inputs_merge.top()) {
    if (!output.append(top->key(), top->record(), error) || !inputs_merge.pop(error)) return false;
  }
  if (!output.rewind(error)) return false;
  spilled_size += output.size();
  return true;
}

// Leaves at most kMergeFanIn runs in last_runs, smallest first: those are the cheapest to merge
// again.
bool RecordSorter::State::gather_runs() {
  for (std::vector<SortedRun>& level : levels) {
    for (SortedRun& run : level) last_runs.push_back(std::move(run));
  }
  levels.clear();
  while (last_runs.size() > kMergeFanIn) {
    std::vector<SortedRun> inputs;
    for (size_t index = 0; index < kMergeFanIn; ++index) {
      inputs.push_back(std::move(last_runs.front()));
      last_runs.pop_front();
    }
    SortedRun merged;
    if (!merge_runs(inputs, merged)) return false;
    last_runs.push_back(std::move(merged));
  }
  return true;
}

RecordSorter::RecordSorter(SortOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  if (state_->options.temporary_folder.empty()) {
    state_->options.temporary_folder = default_temporary_folder();
  }
  state_->keeps_best = state_->options.record_count_max > 0;
}

RecordSorter::~RecordSorter() = default;

bool RecordSorter::add(const FlowRecord& record, const RecordNames& names) {
  State& state = *state_;
  ASSERT(!state.is_finished);
  if (!state.error.empty()) return false;
  ++state.added_count;
  state.key.clear();
  append_key(state.key, state.options, record, names);
  if (state.keeps_best) return state.add_candidate(record);
  state.record.clear();
  append_encoded(state.record, record);
  state.store.add(state.key, state.record);
  return state.store.used_size() <= state.options.memory_size_max || state.spill();
}

bool RecordSorter::finish() {
  State& state = *state_;
  ASSERT(!state.is_finished);
  state.is_finished = true;
  if (!state.error.empty()) return false;
  if (state.keeps_best) state.move_best_to_store();
  if (!state.gather_runs()) return false;
  for (SortedRun& run : state.last_runs) {
    if (!state.merge.add(Cursor(&run), state.error)) return false;
  }
  return state.merge.add(Cursor(state.store.sorted()), state.error);
}

bool RecordSorter::next(FlowRecord& record) {
  State& state = *state_;
  ASSERT(state.is_finished);
  const uint64_t count_max = state.options.record_count_max;
  if (!state.error.empty() || (count_max > 0 && state.returned_count == count_max)) return false;
  const Cursor* top = state.merge.top();
  if (top == nullptr) return false;
  const std::string_view bytes = top->record();
  std::array<uint8_t, kEncodedRecordSizeMax> encoded;
  const size_t size = std::min(bytes.size(), encoded.size());
  std::copy_n(bytes.begin(), size, encoded.begin());
  ByteReader reader(encoded.data(), size);
  if (!decode_record(reader, record)) {
    state.error =
        "cannot read a temporary file in " + state.options.temporary_folder + ": it is damaged";
    return false;
  }
  ++state.returned_count;
  // A run that cannot be read further ends the next call; this record is good.
  state.merge.pop(state.error);
  return true;
}

const std::string& RecordSorter::error() const {
  return state_->error;
}
uint64_t RecordSorter::added_count() const {
  return state_->added_count;
}
uint64_t RecordSorter::spilled_size() const {
  return state_->spilled_size;
}
uint64_t RecordSorter::run_count() const {
  return state_->run_count;
}

bool parse_sort(std::string_view text, const Catalog& catalog, SortOptions& options,
                std::string& error) {
  const bool is_descending = text.starts_with('-');
  const std::string_view name = is_descending ? text.substr(1) : text;
  const Field* field = catalog.find(name);
  for (const Field& sum : kSums) {
    if (sum.name == name) field = &sum;
  }
  if (field == nullptr) {
    error = "unknown field ";
    append_json_string(error, name);
    const std::string_view nearest = catalog.nearest(name);
    if (nearest.empty()) {
      error.append("; allowed are the fields of \"weir protocols flow\", bytes and packets");
    } else {
      error.append("; did you mean \"").append(nearest).append("\"?");
    }
    return false;
  }
  options.field = field;
  options.is_descending = is_descending;
  return true;
}

}  // namespace weir

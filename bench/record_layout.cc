// SPDX-License-Identifier: Apache-2.0
//
// record_layout: what a packet of a known flow costs for several layouts of the flow record.
//
//   record_layout [ROUNDS [PACKETS]]
//
// A stream shaped like the captures of weir bench (60-byte packets, four flows of five TCP, no flow
// ends) but shuffled as a whole, over 10,000 and over 1,000,000 flows, updates a flow table. Every
// layout holds every counter of the flow record; they differ in how much of it a packet touches:
//
//   one      64 B   the lower bound: deltas of 16 and 32 bits, one clock, no holes
//   two     128 B   counters of 32 bits; sequence numbers of the handshake, history and round trip
//                   in the cold part, the sequence holes here
//   opening 128 B   the same, but the handshake's facts here and the holes in the cold part
//   three   192 B   counters of 64 bits, a key of 48 bytes
//   four    256 of 512 B, as the reference table of src/flow lays out a flow
//
// The first three layouts' narrow counters spill into a side record before they can overflow. The
// index is the same for all (record_table.h). Packets come in bursts of 64, and buckets and records
// are prefetched a number of packets ahead, never beyond the burst.
//
// Prints nanoseconds of thread CPU time per packet, best and median of the rounds: of the first
// pass over the stream, which creates the flows in fresh memory, and of the second, which finds
// them all. Before that, every layout is compared, flow by flow, with a naive count, also where
// counters spill.
//
// Deliberately without weir's code and without parsing: a packet's digest is made from its number,
// and what that costs is a row of the table. Nothing here is a bound on the engine.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "record_layouts.h"
#include "record_stream.h"
#include "record_table.h"

namespace record_layout {
namespace {

int64_t thread_time_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{1'000'000'000} * now.tv_sec + now.tv_nsec;
}

// --- The naive count ---

struct NaiveFlow {
  Totals totals;
  int64_t first_ts_ns = 0;
  int64_t last_ts_ns = 0;
  std::array<uint8_t, 2> tcp_flags{};
  std::array<uint32_t, 2> next_seq{};

  State state(const Key& key) const {
    const uint64_t packets = totals.packets[0] + totals.packets[1];
    if (key.proto == kProtoTcp) return packets < 3 ? State::kNew : State::kEstablished;
    return packets < 2 ? State::kNew : packets < 3 ? State::kEstablished : State::kActive;
  }
};

std::vector<NaiveFlow> count_naively(const Stream& stream, uint32_t pass_count) {
  std::vector<NaiveFlow> flows(stream.flow_count());
  Burst burst;
  for (uint32_t pass = 0; pass < pass_count; ++pass) {
    for (uint32_t first = 0; first < stream.packet_count(); first += kBurstSize) {
      for (const Digest& digest : stream.read(first, pass, burst)) {
        NaiveFlow& flow = flows[Stream::flow_of(digest.key)];
        const size_t side = digest.side;
        if (flow.totals.packets[0] + flow.totals.packets[1] == 0) flow.first_ts_ns = digest.ts_ns;
        flow.last_ts_ns = digest.ts_ns;
        flow.totals.packets[side] += 1;
        flow.totals.bytes[side] += digest.wire_size;
        flow.totals.ip_bytes[side] += digest.ip_size;
        flow.totals.payload_bytes[side] += digest.payload_size;
        flow.tcp_flags[side] |= digest.tcp_flags;
        if (digest.key.proto == kProtoTcp)
          flow.next_seq[side] = digest.tcp_seq + ((digest.tcp_flags & kSyn) != 0 ? 1 : 0);
      }
    }
  }
  return flows;
}

template <typename Layout>
void compare(const Table<Layout>& table, const std::vector<NaiveFlow>& flows) {
  if (table.flow_count() != flows.size()) fail("a layout found another number of flows");
  if (table.extraordinary_count() != 0) fail("a layout saw what the stream does not have");
  for (uint32_t slot = 0; slot < table.flow_count(); ++slot) {
    const typename Layout::Hot& hot = table.hot(slot);
    const NaiveFlow& flow = flows[Stream::flow_of(hot.key)];
    const bool is_same = table.totals(slot) == flow.totals &&
                         Layout::first_ts_ns(hot, table.cold(slot)) == flow.first_ts_ns &&
                         Layout::last_ts_ns(hot, table.cold(slot)) == flow.last_ts_ns &&
                         hot.small.tcp_flags == flow.tcp_flags && hot.next_seq == flow.next_seq &&
                         hot.small.state == flow.state(hot.key);
    if (!is_same) fail("a layout counted something else than the naive count");
  }
}

// --- Runs ---

template <typename Layout, Ahead kAhead>
double run_pass(Table<Layout>& table, const Stream& stream, uint32_t pass) {
  Burst burst;
  const int64_t begin = thread_time_ns();
  for (uint32_t first = 0; first < stream.packet_count(); first += kBurstSize)
    table.template update<kAhead>(stream.read(first, pass, burst));
  return static_cast<double>(thread_time_ns() - begin) / stream.packet_count();
}

double run_digests_alone(const Stream& stream) {
  Burst burst;
  uint64_t sum = 0;
  const int64_t begin = thread_time_ns();
  for (uint32_t first = 0; first < stream.packet_count(); first += kBurstSize) {
    for (const Digest& digest : stream.read(first, 1, burst)) sum += digest.hash + digest.tcp_ack;
  }
  const double result = static_cast<double>(thread_time_ns() - begin) / stream.packet_count();
  if (sum == 0) fail("no digests");  // so that the compiler makes them
  return result;
}

// Nanoseconds per packet of the rounds.
class Samples {
 public:
  void add(double sample) { samples_.push_back(sample); }
  std::string text() const {
    std::vector<double> sorted = samples_;
    if (sorted.empty()) return "";
    std::sort(sorted.begin(), sorted.end());
    std::array<char, 64> text{};
    snprintf(text.data(), text.size(), "%.1f (%.1f)", sorted[0], sorted[sorted.size() / 2]);
    return text.data();
  }

 private:
  std::vector<double> samples_;
};

constexpr size_t kSizeCount = 2;
constexpr std::array<uint32_t, kSizeCount> kFlowCounts = {10'000, 1'000'000};

struct Row {
  std::string name;
  std::function<void(Row&, const Stream&, size_t)> run;
  uint32_t period = 1;  // in which rounds: what takes long runs less often
  std::array<Samples, kSizeCount> first{};
  std::array<Samples, kSizeCount> second{};
};

template <typename Layout, Ahead kAhead>
Row make_row(bool has_huge_pages, bool is_spacious = false) {
  constexpr uint32_t kPeriod = kAhead.record == 0 ? 3 : 1;
  std::string name = Layout::kName;
  name += has_huge_pages ? " | huge" : " | 4 KiB";
  name += " | " + std::to_string(kAhead.bucket) + ", " + std::to_string(kAhead.record);
  if (is_spacious) name += ", index 38 % full";
  return {name,
          [has_huge_pages, is_spacious](Row& row, const Stream& stream, size_t size) {
            Table<Layout> table(stream.flow_count(), has_huge_pages, is_spacious);
            row.first[size].add(run_pass<Layout, kAhead>(table, stream, 0));
            row.second[size].add(run_pass<Layout, kAhead>(table, stream, 1));
          },
          kPeriod};
}

template <typename Layout>
void add_rows(std::vector<Row>& rows) {
  rows.push_back(make_row<Layout, kUsual>(true));
  rows.push_back(make_row<Layout, kUsual>(false));
  rows.push_back(make_row<Layout, kNoPrefetch>(true));
}

template <typename Layout>
void check(const Stream& stream, bool must_spill) {
  constexpr uint32_t kPassCount = 2;
  const std::vector<NaiveFlow> flows = count_naively(stream, kPassCount);
  Table<Layout> table(stream.flow_count(), true);
  for (uint32_t pass = 0; pass < kPassCount; ++pass) run_pass<Layout, kUsual>(table, stream, pass);
  compare(table, flows);
  if (must_spill && table.spill_count() == 0) fail("nothing spilled where it should");
  Table<Layout> plain(stream.flow_count(), false);
  for (uint32_t pass = 0; pass < kPassCount; ++pass)
    run_pass<Layout, kNoPrefetch>(plain, stream, pass);
  compare(plain, flows);
}

void check_all(const Stream& stream, bool is_large) {
  check<OneLine>(stream, is_large);
  check<TwoLines>(stream, is_large);
  check<TwoLinesOpening>(stream, is_large);
  check<ThreeLines>(stream, false);
  check<FourLines>(stream, false);
}

// What of this process the kernel has in huge pages, which is not a promise.
uint64_t huge_page_kib() {
  FILE* const file = fopen("/proc/self/smaps_rollup", "r");
  if (file == nullptr) return 0;
  std::array<char, 256> line{};
  unsigned long long kib = 0;
  while (fgets(line.data(), line.size(), file) != nullptr) {
    if (sscanf(line.data(), "AnonHugePages: %llu", &kib) == 1) break;
  }
  fclose(file);
  return kib;
}

void print(const std::vector<Row>& rows) {
  printf(
      "| layout | pages | ahead: bucket, record | 10 k | 1 M | 10 k, creating | 1 M, creating |\n"
      "|---|---|---|---|---|---|---|\n");
  for (const Row& row : rows) {
    printf("| %s | %s | %s | %s | %s |\n", row.name.c_str(), row.second[0].text().c_str(),
           row.second[1].text().c_str(), row.first[0].text().c_str(), row.first[1].text().c_str());
  }
}

}  // namespace
}  // namespace record_layout

int main(int argument_count, char** arguments) {
  using namespace record_layout;
  const uint32_t rounds =
      argument_count > 1 ? static_cast<uint32_t>(strtoul(arguments[1], nullptr, 10)) : 5;
  const uint32_t packets =
      argument_count > 2 ? static_cast<uint32_t>(strtoul(arguments[2], nullptr, 10)) : 15'000'000;
  if (argument_count > 3 || rounds == 0 || packets < kFlowCounts.back() || packets > 50'000'000) {
    fprintf(stderr, "usage: record_layout [ROUNDS [PACKETS]] (1 to 50 million packets)\n");
    return 2;
  }

  check_all(Stream(50, 70'000, 60), false);            // as many packets as spill 16 bits
  check_all(Stream(1'000, 300, 1'000'000'007), true);  // frames as large as a file may claim
  check_all(Stream(1'000'000, 3, 60), false);
  printf("every layout counts what a naive count does, spilled counters included\n");

  std::vector<Row> rows;
  rows.push_back({"digests alone | | ", [](Row& row, const Stream& stream, size_t size) {
                    row.second[size].add(run_digests_alone(stream));
                  }});
  add_rows<OneLine>(rows);
  add_rows<TwoLines>(rows);
  add_rows<TwoLinesOpening>(rows);
  add_rows<ThreeLines>(rows);
  add_rows<FourLines>(rows);
  rows.push_back(make_row<TwoLinesOpening, Ahead{8, 4}>(true));
  rows.push_back(make_row<TwoLinesOpening, Ahead{24, 12}>(true));
  rows.push_back(make_row<TwoLinesOpening, Ahead{32, 16}>(true));
  rows.push_back(make_row<TwoLinesOpening, Ahead{64, 8}>(true));
  rows.push_back(make_row<TwoLinesOpening, Ahead{64, 16}>(true));
  rows.push_back(make_row<TwoLinesOpening, Ahead{64, 32}>(true));
  rows.push_back(make_row<TwoLinesOpening, kUsual>(true, true));
  rows.push_back(make_row<TwoLinesOpening, Ahead{64, 32}>(true, true));
  for (size_t size = 0; size < kSizeCount; ++size) {
    const Stream stream(kFlowCounts[size], packets / kFlowCounts[size], 60);
    if (size == 0)
      printf("AnonHugePages with the stream alone: %llu KiB\n",
             static_cast<unsigned long long>(huge_page_kib()));
    for (uint32_t round = 0; round < rounds; ++round) {
      for (size_t at = 0; at < rows.size(); ++at) {
        Row& row = rows[(at + round * 5) % rows.size()];  // nothing always follows the same
        if (round % row.period == 0) row.run(row, stream, size);
      }
      fprintf(stderr, "%u flows: round %u of %u\n", kFlowCounts[size], round + 1, rounds);
    }
  }
  print(rows);
  return 0;
}

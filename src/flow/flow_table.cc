// SPDX-License-Identifier: Apache-2.0
//
// The simple table: flows in a slab of pages (a flow never moves), and an index of (hash, slot)
// pairs with linear probing, at most half full. It is the reference the fast one will be tested
// against.
//
// Invariants: a slot is in the index exactly when its flow is live; the hash in the index is the
// flow's hash; a free slot is on the free list exactly once.
#include "flow/flow_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

#include "base/assert.h"
#include "flow/live_flow.h"
#include "net/service_map.h"

namespace weir {
namespace {

constexpr uint32_t kNoSlot = UINT32_MAX;
constexpr uint32_t kPageSlots = 4096;
constexpr size_t kPrefetchDistance = 8;  // packets between asking for a flow and using it

// Slots come in pages of about two megabytes, which the kernel may back with one huge page each: a random flow then
// costs no walk of the page tables.
struct PageDeleter {
  void operator()(LiveFlow* page) const noexcept { std::free(page); }
};
using Page = std::unique_ptr<LiveFlow[], PageDeleter>;

Page new_page() {
  constexpr size_t kHugePageSize = 2 * 1024 * 1024;
  constexpr size_t kSize =
      (kPageSlots * sizeof(LiveFlow) + kHugePageSize - 1) / kHugePageSize * kHugePageSize;
  void* const memory = std::aligned_alloc(kHugePageSize, kSize);
  if (memory == nullptr) throw std::bad_alloc();
  madvise(memory, kSize, MADV_HUGEPAGE);        // a wish; without it everything works
  return Page(static_cast<LiveFlow*>(memory));  // a slot is written when it is first given out
}

bool is_short_broadcast(const AddressBytes& address) noexcept {
  const bool is_short = (address[0] | address[1] | address[2] | address[3]) == 0;
  return is_short && address[6] == 0xff && address[7] == 0xff;
}

// Whether an address can only be a destination: multicast, the IPv4 limited broadcast, or 0xffff,
// the broadcast among the short addresses of IEEE 802.15.4.
bool is_group_address(AddressKind kind, const AddressBytes& address) noexcept {
  if (kind == AddressKind::kIpv6) return address[0] == 0xff;
  if (kind == AddressKind::kIpv4)
    return address[0] >= 224 && (address[0] < 240 || address[0] == 255);
  if (kind == AddressKind::kEui64) return is_short_broadcast(address);
  return (address[0] & 1) != 0;
}

}  // namespace

// A flow has between two and four entries of the index, and may stand on the free list.
static_assert(sizeof(LiveFlow) + 4 * 2 * sizeof(uint32_t) + sizeof(uint32_t) <= kFlowMemorySize);

struct FlowTable::State {
  explicit State(const FlowTableOptions& table_options) : options(table_options) {
    resize_index(std::bit_ceil(std::max<uint32_t>(options.flow_count_initial, 16) * 2));
  }

  struct IndexEntry {
    uint32_t hash = 0;
    uint32_t slot = kNoSlot;
  };

  LiveFlow& flow(uint32_t slot) noexcept { return pages[slot / kPageSlots][slot % kPageSlots]; }
  const LiveFlow& flow(uint32_t slot) const noexcept {
    return pages[slot / kPageSlots][slot % kPageSlots];
  }

  static uint32_t index_hash(uint64_t hash) noexcept { return static_cast<uint32_t>(hash); }
  uint32_t home(uint32_t hash) const noexcept {
    return hash & (static_cast<uint32_t>(index.size()) - 1);
  }
  uint32_t after(uint32_t position) const noexcept {
    return (position + 1) & (static_cast<uint32_t>(index.size()) - 1);
  }

  uint32_t find(const FlowKey& key, uint64_t hash) const noexcept {
    const uint32_t short_hash = index_hash(hash);
    for (uint32_t position = home(short_hash); index[position].slot != kNoSlot;
         position = after(position)) {
      if (index[position].hash == short_hash && flow(index[position].slot).key == key)
        return index[position].slot;
    }
    return kNoSlot;
  }

  void index_insert(uint32_t short_hash, uint32_t slot) noexcept {
    uint32_t position = home(short_hash);
    while (index[position].slot != kNoSlot) position = after(position);
    index[position] = {short_hash, slot};
  }

  void resize_index(uint32_t size) {
    std::vector<IndexEntry> old = std::move(index);
    index.assign(size, IndexEntry{});
    for (const IndexEntry& entry : old) {
      if (entry.slot != kNoSlot) index_insert(entry.hash, entry.slot);
    }
  }

  // Removes by shifting back what follows, so that no tombstones ever build up.
  void index_erase(uint32_t slot, uint64_t hash) noexcept {
    uint32_t hole = home(index_hash(hash));
    while (index[hole].slot != slot) hole = after(hole);
    for (uint32_t next = after(hole); index[next].slot != kNoSlot; next = after(next)) {
      const uint32_t mask = static_cast<uint32_t>(index.size()) - 1;
      const uint32_t displacement = (next - home(index[next].hash)) & mask;
      if (displacement >= ((next - hole) & mask)) {
        index[hole] = index[next];
        hole = next;
      }
    }
    index[hole].slot = kNoSlot;
  }

  uint32_t allocate_slot() {
    if (!free_slots.empty()) {
      const uint32_t slot = free_slots.back();
      free_slots.pop_back();
      return slot;
    }
    if (slot_count == pages.size() * kPageSlots) pages.push_back(new_page());
    return slot_count++;
  }

  int64_t timeout(const LiveFlow& f) const noexcept {
    return options.timeouts.idle_ns[static_cast<size_t>(f.family)][static_cast<size_t>(f.state)];
  }

  void prefetch_index(const Packet& packet) const noexcept;
  void prefetch_flow(const Packet& packet) const noexcept;
  void process(Packet& packet, std::vector<FlowRecord>& records);
  uint32_t find_live(Packet& packet, std::vector<FlowRecord>& records);
  uint32_t create(const Packet& packet);
  void orient(LiveFlow& f, const Packet& packet) const noexcept;
  void account(LiveFlow& f, const Packet& packet, std::vector<FlowRecord>& records);
  void credit(LiveFlow& f, const EarlyPieces& early, bool from_b) noexcept;
  void emit_interim(LiveFlow& f, std::vector<FlowRecord>& records);
  bool expire(uint32_t slot, int64_t clock_ns, std::vector<FlowRecord>& records);
  void end(uint32_t slot, int64_t alive_until_ns, EndReason reason, FlowState shown,
           std::vector<FlowRecord>& records);

  const FlowTableOptions options;
  std::vector<Page> pages;
  std::vector<uint32_t> free_slots;
  std::vector<IndexEntry> index;
  uint32_t slot_count = 0;  // slots ever used
  uint32_t sweep_cursor = 0;
  FlowStatistics counters;  // but for the live ones, which are walked
  std::array<uint64_t, kLimitCount> limits{};
};

// An interval that had packets has ended: publish what the flow was at that time. What came after
// is not in it, because every packet looks here first.
void FlowTable::State::emit_interim(LiveFlow& f, std::vector<FlowRecord>& records) {
  const FlowState shown = shown_state(f.state, f.interval_end_ns - f.last_clock_ns, timeout(f));
  records.push_back(make_record(f, shown, EndReason::kActive));
  ++counters.interim_records;
  ++f.sequence;
  f.published = f.counters;
  f.interval_has_packets = false;
}

// Ends a flow that was alive until alive_until_ns. An interim record that fell due while it was
// comes first.
void FlowTable::State::end(uint32_t slot, int64_t alive_until_ns, EndReason reason, FlowState shown,
                           std::vector<FlowRecord>& records) {
  LiveFlow& f = flow(slot);
  if (f.interval_has_packets && f.interval_end_ns <= alive_until_ns) emit_interim(f, records);
  records.push_back(make_record(f, shown, reason));
  ++counters.ended[static_cast<size_t>(reason)];
  ++counters.ended_by_state[static_cast<size_t>(shown)];
  const FlowRecord& record = records.back();
  counters.in_ended.frames += record.src.total.packets + record.dst.total.packets;
  counters.in_ended.bytes += record.src.total.bytes + record.dst.total.bytes;
  index_erase(slot, f.hash);
  f.is_live = false;
  free_slots.push_back(slot);
  --counters.live;
}

// Ends the flow if it is due at clock_ns; returns true if it did. The one place the lifetime rule
// is written.
bool FlowTable::State::expire(uint32_t slot, int64_t clock_ns, std::vector<FlowRecord>& records) {
  LiveFlow& f = flow(slot);
  const int64_t timeout_ns = timeout(f);
  if (clock_ns - f.last_clock_ns <= timeout_ns) return false;
  end(slot, saturating_add(f.last_clock_ns, timeout_ns), timeout_reason(f.state),
      next_state(f.family, f.state, FlowEvent::kTimeout), records);
  return true;
}

// The live flow of the packet's key, after ending one that is over; kNoSlot when there is none.
uint32_t FlowTable::State::find_live(Packet& packet, std::vector<FlowRecord>& records) {
  const uint32_t slot = find(packet.key, packet.hash);
  if (slot == kNoSlot) return kNoSlot;
  const int64_t clock_ns = packet.frame->clock_ns;
  if (expire(slot, clock_ns, records)) return kNoSlot;
  LiveFlow& f = flow(slot);
  const bool is_closing = f.state == FlowState::kClosing || f.state == FlowState::kClosed;
  if (is_closing && packet.has_tcp && is_new_connection(f.tcp, packet, packet.from_b ? 1 : 0)) {
    end(slot, clock_ns, EndReason::kEnd, f.state, records);
    return kNoSlot;
  }
  return slot;
}

// Who opened the flow: the SYN's sender, else the end whose port is
// less of a service.
void FlowTable::State::orient(LiveFlow& f, const Packet& packet) const noexcept {
  const bool is_syn = packet.has_tcp && (packet.tcp_flags & (kTcpSyn | kTcpRst)) == kTcpSyn;
  if (is_syn) {
    const bool is_answer = (packet.tcp_flags & kTcpAck) != 0;
    f.origin = FlowOrigin::kSyn;
    f.initiator_is_b = packet.from_b != is_answer;
    return;
  }
  f.initiator_is_b = packet.from_b;
  f.origin = FlowOrigin::kFirstPacket;
  if (!packet.has_ports || f.family == FlowFamily::kIcmp) return;
  const uint16_t sender_port = packet.from_b ? f.key.port_b : f.key.port_a;
  const uint16_t receiver_port = packet.from_b ? f.key.port_a : f.key.port_b;
  const AddressBytes& receiver = packet.from_b ? f.key.a : f.key.b;
  if (service_rank(f.key.proto_number, sender_port) <=
      service_rank(f.key.proto_number, receiver_port))
    return;
  if (is_group_address(f.key.kind, receiver)) return;
  f.initiator_is_b = !packet.from_b;
  f.origin = FlowOrigin::kServicePort;
  f.history[f.history_size++] = '^';
}

uint32_t FlowTable::State::create(const Packet& packet) {
  if (counters.live >= options.flow_count_max) {
    ++limits[static_cast<size_t>(Limit::kFlowCount)];
    return kNoSlot;
  }
  if ((counters.live + 1) * 2 > index.size()) resize_index(static_cast<uint32_t>(index.size()) * 2);
  const uint32_t slot = allocate_slot();
  index_insert(index_hash(packet.hash), slot);
  ++counters.live;
  ++counters.created;
  LiveFlow& f = flow(slot);
  f = LiveFlow{};
  begin_flow(f, packet);
  orient(f, packet);
  if (options.timeouts.active_ns > 0)
    f.interval_end_ns = saturating_add(f.first_clock_ns, options.timeouts.active_ns);
  return slot;
}

void FlowTable::State::account(LiveFlow& f, const Packet& packet,
                               std::vector<FlowRecord>& records) {
  const int64_t clock_ns = packet.frame->clock_ns;
  const int64_t active_ns = options.timeouts.active_ns;
  if (clock_ns >= f.interval_end_ns) {
    if (f.interval_has_packets) emit_interim(f, records);
    const int64_t intervals = (clock_ns - f.first_clock_ns) / active_ns + 1;
    f.interval_end_ns = saturating_multiply_add(f.first_clock_ns, intervals, active_ns);
  }
  f.interval_has_packets = active_ns > 0;
  f.last_clock_ns = clock_ns;
  if (!update_flow(f, packet)) ++limits[static_cast<size_t>(Limit::kHistorySize)];
}

// Pieces that came before the first one belong to the flow as if they had come with it.
void FlowTable::State::credit(LiveFlow& f, const EarlyPieces& early, bool from_b) noexcept {
  FlowCounters& counters_of_side = f.counters[from_b ? 1 : 0];
  counters_of_side.packets += early.counters.packets;
  counters_of_side.bytes += early.counters.bytes;
  counters_of_side.ip_bytes += early.counters.ip_bytes;
  counters_of_side.payload_bytes += early.counters.payload_bytes;
  f.first_ts_ns = std::min(f.first_ts_ns, early.first_ts_ns);
  f.last_ts_ns = std::max(f.last_ts_ns, early.last_ts_ns);
}

// A packet's look-up waits for its index entry, and then for its flow. Both are asked for while earlier packets are
// worked on: hints and no more, nothing is remembered, so flows may come and go in between.
// (Measured in docs/performance.md.)
void FlowTable::State::prefetch_index(const Packet& packet) const noexcept {
  __builtin_prefetch(&index[home(index_hash(packet.hash))]);
}

void FlowTable::State::prefetch_flow(const Packet& packet) const noexcept {
  const IndexEntry& entry = index[home(index_hash(packet.hash))];
  if (entry.slot == kNoSlot) return;
  const LiveFlow& f = flow(entry.slot);
  __builtin_prefetch(&f.key, 1);
  __builtin_prefetch(&f.interval_end_ns, 1);
  __builtin_prefetch(&f.counters, 1);
  __builtin_prefetch(&f.tcp, 1);
}

void FlowTable::State::process(Packet& packet, std::vector<FlowRecord>& records) {
  packet.flow_created = false;
  packet.flow_id = 0;
  uint32_t slot = find_live(packet, records);
  if (slot == kNoSlot) {
    slot = create(packet);
    if (slot == kNoSlot) {
      packet.verdict = Verdict::kUnflowedFlowLimit;
      return;
    }
    packet.flow_created = true;
  }
  LiveFlow& f = flow(slot);
  packet.flow_id = f.id;
  account(f, packet, records);

  if (packet.fragment == FragmentKind::kFirst && packet.early.counters.packets > 0) {
    credit(f, packet.early, packet.from_b);
  }
}

FlowTable::FlowTable(const FlowTableOptions& options) : state_(std::make_unique<State>(options)) {}
FlowTable::~FlowTable() = default;

void FlowTable::update(std::span<Packet* const> packets, std::vector<FlowRecord>& records) {
  const size_t count = packets.size();
  for (size_t at = 0; at < std::min(count, 2 * kPrefetchDistance); ++at) {
    state_->prefetch_index(*packets[at]);
  }
  for (size_t at = 0; at < std::min(count, kPrefetchDistance); ++at) {
    state_->prefetch_flow(*packets[at]);
  }
  for (size_t at = 0; at < count; ++at) {
    if (at + 2 * kPrefetchDistance < count) {
      state_->prefetch_index(*packets[at + 2 * kPrefetchDistance]);
    }
    if (at + kPrefetchDistance < count) state_->prefetch_flow(*packets[at + kPrefetchDistance]);
    state_->process(*packets[at], records);
  }
}

bool FlowTable::sweep_slice(int64_t clock_ns, uint32_t slot_count,
                            std::vector<FlowRecord>& records) {
  State& state = *state_;
  const uint32_t end = std::min(state.slot_count, saturating_add(state.sweep_cursor, slot_count));
  for (uint32_t slot = state.sweep_cursor; slot < end; ++slot) {
    LiveFlow& f = state.flow(slot);
    if (!f.is_live || state.expire(slot, clock_ns, records)) continue;
    if (f.interval_has_packets && clock_ns >= f.interval_end_ns) state.emit_interim(f, records);
  }
  const bool at_end = end == state.slot_count;
  state.sweep_cursor = at_end ? 0 : end;
  return at_end;
}

void FlowTable::sweep(int64_t clock_ns, std::vector<FlowRecord>& records) {
  state_->sweep_cursor = 0;
  sweep_slice(clock_ns, UINT32_MAX, records);
}

void FlowTable::finish(int64_t clock_ns, std::vector<FlowRecord>& records) {
  State& state = *state_;
  for (uint32_t slot = 0; slot < state.slot_count; ++slot) {
    LiveFlow& f = state.flow(slot);
    if (!f.is_live || state.expire(slot, clock_ns, records)) continue;
    // A connection that is closed has ended by itself; only its linger is cut short.
    const EndReason reason = f.state == FlowState::kClosed ? EndReason::kEnd : EndReason::kForced;
    const FlowState shown = shown_state(f.state, clock_ns - f.last_clock_ns, state.timeout(f));
    state.end(slot, clock_ns, reason, shown, records);
  }
  state.sweep_cursor = 0;
}

bool FlowTable::snapshot(const FlowKey& key, uint64_t hash, int64_t clock_ns,
                         FlowRecord& record) const {
  const uint32_t slot = state_->find(key, hash);
  if (slot == kNoSlot) return false;
  const LiveFlow& f = state_->flow(slot);
  record = make_record(f, shown_state(f.state, clock_ns - f.last_clock_ns, state_->timeout(f)),
                       EndReason::kNone);
  return true;
}

FlowStatistics FlowTable::statistics(int64_t clock_ns) const {
  const State& state = *state_;
  FlowStatistics result = state.counters;
  result.live = 0;
  for (uint32_t slot = 0; slot < state.slot_count; ++slot) {
    const LiveFlow& f = state.flow(slot);
    if (!f.is_live) continue;
    ++result.live;
    ++result.live_by_state[static_cast<size_t>(
        shown_state(f.state, clock_ns - f.last_clock_ns, state.timeout(f)))];
    for (const FlowCounters& counters : f.counters) {
      result.in_live.frames += counters.packets;
      result.in_live.bytes += counters.bytes;
    }
  }
  return result;
}

uint64_t FlowTable::limit_hits(Limit limit) const noexcept {
  return state_->limits[static_cast<size_t>(limit)];
}

uint64_t FlowTable::live_count() const noexcept {
  return state_->counters.live;
}

}  // namespace weir

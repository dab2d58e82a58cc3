// SPDX-License-Identifier: Apache-2.0
//
// The naive model of the flow table, for tests and fuzzing. It sees all packets first, groups them
// by key, cuts each group into flows and each flow into intervals, with no sweep, no hash table and
// no running state of its own.
//
// It shares with the table what a single packet means for a flow (live_flow.h, tcp_state.h: they
// have tests of their own), and nothing of when flows begin, end or publish.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "base/assert.h"
#include "flow/flow_table.h"
#include "flow/live_flow.h"
#include "net/decode.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

// Every field the table is responsible for, as text, so that a failing comparison can be read.
inline std::string describe(const FlowRecord& record) {
  std::string text;
  const auto add = [&text](const char* name, auto value) {
    text += std::string(" ") + name + "=" + std::to_string(value);
  };
  add("id", record.id);
  add("sequence", record.sequence);
  add("final", record.is_final);
  text += std::string(" ") + flow_state_name(record.state) + " " +
          end_reason_name(record.end_reason) + " " + flow_origin_name(record.origin) + " " +
          conn_state_name(record.conn_state) +
          " history=" + std::string(record.history.data(), record.history_size);
  for (size_t at = 0; at < record.path.count; ++at)
    text += std::string(" ") + layer_name(record.path.layers[at]);
  add("tags", record.vlans.count);
  add("mac", record.src.mac[5]);
  add("first", record.first_seen_ns);
  add("last", record.last_seen_ns);
  add("rtt", record.rtt_ns);
  add("size", record.udp_typical_size);
  for (const FlowSide* side : {&record.src, &record.dst}) {
    text += side == &record.src ? " src:" : " dst:";
    add("port", side->port);
    for (const FlowCounters* counters : {&side->total, &side->delta}) {
      add("packets", counters->packets);
      add("bytes", counters->bytes);
      add("ip", counters->ip_bytes);
      add("payload", counters->payload_bytes);
    }
    add("flags", side->tcp_flags);
    add("retransmits", side->retransmits);
    add("out_of_order", side->out_of_order);
  }
  return text;
}

// Sorted as `weir read` prints: the order of hand-out is not part of the contract.
inline std::vector<std::string> describe_sorted(std::vector<FlowRecord> records) {
  std::sort(records.begin(), records.end(), [](const FlowRecord& x, const FlowRecord& y) {
    return std::tie(x.first_seen_ns, x.id, x.sequence) <
           std::tie(y.first_seen_ns, y.id, y.sequence);
  });
  std::vector<std::string> lines;
  for (const FlowRecord& record : records) lines.push_back(describe(record));
  return lines;
}

class FlowModel {
 public:
  explicit FlowModel(const Timeouts& timeouts) : timeouts_(timeouts) {}

  // Whole packets only; the table's fragments have their own tests.
  void add(const Packet& packet, FlowOrigin origin, bool initiator_is_b) {
    std::string key(sizeof(FlowKey), '\0');
    std::memcpy(key.data(), &packet.key, sizeof(FlowKey));
    groups_[key].push_back({packet, origin, initiator_is_b});
  }

  std::vector<FlowRecord> records(int64_t final_clock_ns) const {
    std::vector<FlowRecord> result;
    for (const auto& [key, packets] : groups_) {
      size_t begin = 0;
      while (begin < packets.size()) begin = cut_flow(packets, begin, final_clock_ns, result);
    }
    return result;
  }

 private:
  struct Seen {
    Packet packet;
    FlowOrigin origin;  // if this packet were the first of its flow
    bool initiator_is_b;
  };

  struct Flow {
    HotFlow hot;
    ColdFlow cold;
    RareFlow rare{};

    FlowParts parts() { return {hot, cold, rare}; }
  };

  static Flow begin(const Seen& first) {
    Flow flow;
    const Packet& packet = first.packet;
    flow.cold.id = static_cast<uint64_t>(packet.frame->source) << 48 | packet.frame->number;
    flow.cold.first_ts_ns = flow.hot.own_last_ts_ns = packet.frame->ts_ns;
    flow.hot.key.bits = static_cast<uint8_t>(
        static_cast<unsigned>(flow_family(packet.key.kind, packet.key.proto_number))
        << kFlowFamilyShift);
    if (packet.has_macs) {
      flow.cold.macs[packet.from_b ? 1 : 0] = packet.src_mac;
      flow.cold.macs[packet.from_b ? 0 : 1] = packet.dst_mac;
    }
    flow.hot.origin = first.origin;
    flow.hot.set(kFlowFromB, first.initiator_is_b);
    return flow;
  }

  int64_t timeout(const HotFlow& hot) const {
    return timeouts_.idle_ns[static_cast<size_t>(hot.family())][static_cast<size_t>(hot.state)];
  }

  // One flow from packets[begin] on; returns where the next one begins.
  size_t cut_flow(const std::vector<Seen>& packets, size_t first, int64_t final_clock_ns,
                  std::vector<FlowRecord>& result) const {
    const int64_t first_clock = packets[first].packet.frame->clock_ns;
    Flow flow = begin(packets[first]);
    const FlowKey& key = packets[first].packet.key;
    const FlowShape shape = shape_of(packets[first].packet);
    const HotFlow& hot = flow.hot;
    const auto publish = [&](FlowState shown, EndReason reason) {
      make_record(flow.parts(), key, shape, shown, reason, result.emplace_back());
    };

    size_t at = first;
    while (true) {
      FlowParts parts = flow.parts();
      update_flow(parts, digest_of(packets[at].packet, 0));
      const int64_t last_clock = packets[at].packet.frame->clock_ns;
      ++at;
      // What comes next for this flow: another packet of the key, or the end of input.
      const bool has_next = at < packets.size();
      const int64_t next_clock = has_next ? packets[at].packet.frame->clock_ns : final_clock_ns;
      const bool is_idle = next_clock - last_clock > timeout(hot);
      const bool is_closing = hot.state == FlowState::kClosing || hot.state == FlowState::kClosed;
      const bool is_reopened =
          has_next && !is_idle && is_closing && packets[at].packet.has_tcp &&
          is_new_connection(hot.sides, packets[at].packet.tcp_flags, packets[at].packet.tcp_seq,
                            packets[at].packet.from_b ? 1 : 0);
      const int64_t alive_until = is_idle ? last_clock + timeout(hot) : next_clock;

      // The interval of the last packet ends before anything else happens to this flow?
      if (timeouts_.active_ns > 0) {
        const int64_t boundary =
            first_clock +
            ((last_clock - first_clock) / timeouts_.active_ns + 1) * timeouts_.active_ns;
        if (boundary <= alive_until) {
          const bool is_silent =
              hot.state != FlowState::kClosed && boundary - last_clock > timeout(hot) / 2;
          publish(is_silent ? FlowState::kIdle : hot.state, EndReason::kActive);
          ++flow.cold.sequence;
          for (size_t side = 0; side < 2; ++side)
            flow.rare.published[side] = flow.parts().total(side);
        }
      }
      if (is_idle) {
        const bool is_over = hot.state == FlowState::kClosed;
        publish(is_over ? FlowState::kClosed : FlowState::kTimedOut,
                is_over ? EndReason::kEnd : EndReason::kIdle);
        return at;
      }
      if (is_reopened) {
        publish(hot.state, EndReason::kEnd);
        return at;
      }
      if (!has_next) {
        const bool is_over = hot.state == FlowState::kClosed;
        const bool is_silent = !is_over && final_clock_ns - last_clock > timeout(hot) / 2;
        publish(is_silent ? FlowState::kIdle : hot.state,
                is_over ? EndReason::kEnd : EndReason::kForced);
        return at;
      }
    }
  }

  Timeouts timeouts_;
  std::map<std::string, std::vector<Seen>> groups_;
};

// A sequence of packets made from bytes: what the random test draws and the fuzzer mutates. Four
// bytes are one packet: key and direction, kind (TCP flags or UDP), size, and the time since the
// one before. Most are plain; a flow also gets packets with a tag, and one key is IPv6.
class PacketSequence {
 public:
  PacketSequence(const uint8_t* bytes, size_t size, const HashSecret& secret)
      : decoder_({}, secret) {
    const size_t count = size / 4;
    bytes_.resize(count);
    frames_.resize(count);
    packets_.resize(count);
    int64_t clock_ns = 1'700'000'000 * kSecondNs;
    uint32_t seq[8][2] = {};
    for (size_t index = 0; index < count; ++index) {
      const uint8_t who = bytes[index * 4];
      const uint8_t kind = bytes[index * 4 + 1];
      const uint8_t payload_size = bytes[index * 4 + 2];
      const uint8_t step = bytes[index * 4 + 3];
      // Steps from nothing over seconds to 3 hours, so that every timeout is met from both sides.
      clock_ns += step < 128   ? step * int64_t{10'000'000}
                  : step < 240 ? (step - 127) * kSecondNs
                               : (step - 239) * 720 * kSecondNs;
      const size_t key_index = who & 7;
      const size_t sender = who >> 3 & 1;
      const bool is_udp = (who & 0x10) != 0;
      const bool has_tag = (who & 0xe0) == 0xe0;

      uint32_t& next = seq[key_index][sender];
      TcpFields fields;
      fields.flags = kind & 0x3f;
      fields.window = kind == 0x3f ? 0 : 1000;
      fields.seq = (payload_size & 1) != 0 ? next : next - (payload_size & 6);
      fields.ack = seq[key_index][1 - sender] + ((kind & 0x40) != 0 ? 1 : 0);
      next += payload_size + ((kind & (kTcpSyn | kTcpFin)) != 0 ? 1 : 0);
      bytes_[index] = bytes_of(key_index, sender, is_udp, has_tag, fields, payload_size);

      Frame& frame = frames_[index];
      frame.data = bytes_[index].data();
      frame.captured_size = frame.wire_size = static_cast<uint32_t>(bytes_[index].size());
      frame.ts_ns =
          clock_ns +
          ((kind & 0xc0) == 0xc0 ? -kSecondNs : 0);  // timestamps may step back, the clock does not
      frame.clock_ns = clock_ns;
      frame.number = index + 1;
      frame.source = 1;
      frame.link_type = 1;
      decoder_.decode(frame, packets_[index]);
      ASSERT(packets_[index].verdict == Verdict::kDecoded);
    }
  }

  const std::vector<Packet>& packets() const { return packets_; }
  std::span<const Frame> frames() const { return frames_; }
  const Decoder& decoder() const { return decoder_; }

 private:
  // Ports that are no services: the origin is the SYN or the first packet.
  static Bytes bytes_of(size_t key_index, size_t sender, bool is_udp, bool has_tag,
                        const TcpFields& fields, size_t payload_size) {
    constexpr const char* kAddresses[2] = {"10.0.0.1", "10.0.0.2"};
    constexpr const char* kWideAddresses[2] = {"2001:db8::1", "2001:db8::2"};
    const uint16_t ports[2] = {static_cast<uint16_t>(50000 + key_index), 60000};
    PacketBuilder packet = ethernet();
    if (has_tag) packet.vlan(7);
    if (key_index == 5) {
      packet.ipv6(kWideAddresses[sender], kWideAddresses[1 - sender]);
    } else {
      packet.ipv4(kAddresses[sender], kAddresses[1 - sender]);
    }
    if (is_udp) {
      packet.udp(ports[sender], ports[1 - sender]);
    } else {
      packet.tcp(ports[sender], ports[1 - sender], fields);
    }
    return packet.payload_of_size(payload_size).bytes();
  }

  Decoder decoder_;
  std::vector<Bytes> bytes_;
  std::vector<Frame> frames_;
  std::vector<Packet> packets_;
};

enum class SweepPlan : uint8_t { kNever, kAlways, kAge };
enum class Path : uint8_t { kPackets, kDigests };  // which update() takes the bursts

struct TableRun {
  std::vector<std::string> records;
  FlowStatistics statistics;
};

// The table over a sequence in bursts of burst_size; checks nothing itself.
inline TableRun run_table(const FlowTableOptions& options, const PacketSequence& sequence,
                          size_t burst_size, SweepPlan plan, Path path) {
  FlowTable table(options);
  std::vector<FlowRecord> records;
  std::vector<Packet> packets = sequence.packets();
  std::vector<PacketDigest> digests(burst_size);
  std::vector<uint16_t> order(burst_size);
  std::iota(order.begin(), order.end(), uint16_t{0});
  int64_t clock_ns = 0;
  const size_t step = plan == SweepPlan::kAlways ? 1 : burst_size;
  for (size_t begin = 0; begin < packets.size(); begin += step) {
    const size_t count = std::min(step, packets.size() - begin);
    clock_ns = packets[begin].frame->clock_ns;
    if (plan == SweepPlan::kAlways) table.sweep(clock_ns, records);
    if (path == Path::kDigests) {
      const std::span<const Frame> frames = sequence.frames().subspan(begin, count);
      std::vector<Packet> generals(count);
      sequence.decoder().digest(frames, digests.data(), generals.data());
      table.update(
          {{digests.data(), count}, std::span(order).first(count), frames.data(), generals.data()},
          records);
    } else {
      std::vector<Packet*> burst;
      for (size_t index = begin; index < begin + count; ++index) burst.push_back(&packets[index]);
      table.update(burst, records);
    }
    clock_ns = packets[begin + count - 1].frame->clock_ns;
    if (plan == SweepPlan::kAge) table.age(clock_ns, records);
  }
  table.finish(clock_ns, records);
  return {describe_sorted(std::move(records)), table.statistics(clock_ns)};
}

// The same by the model.
inline std::vector<std::string> run_model(const FlowTableOptions& options,
                                          const PacketSequence& sequence) {
  FlowModel model(options.timeouts);
  const std::vector<Packet>& packets = sequence.packets();
  for (const Packet& packet : packets) {
    const bool is_syn = packet.has_tcp && (packet.tcp_flags & (kTcpSyn | kTcpRst)) == kTcpSyn;
    const bool is_answer = is_syn && (packet.tcp_flags & kTcpAck) != 0;
    model.add(packet, is_syn ? FlowOrigin::kSyn : FlowOrigin::kFirstPacket,
              packet.from_b != is_answer);
  }
  return describe_sorted(model.records(packets.empty() ? 0 : packets.back().frame->clock_ns));
}

}  // namespace weir::test

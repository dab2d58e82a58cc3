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
#include <string>
#include <vector>

#include "flow/flow_table.h"
#include "flow/live_flow.h"

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

  int64_t timeout(const LiveFlow& flow) const {
    return timeouts_.idle_ns[static_cast<size_t>(flow.family)][static_cast<size_t>(flow.state)];
  }

  // One flow from packets[begin] on; returns where the next one begins.
  size_t cut_flow(const std::vector<Seen>& packets, size_t begin, int64_t final_clock_ns,
                  std::vector<FlowRecord>& result) const {
    const int64_t first_clock = packets[begin].packet.frame->clock_ns;
    LiveFlow flow;
    begin_flow(flow, packets[begin].packet);
    flow.origin = packets[begin].origin;
    flow.initiator_is_b = packets[begin].initiator_is_b;
    if (flow.origin == FlowOrigin::kServicePort) flow.history[flow.history_size++] = '^';

    size_t at = begin;
    int64_t last_clock = first_clock;
    while (true) {
      update_flow(flow, packets[at].packet);
      last_clock = packets[at].packet.frame->clock_ns;
      ++at;
      // What comes next for this flow: another packet of the key, or the end of input.
      const bool has_next = at < packets.size();
      const int64_t next_clock = has_next ? packets[at].packet.frame->clock_ns : final_clock_ns;
      const bool is_idle = next_clock - last_clock > timeout(flow);
      const bool is_closing = flow.state == FlowState::kClosing || flow.state == FlowState::kClosed;
      const bool is_reopened =
          has_next && !is_idle && is_closing && packets[at].packet.has_tcp &&
          is_new_connection(flow.tcp, packets[at].packet, packets[at].packet.from_b ? 1 : 0);
      const int64_t alive_until = is_idle ? last_clock + timeout(flow) : next_clock;

      // The interval of the last packet ends before anything else happens to this flow?
      if (timeouts_.active_ns > 0) {
        const int64_t boundary =
            first_clock +
            ((last_clock - first_clock) / timeouts_.active_ns + 1) * timeouts_.active_ns;
        if (boundary <= alive_until) {
          const bool is_silent =
              flow.state != FlowState::kClosed && boundary - last_clock > timeout(flow) / 2;
          publish(flow, is_silent ? FlowState::kIdle : flow.state, EndReason::kActive, result);
          ++flow.sequence;
          flow.published = flow.counters;
        }
      }
      if (is_idle) {
        const bool is_over = flow.state == FlowState::kClosed;
        publish(flow, is_over ? FlowState::kClosed : FlowState::kTimedOut,
                is_over ? EndReason::kEnd : EndReason::kIdle, result);
        return at;
      }
      if (is_reopened) {
        publish(flow, flow.state, EndReason::kEnd, result);
        return at;
      }
      if (!has_next) {
        const bool is_over = flow.state == FlowState::kClosed;
        const bool is_silent = !is_over && final_clock_ns - last_clock > timeout(flow) / 2;
        publish(flow, is_silent ? FlowState::kIdle : flow.state,
                is_over ? EndReason::kEnd : EndReason::kForced, result);
        return at;
      }
    }
  }

  static void publish(const LiveFlow& flow, FlowState shown, EndReason reason,
                      std::vector<FlowRecord>& result) {
    result.push_back(make_record(flow, shown, reason));
  }

  Timeouts timeouts_;
  std::map<std::string, std::vector<Seen>> groups_;
};

// A sequence of packets made from bytes: what the random test draws and the fuzzer mutates. Four
// bytes are one packet: key and direction, kind (TCP flags or UDP), size, and the time since the
// one before.
class PacketSequence {
 public:
  PacketSequence(const uint8_t* bytes, size_t size, const HashSecret& secret) {
    const size_t count = size / 4;
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

      Frame& frame = frames_[index];
      frame.wire_size = 60 + payload_size;
      frame.ts_ns =
          clock_ns +
          ((kind & 0xc0) == 0xc0 ? -kSecondNs : 0);  // timestamps may step back, the clock does not
      frame.clock_ns = clock_ns;
      frame.number = index + 1;
      frame.source = 1;

      Packet& packet = packets_[index];
      packet.frame = &frame;
      packet.verdict = Verdict::kDecoded;
      packet.layer = is_udp ? Layer::kUdp : Layer::kTcp;
      packet.has_ports = true;
      packet.key.kind = AddressKind::kIpv4;
      packet.key.proto_number = is_udp ? 17 : 6;
      packet.key.a[3] = 1;
      packet.key.b[3] = 2;
      packet.key.port_a = static_cast<uint16_t>(50000 + key_index);
      packet.key.port_b = 60000;  // no services: the origin is the SYN or the first packet
      packet.from_b = sender == 1;
      packet.hash = hash_key(secret, packet.key);
      packet.ip_size = 40u + payload_size;
      packet.payload_size = payload_size;
      packet.has_tcp = !is_udp;
      packet.tcp_flags = kind & 0x3f;
      packet.tcp_window = kind == 0x3f ? 0 : 1000;
      uint32_t& next = seq[key_index][sender];
      packet.tcp_seq = (payload_size & 1) != 0 ? next : next - (payload_size & 6);
      packet.tcp_ack = seq[key_index][1 - sender] + ((kind & 0x40) != 0 ? 1 : 0);
      next += payload_size + ((kind & (kTcpSyn | kTcpFin)) != 0 ? 1 : 0);
    }
  }

  std::vector<Packet>& packets() { return packets_; }

 private:
  std::vector<Frame> frames_;
  std::vector<Packet> packets_;
};

enum class SweepPlan : uint8_t { kNever, kAlways, kSlices };

struct TableRun {
  std::vector<std::string> records;
  FlowStatistics statistics;
};

// The table over a sequence in bursts of burst_size; checks nothing itself.
inline TableRun run_table(const FlowTableOptions& options, std::vector<Packet> packets,
                          size_t burst_size, SweepPlan plan) {
  FlowTable table(options);
  std::vector<FlowRecord> records;
  std::vector<Packet*> burst;
  int64_t clock_ns = 0;
  for (size_t begin = 0; begin < packets.size(); begin += burst_size) {
    burst.clear();
    for (size_t index = begin; index < std::min(begin + burst_size, packets.size()); ++index) {
      clock_ns = packets[index].frame->clock_ns;
      if (plan == SweepPlan::kAlways) {
        table.update(burst, records);
        burst.clear();
        table.sweep(clock_ns, records);
      }
      burst.push_back(&packets[index]);
    }
    table.update(burst, records);
    if (plan == SweepPlan::kSlices) table.sweep_slice(clock_ns, 3, records);
  }
  table.finish(clock_ns, records);
  return {describe_sorted(std::move(records)), table.statistics(clock_ns)};
}

// The same by the model.
inline std::vector<std::string> run_model(const FlowTableOptions& options,
                                          const std::vector<Packet>& packets) {
  FlowModel model(options.timeouts);
  for (const Packet& packet : packets) {
    const bool is_syn = packet.has_tcp && (packet.tcp_flags & (kTcpSyn | kTcpRst)) == kTcpSyn;
    const bool is_answer = is_syn && (packet.tcp_flags & kTcpAck) != 0;
    model.add(packet, is_syn ? FlowOrigin::kSyn : FlowOrigin::kFirstPacket,
              packet.from_b != is_answer);
  }
  return describe_sorted(model.records(packets.empty() ? 0 : packets.back().frame->clock_ns));
}

}  // namespace weir::test

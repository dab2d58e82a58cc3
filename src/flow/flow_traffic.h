// SPDX-License-Identifier: Apache-2.0
//
// Traffic: packets through a real decoder and a flow table in bursts, by either update(), with
// accounts of what went in and came out; for tests of limits. FlowBuilder is for a few packets
// between two ends, PacketSequence for comparisons with the naive model.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <random>
#include <vector>

#include "flow/flow_model.h"
#include "flow/flow_table.h"
#include "net/decode.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

using Random = std::independent_bits_engine<std::mt19937, 32, uint32_t>;

inline constexpr int64_t kStartNs = 1'700'000'000 * kSecondNs;
inline constexpr int64_t kMillisecondNs = kSecondNs / 1000;

constexpr int64_t at_second(double second) {
  return kStartNs + static_cast<int64_t>(second * 1e9);
}

// UDP from client number `client` to its server, or back; ports that are no services.
inline Bytes udp(uint32_t client, bool is_answer = false, size_t size = 18) {
  static const Bytes headers = ethernet().ipv4("10.0.0.0", "192.168.0.1").udp(50000, 60000).bytes();
  constexpr size_t kAddresses = 26;
  Bytes bytes = headers;
  for (size_t at = 0; at < 3; ++at)
    bytes[kAddresses + 1 + at] = static_cast<uint8_t>(client >> (16 - 8 * at));
  if (is_answer) {
    const auto field = bytes.begin() + kAddresses;
    std::swap_ranges(field, field + 4, field + 4);
    std::swap_ranges(field + 8, field + 10, field + 10);
  }
  const size_t ip_size = headers.size() - 14 + size;
  const auto put16 = [&bytes](size_t offset, size_t value) {
    bytes[offset] = static_cast<uint8_t>(value >> 8);
    bytes[offset + 1] = static_cast<uint8_t>(value);
  };
  put16(16, ip_size);
  put16(38, ip_size - 20);
  bytes.resize(headers.size() + size);
  return bytes;
}
// Who it was, also where the record begins with an answer.
inline uint32_t client_of(const FlowRecord& record) {
  const AddressBytes& src = record.src.address;
  const AddressBytes& address = src[0] == 10 ? src : record.dst.address;
  return uint32_t{address[1]} << 16 | uint32_t{address[2]} << 8 | address[3];
}

// One of a few flows of every kind of key, from one of its ends.
inline Bytes any_packet(Random& random) {
  const uint32_t dice = random();
  const bool is_answer = (dice & 1) != 0;
  const auto port = static_cast<uint16_t>(50000 + (dice >> 1) % 3);
  const char* const ends4[] = {"10.0.0.1", "10.0.0.2"};
  const char* const ends6[] = {"2001:db8::1", "2001:db8::2"};
  const uint16_t ports[] = {port, 60000};
  const TcpFields tcp{.flags = static_cast<uint8_t>((dice >> 8) & 0x17), .seq = (dice >> 16) % 8};
  PacketBuilder packet = is_answer ? ethernet(kMacB, kMacA) : ethernet(kMacA, kMacB);
  switch ((dice >> 4) % 5) {
    case 0:
      return packet.ipv4(ends4[is_answer], ends4[!is_answer])
          .udp(ports[is_answer], ports[!is_answer])
          .bytes();
    case 1:
      return packet.ipv4(ends4[is_answer], ends4[!is_answer])
          .tcp(ports[is_answer], ports[!is_answer], tcp)
          .bytes();
    case 2:
      return packet.ipv6(ends6[is_answer], ends6[!is_answer])
          .tcp(ports[is_answer], ports[!is_answer], tcp)
          .bytes();
    case 3:
      return packet.vlan(static_cast<uint16_t>(dice >> 24))
          .ipv4(ends4[is_answer], ends4[!is_answer])
          .udp(ports[is_answer], ports[!is_answer])
          .bytes();
    default:
      return packet.ethertype(static_cast<uint16_t>(0x88b5 + port % 2)).payload("text").bytes();
  }
}

inline FlowTableOptions options_of(uint32_t flow_count_max, Eviction eviction = Eviction::kValue) {
  FlowTableOptions options;
  options.secret = {17, 4};
  options.flow_count_max = flow_count_max;
  options.eviction = eviction;
  return options;
}

// A flow table and everything before it, in bursts, with accounts of what went in and came out.
class Traffic {
 public:
  explicit Traffic(const FlowTableOptions& options, Path path = Path::kDigests,
                   size_t burst_size = 64)
      : path_(path),
        burst_size_(burst_size),
        decoder_({}, options.secret),
        table_(options),
        digests_(burst_size),
        packets_(burst_size) {}

  // Bursts are aged, as the engine does it.
  bool is_aging = true;
  // Records are looked at and forgotten, not kept.
  std::function<void(const FlowRecord&)> on_record;

  void send(int64_t clock_ns, Bytes bytes, uint32_t wire_size = 0) {
    clock_ns_ = clock_ns;
    bytes_.push_back(std::move(bytes));
    frames_.push_back(frame_of(bytes_.back(), 1, clock_ns, ++frame_count_));
    if (wire_size != 0) frames_.back().wire_size = wire_size;
    if (frames_.size() == burst_size_) flush();
  }
  void send(int64_t clock_ns, const PacketBuilder& builder) { send(clock_ns, builder.bytes()); }

  void flush() {
    for (const Frame& frame : frames_) statistics_.delivered.add(frame.wire_size);
    if (path_ == Path::kDigests) {
      update_digests();
    } else {
      update_packets();
    }
    bytes_.clear();
    frames_.clear();
    age(clock_ns_);
  }
  void age(int64_t clock_ns) {
    clock_ns_ = clock_ns;
    table_.maintain();
    if (is_aging) table_.age(clock_ns, fresh_);
    take_records();
  }
  void sweep(int64_t clock_ns) {
    clock_ns_ = clock_ns;
    table_.sweep(clock_ns, fresh_);
    take_records();
  }
  void finish() {
    flush();
    table_.finish(clock_ns_, fresh_);
    take_records();
  }

  Statistics statistics() const {
    Statistics result = statistics_;
    result.flows = table_.statistics(clock_ns_);
    table_.add_refused(result);
    return result;
  }
  // Of all that was flushed: nothing got lost, and records say what counters say.
  void expect_balance() const {
    const Statistics now = statistics();
    const Imbalance difference = imbalance(now);
    EXPECT_EQ(difference.verdict_frames, 0);
    EXPECT_EQ(difference.verdict_bytes, 0);
    EXPECT_EQ(difference.flow_frames, 0);
    EXPECT_EQ(difference.flow_bytes, 0);
    EXPECT_EQ(difference.flows, 0);
    EXPECT_EQ(now.flows.live, table_.live_count());
    EXPECT_EQ(now.flows.ended, final_by_reason_);
    EXPECT_EQ(now.flows.in_ended.frames, in_final_.frames);
    EXPECT_EQ(now.flows.in_ended.bytes, in_final_.bytes);
    if (path_ == Path::kDigests) return;
    EXPECT_EQ(refused().frames, refused_verdicts_);
    EXPECT_EQ(now.flows.created, created_marks_);
  }
  FrameCount refused() const { return statistics().of_class(VerdictClass::kUnflowed); }
  uint64_t ended(EndReason reason) const { return final_by_reason_[static_cast<size_t>(reason)]; }

  FlowTable& table() { return table_; }
  std::vector<FlowRecord>& records() { return records_; }
  int64_t clock_ns() const { return clock_ns_; }

 private:
  void update_digests() {
    const size_t count = frames_.size();
    decoder_.digest(frames_, digests_.data(), packets_.data());
    std::vector<uint16_t> order;
    for (size_t at = 0; at < count; ++at) {
      const uint8_t bits = digests_[at].key.bits;
      if ((bits & kDigestGeneral) != 0) {
        const Packet& packet = packets_[digests_[at].index];
        count_verdict(packet.layer, packet.verdict, frames_[at]);
      } else {
        const Layer layer = (bits & kDigestTcp) != 0 ? Layer::kTcp : Layer::kUdp;
        count_verdict(layer, Verdict::kDecoded, frames_[at]);
      }
      order.push_back(static_cast<uint16_t>(at));
    }
    table_.update({{digests_.data(), count}, order, frames_.data(), packets_.data()}, fresh_);
  }
  void update_packets() {
    std::vector<Packet*> burst;
    for (size_t at = 0; at < frames_.size(); ++at) {
      Packet& packet = packets_[at];
      decoder_.decode(frames_[at], packet);
      count_verdict(packet.layer, packet.verdict, frames_[at]);
      burst.push_back(&packet);
    }
    table_.update(burst, fresh_);
    for (const Packet* packet : burst) {
      refused_verdicts_ += packet->verdict == Verdict::kUnflowedFlowLimit;
      created_marks_ += packet->flow_created;
      EXPECT_EQ(packet->flow_id == 0, packet->verdict == Verdict::kUnflowedFlowLimit);
    }
  }
  void count_verdict(Layer layer, Verdict verdict, const Frame& frame) {
    ASSERT_EQ(verdict, Verdict::kDecoded);
    statistics_.add_verdict(layer, verdict, frame.link_type, frame.wire_size);
  }
  void take_records() {
    for (const FlowRecord& record : fresh_) {
      if (record.is_final) {
        ++final_by_reason_[static_cast<size_t>(record.end_reason)];
        in_final_ += {record.src.total.packets + record.dst.total.packets,
                      record.src.total.bytes + record.dst.total.bytes};
      }
      if (on_record) {
        on_record(record);
      } else {
        records_.push_back(record);
      }
    }
    fresh_.clear();
  }

  const Path path_;
  const size_t burst_size_;
  Decoder decoder_;
  FlowTable table_;
  std::vector<PacketDigest> digests_;
  std::vector<Packet> packets_;
  std::deque<Bytes> bytes_;  // of the burst that is being collected
  std::vector<Frame> frames_;
  uint64_t frame_count_ = 0;
  int64_t clock_ns_ = kStartNs;
  std::vector<FlowRecord> fresh_;
  std::vector<FlowRecord> records_;
  Statistics statistics_;
  std::array<uint64_t, kEndReasonCount> final_by_reason_{};
  FrameCount in_final_;
  uint64_t refused_verdicts_ = 0;
  uint64_t created_marks_ = 0;
};

}  // namespace weir::test

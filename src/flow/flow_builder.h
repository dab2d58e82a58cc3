// SPDX-License-Identifier: Apache-2.0
//
// FlowBuilder: a few packets between two ends through a real decoder and a flow table, for tests.
// Time is in seconds since the first packet; records end up sorted.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "flow/flow_table.h"
#include "flow/fragments.h"
#include "net/decode.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

class FlowBuilder {
 public:
  explicit FlowBuilder(const FlowTableOptions& options = {}, const FragmentOptions& fragments = {})
      : options_(options),
        decoder_({}, options.secret),
        fragments_(fragments, options.secret),
        table_(options_) {}

  static constexpr int64_t kStartNs = 1'000'000'000 * kSecondNs;
  static constexpr const char* kClient = "10.0.0.1";
  static constexpr const char* kServer = "10.0.0.2";

  // Any packet; returns it as the table left it.
  Packet& feed(double second, const PacketBuilder& builder) {
    bytes_.push_back(builder.bytes());
    Frame& frame = frames_.emplace_back();
    frame.data = bytes_.back().data();
    frame.captured_size = frame.wire_size = static_cast<uint32_t>(bytes_.back().size());
    frame.ts_ns = kStartNs + static_cast<int64_t>(second * 1e9);
    frame.clock_ns = clock_ns_ = std::max(clock_ns_, frame.ts_ns);
    frame.number = frames_.size();
    frame.source = 1;
    frame.link_type = builder.link_type();
    Packet& packet = packets_.emplace_back();
    decoder_.decode(frame, packet);
    Packet* const one = &packet;
    if (fragments_.admit(packet)) table_.update({&one, 1}, records_);
    return packet;
  }

  struct Segment {
    uint8_t flags = kTcpAck;
    uint32_t seq = 0;
    uint32_t ack = 0;
    size_t size = 0;
    uint16_t window = 1000;
  };
  Packet& client(double second, const Segment& segment) { return tcp(second, segment, false); }
  Packet& server(double second, const Segment& segment) { return tcp(second, segment, true); }

  // Three packets from `second` on, with initial sequence numbers 100 and 500.
  void handshake(double second) {
    client(second, {.flags = kTcpSyn, .seq = 100});
    server(second + 0.1, {.flags = kTcpSyn | kTcpAck, .seq = 500, .ack = 101});
    client(second + 0.3, {.flags = kTcpAck, .seq = 101, .ack = 501});
  }

  void sweep(double second) {
    table_.sweep(clock_ns_ = kStartNs + static_cast<int64_t>(second * 1e9), records_);
  }
  std::vector<FlowRecord>& finish() {
    table_.finish(clock_ns_, records_);
    return records_;
  }
  // The only record, after finish().
  FlowRecord only() {
    finish();
    EXPECT_EQ(records_.size(), 1u);
    return records_.empty() ? FlowRecord{} : records_.front();
  }
  FlowRecord live(const Packet& packet) const {
    FlowRecord record;
    EXPECT_TRUE(table_.snapshot(packet.key, packet.hash, clock_ns_, record));
    return record;
  }

  FlowTable& table() { return table_; }
  uint64_t fragments_without_flow() const {
    Statistics statistics;
    fragments_.add_statistics(statistics);
    return statistics.of_class(VerdictClass::kUnflowed).frames;
  }
  uint64_t fragment_limit_hits() const {
    Statistics statistics;
    fragments_.add_statistics(statistics);
    return statistics.limits_hit[static_cast<size_t>(Limit::kFragmentCount)];
  }
  std::vector<FlowRecord>& records() { return records_; }
  int64_t clock_ns() const { return clock_ns_; }

 private:
  Packet& tcp(double second, const Segment& segment, bool from_server) {
    const TcpFields fields{
        .flags = segment.flags, .seq = segment.seq, .ack = segment.ack, .window = segment.window};
    PacketBuilder builder = ethernet();
    if (from_server) {
      builder.ipv4(kServer, kClient).tcp(80, 50000, fields);
    } else {
      builder.ipv4(kClient, kServer).tcp(50000, 80, fields);
    }
    return feed(second, builder.payload_of_size(segment.size));
  }

  FlowTableOptions options_;
  Decoder decoder_;
  FragmentCache fragments_;
  FlowTable table_;
  std::deque<Bytes> bytes_;
  std::deque<Frame> frames_;
  std::deque<Packet> packets_;
  std::vector<FlowRecord> records_;
  int64_t clock_ns_ = 0;
};

inline std::string history(const FlowRecord& record) {
  return {record.history.data(), record.history_size};
}

}  // namespace weir::test

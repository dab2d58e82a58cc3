// SPDX-License-Identifier: Apache-2.0
//
// The flows of the captures in tests/golden as payload, piece by piece, for tests that damage them.
//
// A flow is put together by its key alone: a second connection between the same ports is another
// flow when it begins with a SYN. The initiator is who sent the first frame. What the flow table does
// with time-outs and fragments is not done here.
//
// Errors: a capture that cannot be read has no flows. Threads: pure; any.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "capture/capture_file.h"
#include "dpi/payload_flow.h"
#include "net/decode.h"

namespace weir::test {

struct Golden {
  std::string name;
  std::vector<PayloadFlow> flows;  // those with payload, in the order they began
};

inline Transport transport_of(const FlowKey& key) {
  constexpr uint16_t kProtoIcmp = 1;
  constexpr uint16_t kProtoTcp = 6;
  constexpr uint16_t kProtoUdp = 17;
  constexpr uint16_t kProtoIcmpv6 = 58;
  constexpr uint16_t kProtoSctp = 132;
  if (is_link_address(key.kind)) return kOverEthernet;
  switch (key.proto_number) {
    case kProtoTcp:
      return kOverTcp;
    case kProtoUdp:
      return kOverUdp;
    case kProtoSctp:
      return kOverSctp;
    case kProtoIcmp:
    case kProtoIcmpv6:
      return kOverIcmp;
    default:
      return kOverIp;
  }
}

class GoldenFlows {
 public:
  void add(const Frame& frame) {
    Packet packet;
    decoder_.decode(frame, packet);
    if (packet.verdict != Verdict::kDecoded || packet.fragment == FragmentKind::kLater) return;
    const Transport transport = transport_of(packet.key);
    const bool has_syn = packet.has_tcp && (packet.tcp_flags & kTcpSyn) != 0;
    const bool is_first_syn = has_syn && (packet.tcp_flags & kTcpAck) == 0;
    const auto found = by_key_.find(packet.key);
    if (found == by_key_.end() || (is_first_syn && !building_[found->second].flow.pieces.empty()))
      begin(packet, transport, frame.ts_ns);
    Building& building = building_[by_key_[packet.key]];
    const size_t side = packet.from_b == building.is_from_b ? 0 : 1;
    PayloadFlow& flow = building.flow;
    if (has_syn && !building.is_started[side]) {
      building.is_started[side] = true;
      building.begin_seq[side] = packet.tcp_seq + 1;
    }
    ByteReader reader(packet.payload, packet.payload_captured);
    uint32_t wire_size = packet.payload_size;
    if (transport == kOverIcmp) {
      // Inspected from the ICMP header on.
      reader = ByteReader(frame.data, frame.captured_size);
      reader.skip(packet.layer_offsets[packet.path.count - 1u]);
      const auto header_size = static_cast<uint32_t>(packet.payload - reader.position());
      wire_size += header_size;
      reader = ByteReader(reader.bytes(header_size + packet.payload_captured));
    }
    if (reader.remaining() == 0) return;
    Piece piece;
    piece.side = static_cast<Side>(side);
    piece.wire_size = wire_size;
    piece.ts_ns = frame.ts_ns - building.begin_ns;
    if (packet.has_tcp) {
      if (!building.is_started[side]) {
        building.is_started[side] = true;
        building.begin_seq[side] = packet.tcp_seq;
        flow.is_begin_known[side] = false;
      }
      piece.offset = packet.tcp_seq + (has_syn ? 1u : 0u) - building.begin_seq[side];
      // What was sent before the first byte that was captured is nobody's.
      if (piece.offset > INT32_MAX) return;
    }
    const std::span<const uint8_t> bytes = reader.bytes(reader.remaining());
    piece.bytes.assign(bytes.begin(), bytes.end());
    flow.pieces.push_back(std::move(piece));
  }

  std::vector<PayloadFlow> take() {
    std::vector<PayloadFlow> flows;
    for (Building& building : building_) {
      if (!building.flow.pieces.empty()) flows.push_back(std::move(building.flow));
    }
    return flows;
  }

 private:
  struct Less {
    bool operator()(const FlowKey& x, const FlowKey& y) const {
      const auto tuple = [](const FlowKey& key) {
        return std::tie(key.a, key.b, key.port_a, key.port_b, key.proto_number, key.kind,
                        key.one_way);
      };
      return tuple(x) < tuple(y);
    }
  };
  struct Building {
    PayloadFlow flow;
    bool is_from_b = false;
    int64_t begin_ns = 0;
    std::array<bool, 2> is_started{};
    std::array<uint32_t, 2> begin_seq{};
  };

  void begin(const Packet& packet, Transport transport, int64_t ts_ns) {
    Building building;
    building.is_from_b = packet.from_b;
    building.begin_ns = ts_ns;
    PayloadFlow& flow = building.flow;
    flow.transport = transport;
    flow.is_ipv6 = packet.key.kind == AddressKind::kIpv6;
    const bool is_numbered = transport == kOverEthernet || transport == kOverIp;
    flow.src_port = packet.from_b ? packet.key.port_b : packet.key.port_a;
    flow.dst_port = packet.from_b ? packet.key.port_a : packet.key.port_b;
    if (is_numbered) flow.src_port = flow.dst_port = packet.key.proto_number;
    by_key_[packet.key] = building_.size();
    building_.push_back(std::move(building));
  }

  const Decoder decoder_{DecodeOptions{}, HashSecret{1, 2}};
  std::vector<Building> building_;
  std::map<FlowKey, size_t, Less> by_key_;
};

inline std::vector<PayloadFlow> flows_of(const std::string& path) {
  InterfaceNames names;
  std::string error;
  GoldenFlows flows;
  const std::unique_ptr<CaptureSource> source = open_capture_file(path, names, error);
  if (source == nullptr) return {};
  Batch batch;
  for (Next next = source->next(batch); next == Next::kData; next = source->next(batch)) {
    for (const Frame& frame : batch.frames) flows.add(frame);
    source->release(batch);
  }
  return flows.take();
}

// Of the source folder that WEIR_SOURCE_DIR names, by name; none when it names none.
inline const std::vector<Golden>& goldens() {
  static const std::vector<Golden> goldens = [] {
    std::vector<Golden> found;
    const char* const source = std::getenv("WEIR_SOURCE_DIR");
    if (source == nullptr) return found;
    const std::filesystem::path folder = std::filesystem::path(source) / "tests/golden";
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (entry.path().extension() != ".pcap") continue;
      found.push_back({entry.path().stem().string(), flows_of(entry.path().string())});
    }
    std::ranges::sort(found, {}, &Golden::name);
    return found;
  }();
  return goldens;
}

}  // namespace weir::test

// SPDX-License-Identifier: Apache-2.0
//
// Packet: a decoded frame, or the reason why there is none. What net/ hands to flow/.
//
// Plain data, reused from burst to burst: decode() sets every member that its verdict makes
// meaningful and nothing else, so a member outside its comment's condition holds what an earlier
// packet left there.
#pragma once

#include <array>
#include <cstdint>

#include "net/flow_key.h"
#include "weir/flow_record.h"
#include "weir/frame.h"
#include "weir/verdict.h"

namespace weir {

enum class FragmentKind : uint8_t {
  kWhole,  // not a fragment (an IPv6 atomic fragment is whole: RFC 6946)
  kFirst,  // offset 0 with more to come: carries the transport header
  kLater,  // offset over 0: no ports; the flow is known only through its first piece
};

// Later pieces of a datagram that came before its first one, all sent by the same end.
struct EarlyPieces {
  FlowCounters counters;  // packets is 0 when there were none
  int64_t first_ts_ns = 0;
  int64_t last_ts_ns = 0;
};

// What the pieces of a fragmented datagram have in common, in one direction. All bytes are
// significant and there is no padding, as in FlowKey.
struct DatagramKey {
  AddressBytes src{};
  AddressBytes dst{};
  uint32_t id = 0;  // identification field
  uint32_t zone = 0;
  // RFC 8200 identifies by addresses and identification alone (a later piece names the first header
  // after the fragment header, which need not be the transport's): 0 for IPv6.
  uint16_t proto_number = 0;
  AddressKind kind = AddressKind::kIpv4;
  ZoneKind zone_kind = ZoneKind::kNone;
  uint32_t reserved = 0;  // always 0

  friend bool operator==(const DatagramKey&, const DatagramKey&) = default;
};
static_assert(sizeof(DatagramKey) == 48 && std::has_unique_object_representations_v<DatagramKey>);

struct Packet {
  const Frame* frame = nullptr;
  Verdict verdict = Verdict::kDecoded;
  Layer layer = Layer::kNone;  // where decoding ended

  // The rest is meaningful only when decoded.
  // Of the outermost fragmented datagram on the way. A first piece of a tunnel's datagram is kFirst
  // with the key of the packet inside; a later piece inside a first one is kLater.
  FragmentKind fragment = FragmentKind::kWhole;
  bool from_b = false;  // the sender is key endpoint b
  bool has_ports = false;
  bool has_macs = false;
  uint8_t tcp_flags = 0;  // TCP: CWR..FIN as on the wire
  uint8_t icmp_type = 0;  // ICMP, ICMPv6
  uint8_t icmp_code = 0;
  bool has_tcp = false;  // tcp_* are set: a TCP header is there (first piece or whole)
  uint16_t tcp_window = 0;
  uint32_t tcp_seq = 0;
  uint32_t tcp_ack = 0;
  uint32_t ip_size = 0;  // of the IP packet whose addresses key the flow; 0 for layer 2
  // Above the transport header, by the length fields (not what was captured).
  uint32_t payload_size = 0;
  uint32_t payload_captured = 0;  // of it, present at `payload`
  const uint8_t* payload = nullptr;
  uint64_t hash = 0;   // keyed hash of `key`
  FlowKey key;         // fragment kLater: ports are 0 and mean nothing
  MacBytes src_mac{};  // has_macs: of the outermost Ethernet header; the endpoints in layer 2
  MacBytes dst_mac{};
  LayerPath path;
  std::array<uint32_t, kLayerCountMax> layer_offsets{};  // of each header of `path` in the frame
  VlanTags vlans;

  // Set by the fragment cache, for a kFirst piece.
  EarlyPieces early;

  // Set by the flow table.
  bool flow_created = false;
  uint64_t flow_id = 0;  // 0 while no flow is known
  AppPath app_path;      // of its flow, with this packet

  DatagramKey datagram;  // set by the decoder: fragments. Last, as it is rarely touched
};

// TCP flag bits (RFC 9293, section 3.1).
inline constexpr uint8_t kTcpFin = 0x01;
inline constexpr uint8_t kTcpSyn = 0x02;
inline constexpr uint8_t kTcpRst = 0x04;
inline constexpr uint8_t kTcpPsh = 0x08;
inline constexpr uint8_t kTcpAck = 0x10;
inline constexpr uint8_t kTcpUrg = 0x20;
inline constexpr uint8_t kTcpEce = 0x40;
inline constexpr uint8_t kTcpCwr = 0x80;

// The letters of the flags, in the order texts have them: "SA", "SAFRPUEC".
struct TcpFlagLetter {
  uint8_t flag;
  char letter;
};
inline constexpr std::array<TcpFlagLetter, 8> kTcpFlagLetters = {{{kTcpSyn, 'S'},
                                                                  {kTcpAck, 'A'},
                                                                  {kTcpFin, 'F'},
                                                                  {kTcpRst, 'R'},
                                                                  {kTcpPsh, 'P'},
                                                                  {kTcpUrg, 'U'},
                                                                  {kTcpEce, 'E'},
                                                                  {kTcpCwr, 'C'}}};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// FlowRecord: the published snapshot of one flow. Copying it copies everything but names: that of its
// interface is an index into the InterfaceNames of the run, those of app and service numbers of the
// run's Catalog.
//
// src is the initiator, dst the responder; `origin` says how weir knows. The meaning of every field
// as a user sees it (name, unit, mappings to IPFIX, Zeek, EVE, ECS) is in the schema rows of
// flow/flow_fields.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "weir/attribute_bytes.h"
#include "weir/verdict.h"

namespace weir {

// What kind of addresses key a flow. A v4-mapped IPv6 address stays IPv6: the kind is part of the
// key. kEui64 is that of IEEE 802.15.4; a short address there has the network's id in bytes 4 and 5
// and itself in bytes 6 and 7, after four zeros.
enum class AddressKind : uint8_t { kMac, kIpv4, kIpv6, kEui64 };

// Whether a flow between such addresses is one of layer 2.
constexpr bool is_link_address(AddressKind kind) noexcept {
  return kind == AddressKind::kMac || kind == AddressKind::kEui64;
}

// An IPv4 address fills the first 4 bytes, a MAC address the first 6, an EUI-64 the first 8; the
// rest is zero.
using AddressBytes = std::array<uint8_t, 16>;
using MacBytes = std::array<uint8_t, 6>;

// What separates two networks that use the same addresses. Default none: flow.zone.
enum class ZoneKind : uint8_t { kNone, kVlan, kVni, kInterface };

enum class FlowState : uint8_t { kNew, kEstablished, kActive, kClosing, kClosed, kIdle, kTimedOut };
inline constexpr size_t kFlowStateCount = 7;

enum class EndReason : uint8_t { kNone, kIdle, kEnd, kForced, kResources, kActive };
inline constexpr size_t kEndReasonCount = 6;

enum class FlowOrigin : uint8_t { kSyn, kFirstPacket, kServicePort };

// Zeek's conn_state of a TCP, UDP or other flow.
enum class ConnState : uint8_t {
  kS0,
  kS1,
  kSf,
  kRej,
  kS2,
  kS3,
  kRsto,
  kRstr,
  kRstos0,
  kRstrh,
  kSh,
  kShr,
  kOth
};

enum class Decision : uint8_t { kUndecided, kAllow, kBlock };

// How weir knows what a flow carries, and how sure it is.
enum class AppConfidence : uint8_t {
  kNone,     // it does not know
  kGuess,    // only the port says so
  kLikely,   // nothing speaks against it, and something for it
  kCertain,  // the bytes can hardly be anything else
};
enum class AppMethod : uint8_t {
  kNone,
  kPort,
  kDpi,       // found in the payload
  kHandover,  // another protocol went over to it
  kExpected,  // another flow announced it
};

// Protocols over the transport as a flow's path shows them, the outermost first: "socks.tls".
inline constexpr size_t kAppPathCountMax = 3;
struct AppPath {
  uint8_t count = 0;
  std::array<uint8_t, kAppPathCountMax> apps{};
  friend bool operator==(const AppPath&, const AppPath&) = default;
};
inline constexpr uint8_t kUnknownApp = 0;
inline constexpr uint16_t kNoService = 0;

const char* app_confidence_name(AppConfidence confidence) noexcept;  // "" for kNone, "guess", …
const char* app_method_name(AppMethod method) noexcept;              // "" for kNone, "port", …
const char* flow_state_name(FlowState state) noexcept;               // "new", "established", …
const char* end_reason_name(EndReason reason) noexcept;    // "" for kNone, else "idle", "end", …
const char* flow_origin_name(FlowOrigin origin) noexcept;  // "syn", "first_packet", "service_port"
const char* conn_state_name(ConnState state) noexcept;     // "S0", "S1", …
const char* decision_name(Decision decision) noexcept;     // "undecided", …

// The headers of a flow's first packet from the outermost, as in `path`.
inline constexpr size_t kLayerCountMax = 16;
struct LayerPath {
  uint8_t count = 0;
  std::array<Layer, kLayerCountMax> layers{};
};

// VLAN ids, outer first, of a flow's first packet.
inline constexpr size_t kTagCountMax = 8;
struct VlanTags {
  uint8_t count = 0;
  std::array<uint16_t, kTagCountMax> ids{};
};

struct FlowCounters {
  uint64_t packets = 0;
  uint64_t bytes = 0;          // wire bytes of whole frames
  uint64_t ip_bytes = 0;       // of the IP packet whose addresses key the flow
  uint64_t payload_bytes = 0;  // above the transport header
};

// What one end of a flow sent.
struct FlowSide {
  AddressBytes address{};
  MacBytes mac{};
  uint16_t port = 0;  // ICMP: type or code as in Community ID
  FlowCounters total;
  FlowCounters delta;  // since the previous interim record; interim records only
  uint32_t tcp_isn = 0;
  uint32_t retransmits = 0;
  uint32_t out_of_order = 0;
  uint8_t tcp_flags = 0;  // union of the flags seen
  bool has_tcp_isn = false;
};

inline constexpr size_t kHistorySizeMax = 32;

struct FlowRecord {
  uint64_t id = 0;  // source ordinal (16 bits) and number of its first frame (48 bits)
  uint32_t sequence = 0;
  bool is_final = true;
  AddressKind address_kind = AddressKind::kMac;
  ZoneKind zone_kind = ZoneKind::kNone;
  bool has_ports = false;
  bool has_macs = false;
  FlowState state = FlowState::kNew;
  EndReason end_reason = EndReason::kNone;
  FlowOrigin origin = FlowOrigin::kFirstPacket;
  ConnState conn_state = ConnState::kOth;
  Decision decision = Decision::kUndecided;
  uint16_t proto_number = 0;  // IP protocol, or EtherType when is_link_address(address_kind)
  uint32_t zone = 0;
  uint32_t interface = 0;
  int32_t uid = -1;
  int64_t first_seen_ns = 0;
  int64_t last_seen_ns = 0;
  int64_t rtt_ns = -1;            // TCP handshake; -1 unknown
  uint16_t udp_typical_size = 0;  // 0 unknown
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  uint8_t history_size = 0;
  std::array<char, kHistorySizeMax> history{};
  LayerPath path;
  VlanTags vlans;
  uint8_t app = kUnknownApp;  // number of the protocol in the run's Catalog
  AppConfidence app_confidence = AppConfidence::kNone;
  AppMethod app_method = AppMethod::kNone;
  AppPath app_path;
  uint16_t service = kNoService;  // number of the service in the run's Catalog
  AttributeBytes attributes;
  FlowSide src;
  FlowSide dst;
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// The rows of packet fields, header by header: what packet_fields.cc reads them by.
//
// Each header is a Protocol without probe and parse (dpi/packet_fields.h), its enumerators are the
// indexes of the protocol's attributes.
//
// Threads: immutable; any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weir {

// In the order of packet_protocols().
enum class PacketHeader : uint8_t {
  kFrame,
  kEthernet,
  kVlan,
  kMpls,
  kPppoe,
  kIp,
  kIpv6,
  kTcp,
  kUdp,
  kSctp,
  kGre,
  kVxlan,
  kGeneve,
  kGtp,
  kOuter,
};
inline constexpr size_t kPacketHeaderCount = 15;

// A row somebody asked for, and its number in the catalogue.
struct WantedField {
  uint16_t number = 0;
  PacketHeader header = PacketHeader::kFrame;
  uint8_t row = 0;

  friend bool operator==(const WantedField&, const WantedField&) = default;
};
using WantedFields = std::span<const WantedField>;

// The rows of each header.
struct FrameRow {
  enum : uint8_t {
    kNumber,
    kTime,
    kLength,
    kCapturedLength,
    kInterface,
    kLinkType,
    kDirection,
    kProtocols
  };
};
struct EthernetRow {
  enum : uint8_t { kSrc, kDst, kType, kLength };
};
struct VlanRow {
  enum : uint8_t { kId, kPriority, kDropEligible, kType };
};
struct MplsRow {
  enum : uint8_t { kLabel, kTrafficClass, kTtl };
};
struct PppoeRow {
  enum : uint8_t { kCode, kSessionId };
};
struct IpRow {
  enum : uint8_t {
    kVersion,
    kSrc,
    kDst,
    kTtl,
    kDscp,
    kEcn,
    kLength,
    kProtocol,
    kId,
    kDontFragment,
    kMoreFragments,
    kFragmentOffset,
    kHeaderLength,
    kHasOptions,
    kChecksum
  };
};
struct Ipv6Row {
  enum : uint8_t {
    kTrafficClass,
    kFlowLabel,
    kPayloadLength,
    kNextHeader,
    kHopLimit,
    kExtensionHeaders
  };
};
struct TcpRow {
  enum : uint8_t {
    kSrcPort,
    kDstPort,
    kSeq,
    kAck,
    kFlags,
    kWindow,
    kHeaderLength,
    kPayloadLength,
    kChecksum,
    kUrgentPointer,
    kOptionKinds,
    kMss,
    kWindowScale,
    kSackPermitted,
    kTimestampValue,
    kTimestampEcho
  };
};
struct UdpRow {
  enum : uint8_t { kSrcPort, kDstPort, kLength, kChecksum };
};
struct SctpRow {
  enum : uint8_t { kSrcPort, kDstPort, kVerificationTag, kChecksum };
};
struct GreRow {
  enum : uint8_t { kFlags, kProtocol, kKey, kCallId, kSequence };
};
struct VxlanRow {
  enum : uint8_t { kFlags, kVni };
};
struct GeneveRow {
  enum : uint8_t { kProtocol, kVni };
};
struct GtpRow {
  enum : uint8_t { kTeid, kSequence };
};
struct OuterRow {
  enum : uint8_t {
    kCount,
    kEthSrc,
    kEthDst,
    kIpSrc,
    kIpDst,
    kIpTtl,
    kIpDscp,
    kIpEcn,
    kIpLength,
    kIpProtocol,
    kUdpSrcPort,
    kUdpDstPort
  };
};

}  // namespace weir

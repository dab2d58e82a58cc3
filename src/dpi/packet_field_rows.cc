// SPDX-License-Identifier: Apache-2.0
//
// What can be asked of a packet's headers: one table per header. RFC 791 (IPv4), RFC 8200 (IPv6),
// RFC 9293 (TCP), RFC 7323 and RFC 2018 (its options), RFC 768 (UDP), RFC 9260 (SCTP), RFC 3032
// (MPLS), RFC 2516 (PPPoE), RFC 2784, 2890 and 2637 (GRE), RFC 7348 (VXLAN), RFC 8926 (Geneve),
// 3GPP TS 29.281 (GTP-U).
#include "dpi/packet_field_rows.h"

#include <array>

#include "dpi/packet_fields.h"

namespace weir {
namespace {

// clang-format off
constexpr Attribute kFrameRows[] = {
    {"frame.number", FieldType::kU64, FrameRow::kNumber, Keep::kFirst,
     "Number of the packet in its source, from 1."},
    {"frame.time", FieldType::kTime, FrameRow::kTime, Keep::kFirst, "When the packet was captured."},
    {"frame.length", FieldType::kU32, FrameRow::kLength, Keep::kFirst, "Size of the frame on the wire.",
     Unit::kBytes},
    {"frame.captured_length", FieldType::kU32, FrameRow::kCapturedLength, Keep::kFirst,
     "What was captured of the frame.", Unit::kBytes},
    {"frame.interface", FieldType::kString, FrameRow::kInterface, Keep::kFirst,
     "Interface or file the packet came from."},
    {"frame.link_type", FieldType::kString, FrameRow::kLinkType, Keep::kFirst,
     "Kind of the link, by tcpdump's name."},
    {"frame.direction", FieldType::kString, FrameRow::kDirection, Keep::kFirst,
     "`inbound` or `outbound`, where the source knows."},
    {"frame.protocols", FieldType::kString, FrameRow::kProtocols, Keep::kFirst,
     "Headers of the packet from the outermost, as in `path`."},
};

constexpr Attribute kEthernetRows[] = {
    {"eth.src", FieldType::kMac, EthernetRow::kSrc, Keep::kFirst, "Sender of the Ethernet frame."},
    {"eth.dst", FieldType::kMac, EthernetRow::kDst, Keep::kFirst, "Receiver of the Ethernet frame."},
    {"eth.type", FieldType::kU16, EthernetRow::kType, Keep::kFirst,
     "EtherType; absent where the field is a length."},
    {"eth.length", FieldType::kU16, EthernetRow::kLength, Keep::kFirst,
     "Length field of an IEEE 802.3 frame.", Unit::kBytes},
};

constexpr Attribute kVlanRows[] = {
    {"vlan.id", FieldType::kU16, VlanRow::kId, Keep::kList, "VLAN ids of all tags, the outer first."},
    {"vlan.priority", FieldType::kU8, VlanRow::kPriority, Keep::kFirst,
     "Priority code point of the innermost tag."},
    {"vlan.drop_eligible", FieldType::kBool, VlanRow::kDropEligible, Keep::kFirst,
     "Whether the innermost tag says that the frame may be dropped."},
    {"vlan.type", FieldType::kU16, VlanRow::kType, Keep::kFirst,
     "EtherType behind the innermost tag; absent where the field is a length, or the kernel took it off."},
};

constexpr Attribute kMplsRows[] = {
    {"mpls.label", FieldType::kU32, MplsRow::kLabel, Keep::kList, "Labels of the stack, the top first."},
    {"mpls.traffic_class", FieldType::kU8, MplsRow::kTrafficClass, Keep::kFirst,
     "Traffic class of the top label."},
    {"mpls.ttl", FieldType::kU8, MplsRow::kTtl, Keep::kFirst, "Time to live of the top label."},
};

constexpr Attribute kPppoeRows[] = {
    {"pppoe.code", FieldType::kU8, PppoeRow::kCode, Keep::kFirst,
     "Code: 0 for a session, others for discovery."},
    {"pppoe.session_id", FieldType::kU16, PppoeRow::kSessionId, Keep::kFirst, "Number of the session."},
};

constexpr Attribute kIpRows[] = {
    {"ip.version", FieldType::kU8, IpRow::kVersion, Keep::kFirst, "4 or 6."},
    {"ip.src", FieldType::kAddress, IpRow::kSrc, Keep::kFirst, "Sender of the IP packet."},
    {"ip.dst", FieldType::kAddress, IpRow::kDst, Keep::kFirst, "Receiver of the IP packet."},
    {"ip.ttl", FieldType::kU8, IpRow::kTtl, Keep::kFirst, "Time to live, or hop limit of IPv6."},
    {"ip.dscp", FieldType::kU8, IpRow::kDscp, Keep::kFirst, "Differentiated services code point."},
    {"ip.ecn", FieldType::kU8, IpRow::kEcn, Keep::kFirst,
     "Explicit congestion notification: 1 and 2 are capable, 3 is congestion."},
    {"ip.length", FieldType::kU32, IpRow::kLength, Keep::kFirst,
     "Size of the IP packet by its length field, which an offloading host leaves 0.", Unit::kBytes},
    {"ip.protocol", FieldType::kU8, IpRow::kProtocol, Keep::kFirst,
     "Protocol number; of IPv6, the one behind the extension headers."},
    {"ip.id", FieldType::kU32, IpRow::kId, Keep::kFirst,
     "Identification; IPv6 has one in pieces only."},
    {"ip.dont_fragment", FieldType::kBool, IpRow::kDontFragment, Keep::kFirst,
     "IPv4: routers must not fragment the packet."},
    {"ip.more_fragments", FieldType::kBool, IpRow::kMoreFragments, Keep::kFirst,
     "Whether further pieces of the datagram follow."},
    {"ip.fragment_offset", FieldType::kU16, IpRow::kFragmentOffset, Keep::kFirst,
     "Where the piece lies in its datagram.", Unit::kBytes},
    {"ip.header_length", FieldType::kU8, IpRow::kHeaderLength, Keep::kFirst,
     "IPv4: size of the header with its options.", Unit::kBytes},
    {"ip.has_options", FieldType::kBool, IpRow::kHasOptions, Keep::kFirst,
     "IPv4: whether the header has options."},
    {"ip.checksum", FieldType::kU16, IpRow::kChecksum, Keep::kFirst,
     "IPv4: checksum of the header as it was sent."},
};

constexpr Attribute kIpv6Rows[] = {
    {"ipv6.traffic_class", FieldType::kU8, Ipv6Row::kTrafficClass, Keep::kFirst, "Traffic class."},
    {"ipv6.flow_label", FieldType::kU32, Ipv6Row::kFlowLabel, Keep::kFirst, "Flow label."},
    {"ipv6.payload_length", FieldType::kU16, Ipv6Row::kPayloadLength, Keep::kFirst,
     "Payload length field: all behind the fixed header.", Unit::kBytes},
    {"ipv6.next_header", FieldType::kU8, Ipv6Row::kNextHeader, Keep::kFirst,
     "Next header field of the fixed header."},
    {"ipv6.hop_limit", FieldType::kU8, Ipv6Row::kHopLimit, Keep::kFirst, "Hop limit."},
    {"ipv6.extension_headers", FieldType::kU8, Ipv6Row::kExtensionHeaders, Keep::kList,
     "Protocol numbers of the extension headers, in their order."},
};

constexpr Attribute kTcpRows[] = {
    {"tcp.src_port", FieldType::kU16, TcpRow::kSrcPort, Keep::kFirst, "Port of the sender."},
    {"tcp.dst_port", FieldType::kU16, TcpRow::kDstPort, Keep::kFirst, "Port of the receiver."},
    {"tcp.seq", FieldType::kU32, TcpRow::kSeq, Keep::kFirst, "Sequence number as it was sent."},
    {"tcp.ack", FieldType::kU32, TcpRow::kAck, Keep::kFirst,
     "Acknowledgment number as it was sent, also without the flag."},
    {"tcp.flags", FieldType::kString, TcpRow::kFlags, Keep::kFirst,
     "Flags that are set, of `SAFRPUEC`."},
    {"tcp.window", FieldType::kU16, TcpRow::kWindow, Keep::kFirst, "Window field, not scaled."},
    {"tcp.header_length", FieldType::kU8, TcpRow::kHeaderLength, Keep::kFirst,
     "Size of the header with its options.", Unit::kBytes},
    {"tcp.payload_length", FieldType::kU32, TcpRow::kPayloadLength, Keep::kFirst,
     "Bytes above the header, by the length fields.", Unit::kBytes},
    {"tcp.checksum", FieldType::kU16, TcpRow::kChecksum, Keep::kFirst, "Checksum as it was sent."},
    {"tcp.urgent_pointer", FieldType::kU16, TcpRow::kUrgentPointer, Keep::kFirst,
     "Urgent pointer as it was sent, also without the flag."},
    {"tcp.option_kinds", FieldType::kU8, TcpRow::kOptionKinds, Keep::kList,
     "Kinds of the options, in their order."},
    {"tcp.mss", FieldType::kU16, TcpRow::kMss, Keep::kFirst, "Maximum segment size option.",
     Unit::kBytes},
    {"tcp.window_scale", FieldType::kU8, TcpRow::kWindowScale, Keep::kFirst,
     "Window scale option: the shift count."},
    {"tcp.sack_permitted", FieldType::kBool, TcpRow::kSackPermitted, Keep::kFirst,
     "True with the option that permits selective acknowledgments, else absent."},
    {"tcp.timestamp_value", FieldType::kU32, TcpRow::kTimestampValue, Keep::kFirst,
     "Timestamps option: clock of the sender."},
    {"tcp.timestamp_echo", FieldType::kU32, TcpRow::kTimestampEcho, Keep::kFirst,
     "Timestamps option: what the other end's clock said."},
};

constexpr Attribute kUdpRows[] = {
    {"udp.src_port", FieldType::kU16, UdpRow::kSrcPort, Keep::kFirst, "Port of the sender."},
    {"udp.dst_port", FieldType::kU16, UdpRow::kDstPort, Keep::kFirst, "Port of the receiver."},
    {"udp.length", FieldType::kU16, UdpRow::kLength, Keep::kFirst,
     "Length field, which counts the header.", Unit::kBytes},
    {"udp.checksum", FieldType::kU16, UdpRow::kChecksum, Keep::kFirst,
     "Checksum as it was sent; 0 is none."},
};

constexpr Attribute kSctpRows[] = {
    {"sctp.src_port", FieldType::kU16, SctpRow::kSrcPort, Keep::kFirst, "Port of the sender."},
    {"sctp.dst_port", FieldType::kU16, SctpRow::kDstPort, Keep::kFirst, "Port of the receiver."},
    {"sctp.verification_tag", FieldType::kU32, SctpRow::kVerificationTag, Keep::kFirst,
     "Verification tag."},
    {"sctp.checksum", FieldType::kU32, SctpRow::kChecksum, Keep::kFirst, "Checksum as it was sent."},
};

constexpr Attribute kGreRows[] = {
    {"gre.flags", FieldType::kU16, GreRow::kFlags, Keep::kFirst, "Flags and version, the first field."},
    {"gre.protocol", FieldType::kU16, GreRow::kProtocol, Keep::kFirst,
     "EtherType of what the tunnel carries."},
    {"gre.key", FieldType::kU32, GreRow::kKey, Keep::kFirst, "Key, where there is one."},
    {"gre.call_id", FieldType::kU16, GreRow::kCallId, Keep::kFirst, "Call of a PPTP tunnel."},
    {"gre.sequence", FieldType::kU32, GreRow::kSequence, Keep::kFirst,
     "Sequence number, where there is one."},
};

constexpr Attribute kVxlanRows[] = {
    {"vxlan.flags", FieldType::kU8, VxlanRow::kFlags, Keep::kFirst, "Flags, the first byte."},
    {"vxlan.vni", FieldType::kU32, VxlanRow::kVni, Keep::kFirst, "Number of the virtual network."},
};

constexpr Attribute kGeneveRows[] = {
    {"geneve.protocol", FieldType::kU16, GeneveRow::kProtocol, Keep::kFirst,
     "EtherType of what the tunnel carries."},
    {"geneve.vni", FieldType::kU32, GeneveRow::kVni, Keep::kFirst, "Number of the virtual network."},
};

constexpr Attribute kGtpRows[] = {
    {"gtp.teid", FieldType::kU32, GtpRow::kTeid, Keep::kFirst, "Tunnel endpoint identifier."},
    {"gtp.sequence", FieldType::kU16, GtpRow::kSequence, Keep::kFirst,
     "Sequence number, where there is one."},
};

constexpr Attribute kOuterRows[] = {
    {"outer.count", FieldType::kU8, OuterRow::kCount, Keep::kFirst,
     "How many packets this one is inside of."},
    {"outer.eth_src", FieldType::kMac, OuterRow::kEthSrc, Keep::kFirst,
     "Sender of the outermost Ethernet frame."},
    {"outer.eth_dst", FieldType::kMac, OuterRow::kEthDst, Keep::kFirst,
     "Receiver of the outermost Ethernet frame."},
    {"outer.ip_src", FieldType::kAddress, OuterRow::kIpSrc, Keep::kFirst,
     "Sender of the outermost IP packet."},
    {"outer.ip_dst", FieldType::kAddress, OuterRow::kIpDst, Keep::kFirst,
     "Receiver of the outermost IP packet."},
    {"outer.ip_ttl", FieldType::kU8, OuterRow::kIpTtl, Keep::kFirst,
     "Time to live of the outermost IP packet, or hop limit of IPv6."},
    {"outer.ip_dscp", FieldType::kU8, OuterRow::kIpDscp, Keep::kFirst,
     "Differentiated services code point of the outermost IP packet."},
    {"outer.ip_ecn", FieldType::kU8, OuterRow::kIpEcn, Keep::kFirst,
     "Explicit congestion notification of the outermost IP packet."},
    {"outer.ip_length", FieldType::kU32, OuterRow::kIpLength, Keep::kFirst,
     "Size of the outermost IP packet by its length field.", Unit::kBytes},
    {"outer.ip_protocol", FieldType::kU8, OuterRow::kIpProtocol, Keep::kFirst,
     "Protocol number of the outermost IP packet."},
    {"outer.udp_src_port", FieldType::kU16, OuterRow::kUdpSrcPort, Keep::kFirst,
     "Sender's port of the outermost packet, for tunnels over UDP."},
    {"outer.udp_dst_port", FieldType::kU16, OuterRow::kUdpDstPort, Keep::kFirst,
     "Receiver's port of the outermost packet, for tunnels over UDP."},
};
// clang-format on

constexpr Protocol kFrame{
    .name = "frame", .help = "The packet as captured.", .attributes = kFrameRows};
constexpr Protocol kEthernet{
    .name = "eth", .help = "The innermost Ethernet header.", .attributes = kEthernetRows};
constexpr Protocol kVlan{.name = "vlan", .help = "VLAN tags.", .attributes = kVlanRows};
constexpr Protocol kMpls{
    .name = "mpls", .help = "The innermost MPLS label stack.", .attributes = kMplsRows};
constexpr Protocol kPppoe{.name = "pppoe", .help = "PPPoE headers.", .attributes = kPppoeRows};
constexpr Protocol kIp{.name = "ip",
                       .help = "The IP header whose addresses the flow has, of either version.",
                       .attributes = kIpRows};
constexpr Protocol kIpv6{.name = "ipv6",
                         .help = "The IPv6 header whose addresses the flow has.",
                         .attributes = kIpv6Rows};
constexpr Protocol kTcp{
    .name = "tcp", .help = "The TCP header of the flow.", .attributes = kTcpRows};
constexpr Protocol kUdp{
    .name = "udp", .help = "The UDP header of the flow.", .attributes = kUdpRows};
constexpr Protocol kSctp{
    .name = "sctp", .help = "The SCTP common header of the flow.", .attributes = kSctpRows};
constexpr Protocol kGre{.name = "gre", .help = "The innermost GRE header.", .attributes = kGreRows};
constexpr Protocol kVxlan{
    .name = "vxlan", .help = "The innermost VXLAN header.", .attributes = kVxlanRows};
constexpr Protocol kGeneve{
    .name = "geneve", .help = "The innermost Geneve header.", .attributes = kGeneveRows};
constexpr Protocol kGtp{
    .name = "gtp", .help = "The innermost GTP-U header of a user packet.", .attributes = kGtpRows};
constexpr Protocol kOuter{.name = "outer",
                          .help = "The outermost headers of a packet that carries another.",
                          .attributes = kOuterRows};

constexpr std::array<const Protocol*, kPacketHeaderCount> kPacketProtocols = {
    &kFrame, &kEthernet, &kVlan, &kMpls,  &kPppoe,  &kIp,  &kIpv6,  &kTcp,
    &kUdp,   &kSctp,     &kGre,  &kVxlan, &kGeneve, &kGtp, &kOuter,
};

// The rows stand where their enumerators say.
constexpr bool are_in_order() {
  for (const Protocol* protocol : kPacketProtocols) {
    for (size_t index = 0; index < protocol->attributes.size(); ++index) {
      if (protocol->attributes[index].index != index) return false;
    }
  }
  return true;
}
static_assert(are_in_order());

}  // namespace

std::span<const Protocol* const> packet_protocols() {
  return kPacketProtocols;
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "dpi/packet_fields.h"
#include "dpi/protocols.h"
#include "dpi/services.h"
#include "flow/community_id.h"
#include "net/packet.h"
#include "net/service_map.h"
#include "weir/standard_catalog.h"

namespace weir {
namespace {

constexpr uint16_t kIcmp = 1;
constexpr uint16_t kTcp = 6;
constexpr uint16_t kIcmpv6 = 58;

bool is_layer2(const FlowRecord& record) {
  return is_link_address(record.address_kind);
}

bool is_tcp(const FlowRecord& record) {
  return !is_layer2(record) && record.proto_number == kTcp;
}

bool is_icmp(const FlowRecord& record) {
  if (is_layer2(record)) return false;
  return record.proto_number == kIcmp || record.proto_number == kIcmpv6;
}

// A text composed in the value's own buffer. What does not fit is cut: only an interface name can
// be that long.
class Composer {
 public:
  explicit Composer(Value& value) : value_(value) {}

  Composer& add(std::string_view text) {
    const size_t room = value_.buffer.size() - size_;
    const std::string_view kept = text.substr(0, room);
    std::copy(kept.begin(), kept.end(), value_.buffer.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += kept.size();
    return *this;
  }
  Composer& add_number(uint32_t number) {
    char digits[10];
    return add({digits, std::to_chars(digits, digits + sizeof digits, number).ptr});
  }
  // What follows the last dot.
  std::string_view last_word() const {
    const std::string_view text(value_.buffer.data(), size_);
    return text.substr(text.rfind('.') + 1);
  }
  void finish() { value_.set_text({value_.buffer.data(), size_}); }

 private:
  Value& value_;
  size_t size_ = 0;
};

// Getters of both ends are one function, told which.
using Side = FlowSide FlowRecord::*;

void get_id(const FlowRecord& record, const RecordNames&, Value& value) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  char digits[16];
  uint64_t rest = record.id;
  for (size_t index = 16; index-- > 0; rest >>= 4) digits[index] = kHexDigits[rest & 15];
  Composer(value).add({digits, sizeof digits}).finish();
}

void get_community_id(const FlowRecord& record, const RecordNames&, Value& value) {
  CommunityIdText text;
  const std::string_view id = community_id(record, text);
  if (!id.empty()) Composer(value).add(id).finish();
}

void get_first_seen(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_time(record.first_seen_ns);
}

void get_last_seen(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_time(record.last_seen_ns);
}

// Unsigned, so that no pair of times overflows; a span over 292 years reads as that.
void get_duration(const FlowRecord& record, const RecordNames&, Value& value) {
  if (record.last_seen_ns <= record.first_seen_ns) return value.set_duration(0);
  const uint64_t span =
      static_cast<uint64_t>(record.last_seen_ns) - static_cast<uint64_t>(record.first_seen_ns);
  value.set_duration(static_cast<int64_t>(std::min<uint64_t>(span, INT64_MAX)));
}

template <Side side>
void get_ip(const FlowRecord& record, const RecordNames&, Value& value) {
  if (!is_layer2(record)) value.set_address(record.address_kind, (record.*side).address);
}

template <Side side>
void get_port(const FlowRecord& record, const RecordNames&, Value& value) {
  if (record.has_ports) value.set_unsigned((record.*side).port);
}

template <Side side>
void get_mac(const FlowRecord& record, const RecordNames&, Value& value) {
  const FlowSide& end = record.*side;
  if (is_layer2(record)) return value.set_address(record.address_kind, end.address);
  if (!record.has_macs) return;
  AddressBytes address{};
  std::copy(end.mac.begin(), end.mac.end(), address.begin());
  value.set_address(AddressKind::kMac, address);
}

void get_proto(const FlowRecord& record, const RecordNames&, Value& value) {
  Composer(value).add(proto_text(is_layer2(record), record.proto_number)).finish();
}

void get_proto_number(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_unsigned(record.proto_number);
}

void get_app(const FlowRecord& record, const RecordNames& names, Value& value) {
  value.set_text(names.catalog == nullptr ? "unknown" : names.catalog->app_name(record.app));
}

void get_app_confidence(const FlowRecord& record, const RecordNames&, Value& value) {
  if (record.app_confidence != AppConfidence::kNone)
    value.set_text(app_confidence_name(record.app_confidence));
}

void get_app_method(const FlowRecord& record, const RecordNames&, Value& value) {
  if (record.app_method != AppMethod::kNone) value.set_text(app_method_name(record.app_method));
}

void get_service(const FlowRecord& record, const RecordNames& names, Value& value) {
  if (record.service != kNoService && names.catalog != nullptr)
    value.set_text(names.catalog->service_name(record.service));
}

void get_origin(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_text(flow_origin_name(record.origin));
}

// True for layers that already say what the flow is of.
bool names_protocol(Layer layer) {
  switch (layer) {
    case Layer::kArp:
    case Layer::kTcp:
    case Layer::kUdp:
    case Layer::kSctp:
    case Layer::kIcmp:
    case Layer::kIcmpv6:
    case Layer::kWpan:
    case Layer::kMpls:
    case Layer::kPppoes:
    case Layer::kPppoed:
    case Layer::kPpp:
    case Layer::kMacsec:
    case Layer::kGre:
    case Layer::kErspan:
    case Layer::kL2tpv3:
    case Layer::kEsp:
    case Layer::kUdplite:
    case Layer::kDccp:
    case Layer::kIgmp:
    case Layer::kPim:
      return true;
    default:
      return false;
  }
}

void get_path(const FlowRecord& record, const RecordNames& names, Value& value) {
  Composer path(value);
  const LayerPath& layers = record.path;
  for (size_t index = 0; index < layers.count; ++index) {
    if (index > 0) path.add(".");
    path.add(layer_name(layers.layers[index]));
  }
  if (layers.count == 0 || !names_protocol(layers.layers[layers.count - 1u])) {
    if (layers.count > 0) path.add(".");
    path.add(proto_text(is_layer2(record), record.proto_number));
  }
  // What the transport's own name says already is not said again: icmp, goose.
  std::string_view last = path.last_word();
  for (size_t index = 0; names.catalog != nullptr && index < record.app_path.count; ++index) {
    const std::string_view app = names.catalog->app_name(record.app_path.apps[index]);
    if (app == last) continue;
    path.add(".").add(app);
    last = app;
  }
  path.finish();
}

void get_vlan(const FlowRecord& record, const RecordNames&, Value& value) {
  static_assert(std::tuple_size_v<decltype(Value::list)> >= kTagCountMax);
  if (record.vlans.count == 0) return;
  value.kind = ValueKind::kListU16;
  value.list = record.vlans.ids;
  value.list_count = record.vlans.count;
}

// The id in each half as the decoder sets it: outermost tag above, innermost below, 0xffff when
// there is one.
void get_zone(const FlowRecord& record, const RecordNames& names, Value& value) {
  Composer zone(value);
  switch (record.zone_kind) {
    case ZoneKind::kNone:
      return;
    case ZoneKind::kVlan:
      zone.add("vlan:").add_number(record.zone >> 16);
      if ((record.zone & 0xffff) != 0xffff) zone.add(".").add_number(record.zone & 0xffff);
      break;
    case ZoneKind::kVni:
      zone.add("vni:").add_number(record.zone);
      break;
    case ZoneKind::kInterface:
      zone.add("interface:").add(names.interface);
      break;
  }
  zone.finish();
}

void get_interface(const FlowRecord&, const RecordNames& names, Value& value) {
  if (!names.interface.empty()) value.set_text(names.interface);
}

void get_state(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_text(flow_state_name(record.state));
}

void get_end_reason(const FlowRecord& record, const RecordNames&, Value& value) {
  if (record.end_reason != EndReason::kNone) value.set_text(end_reason_name(record.end_reason));
}

void get_conn_state(const FlowRecord& record, const RecordNames&, Value& value) {
  if (!is_layer2(record)) value.set_text(conn_state_name(record.conn_state));
}

void get_history(const FlowRecord& record, const RecordNames&, Value& value) {
  if (record.history_size > 0) value.set_text({record.history.data(), record.history_size});
}

template <Side side, size_t counter>
void get_counter(const FlowRecord& record, const RecordNames&, Value& value) {
  constexpr auto kMember = kCounterMembers[counter].member;
  if (kMember == &FlowCounters::ip_bytes && is_layer2(record)) return;
  value.set_unsigned((record.*side).total.*kMember);
}

template <Side side>
void get_tcp_flags(const FlowRecord& record, const RecordNames&, Value& value) {
  const FlowSide& end = record.*side;
  // A sender of packets without any flag (a null scan) has an empty text, a silent end has none.
  if (!is_tcp(record) || end.total.packets == 0) return;
  Composer flags(value);
  for (const TcpFlagLetter& entry : kTcpFlagLetters) {
    if ((end.tcp_flags & entry.flag) != 0) flags.add({&entry.letter, 1});
  }
  flags.finish();
}

template <Side side>
void get_tcp_isn(const FlowRecord& record, const RecordNames&, Value& value) {
  if (is_tcp(record) && (record.*side).has_tcp_isn) value.set_unsigned((record.*side).tcp_isn);
}

void get_rtt(const FlowRecord& record, const RecordNames&, Value& value) {
  if (is_tcp(record) && record.rtt_ns >= 0) value.set_duration(record.rtt_ns);
}

template <Side side>
void get_retransmits(const FlowRecord& record, const RecordNames&, Value& value) {
  if (is_tcp(record)) value.set_unsigned((record.*side).retransmits);
}

template <Side side>
void get_out_of_order(const FlowRecord& record, const RecordNames&, Value& value) {
  if (is_tcp(record)) value.set_unsigned((record.*side).out_of_order);
}

void get_udp_typical_size(const FlowRecord& record, const RecordNames&, Value& value) {
  if (record.udp_typical_size > 0) value.set_unsigned(record.udp_typical_size);
}

void get_icmp_type(const FlowRecord& record, const RecordNames&, Value& value) {
  if (is_icmp(record)) value.set_unsigned(record.icmp_type);
}

void get_icmp_code(const FlowRecord& record, const RecordNames&, Value& value) {
  if (is_icmp(record)) value.set_unsigned(record.icmp_code);
}

void get_uid(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_signed(record.uid);
}

void get_decision(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_text(decision_name(record.decision));
}

void get_final(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_bool(record.is_final);
}

void get_sequence(const FlowRecord& record, const RecordNames&, Value& value) {
  value.set_unsigned(record.sequence);
}

void get_delta(const FlowRecord& record, const RecordNames&, Value& value) {
  if (record.end_reason != EndReason::kActive) return;
  value.kind = ValueKind::kCounters;
  value.src_counters = &record.src.delta;
  value.dst_counters = &record.dst.delta;
}

constexpr Side kSrc = &FlowRecord::src;
constexpr Side kDst = &FlowRecord::dst;
constexpr size_t kPackets = 0;  // indexes of kCounterMembers
constexpr size_t kBytes = 1;
constexpr size_t kIpBytes = 2;
constexpr size_t kPayloadBytes = 3;

// clang-format off
constexpr Field kFields[] = {
    {"id", FieldType::kString, Unit::kNone, "id",
     "Name of the flow in this run: source ordinal and number of its first frame, in hexadecimal.",
     {"flowId (148)", "uid", "flow_id", "flow.id"}, get_id},
    {kCommunityIdField, FieldType::kString, Unit::kNone, "community id",
     "Community ID v1 with seed 0, equal in every tool that prints it; absent for layer-2 flows.",
     {"", "community_id", "community_id", "network.community_id"}, get_community_id},
    {kFirstSeenField, FieldType::kTime, Unit::kNone, "first seen",
     "Earliest timestamp of the flow's packets.",
     {"flowStartNanoseconds (156)", "ts", "flow.start", "event.start"}, get_first_seen},
    {kLastSeenField, FieldType::kTime, Unit::kNone, "last seen",
     "Latest timestamp of the flow's packets.",
     {"flowEndNanoseconds (157)", "", "flow.end", "event.end"}, get_last_seen},
    {"duration", FieldType::kDuration, Unit::kSeconds, "duration",
     "Time from the first to the last packet, never negative.",
     {"flowDurationMilliseconds (161)", "duration", "flow.age", "event.duration"}, get_duration},
    {kSrcIpField, FieldType::kAddress, Unit::kNone, "source",
     "Address of the initiator; absent for layer-2 flows.",
     {"sourceIPv4Address (8), sourceIPv6Address (27)", "id.orig_h", "src_ip", "source.ip"}, get_ip<kSrc>},
    {kDstIpField, FieldType::kAddress, Unit::kNone, "destination",
     "Address of the responder; absent for layer-2 flows.",
     {"destinationIPv4Address (12), destinationIPv6Address (28)", "id.resp_h", "dest_ip", "destination.ip"}, get_ip<kDst>},
    {kSrcPortField, FieldType::kU16, Unit::kNone, "sport",
     "Port of the initiator; for ICMP its message type; absent where the protocol has no ports.",
     {"sourceTransportPort (7)", "id.orig_p", "src_port", "source.port"}, get_port<kSrc>},
    {kDstPortField, FieldType::kU16, Unit::kNone, "dport",
     "Port of the responder; for ICMP the type that answers, or the code of a message without an answer.",
     {"destinationTransportPort (11)", "id.resp_p", "dest_port", "destination.port"}, get_port<kDst>},
    {kSrcMacField, FieldType::kMac, Unit::kNone, "source mac",
     "MAC address of the initiator in the flow's first packet; an endpoint of a layer-2 flow.",
     {"sourceMacAddress (56)", "orig_l2_addr", "ether.src_mac", "source.mac"}, get_mac<kSrc>},
    {kDstMacField, FieldType::kMac, Unit::kNone, "destination mac",
     "MAC address of the responder in the flow's first packet; an endpoint of a layer-2 flow.",
     {"destinationMacAddress (80)", "resp_l2_addr", "ether.dest_mac", "destination.mac"}, get_mac<kDst>},
    {kProtoField, FieldType::kString, Unit::kNone, "proto",
     "IANA keyword of the IP protocol in lower case, or the name of the EtherType of a layer-2 flow.",
     {"protocolIdentifier (4)", "proto", "proto", "network.transport"}, get_proto},
    {"proto_number", FieldType::kU16, Unit::kNone, "number",
     "IP protocol number, or EtherType of a layer-2 flow.",
     {"protocolIdentifier (4), ethernetType (256)", "ip_proto", "", "network.iana_number"}, get_proto_number},
    {kAppField, FieldType::kString, Unit::kNone, "app",
     "Protocol the payload is of, such as `dns` or `tls`; `unknown` when weir cannot tell.",
     {"applicationId (95), applicationName (96)", "service", "app_proto", "network.protocol"}, get_app, Words::protocols()},
    {"app_confidence", FieldType::kString, Unit::kNone, "sure",
     "How sure weir is of `app`: `certain`, `likely`, or `guess` when only a port says so; absent when unknown.",
     {}, get_app_confidence, kAppConfidenceWords},
    {"app_method", FieldType::kString, Unit::kNone, "how",
     "How weir knows `app`: `dpi` (payload), `handover` (another protocol went over to it), `expected` (announced by another flow) or `port`.",
     {}, get_app_method, kAppMethodWords},
    {"service", FieldType::kString, Unit::kNone, "service",
     "Well-known service the flow belongs to, by the host name it asks for; absent when none is known.",
     {"", "", "", "network.application"}, get_service, Words::services()},
    {"origin", FieldType::kString, Unit::kNone, "origin",
     "How weir knows the initiator: `syn`, `first_packet` or `service_port`.",
     {}, get_origin, kFlowOriginWords},
    {"path", FieldType::kString, Unit::kNone, "path",
     "Headers of the flow's first packet from the outermost, then the protocols of its payload.",
     {"", "tunnel_parents", "", ""}, get_path},
    {"vlan", FieldType::kListU16, Unit::kNone, "vlan",
     "VLAN ids of the flow's first packet, outer first; absent without a tag.",
     {"dot1qVlanId (243)", "vlan", "vlan", "network.vlan.id"}, get_vlan},
    {"zone", FieldType::kString, Unit::kNone, "zone",
     "What separates the flow from others with the same addresses, such as `vlan:5`; absent without a zone.",
     {}, get_zone},
    {"interface", FieldType::kString, Unit::kNone, "interface",
     "Interface or capture file of the flow's first packet.",
     {"interfaceName (82)", "", "in_iface", "observer.ingress.interface.name"}, get_interface},
    {"state", FieldType::kString, Unit::kNone, "state",
     "`new`, `established`, `active`, `closing`, `closed`, `idle` or `timed_out`.",
     {"", "", "flow.state", ""}, get_state, kFlowStateWords},
    {kEndReasonField, FieldType::kString, Unit::kNone, "end",
     "Why the record was written: `idle`, `end`, `forced`, `resources`, or `active` for an interim record.",
     {"flowEndReason (136)", "", "flow.reason", "event.reason"}, get_end_reason, kEndReasonWords},
    {"conn_state", FieldType::kString, Unit::kNone, "conn",
     "Zeek's code for how the connection went; absent for layer-2 flows.",
     {"", "conn_state", "", ""}, get_conn_state, kConnStateWords},
    {"history", FieldType::kString, Unit::kNone, "history",
     "Zeek's letters for what happened, upper case for the initiator; absent when there is none.",
     {"", "history", "", ""}, get_history},
    {kSrcPacketsField, FieldType::kU64, Unit::kPackets, "pkts →",
     "Packets the initiator sent.",
     {"packetDeltaCount (2)", "orig_pkts", "flow.pkts_toserver", "source.packets"}, get_counter<kSrc, kPackets>},
    {kDstPacketsField, FieldType::kU64, Unit::kPackets, "pkts ←",
     "Packets the responder sent.",
     {"reverse packetDeltaCount (29305/2)", "resp_pkts", "flow.pkts_toclient", "destination.packets"}, get_counter<kDst, kPackets>},
    {kSrcBytesField, FieldType::kU64, Unit::kBytes, "bytes →",
     "Wire bytes of the frames the initiator sent.",
     {"layer2OctetDeltaCount (352)", "", "flow.bytes_toserver", "source.bytes"}, get_counter<kSrc, kBytes>},
    {kDstBytesField, FieldType::kU64, Unit::kBytes, "bytes ←",
     "Wire bytes of the frames the responder sent.",
     {"reverse layer2OctetDeltaCount (29305/352)", "", "flow.bytes_toclient", "destination.bytes"}, get_counter<kDst, kBytes>},
    {"src_ip_bytes", FieldType::kU64, Unit::kBytes, "ip bytes →",
     "Length of the IP packets the initiator sent; absent for layer-2 flows.",
     {"octetDeltaCount (1)", "orig_ip_bytes", "", ""}, get_counter<kSrc, kIpBytes>},
    {"dst_ip_bytes", FieldType::kU64, Unit::kBytes, "ip bytes ←",
     "Length of the IP packets the responder sent; absent for layer-2 flows.",
     {"reverse octetDeltaCount (29305/1)", "resp_ip_bytes", "", ""}, get_counter<kDst, kIpBytes>},
    {"src_payload_bytes", FieldType::kU64, Unit::kBytes, "payload →",
     "Bytes above the transport header the initiator sent.",
     {"", "orig_bytes (approx.)", "", ""}, get_counter<kSrc, kPayloadBytes>},
    {"dst_payload_bytes", FieldType::kU64, Unit::kBytes, "payload ←",
     "Bytes above the transport header the responder sent.",
     {"", "resp_bytes (approx.)", "", ""}, get_counter<kDst, kPayloadBytes>},
    {"src_tcp_flags", FieldType::kString, Unit::kNone, "flags →",
     "TCP flags the initiator set at least once, as letters of `SAFRPUEC`; absent when it sent nothing.",
     {"tcpControlBits (6)", "", "tcp.tcp_flags_ts", ""}, get_tcp_flags<kSrc>},
    {"dst_tcp_flags", FieldType::kString, Unit::kNone, "flags ←",
     "TCP flags the responder set at least once, as letters of `SAFRPUEC`; absent when it sent nothing.",
     {"reverse tcpControlBits (29305/6)", "", "tcp.tcp_flags_tc", ""}, get_tcp_flags<kDst>},
    {"src_tcp_isn", FieldType::kU32, Unit::kNone, "isn →",
     "Initial TCP sequence number of the initiator; absent when unknown.",
     {"tcpSequenceNumber (184)", "", "", ""}, get_tcp_isn<kSrc>},
    {"dst_tcp_isn", FieldType::kU32, Unit::kNone, "isn ←",
     "Initial TCP sequence number of the responder, from its SYN or the first acknowledgement; absent when unknown.",
     {"reverse tcpSequenceNumber (29305/184)", "", "", ""}, get_tcp_isn<kDst>},
    {"rtt", FieldType::kDuration, Unit::kSeconds, "rtt",
     "Round-trip time of the TCP handshake; absent when the handshake was not seen.",
     {}, get_rtt},
    {"src_retransmits", FieldType::kU32, Unit::kPackets, "retr →",
     "TCP segments of the initiator that were sent before; keep-alives are not counted.",
     {}, get_retransmits<kSrc>},
    {"src_out_of_order", FieldType::kU32, Unit::kPackets, "ooo →",
     "TCP segments of the initiator that filled a hole after later data.",
     {}, get_out_of_order<kSrc>},
    {"dst_retransmits", FieldType::kU32, Unit::kPackets, "retr ←",
     "TCP segments of the responder that were sent before; keep-alives are not counted.",
     {}, get_retransmits<kDst>},
    {"dst_out_of_order", FieldType::kU32, Unit::kPackets, "ooo ←",
     "TCP segments of the responder that filled a hole after later data.",
     {}, get_out_of_order<kDst>},
    {"udp_typical_size", FieldType::kU16, Unit::kBytes, "typical",
     "Most frequent IP packet size by majority vote, exact when over half the packets have it; UDP only.",
     {}, get_udp_typical_size},
    {"icmp_type", FieldType::kU8, Unit::kNone, "type",
     "ICMP type of the flow's first packet.",
     {"icmpTypeCodeIPv4 (32), icmpTypeCodeIPv6 (139)", "id.orig_p", "icmp_type", ""}, get_icmp_type},
    {"icmp_code", FieldType::kU8, Unit::kNone, "code",
     "ICMP code of the flow's first packet.",
     {"icmpTypeCodeIPv4 (32), icmpTypeCodeIPv6 (139)", "id.resp_p", "icmp_code", ""}, get_icmp_code},
    {"uid", FieldType::kI32, Unit::kNone, "uid",
     "User on this machine who owns the socket; -1 when unknown.",
     {"", "", "", "user.id"}, get_uid},
    {"decision", FieldType::kString, Unit::kNone, "decision",
     "What-if label, never enforced: `undecided`, `allow` or `block`.",
     {}, get_decision, kDecisionWords},
    {"final", FieldType::kBool, Unit::kNone, "final",
     "True for the last record of a flow, false for interim records.",
     {}, get_final},
    {"sequence", FieldType::kU32, Unit::kNone, "sequence",
     "Number of the record among the records of its flow, from 0.",
     {}, get_sequence},
    {"delta", FieldType::kCounters, Unit::kNone, "delta",
     "Counters since the previous record of the flow; interim records only.",
     {}, get_delta},
};

constexpr Alias kAliases[] = {
    {"ip", Alias::Means::kEither, {kSrcIpField, kDstIpField}, "The address of either end."},
    {"port", Alias::Means::kEither, {"src_port", "dst_port"}, "The port of either end."},
    {"mac", Alias::Means::kEither, {"src_mac", "dst_mac"}, "The MAC address of either end."},
    {"packets", Alias::Means::kSum, {kSrcPacketsField, kDstPacketsField}, "Packets both ways."},
    {"bytes", Alias::Means::kSum, {kSrcBytesField, kDstBytesField}, "Wire bytes both ways."},
};
// clang-format on

}  // namespace

std::span<const Field> flow_fields() {
  return kFields;
}

std::span<const Alias> flow_aliases() {
  return kAliases;
}

CatalogBuilder standard_catalog(std::vector<Service> services) {
  CatalogBuilder builder;
  builder.add(flow_fields()).add(flow_aliases());
  for (const Protocol* protocol : built_in_protocols()) builder.add(*protocol);
  for (const Protocol* protocol : packet_protocols()) builder.add(*protocol);
  for (Service& service : services) builder.add(std::move(service));
  return builder;
}

CatalogBuilder standard_catalog() {
  return standard_catalog(built_in_services());
}

const Catalog& flow_catalog() {
  static const Catalog catalog = standard_catalog().freeze();
  return catalog;
}

}  // namespace weir

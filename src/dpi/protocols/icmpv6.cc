// SPDX-License-Identifier: Apache-2.0
//
// ICMPv6: RFC 4443; of neighbour discovery (RFC 4861) and multicast listener discovery (RFC 2710,
// RFC 3810) the addresses they are about.
//
//   type 1 | code 1 | checksum 2 | 4 bytes by type | data
//     echo: id 2, sequence 2 · packet too big: mtu 4 · parameter: pointer 4
//     neighbour solicitation and advertisement: 4, target 16 · redirect: 4, target 16, destination 16
//     listener query, report, done: delay 2, 0 2, group 16
//     listener report, version 2: 0 2, count 2, then records: type 1, aux 1, sources 2, group 16, …
//   An error's data is as much of the packet it is about as fits.
//
// The core record has the numbers of the first packet (icmp_type, icmp_code); here are the words, of
// all packets.
#include "dpi/number_names.h"
#include "dpi/protocols/icmp_message.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

enum Type : uint8_t {
  kUnreachable = 1,
  kPacketTooBig = 2,
  kTimeExceeded = 3,
  kParameterProblem = 4,
  kEchoRequest = 128,
  kEchoReply = 129,
  kListenerQuery = 130,
  kListenerReport = 131,
  kListenerDone = 132,
  kNeighborSolicitation = 135,
  kNeighborAdvertisement = 136,
  kRedirect = 137,
  kListenerReport2 = 143,
};

// IANA, "ICMPv6 "type" Numbers", in the spelling of ip6tables.
constexpr NumberName kTypes[] = {
    {1, "destination-unreachable"},
    {2, "packet-too-big"},
    {3, "time-exceeded"},
    {4, "parameter-problem"},
    {128, "echo-request"},
    {129, "echo-reply"},
    {130, "multicast-listener-query"},
    {131, "multicast-listener-report"},
    {132, "multicast-listener-done"},
    {133, "router-solicitation"},
    {134, "router-advertisement"},
    {135, "neighbour-solicitation"},
    {136, "neighbour-advertisement"},
    {137, "redirect"},
    {138, "router-renumbering"},
    {139, "node-information-query"},
    {140, "node-information-response"},
    {141, "inverse-neighbour-solicitation"},
    {142, "inverse-neighbour-advertisement"},
    {143, "multicast-listener-report-v2"},
    {144, "home-agent-discovery-request"},
    {145, "home-agent-discovery-reply"},
    {146, "mobile-prefix-solicitation"},
    {147, "mobile-prefix-advertisement"},
    {148, "certification-path-solicitation"},
    {149, "certification-path-advertisement"},
    {151, "multicast-router-advertisement"},
    {152, "multicast-router-solicitation"},
    {153, "multicast-router-termination"},
    {155, "rpl-control"},
    {157, "duplicate-address-request"},
    {158, "duplicate-address-confirmation"},
    {160, "extended-echo-request"},
    {161, "extended-echo-reply"},
};
static_assert(is_ascending(kTypes));

constexpr NumberName kUnreachableCodes[] = {
    {0, "no-route"},         {1, "communication-prohibited"},
    {2, "beyond-scope"},     {3, "address-unreachable"},
    {4, "port-unreachable"}, {5, "failed-policy"},
    {6, "reject-route"},     {7, "source-route-error"},
};
static_assert(is_ascending(kUnreachableCodes));

constexpr NumberName kTimeExceededCodes[] = {
    {0, "ttl-zero-during-transit"},
    {1, "ttl-zero-during-reassembly"},
};
static_assert(is_ascending(kTimeExceededCodes));

constexpr NumberName kParameterCodes[] = {
    {0, "bad-header"},
    {1, "unknown-header-type"},
    {2, "unknown-option"},
    {3, "incomplete-header-chain"},
};
static_assert(is_ascending(kParameterCodes));

enum : uint8_t {
  kType,
  kCode,
  kId,
  kSequence,
  kDataSize,
  kResponseTime,
  kMtu,
  kPointer,
  kTarget,
  kDestination,
  kGroup,
  kQuoted,
  kQuotedSrcIp,
  kQuotedDstIp,
  kQuotedProto,
  kQuotedSrcPort,
  kQuotedDstPort,
};
constexpr Attribute kAttributes[] = {
    {"icmpv6.type", FieldType::kString, kType, Keep::kList, "What the message is."},
    {"icmpv6.code", FieldType::kString, kCode, Keep::kList,
     "What it says more closely; absent where its type has one code only."},
    {"icmpv6.id", FieldType::kU16, kId, Keep::kFirst, "Identifier of an echo."},
    {"icmpv6.sequence", FieldType::kU16, kSequence, Keep::kLast, "Sequence number of an echo."},
    {"icmpv6.data_size", FieldType::kU32, kDataSize, Keep::kList, "Bytes that an echo carries.",
     Unit::kBytes},
    {"icmpv6.response_time", FieldType::kDuration, kResponseTime, Keep::kFirst,
     "Time from an echo request to its reply, of the first that has one.", Unit::kSeconds},
    {"icmpv6.mtu", FieldType::kU32, kMtu, Keep::kList, "Largest packet the next network takes.",
     Unit::kBytes},
    {"icmpv6.pointer", FieldType::kU32, kPointer, Keep::kFirst,
     "Place of the error in the packet that is quoted."},
    {"icmpv6.target", FieldType::kAddress, kTarget, Keep::kList,
     "Neighbour that is looked for or answers, or next hop of a redirect."},
    {"icmpv6.destination", FieldType::kAddress, kDestination, Keep::kList,
     "Address that a redirect is for."},
    {"icmpv6.group", FieldType::kAddress, kGroup, Keep::kList,
     "Multicast group that is listened to or left."},
    {"icmpv6.quoted", FieldType::kObject, kQuoted, Keep::kList, "Packet an error is about."},
    {"icmpv6.quoted.src_ip", FieldType::kAddress, kQuotedSrcIp, Keep::kFirst, "Its sender."},
    {"icmpv6.quoted.dst_ip", FieldType::kAddress, kQuotedDstIp, Keep::kFirst, "Its receiver."},
    {"icmpv6.quoted.proto", FieldType::kString, kQuotedProto, Keep::kFirst,
     "Its protocol above IP."},
    {"icmpv6.quoted.src_port", FieldType::kU16, kQuotedSrcPort, Keep::kFirst, "Its sender's port."},
    {"icmpv6.quoted.dst_port", FieldType::kU16, kQuotedDstPort, Keep::kFirst,
     "Its receiver's port."},
};
constexpr IcmpIndexes kIndexes{kType, kCode, kId, kSequence, kDataSize, kResponseTime, kQuoted};

Probe probe(const Payload& payload) {
  return payload.address_kind == AddressKind::kIpv6 ? Probe::yes() : Probe::no();
}

std::span<const NumberName> codes_of(uint8_t type) noexcept {
  switch (type) {
    case kUnreachable:
      return kUnreachableCodes;
    case kTimeExceeded:
      return kTimeExceededCodes;
    case kParameterProblem:
      return kParameterCodes;
    default:
      return {};
  }
}

void set_address(Context& context, uint8_t index, ByteReader& reader) noexcept {
  const std::span<const uint8_t> address = reader.bytes(16);
  if (!address.empty()) context.set(index, address);
}

// Groups of a version 2 report; no more than a list keeps.
void set_groups(Context& context, ByteReader reader) noexcept {
  reader.skip(2);
  const uint16_t count = reader.be16();
  for (uint16_t index = 0; index < count && index < kListCountMax && reader.ok(); ++index) {
    reader.skip(1);
    const size_t auxiliary_size = reader.u8() * size_t{4};
    const size_t sources_size = reader.be16() * size_t{16};
    set_address(context, kGroup, reader);
    reader.skip(sources_size + auxiliary_size);
  }
}

constexpr IcmpNames kNames{kTypes, codes_of};

// `reader` stands behind the checksum.
void set_body(Context& context, const Payload& payload, uint8_t type, ByteReader reader) noexcept {
  switch (type) {
    case kEchoRequest:
      set_icmp_echo(context, kIndexes, payload, reader, true);
      return;
    case kEchoReply:
      set_icmp_echo(context, kIndexes, payload, reader, false);
      return;
    case kUnreachable:
    case kTimeExceeded:
    case kPacketTooBig:
    case kParameterProblem: {
      const uint32_t number = reader.be32();
      if (!reader.ok()) return;
      if (type == kPacketTooBig) context.set(kMtu, number);
      if (type == kParameterProblem) context.set(kPointer, number);
      set_icmp_quoted(context, kIndexes, reader);
      return;
    }
    case kListenerQuery:
    case kListenerReport:
    case kListenerDone:
      reader.skip(4);
      set_address(context, kGroup, reader);
      return;
    case kListenerReport2:
      set_groups(context, reader);
      return;
    case kNeighborSolicitation:
    case kNeighborAdvertisement:
      reader.skip(4);
      set_address(context, kTarget, reader);
      return;
    case kRedirect:
      reader.skip(4);
      set_address(context, kTarget, reader);
      set_address(context, kDestination, reader);
      return;
    default:
      return;
  }
}

Parse parse(Context& context, const Payload& payload) {
  ByteReader reader(payload.bytes);
  IcmpKind kind;
  if (!read_icmp_kind(context, kIndexes, kNames, reader, kind)) return Parse::next();
  set_body(context, payload, kind.type, reader);
  context.end_message();
  return Parse::next();
}

}  // namespace

extern const Protocol kIcmpv6{
    .name = "icmpv6",
    .help = "Internet Control Message Protocol of IPv6.",
    .transports = kOverIcmp,
    .attributes = kAttributes,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(IcmpState),
    .every_message = true,
};

}  // namespace weir

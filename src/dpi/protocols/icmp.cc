// SPDX-License-Identifier: Apache-2.0
//
// ICMP: RFC 792; RFC 1191 (next-hop MTU), RFC 1256 (router discovery), RFC 1812 (codes).
//
//   type 1 | code 1 | checksum 2 | 4 bytes by type | data
//     echo: id 2, sequence 2 · unreachable: 0 2, mtu 2 · redirect: gateway 4 · parameter: pointer 1
//   An error's data is the header of the packet it is about and at least 8 bytes behind it.
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
  kEchoReply = 0,
  kUnreachable = 3,
  kSourceQuench = 4,
  kRedirect = 5,
  kEchoRequest = 8,
  kTimeExceeded = 11,
  kParameterProblem = 12,
  kTimestampRequest = 13,
  kTimestampReply = 14,
  kInformationRequest = 15,
  kInformationReply = 16,
  kMaskRequest = 17,
  kMaskReply = 18,
};
constexpr uint8_t kCodeFragmentationNeeded = 4;

// IANA, "ICMP Type Numbers", in the spelling of iptables.
constexpr NumberName kTypes[] = {
    {0, "echo-reply"},
    {3, "destination-unreachable"},
    {4, "source-quench"},
    {5, "redirect"},
    {6, "alternate-host-address"},
    {8, "echo-request"},
    {9, "router-advertisement"},
    {10, "router-solicitation"},
    {11, "time-exceeded"},
    {12, "parameter-problem"},
    {13, "timestamp-request"},
    {14, "timestamp-reply"},
    {15, "information-request"},
    {16, "information-reply"},
    {17, "address-mask-request"},
    {18, "address-mask-reply"},
    {30, "traceroute"},
    {40, "photuris"},
    {42, "extended-echo-request"},
    {43, "extended-echo-reply"},
};
static_assert(is_ascending(kTypes));

constexpr NumberName kUnreachableCodes[] = {
    {0, "network-unreachable"},
    {1, "host-unreachable"},
    {2, "protocol-unreachable"},
    {3, "port-unreachable"},
    {4, "fragmentation-needed"},
    {5, "source-route-failed"},
    {6, "network-unknown"},
    {7, "host-unknown"},
    {8, "source-host-isolated"},
    {9, "network-prohibited"},
    {10, "host-prohibited"},
    {11, "tos-network-unreachable"},
    {12, "tos-host-unreachable"},
    {13, "communication-prohibited"},
    {14, "host-precedence-violation"},
    {15, "precedence-cutoff"},
};
static_assert(is_ascending(kUnreachableCodes));

constexpr NumberName kRedirectCodes[] = {
    {0, "network-redirect"},
    {1, "host-redirect"},
    {2, "tos-network-redirect"},
    {3, "tos-host-redirect"},
};
static_assert(is_ascending(kRedirectCodes));

constexpr NumberName kTimeExceededCodes[] = {
    {0, "ttl-zero-during-transit"},
    {1, "ttl-zero-during-reassembly"},
};
static_assert(is_ascending(kTimeExceededCodes));

constexpr NumberName kParameterCodes[] = {
    {0, "ip-header-bad"},
    {1, "required-option-missing"},
    {2, "bad-length"},
};
static_assert(is_ascending(kParameterCodes));

enum : uint8_t {
  kType,
  kCode,
  kId,
  kSequence,
  kDataSize,
  kResponseTime,
  kGateway,
  kMtu,
  kPointer,
  kQuoted,
  kQuotedSrcIp,
  kQuotedDstIp,
  kQuotedProto,
  kQuotedSrcPort,
  kQuotedDstPort,
};
constexpr Attribute kAttributes[] = {
    {"icmp.type", FieldType::kString, kType, Keep::kList, "What the message is."},
    {"icmp.code", FieldType::kString, kCode, Keep::kList,
     "What it says more closely; absent where its type has one code only."},
    {"icmp.id", FieldType::kU16, kId, Keep::kFirst, "Identifier of an echo or another question."},
    {"icmp.sequence", FieldType::kU16, kSequence, Keep::kLast,
     "Sequence number of an echo or another question."},
    {"icmp.data_size", FieldType::kU32, kDataSize, Keep::kList, "Bytes that an echo carries.",
     Unit::kBytes},
    {"icmp.response_time", FieldType::kDuration, kResponseTime, Keep::kFirst,
     "Time from a question to its answer, of the first that has one.", Unit::kSeconds},
    {"icmp.gateway", FieldType::kAddress, kGateway, Keep::kList, "Router a redirect names."},
    {"icmp.mtu", FieldType::kU16, kMtu, Keep::kList, "Largest packet the next network takes.",
     Unit::kBytes},
    {"icmp.pointer", FieldType::kU8, kPointer, Keep::kFirst,
     "Place of the error in the header that is quoted."},
    {"icmp.quoted", FieldType::kObject, kQuoted, Keep::kList, "Packet an error is about."},
    {"icmp.quoted.src_ip", FieldType::kAddress, kQuotedSrcIp, Keep::kFirst, "Its sender."},
    {"icmp.quoted.dst_ip", FieldType::kAddress, kQuotedDstIp, Keep::kFirst, "Its receiver."},
    {"icmp.quoted.proto", FieldType::kString, kQuotedProto, Keep::kFirst, "Its protocol above IP."},
    {"icmp.quoted.src_port", FieldType::kU16, kQuotedSrcPort, Keep::kFirst, "Its sender's port."},
    {"icmp.quoted.dst_port", FieldType::kU16, kQuotedDstPort, Keep::kFirst, "Its receiver's port."},
};
constexpr IcmpIndexes kIndexes{kType, kCode, kId, kSequence, kDataSize, kResponseTime, kQuoted};

Probe probe(const Payload& payload) {
  return payload.address_kind == AddressKind::kIpv6 ? Probe::no() : Probe::yes();
}

std::span<const NumberName> codes_of(uint8_t type) noexcept {
  switch (type) {
    case kUnreachable:
      return kUnreachableCodes;
    case kRedirect:
      return kRedirectCodes;
    case kTimeExceeded:
      return kTimeExceededCodes;
    case kParameterProblem:
      return kParameterCodes;
    default:
      return {};
  }
}

constexpr IcmpNames kNames{kTypes, codes_of};

// `reader` stands behind the checksum.
void set_error(Context& context, uint8_t type, uint8_t code, ByteReader reader) noexcept {
  ByteReader quoted = reader;
  quoted.skip(4);
  switch (type) {
    case kUnreachable:
      reader.skip(2);
      if (code == kCodeFragmentationNeeded) {
        const uint16_t mtu = reader.be16();
        if (reader.ok()) context.set(kMtu, mtu);
      }
      break;
    case kRedirect: {
      const std::span<const uint8_t> gateway = reader.bytes(4);
      if (!gateway.empty()) context.set(kGateway, gateway);
      break;
    }
    case kParameterProblem: {
      const uint8_t pointer = reader.u8();
      if (reader.ok()) context.set(kPointer, pointer);
      break;
    }
    default:
      break;
  }
  if (quoted.ok()) set_icmp_quoted(context, kIndexes, quoted);
}

Parse parse(Context& context, const Payload& payload) {
  ByteReader reader(payload.bytes);
  IcmpKind kind;
  if (!read_icmp_kind(context, kIndexes, kNames, reader, kind)) return Parse::next();
  switch (kind.type) {
    case kEchoRequest:
    case kTimestampRequest:
    case kInformationRequest:
    case kMaskRequest:
      set_icmp_echo(context, kIndexes, payload, reader, true);
      break;
    case kEchoReply:
    case kTimestampReply:
    case kInformationReply:
    case kMaskReply:
      set_icmp_echo(context, kIndexes, payload, reader, false);
      break;
    case kUnreachable:
    case kSourceQuench:
    case kRedirect:
    case kTimeExceeded:
    case kParameterProblem:
      set_error(context, kind.type, kind.code, reader);
      break;
    default:
      break;
  }
  context.end_message();
  return Parse::next();
}

}  // namespace

extern const Protocol kIcmp{
    .name = "icmp",
    .help = "Internet Control Message Protocol of IPv4.",
    .transports = kOverIcmp,
    .attributes = kAttributes,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(IcmpState),
    .every_message = true,
};

}  // namespace weir

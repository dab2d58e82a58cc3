// SPDX-License-Identifier: Apache-2.0
//
// DHCP (RFC 2131) and its ancestor BOOTP (RFC 951); options of RFC 2132, client name RFC 4702, relay
// information RFC 3046, user class RFC 3004.
//
//   0   op 1 | hardware type 1 | hardware address size 1 | hops 1
//   4   transaction 4 | seconds 2 | flags 2
//   12  client 4 | assigned 4 | next server 4 | relay 4
//   28  hardware address 16 | server name 64 | boot file 128
//   236 cookie 63 82 53 63 | options: code 1 | size 1 | value, 0 = padding, 255 = end
//
// The cookie proves DHCP on any port. BOOTP without it, or a capture that ends before it, is believed
// on ports 67 and 68 alone.
//
// Not here: options in several pieces (RFC 3396): the first piece is taken for the whole.
#include <algorithm>

#include "dpi/number_names.h"
#include "dpi/protocols/dns_message.h"
#include "dpi/text_buffer.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr uint16_t kServerPort = 67;
constexpr uint16_t kClientPort = 68;
constexpr uint16_t kBootServerPort = 4011;  // PXE
constexpr uint8_t kRequest = 1;
constexpr uint8_t kReply = 2;
constexpr size_t kHardwareAddressSizeMax = 16;
constexpr size_t kMacSize = 6;
constexpr size_t kServerNameSize = 64;
constexpr size_t kBootFileSize = 128;
constexpr uint32_t kFixedSize = 236;
constexpr uint32_t kCookie = 0x63825363;
constexpr uint8_t kHopCountMax = 16;  // RFC 1542, section 4.1.1
constexpr uint16_t kFlagBroadcast = 0x8000;
constexpr int64_t kNsPerSecond = 1'000'000'000;

enum Option : uint8_t {
  kOptionPad = 0,
  kOptionSubnetMask = 1,
  kOptionRouters = 3,
  kOptionDnsServers = 6,
  kOptionHostname = 12,
  kOptionDomain = 15,
  kOptionNtpServers = 42,
  kOptionRequestedIp = 50,
  kOptionLeaseTime = 51,
  kOptionOverload = 52,
  kOptionMessageType = 53,
  kOptionServerId = 54,
  kOptionParameters = 55,
  kOptionMessage = 56,
  kOptionRenewalTime = 58,
  kOptionRebindingTime = 59,
  kOptionVendorClass = 60,
  kOptionClientId = 61,
  kOptionTftpServer = 66,
  kOptionBootFile = 67,
  kOptionUserClass = 77,
  kOptionFqdn = 81,
  kOptionRelay = 82,
  kOptionProxyUrl = 252,
  kOptionEnd = 255,
};

// RFC 2132, section 9.6, and IANA.
constexpr NumberName kMessageTypes[] = {
    {1, "discover"},
    {2, "offer"},
    {3, "request"},
    {4, "decline"},
    {5, "ack"},
    {6, "nak"},
    {7, "release"},
    {8, "inform"},
    {9, "forcerenew"},
    {10, "leasequery"},
    {11, "leaseunassigned"},
    {12, "leaseunknown"},
    {13, "leaseactive"},
    {14, "bulkleasequery"},
    {15, "leasequerydone"},
    {16, "activeleasequery"},
    {17, "leasequerystatus"},
    {18, "tls"},
};
static_assert(is_ascending(kMessageTypes));

enum : uint8_t {
  kMessageType,
  kClientMac,
  kClientIp,
  kAssignedIp,
  kRequestedIp,
  kServerId,
  kRelayIp,
  kNextServerIp,
  kHostname,
  kFqdn,
  kDomain,
  kSubnetMask,
  kRouters,
  kDnsServers,
  kNtpServers,
  kLeaseTime,
  kRenewalTime,
  kRebindingTime,
  kVendorClass,
  kUserClass,
  kClientId,
  kParameters,
  kMessage,
  kServerName,
  kBootFile,
  kTftpServer,
  kProxyUrl,
  kCircuitId,
  kRemoteId,
  kTransactionId,
};
constexpr Attribute kAttributes[] = {
    {"dhcp.message_type", FieldType::kString, kMessageType, Keep::kList,
     "discover, offer, request, ack and so on; bootp_request or bootp_reply where none is said."},
    {"dhcp.client_mac", FieldType::kMac, kClientMac, Keep::kFirst,
     "Hardware address of the client."},
    {"dhcp.client_ip", FieldType::kAddress, kClientIp, Keep::kFirst,
     "Address the client has already."},
    {"dhcp.assigned_ip", FieldType::kAddress, kAssignedIp, Keep::kLast,
     "Address the server gives to the client."},
    {"dhcp.requested_ip", FieldType::kAddress, kRequestedIp, Keep::kFirst,
     "Address the client asks for."},
    {"dhcp.server_id", FieldType::kAddress, kServerId, Keep::kList,
     "Address of the server that is meant or answers."},
    {"dhcp.relay_ip", FieldType::kAddress, kRelayIp, Keep::kList,
     "Address of the relay between client and server."},
    {"dhcp.next_server_ip", FieldType::kAddress, kNextServerIp, Keep::kFirst,
     "Server to boot from."},
    {"dhcp.hostname", FieldType::kString, kHostname, Keep::kFirst, "Name the client has."},
    {"dhcp.fqdn", FieldType::kString, kFqdn, Keep::kFirst, "Full name the client has or wants."},
    {"dhcp.domain", FieldType::kString, kDomain, Keep::kFirst, "Domain of the network."},
    {"dhcp.subnet_mask", FieldType::kAddress, kSubnetMask, Keep::kFirst,
     "Subnet mask of the network."},
    {"dhcp.routers", FieldType::kAddress, kRouters, Keep::kList, "Routers of the network."},
    {"dhcp.dns_servers", FieldType::kAddress, kDnsServers, Keep::kList,
     "Name servers of the network."},
    {"dhcp.ntp_servers", FieldType::kAddress, kNtpServers, Keep::kList,
     "Time servers of the network."},
    {"dhcp.lease_time", FieldType::kDuration, kLeaseTime, Keep::kLast,
     "How long the client may keep the address.", Unit::kSeconds},
    {"dhcp.renewal_time", FieldType::kDuration, kRenewalTime, Keep::kLast,
     "When the client shall ask its server to renew.", Unit::kSeconds},
    {"dhcp.rebinding_time", FieldType::kDuration, kRebindingTime, Keep::kLast,
     "When the client shall ask any server to renew.", Unit::kSeconds},
    {"dhcp.vendor_class", FieldType::kString, kVendorClass, Keep::kFirst,
     "What the client is, by its vendor."},
    {"dhcp.user_class", FieldType::kString, kUserClass, Keep::kList,
     "What the client is, by its user."},
    {"dhcp.client_id", FieldType::kBytes, kClientId, Keep::kFirst,
     "Identifier of the client, with its type byte."},
    {"dhcp.parameters", FieldType::kString, kParameters, Keep::kList,
     "Numbers of the options the client asks for, in its order: a fingerprint."},
    {"dhcp.message", FieldType::kString, kMessage, Keep::kFirst, "Text of an error."},
    {"dhcp.server_name", FieldType::kString, kServerName, Keep::kFirst, "Name of the boot server."},
    {"dhcp.boot_file", FieldType::kString, kBootFile, Keep::kFirst, "File to boot."},
    {"dhcp.tftp_server", FieldType::kString, kTftpServer, Keep::kFirst,
     "Name or address of the server that has the boot file."},
    {"dhcp.proxy_url", FieldType::kString, kProxyUrl, Keep::kFirst,
     "Where a browser finds its proxy settings."},
    {"dhcp.circuit_id", FieldType::kBytes, kCircuitId, Keep::kFirst,
     "Port or circuit of the client, as its relay says."},
    {"dhcp.remote_id", FieldType::kBytes, kRemoteId, Keep::kFirst,
     "Identifier of the client's end of the circuit, as its relay says."},
    {"dhcp.transaction_id", FieldType::kU32, kTransactionId, Keep::kFirst,
     "Number that joins question and answer."},
};

// No state: every message stands for itself.

struct FixedPart {
  uint8_t op = 0;
  uint8_t hardware_type = 0;
  uint8_t hardware_size = 0;
  uint8_t hop_count = 0;
  uint32_t transaction = 0;
  uint16_t flags = 0;
};

FixedPart read_fixed_part(ByteReader& reader) noexcept {
  FixedPart part;
  part.op = reader.u8();
  part.hardware_type = reader.u8();
  part.hardware_size = reader.u8();
  part.hop_count = reader.u8();
  part.transaction = reader.be32();
  reader.skip(2);  // seconds
  part.flags = reader.be16();
  return part;
}

Probe probe(const Payload& payload) {
  if (payload.wire_size < kFixedSize) return Probe::no();
  ByteReader reader(payload.bytes);
  const FixedPart part = read_fixed_part(reader);
  if (!reader.ok()) return Probe::maybe();
  if (part.op != kRequest && part.op != kReply) return Probe::no();
  if (part.hardware_size > kHardwareAddressSizeMax || part.hop_count > kHopCountMax)
    return Probe::no();
  if ((part.flags & ~kFlagBroadcast) != 0) return Probe::no();
  const bool is_port = payload.has_port(kServerPort) || payload.has_port(kClientPort);
  reader = ByteReader(payload.bytes);
  reader.skip(kFixedSize);
  const uint32_t cookie = reader.be32();
  if (reader.ok() && cookie == kCookie) return Probe::yes();
  // BOOTP, or a capture that ends before the cookie.
  if (is_port && part.hardware_type != 0) return Probe::yes();
  return reader.ok() || payload.bytes.size() == payload.wire_size ? Probe::no() : Probe::maybe();
}

// Text fields often end with NUL, though they need not.
std::span<const uint8_t> without_nul(std::span<const uint8_t> text) noexcept {
  size_t size = 0;
  while (size < text.size() && text[size] != 0) ++size;
  return text.first(size);
}

void set_text(Context& context, uint8_t index, std::span<const uint8_t> value) noexcept {
  const std::span<const uint8_t> text = without_nul(value);
  if (!text.empty()) context.set(index, text);
}

// Zero is no address.
void set_address(Context& context, uint8_t index, std::span<const uint8_t> address) noexcept {
  if (address.size() == 4 && ByteReader(address).be32() != 0) context.set(index, address);
}

void set_addresses(Context& context, uint8_t index, ByteReader value) noexcept {
  for (size_t count = 0; count < kListCountMax && value.remaining() >= 4; ++count)
    set_address(context, index, value.bytes(4));
}

void set_seconds(Context& context, uint8_t index, ByteReader value) noexcept {
  const uint32_t seconds = value.be32();
  if (value.ok()) context.set_duration(index, int64_t{seconds} * kNsPerSecond);
}

void set_parameters(Context& context, std::span<const uint8_t> codes) noexcept {
  AttributeText text;
  for (const uint8_t code : codes) {
    if (text.is_full()) break;
    if (!text.is_empty()) text.append(',');
    text.append_unsigned(code);
  }
  if (!text.is_empty()) context.set(kParameters, text.view());
}

// Strings with a size each. Microsoft's clients send one string without a size.
void set_user_classes(Context& context, std::span<const uint8_t> value) noexcept {
  ByteReader counting(value);
  while (counting.ok() && counting.remaining() > 0) counting.skip(counting.u8());
  if (!counting.ok()) {
    set_text(context, kUserClass, value);
    return;
  }
  ByteReader reader(value);
  while (reader.remaining() > 0) {
    const uint8_t size = reader.u8();
    set_text(context, kUserClass, reader.bytes(size));
  }
}

void set_fqdn(Context& context, ByteReader value) noexcept {
  constexpr uint8_t kFlagWireFormat = 0x04;  // else plain text, which is obsolete and common
  const uint8_t flags = value.u8();
  value.skip(2);  // two result codes of no use
  if (!value.ok() || value.remaining() == 0) return;
  const std::span<const uint8_t> name = value.bytes(value.remaining());
  if ((flags & kFlagWireFormat) == 0) {
    set_text(context, kFqdn, name);
    return;
  }
  AttributeText text;
  // A partial name has no root at its end: what was read until there is the name.
  ByteReader labels(name);
  read_dns_name(name, labels, &text);
  if (!text.is_empty()) context.set(kFqdn, text.view());
}

void set_relay(Context& context, ByteReader value) noexcept {
  constexpr uint8_t kCircuit = 1, kRemote = 2;
  while (value.remaining() >= 2) {
    const uint8_t code = value.u8();
    const std::span<const uint8_t> part = value.bytes(value.u8());
    if (!value.ok()) return;
    if (code == kCircuit) context.set(kCircuitId, part);
    if (code == kRemote) context.set(kRemoteId, part);
  }
}

void set_option(Context& context, uint8_t code, std::span<const uint8_t> value) noexcept {
  const ByteReader reader(value);
  switch (code) {
    case kOptionSubnetMask:
      set_address(context, kSubnetMask, value);
      return;
    case kOptionRouters:
      set_addresses(context, kRouters, reader);
      return;
    case kOptionDnsServers:
      set_addresses(context, kDnsServers, reader);
      return;
    case kOptionHostname:
      set_text(context, kHostname, value);
      return;
    case kOptionDomain:
      set_text(context, kDomain, value);
      return;
    case kOptionNtpServers:
      set_addresses(context, kNtpServers, reader);
      return;
    case kOptionRequestedIp:
      set_address(context, kRequestedIp, value);
      return;
    case kOptionLeaseTime:
      set_seconds(context, kLeaseTime, reader);
      return;
    case kOptionServerId:
      set_address(context, kServerId, value);
      return;
    case kOptionParameters:
      set_parameters(context, value);
      return;
    case kOptionMessage:
      set_text(context, kMessage, value);
      return;
    case kOptionRenewalTime:
      set_seconds(context, kRenewalTime, reader);
      return;
    case kOptionRebindingTime:
      set_seconds(context, kRebindingTime, reader);
      return;
    case kOptionVendorClass:
      set_text(context, kVendorClass, value);
      return;
    case kOptionClientId:
      context.set(kClientId, value);
      return;
    case kOptionTftpServer:
      set_text(context, kTftpServer, value);
      return;
    case kOptionBootFile:
      set_text(context, kBootFile, value);
      return;
    case kOptionUserClass:
      set_user_classes(context, value);
      return;
    case kOptionFqdn:
      set_fqdn(context, reader);
      return;
    case kOptionRelay:
      set_relay(context, reader);
      return;
    case kOptionProxyUrl:
      set_text(context, kProxyUrl, value);
      return;
    default:
      return;
  }
}

struct OptionsSeen {
  bool has_message_type = false;
  uint8_t overload = 0;  // 1: the boot file field has options; 2: the server name; 3: both
};

void set_options(Context& context, ByteReader reader, OptionsSeen& seen) noexcept {
  while (reader.remaining() > 0) {
    const uint8_t code = reader.u8();
    if (code == kOptionPad) continue;
    if (code == kOptionEnd) return;
    const std::span<const uint8_t> value = reader.bytes(reader.u8());
    if (!reader.ok()) return;
    if (value.empty()) continue;
    if (code == kOptionMessageType) {
      if (!seen.has_message_type) set_name(context, kMessageType, kMessageTypes, value[0]);
      seen.has_message_type = true;
    } else if (code == kOptionOverload) {
      seen.overload = value[0] & 3;
    } else {
      set_option(context, code, value);
    }
  }
}

Parse parse(Context& context, const Payload& payload) {
  ByteReader reader(payload.bytes);
  const FixedPart part = read_fixed_part(reader);
  if (!reader.ok()) return Parse::next();
  if (part.op != kRequest && part.op != kReply) return Parse::next();
  context.set(kTransactionId, part.transaction);
  set_address(context, kClientIp, reader.bytes(4));
  set_address(context, kAssignedIp, reader.bytes(4));
  set_address(context, kNextServerIp, reader.bytes(4));
  set_address(context, kRelayIp, reader.bytes(4));
  const std::span<const uint8_t> hardware_address = reader.bytes(kHardwareAddressSizeMax);
  const bool has_mac =
      std::ranges::any_of(hardware_address, [](uint8_t byte) { return byte != 0; });
  if (part.hardware_size == kMacSize && has_mac)
    context.set(kClientMac, hardware_address.first(kMacSize));
  const std::span<const uint8_t> server_name = reader.bytes(kServerNameSize);
  const std::span<const uint8_t> boot_file = reader.bytes(kBootFileSize);

  OptionsSeen seen;
  const bool has_options = reader.be32() == kCookie && reader.ok();
  if (has_options) set_options(context, reader, seen);
  const uint8_t overload = seen.overload;
  if ((overload & 1) != 0) {
    set_options(context, ByteReader(boot_file), seen);
  } else {
    set_text(context, kBootFile, boot_file);
  }
  if ((overload & 2) != 0) {
    set_options(context, ByteReader(server_name), seen);
  } else {
    set_text(context, kServerName, server_name);
  }
  // Of a message that was cut before its options, none is known.
  const bool is_bootp = has_options || payload.bytes.size() == payload.wire_size;
  if (!seen.has_message_type && is_bootp)
    context.set(kMessageType, part.op == kRequest ? "bootp_request" : "bootp_reply");
  context.end_message();
  return Parse::next();
}

constexpr uint16_t kPorts[] = {kServerPort, kClientPort, kBootServerPort};

}  // namespace

extern const Protocol kDhcp{
    .name = "dhcp",
    .help = "Dynamic Host Configuration Protocol and BOOTP.",
    .transports = kOverUdp,
    .ports = kPorts,
    .attributes = kAttributes,
    .first_bytes = "\x01\x02",
    .probe = probe,
    .parse = parse,
    .every_message = true,
};

}  // namespace weir

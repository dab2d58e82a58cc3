// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/icmp_message.h"

namespace weir {
namespace {

constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kSctp = 132;
constexpr uint8_t kUdpLite = 136;
constexpr uint32_t kEchoHeaderSize = 8;
constexpr int kExtensionCountMax = 8;  // headers of a quoted IPv6 packet that are looked behind
constexpr uint16_t kFragmentOffsetMask = 0x1fff;

// IANA keywords, lower case.
constexpr NumberName kProtocolNames[] = {
    {1, "icmp"},       {2, "igmp"},     {4, "ipv4"},  {6, "tcp"},    {17, "udp"},
    {33, "dccp"},      {41, "ipv6"},    {47, "gre"},  {50, "esp"},   {51, "ah"},
    {58, "ipv6-icmp"}, {89, "ospfigp"}, {103, "pim"}, {132, "sctp"}, {136, "udplite"},
};
static_assert(is_ascending(kProtocolNames));

struct Quoted {
  std::span<const uint8_t> src;
  std::span<const uint8_t> dst;
  uint8_t proto = 0;
  bool has_ports = false;  // the transport header's begin is not in another fragment
};

Quoted read_ipv4(ByteReader& reader) noexcept {
  Quoted quoted;
  const size_t header_size = static_cast<size_t>(reader.u8() & 15) * 4;
  reader.skip(5);
  const uint16_t fragment = reader.be16();
  reader.skip(1);
  quoted.proto = reader.u8();
  reader.skip(2);
  quoted.src = reader.bytes(4);
  quoted.dst = reader.bytes(4);
  constexpr size_t kHeaderSizeMin = 20;
  if (header_size < kHeaderSizeMin) return quoted;
  reader.skip(header_size - kHeaderSizeMin);
  quoted.has_ports = (fragment & kFragmentOffsetMask) == 0;
  return quoted;
}

Quoted read_ipv6(ByteReader& reader) noexcept {
  constexpr uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kDestination = 60;
  Quoted quoted;
  reader.skip(6);
  quoted.proto = reader.u8();
  reader.skip(1);
  quoted.src = reader.bytes(16);
  quoted.dst = reader.bytes(16);
  quoted.has_ports = true;
  for (int index = 0; index < kExtensionCountMax; ++index) {
    const bool is_fragment = quoted.proto == kFragment;
    if (!is_fragment && quoted.proto != kHopByHop && quoted.proto != kRouting &&
        quoted.proto != kDestination)
      break;
    const uint8_t next = reader.u8();
    const size_t size = is_fragment ? 0 : reader.u8() * size_t{8};
    if (is_fragment) {
      reader.skip(1);
      if (reader.be16() >> 3 != 0) quoted.has_ports = false;
      reader.skip(4);
    } else {
      reader.skip(6 + size);
    }
    if (!reader.ok()) break;
    quoted.proto = next;
  }
  return quoted;
}

}  // namespace

bool read_icmp_kind(Context& context, const IcmpIndexes& indexes, const IcmpNames& names,
                    ByteReader& reader, IcmpKind& kind) noexcept {
  kind.type = reader.u8();
  kind.code = reader.u8();
  reader.skip(2);
  if (!reader.ok()) return false;
  set_name(context, indexes.type, names.types, kind.type);
  const std::span<const NumberName> codes = names.codes_of(kind.type);
  if (!codes.empty() || kind.code != 0) set_name(context, indexes.code, codes, kind.code);
  return true;
}

void set_icmp_echo(Context& context, const IcmpIndexes& indexes, const Payload& payload,
                   ByteReader reader, bool is_request) noexcept {
  const uint16_t id = reader.be16();
  const uint16_t sequence = reader.be16();
  if (!reader.ok()) return;
  context.set(indexes.id, id);
  context.set(indexes.sequence, sequence);
  if (payload.wire_size >= kEchoHeaderSize)
    context.set(indexes.data_size, payload.wire_size - kEchoHeaderSize);
  PendingRequests<kIcmpPendingMax>& pending = context.state<IcmpState>().pending;
  const uint32_t key = uint32_t{id} << 16 | sequence;
  int64_t elapsed_ns = 0;
  if (is_request) {
    pending.add(key, payload.ts_ns);
  } else if (pending.take(key, payload.ts_ns, elapsed_ns)) {
    context.set_duration(indexes.response_time, elapsed_ns);
  }
}

void set_icmp_quoted(Context& context, const IcmpIndexes& indexes, ByteReader reader) noexcept {
  ByteReader first = reader;
  const int version = first.u8() >> 4;
  if (version != 4 && version != 6) return;
  const Quoted quoted = version == 4 ? read_ipv4(reader) : read_ipv6(reader);
  if (quoted.dst.empty()) return;
  context.begin_object(indexes.quoted);
  context.set(static_cast<uint8_t>(indexes.quoted + 1), quoted.src);
  context.set(static_cast<uint8_t>(indexes.quoted + 2), quoted.dst);
  set_name(context, static_cast<uint8_t>(indexes.quoted + 3), kProtocolNames, quoted.proto);
  const bool has_ports = quoted.has_ports && (quoted.proto == kTcp || quoted.proto == kUdp ||
                                              quoted.proto == kSctp || quoted.proto == kUdpLite);
  const uint16_t src_port = reader.be16();
  const uint16_t dst_port = reader.be16();
  if (has_ports && reader.ok()) {
    context.set(static_cast<uint8_t>(indexes.quoted + 4), src_port);
    context.set(static_cast<uint8_t>(indexes.quoted + 5), dst_port);
  }
  context.end_object();
}

}  // namespace weir

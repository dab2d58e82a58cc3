// SPDX-License-Identifier: Apache-2.0
#include "export/record_codec.h"

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/assert.h"
#include "weir/field.h"

namespace weir {
namespace {

constexpr uint8_t kMagic = 0x57;
constexpr uint8_t kVersion = 2;

constexpr uint64_t kGroupPort = 1 << 0;
constexpr uint64_t kGroupMac = 1 << 1;
constexpr uint64_t kGroupZone = 1 << 2;
constexpr uint64_t kGroupVlans = 1 << 3;
constexpr uint64_t kGroupHistory = 1 << 4;
constexpr uint64_t kGroupTcp = 1 << 5;
constexpr uint64_t kGroupDelta = 1 << 6;
constexpr uint64_t kGroupRare = 1 << 7;
constexpr uint64_t kGroupApp = 1 << 8;
constexpr uint64_t kGroupAttributes = 1 << 9;
constexpr uint64_t kGroupsKnown = (1 << 10) - 1;

constexpr uint8_t kFinalBit = 1 << 2;

size_t address_size(AddressKind kind) {
  switch (kind) {
    case AddressKind::kMac:
      return 6;
    case AddressKind::kIpv4:
      return 4;
    case AddressKind::kIpv6:
      return 16;
    case AddressKind::kEui64:
      return 8;
  }
  return 0;
}

bool is_zero(const FlowCounters& counters) {
  return (counters.packets | counters.bytes | counters.ip_bytes | counters.payload_bytes) == 0;
}

bool has_tcp(const FlowSide& side) {
  return side.tcp_flags != 0 || side.has_tcp_isn || side.tcp_isn != 0 || side.retransmits != 0 ||
         side.out_of_order != 0;
}

uint64_t groups_of(const FlowRecord& record) {
  uint64_t groups = 0;
  if (record.has_ports) groups |= kGroupPort;
  if (record.has_macs) groups |= kGroupMac;
  if (record.zone_kind != ZoneKind::kNone) groups |= kGroupZone;
  if (record.vlans.count > 0) groups |= kGroupVlans;
  if (record.history_size > 0) groups |= kGroupHistory;
  if (record.rtt_ns >= 0 || has_tcp(record.src) || has_tcp(record.dst)) groups |= kGroupTcp;
  if (!is_zero(record.src.delta) || !is_zero(record.dst.delta)) groups |= kGroupDelta;
  if (record.uid != -1 || record.udp_typical_size != 0 || record.icmp_type != 0 ||
      record.icmp_code != 0 || record.decision != Decision::kUndecided) {
    groups |= kGroupRare;
  }
  const bool has_app = record.app != kUnknownApp || record.app_confidence != AppConfidence::kNone ||
                       record.app_method != AppMethod::kNone || record.app_path.count > 0 ||
                       record.service != kNoService;
  if (has_app) groups |= kGroupApp;
  if (!record.attributes.is_empty()) groups |= kGroupAttributes;
  return groups;
}

uint8_t packed(unsigned low, unsigned high) {
  return static_cast<uint8_t>(low | high << 4);
}

// Writes into a buffer of its own, so that a record costs one append.
class Encoder {
 public:
  void u8(uint8_t value) { bytes_[size_++] = static_cast<char>(value); }
  template <typename Enum>
  void enumeration(Enum value) {
    u8(static_cast<uint8_t>(value));
  }
  void u64(uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) u8(static_cast<uint8_t>(value >> shift));
  }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) u8(static_cast<uint8_t>(value | 0x80));
    u8(static_cast<uint8_t>(value));
  }
  void zigzag(int64_t value) {
    varint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }
  void counters(const FlowCounters& value) {
    for (const CounterMember& counter : kCounterMembers) varint(value.*counter.member);
  }
  void side(const FlowSide& value, const FlowRecord& record) {
    for (size_t index = 0; index < address_size(record.address_kind); ++index)
      u8(value.address[index]);
    if (record.has_macs) {
      for (const uint8_t byte : value.mac) u8(byte);
    }
    if (record.has_ports) varint(value.port);
    counters(value.total);
  }
  void tcp_side(const FlowSide& value) {
    u8(value.tcp_flags);
    u8(value.has_tcp_isn ? 1 : 0);
    varint(value.tcp_isn);
    varint(value.retransmits);
    varint(value.out_of_order);
  }
  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  // The longest record: every group, every varint at its maximum.
  static constexpr size_t kVarintSizeMax = 10;
  static constexpr size_t kFixedSizeMax = 3 + 8 + 10 + 3 + 3 + 8 + 1 + 6 + 1 + 1 + 5 + 3 + 3;
  static constexpr size_t kSideSizeMax = 16 + 6 + 3 + 8 * kVarintSizeMax + 17;  // delta and TCP too
  static constexpr size_t kSizeMax = kFixedSizeMax + 3 * kVarintSizeMax + kLayerCountMax +
                                     3 * kTagCountMax + kHistorySizeMax + 2 * kSideSizeMax + 3 +
                                     kAppPathCountMax + 3 + 3;
  static_assert(kSizeMax + kAttributesSizeMax <= kEncodedRecordSizeMax);
  std::array<char, kSizeMax> bytes_;
  size_t size_ = 0;
};

}  // namespace

void append_encoded(std::string& out, const FlowRecord& record) {
  DASSERT(record.path.count <= kLayerCountMax);
  DASSERT(record.vlans.count <= kTagCountMax);
  DASSERT(record.history_size <= kHistorySizeMax);
  const uint64_t groups = groups_of(record);
  Encoder encoder;
  encoder.u8(kMagic);
  encoder.u8(kVersion);
  encoder.varint(groups);

  encoder.u64(record.id);
  encoder.varint(record.sequence);
  encoder.varint(record.interface);
  encoder.u8(static_cast<uint8_t>(static_cast<unsigned>(record.address_kind) |
                                  (record.is_final ? kFinalBit : 0u)));
  encoder.u8(packed(static_cast<unsigned>(record.state), static_cast<unsigned>(record.end_reason)));
  encoder.u8(
      packed(static_cast<unsigned>(record.conn_state), static_cast<unsigned>(record.origin)));
  encoder.varint(record.proto_number);

  const auto first_seen = static_cast<uint64_t>(record.first_seen_ns);
  encoder.u64(first_seen);
  encoder.zigzag(static_cast<int64_t>(static_cast<uint64_t>(record.last_seen_ns) - first_seen));

  encoder.u8(record.path.count);
  for (size_t index = 0; index < record.path.count; ++index)
    encoder.enumeration(record.path.layers[index]);
  encoder.side(record.src, record);
  encoder.side(record.dst, record);

  if ((groups & kGroupZone) != 0) {
    encoder.enumeration(record.zone_kind);
    encoder.varint(record.zone);
  }
  if ((groups & kGroupVlans) != 0) {
    encoder.u8(record.vlans.count);
    for (size_t index = 0; index < record.vlans.count; ++index)
      encoder.varint(record.vlans.ids[index]);
  }
  if ((groups & kGroupHistory) != 0) {
    encoder.u8(record.history_size);
    for (size_t index = 0; index < record.history_size; ++index) {
      encoder.u8(static_cast<uint8_t>(record.history[index]));
    }
  }
  if ((groups & kGroupTcp) != 0) {
    encoder.varint(record.rtt_ns < 0 ? 0 : static_cast<uint64_t>(record.rtt_ns) + 1);
    encoder.tcp_side(record.src);
    encoder.tcp_side(record.dst);
  }
  if ((groups & kGroupDelta) != 0) {
    encoder.counters(record.src.delta);
    encoder.counters(record.dst.delta);
  }
  if ((groups & kGroupRare) != 0) {
    encoder.zigzag(record.uid);
    encoder.varint(record.udp_typical_size);
    encoder.u8(record.icmp_type);
    encoder.u8(record.icmp_code);
    encoder.enumeration(record.decision);
  }
  if ((groups & kGroupApp) != 0) {
    encoder.u8(record.app);
    encoder.u8(packed(static_cast<unsigned>(record.app_confidence),
                      static_cast<unsigned>(record.app_method)));
    encoder.u8(record.app_path.count);
    for (size_t index = 0; index < record.app_path.count; ++index)
      encoder.u8(record.app_path.apps[index]);
    encoder.varint(record.service);
  }
  if ((groups & kGroupAttributes) != 0) encoder.varint(record.attributes.span().size());
  out.append(encoder.text());
  for (const uint8_t byte : record.attributes.span()) out.push_back(static_cast<char>(byte));
}

namespace {

// Reads what Encoder writes; a value out of its range makes is_good() false from then on, as a
// short read does.
class Decoder {
 public:
  explicit Decoder(ByteReader& reader) : reader_(reader) {}

  bool is_good() const { return is_in_range_ && reader_.ok(); }
  void require(bool condition) { is_in_range_ = is_in_range_ && condition; }

  uint8_t u8(unsigned max = UINT8_MAX) {
    const uint8_t value = reader_.u8();
    if (value <= max) return value;
    is_in_range_ = false;
    return 0;
  }
  template <typename Enum>
  Enum enumeration(Enum last) {
    return static_cast<Enum>(u8(static_cast<unsigned>(last)));
  }
  uint64_t u64() { return reader_.le64(); }

  uint64_t varint(uint64_t max = UINT64_MAX) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = reader_.u8();
      const uint64_t bits = byte & 0x7fu;
      if (shift == 63 && bits > 1) break;  // over 64 bits
      value |= bits << shift;
      if ((byte & 0x80) != 0) continue;
      if ((byte == 0 && shift > 0) || value > max) break;  // not the shortest form, or too large
      return value;
    }
    is_in_range_ = false;
    return 0;
  }
  template <typename T>
  T number() {
    return static_cast<T>(varint(std::numeric_limits<T>::max()));
  }
  int64_t zigzag() {
    const uint64_t value = varint();
    return static_cast<int64_t>(value >> 1 ^ (0 - (value & 1)));
  }

  std::span<const uint8_t> bytes(uint64_t size) { return reader_.bytes(static_cast<size_t>(size)); }

  void counters(FlowCounters& value) {
    for (const CounterMember& counter : kCounterMembers) value.*counter.member = varint();
  }
  void side(FlowSide& value, const FlowRecord& record) {
    reader_.copy(value.address.data(), address_size(record.address_kind));
    if (record.has_macs) reader_.copy(value.mac.data(), value.mac.size());
    if (record.has_ports) value.port = number<uint16_t>();
    counters(value.total);
  }
  void tcp_side(FlowSide& value) {
    value.tcp_flags = u8();
    value.has_tcp_isn = u8(1) != 0;
    value.tcp_isn = number<uint32_t>();
    value.retransmits = number<uint32_t>();
    value.out_of_order = number<uint32_t>();
  }

 private:
  ByteReader& reader_;
  bool is_in_range_ = true;
};

template <typename Enum>
Enum checked(Decoder& decoder, unsigned value, Enum last) {
  decoder.require(value <= static_cast<unsigned>(last));
  return static_cast<Enum>(value);
}

void decode_identity(Decoder& decoder, FlowRecord& record) {
  record.id = decoder.u64();
  record.sequence = decoder.number<uint32_t>();
  record.interface = decoder.number<uint32_t>();
  const uint8_t kinds = decoder.u8(7);
  record.address_kind = checked(decoder, kinds & 3u, AddressKind::kEui64);
  record.is_final = (kinds & kFinalBit) != 0;
  const uint8_t lifecycle = decoder.u8();
  record.state = checked(decoder, lifecycle & 15u, FlowState::kTimedOut);
  record.end_reason = checked(decoder, lifecycle >> 4, EndReason::kActive);
  const uint8_t outcome = decoder.u8();
  record.conn_state = checked(decoder, outcome & 15u, ConnState::kOth);
  record.origin = checked(decoder, outcome >> 4, FlowOrigin::kServicePort);
  record.proto_number = decoder.number<uint16_t>();

  const uint64_t first_seen = decoder.u64();
  record.first_seen_ns = static_cast<int64_t>(first_seen);
  record.last_seen_ns = static_cast<int64_t>(first_seen + static_cast<uint64_t>(decoder.zigzag()));
}

void decode_groups(Decoder& decoder, uint64_t groups, FlowRecord& record) {
  if ((groups & kGroupZone) != 0) {
    record.zone_kind = decoder.enumeration(ZoneKind::kInterface);
    record.zone = decoder.number<uint32_t>();
  }
  if ((groups & kGroupVlans) != 0) {
    record.vlans.count = decoder.u8(kTagCountMax);
    for (size_t index = 0; index < record.vlans.count; ++index) {
      record.vlans.ids[index] = decoder.number<uint16_t>();
    }
  }
  if ((groups & kGroupHistory) != 0) {
    record.history_size = decoder.u8(kHistorySizeMax);
    for (size_t index = 0; index < record.history_size; ++index) {
      const uint8_t letter = decoder.u8(0x7e);
      decoder.require(letter >= 0x21);
      record.history[index] = static_cast<char>(letter);
    }
  }
  if ((groups & kGroupTcp) != 0) {
    // 0, unknown, wraps around to -1.
    record.rtt_ns = static_cast<int64_t>(decoder.varint(uint64_t{1} << 63) - 1);
    decoder.tcp_side(record.src);
    decoder.tcp_side(record.dst);
  }
  if ((groups & kGroupDelta) != 0) {
    decoder.counters(record.src.delta);
    decoder.counters(record.dst.delta);
  }
  if ((groups & kGroupRare) != 0) {
    const int64_t uid = decoder.zigzag();
    decoder.require(uid >= INT32_MIN && uid <= INT32_MAX);
    record.uid = static_cast<int32_t>(uid);
    record.udp_typical_size = decoder.number<uint16_t>();
    record.icmp_type = decoder.u8();
    record.icmp_code = decoder.u8();
    record.decision = decoder.enumeration(Decision::kBlock);
  }
  if ((groups & kGroupApp) != 0) {
    record.app = decoder.u8();
    const uint8_t how = decoder.u8();
    record.app_confidence = checked(decoder, how & 15u, AppConfidence::kCertain);
    record.app_method = checked(decoder, how >> 4, AppMethod::kExpected);
    record.app_path.count = decoder.u8(kAppPathCountMax);
    for (size_t index = 0; index < record.app_path.count; ++index)
      record.app_path.apps[index] = decoder.u8();
    record.service = decoder.number<uint16_t>();
  }
  if ((groups & kGroupAttributes) != 0) {
    const std::span<const uint8_t> block = decoder.bytes(decoder.varint(kAttributesSizeMax));
    decoder.require(!block.empty());
    record.attributes = AttributeBytes(block);
  }
}

}  // namespace

bool decode_record(ByteReader& reader, FlowRecord& record) {
  record = FlowRecord();
  Decoder decoder(reader);
  decoder.require(decoder.u8() == kMagic);
  decoder.require(decoder.u8() == kVersion);
  const uint64_t groups = decoder.varint(kGroupsKnown);
  if (!decoder.is_good()) return false;
  record.has_ports = (groups & kGroupPort) != 0;
  record.has_macs = (groups & kGroupMac) != 0;

  decode_identity(decoder, record);
  record.path.count = decoder.u8(kLayerCountMax);
  for (size_t index = 0; index < record.path.count; ++index) {
    record.path.layers[index] = static_cast<Layer>(decoder.u8(kLayerCount - 1));
  }
  if (!decoder.is_good()) return false;
  decoder.side(record.src, record);
  decoder.side(record.dst, record);
  decode_groups(decoder, groups, record);
  // A group of defaults is not what an encoder writes.
  decoder.require(groups == groups_of(record));
  return decoder.is_good();
}

}  // namespace weir

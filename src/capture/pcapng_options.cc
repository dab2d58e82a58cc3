// SPDX-License-Identifier: Apache-2.0
#include "capture/pcapng_options.h"

#include <algorithm>
#include <string>

namespace weir {

namespace {

constexpr uint16_t kOptionPacketFlags = 2;
constexpr uint16_t kOptionInterfaceDrop = 5;
constexpr uint16_t kOptionSystemDrop = 7;

constexpr uint16_t kNameRecordIpv4 = 1;
constexpr uint16_t kNameRecordIpv6 = 2;

}  // namespace

bool next_pcapng_option(ByteReader& reader, std::endian order, PcapngOption& option) {
  if (reader.remaining() == 0) return false;
  option.code = reader.u16(order);
  option.size = reader.u16(order);
  option.value = reader.bytes(option.size);
  if (!reader.ok() || option.code == kPcapngOptionEnd) return false;
  reader.skip(pcapng_padding(option.size));
  return reader.ok();
}

Direction pcapng_packet_direction(ByteReader options, std::endian order) {
  PcapngOption option;
  while (next_pcapng_option(options, order, option)) {
    if (option.code != kOptionPacketFlags || option.size != 4) continue;
    const uint32_t way = ByteReader(option.value).u32(order) & 3;
    if (way == 1) return Direction::kInbound;
    if (way == 2) return Direction::kOutbound;
    return Direction::kUnknown;
  }
  return Direction::kUnknown;
}

void read_interface_drops(ByteReader options, std::endian order, InterfaceDrops& drops) {
  PcapngOption option;
  while (next_pcapng_option(options, order, option)) {
    if (option.size != 8) continue;
    const uint64_t count = ByteReader(option.value).u64(order);
    if (option.code == kOptionInterfaceDrop) drops.by_interface = count;
    if (option.code == kOptionSystemDrop) drops.by_system = count;
  }
}

void read_name_record(uint16_t type, std::span<const uint8_t> value, NameRecords& records) {
  if (type != kNameRecordIpv4 && type != kNameRecordIpv6) return;
  ByteReader reader(value);
  const std::span<const uint8_t> address = reader.bytes(type == kNameRecordIpv4 ? 4 : 16);
  if (!reader.ok()) return;
  // The names of the address follow, each ended by a zero. The first one is enough.
  const std::span<const uint8_t> names = reader.bytes(reader.remaining());
  const auto end = std::find(names.begin(), names.end(), uint8_t{0});
  records.add(address, std::string(names.begin(), end));
}

}  // namespace weir

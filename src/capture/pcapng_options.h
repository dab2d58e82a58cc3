// SPDX-License-Identifier: Apache-2.0
//
// What pcapng blocks carry besides packets: options, interface statistics, name records
// (draft-ietf-opsawg-pcapng, sections 3.5, 4.5, 4.6).
//
//   option, name record: type u16 | length u16 | value, padded to 4
//
// All of it is extra: what is damaged here is left out, and the reading of the file goes on.
// Not here: the blocks themselves (pcapng_file.cc).
//
// Threads: functions without state.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "base/byte_reader.h"
#include "capture/name_records.h"
#include "weir/frame.h"

namespace weir {

inline constexpr uint16_t kPcapngOptionEnd = 0;

// Bytes that make a length a multiple of 4.
constexpr uint32_t pcapng_padding(uint32_t size) {
  return (4 - size % 4) % 4;
}

struct PcapngOption {
  uint16_t code = kPcapngOptionEnd;
  uint16_t size = 0;
  std::span<const uint8_t> value;
};

// Reads one option. False at the end of the list; `reader` is not ok() when the list is damaged.
bool next_pcapng_option(ByteReader& reader, std::endian order, PcapngOption& option);

// The direction in the flags option of a packet block.
Direction pcapng_packet_direction(ByteReader options, std::endian order);

// What an interface statistics block says was lost since the start of the capture.
struct InterfaceDrops {
  uint64_t by_interface = 0;  // isb_ifdrop
  uint64_t by_system = 0;     // isb_osdrop
};
// Sets what the options have and leaves the rest.
void read_interface_drops(ByteReader options, std::endian order, InterfaceDrops& drops);

// Adds the names of one name record; those of types other than IPv4 and IPv6 are not for us.
void read_name_record(uint16_t type, std::span<const uint8_t> value, NameRecords& records);

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Frame: the bytes of one link-layer frame as a source recorded them, and what the source knew
// about it.
//
// This is the unit everything starts from. A capture source fills frames, the numbering stage
// (capture/input.h) adds `number`, `source` and `clock_ns`, and the decoder only reads them.
//
// Ownership: a Frame never owns its bytes. `data` lives until the batch it came in is released, or,
// for frames a library user makes, until Handler::process() returns.
#pragma once

#include <cstdint>

namespace weir {

// Which way a frame crossed the interface it was recorded on. Files rarely know.
enum class Direction : uint8_t { kUnknown, kInbound, kOutbound };

// What the source knows of the checksums. Offloading makes wrong checksums normal on a sending
// host, so nothing in weir calls a packet bad because of one; the field is for those who show it.
enum class ChecksumStatus : uint8_t { kUnknown, kUnverified, kValid };

struct Frame {
  const uint8_t* data = nullptr;
  uint32_t captured_size = 0;  // bytes at `data`; at most kFrameSizeMax
  uint32_t wire_size = 0;      // original length on the wire, as recorded (a captured FCS counts)
  int64_t ts_ns = 0;         // what the source recorded, ns since 1970-01-01 UTC; may step anywhere
  int64_t clock_ns = 0;      // decides lifetimes; never steps back (capture/source_clock.h)
  uint64_t number = 0;       // 1-based within its source; 48 bits
  uint64_t file_offset = 0;  // of the record header, in the uncompressed stream; 0 for live sources
  uint32_t interface = 0;    // index into the InterfaceNames of the run
  uint16_t source = 0;       // ordinal of the source in this run, 1-based
  uint16_t link_type = 0;    // LINKTYPE_ number of the capture file formats (1 = Ethernet)
  uint16_t vlan_tci = 0;   // tag the kernel stripped; valid only with has_vlan (VID 0 is a tag too)
  uint16_t vlan_tpid = 0;  // its TPID; 0 when the kernel did not say (then 0x8100 is meant)
  bool has_vlan = false;
  // Longer than kFrameSizeMax: no bytes, only wire_size (shed{oversized}).
  bool is_oversized = false;
  Direction direction = Direction::kUnknown;
  ChecksumStatus checksum = ChecksumStatus::kUnknown;
};
static_assert(sizeof(Frame) == 64, "one cache line");

// Of Frame::interface and FlowRecord::interface: nobody knows which.
inline constexpr uint32_t kNoInterface = UINT32_MAX;

// Longest frame that is looked into. A super-frame of GRO/TSO reaches 64 KiB, BIG TCP 256 KiB.
inline constexpr uint32_t kFrameSizeMax = 256 * 1024;

}  // namespace weir

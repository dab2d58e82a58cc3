// SPDX-License-Identifier: Apache-2.0
//
// The floors weir is measured against: what the least program takes that reads every packet of a
// capture. They use none of weir's readers, for a floor that shared them would move with them.
//
//   floor_read   read() in blocks, a step per record, and a look at the type, addresses and ports
//                of every frame: the least that any program can do that looks at every packet. For
//                pcap files of this machine's byte order; packets are loaded bare, for it checks
//                no more than that they end within the block.
//   floor_pcap   counts the packets with libpcap (pcap_loop) and does nothing else: the least a
//                program built on libpcap can do.
//
// Threads: any; each call reads by itself.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

// What a floor did: how many packets the file has. `error` is one line when it cannot be read.
struct FloorCount {
  uint64_t packet_count = 0;
  std::string error;
};

FloorCount floor_read(const std::string& path);
FloorCount floor_pcap(const std::string& path);
// "libpcap version 1.10.3 (with TPACKET_V3)".
std::string libpcap_version();

}  // namespace weir

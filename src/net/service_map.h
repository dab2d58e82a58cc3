// SPDX-License-Identifier: Apache-2.0
//
// The service map: which ports and EtherTypes are known by name, and the names of IP protocols.
// One table (service_map.inc): IANA's names plus the industrial ones; a test compares it with the
// IANA list.
//
// Threads: immutable; any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// "https" for (6, 443); empty when the port is not in the map. proto_number is an IP protocol
// number.
std::string_view service_name(uint16_t proto_number, uint16_t port) noexcept;

// How much a port looks like a service's: 0 not at all, 1 a registered or industrial service, 2 a
// system port (below 1024) of the map. The end with the higher rank is taken for the responder when
// a capture starts mid-stream.
int service_rank(uint16_t proto_number, uint16_t port) noexcept;

// IANA keyword in lower case: "tcp", "ipv6-icmp", "gre"; empty when unassigned.
std::string_view ip_protocol_name(uint8_t number) noexcept;
// "arp", "goose", "profinet"; empty when not in the map.
std::string_view ethertype_name(uint16_t ethertype) noexcept;

// The `proto` of a flow: IANA keyword, or "ip-proto-253"; the EtherType's name, or
// "ethertype-0x1234", or "llc-0x06" for a service access point of LLC.
std::string proto_text(bool is_layer2, uint16_t proto_number);

}  // namespace weir

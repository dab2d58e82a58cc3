// SPDX-License-Identifier: Apache-2.0
//
// ICMP as a flow: the ports stand-in of Community ID v1.
//
// A two-way type is a question or its answer. Its flow has the two types as ports, each at the end
// that sends it, so that echo request (8, 0) and echo reply (0, 8) are the two directions of one
// flow. Every other message is one-way: its ports are type and code, and the two directions are two
// flows.
//
// Threads: stateless; any.
#pragma once

#include <cstdint>

namespace weir {

// ip_proto 1 (ICMP) or 58 (ICMPv6); false for any other.
bool icmp_is_two_way(uint16_t ip_proto, uint8_t type) noexcept;

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Community ID v1 (github.com/corelight/community-id-spec), seed 0: a name for a flow that Zeek,
// Suricata and others print too, so that one flow can be found in all of them. Both directions have
// the same id.
//
//   "1:" + base64(SHA-1(seed(2) | address | address | protocol(1) | 0 | [port(2) | port(2)]))
//
// The endpoint with the smaller (address, port) comes first, except for ICMP messages that have no
// answer: they keep source and destination as they are.
//
// Errors: none; a flow without IP addresses has no id.
// Threads: any.
#pragma once

#include <array>
#include <string_view>

#include "weir/flow_record.h"

namespace weir {

inline constexpr size_t kCommunityIdSize = 30;
using CommunityIdText = std::array<char, kCommunityIdSize>;

// The id, in `text`; empty for a layer-2 flow.
std::string_view community_id(const FlowRecord& record, CommunityIdText& text);

}  // namespace weir

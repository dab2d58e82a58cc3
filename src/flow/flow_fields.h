// SPDX-License-Identifier: Apache-2.0
//
// The schema rows of the flow record, in output order.
//
// The few names that other code asks the catalogue for are constants here, so that a field is
// spelled once.
//
// Threads: immutable; any.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "weir/catalog.h"
#include "weir/field.h"

namespace weir {

inline constexpr std::string_view kCommunityIdField = "community_id";
inline constexpr std::string_view kFirstSeenField = "first_seen";
inline constexpr std::string_view kLastSeenField = "last_seen";
inline constexpr std::string_view kSrcIpField = "src_ip";
inline constexpr std::string_view kDstIpField = "dst_ip";
inline constexpr std::string_view kSrcMacField = "src_mac";
inline constexpr std::string_view kDstMacField = "dst_mac";
inline constexpr std::string_view kProtoField = "proto";
inline constexpr std::string_view kAppField = "app";
inline constexpr std::string_view kSrcPortField = "src_port";
inline constexpr std::string_view kDstPortField = "dst_port";
inline constexpr std::string_view kEndReasonField = "end_reason";
inline constexpr std::string_view kSrcPacketsField = "src_packets";
inline constexpr std::string_view kDstPacketsField = "dst_packets";
inline constexpr std::string_view kSrcBytesField = "src_bytes";
inline constexpr std::string_view kDstBytesField = "dst_bytes";

std::span<const Field> flow_fields();
// What filters may say for both ends of a flow: `ip`, `port`, `bytes` and so on.
std::span<const Alias> flow_aliases();
// The standard catalogue with other services than the built-in ones.
CatalogBuilder standard_catalog(std::vector<Service> services);
// The standard catalogue (weir/standard_catalog.h), frozen: built at first use, the same for the whole
// process.
const Catalog& flow_catalog();

}  // namespace weir

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

#include "schema/catalog.h"
#include "schema/field.h"

namespace weir {

inline constexpr std::string_view kCommunityIdField = "community_id";
inline constexpr std::string_view kFirstSeenField = "first_seen";
inline constexpr std::string_view kLastSeenField = "last_seen";
inline constexpr std::string_view kSrcIpField = "src_ip";
inline constexpr std::string_view kDstIpField = "dst_ip";
inline constexpr std::string_view kEndReasonField = "end_reason";
inline constexpr std::string_view kSrcPacketsField = "src_packets";
inline constexpr std::string_view kDstPacketsField = "dst_packets";
inline constexpr std::string_view kSrcBytesField = "src_bytes";
inline constexpr std::string_view kDstBytesField = "dst_bytes";

std::span<const Field> flow_fields();
// The catalogue of these rows: built at first use, the same for the whole process.
const Catalog& flow_catalog();

}  // namespace weir

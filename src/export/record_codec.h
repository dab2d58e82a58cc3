// SPDX-License-Identifier: Apache-2.0
//
// The serialized flow record: docs/formats/flow_record.md, version 2.
//
// For what weir keeps or moves itself (sorted runs of flows); people and programs get JSON and CSV.
// What does not apply to a record (an address byte beyond its kind, a letter beyond history_size, a
// port when has_ports is false) is not kept: it decodes as zero.
//
// Errors: decoding bytes that are not exactly what encoding writes returns false; nothing is
// allocated by a length.
// Threads: pure functions; any.
#pragma once

#include <cstddef>
#include <string>

#include "base/byte_reader.h"
#include "weir/flow_record.h"

namespace weir {

// Most bytes a record can take.
inline constexpr size_t kEncodedRecordSizeMax = 512 + 1024;

void append_encoded(std::string& out, const FlowRecord& record);

// Reads one record and leaves the reader behind it. On false `record` holds anything.
[[nodiscard]] bool decode_record(ByteReader& reader, FlowRecord& record);

}  // namespace weir

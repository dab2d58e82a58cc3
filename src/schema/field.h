// SPDX-License-Identifier: Apache-2.0
//
// Field: one column of weir's output, declared once, beside the code that fills it.
//
// JSON keys, CSV columns, table headings, sort keys, docs and (later) SQL columns, filter names and
// API types are all derived from these rows through the Catalog. No other file spells a field's
// name.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "schema/value.h"
#include "weir/flow_record.h"

namespace weir {

enum class FieldType : uint8_t {
  kBool,
  kU8,
  kU16,
  kU32,
  kU64,
  kI32,
  kString,
  kAddress,
  kMac,
  kTime,
  kDuration,
  kListU16,
  kCounters,  // an object of counters: delta {…}
};
const char* field_type_name(FieldType type) noexcept;  // the word used in docs

enum class Unit : uint8_t { kNone, kPackets, kBytes, kSeconds };
const char* unit_name(Unit unit) noexcept;  // "", "packets", "bytes", "seconds"

// The counters of one end of a flow, in output order. The fields of the flow record and the members
// of its delta are made of these names with "src_" or "dst_" in front.
struct CounterMember {
  std::string_view name;
  uint64_t FlowCounters::*member;
};
inline constexpr std::array<CounterMember, 4> kCounterMembers = {{
    {"packets", &FlowCounters::packets},
    {"bytes", &FlowCounters::bytes},
    {"ip_bytes", &FlowCounters::ip_bytes},
    {"payload_bytes", &FlowCounters::payload_bytes},
}};

// What a field is called elsewhere; empty where there is no such thing.
struct Mappings {
  std::string_view ipfix, zeek, eve, ecs;
};

// What a getter may look at besides the record.
struct RecordNames {
  std::string_view interface;  // of FlowRecord::interface
};

struct Field {
  std::string_view name;  // snake_case; dotted for protocol attributes
  FieldType type;
  Unit unit;
  std::string_view heading;  // of a table column, as short as can be understood
  std::string_view help;     // one sentence
  Mappings mappings;
  // Fills `value`, which is absent on entry; leaves it absent when the field does not apply to this
  // flow.
  void (*get)(const FlowRecord& record, const RecordNames& names, Value& value);
};

}  // namespace weir

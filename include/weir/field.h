// SPDX-License-Identifier: Apache-2.0
//
// Field: one column of weir's output, declared once, beside the code that fills it.
//
// JSON keys, CSV columns, table headings, sort keys, filter names, docs and (later) SQL columns and
// API types are all derived from these rows through the Catalog. No other file spells a field's
// name. The columns of a flow record are Field rows (flow/flow_fields.cc); what a protocol finds in
// payload are Attribute rows in its own file, of which the catalogue makes fields.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "weir/flow_record.h"
#include "weir/value.h"
#include "weir/words.h"

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
  kBytes,
  kObject,  // its members are rows of their own: "dns.answers.name" of "dns.answers"
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

class Catalog;

// What a getter may look at besides the record.
struct RecordNames {
  std::string_view interface;  // of FlowRecord::interface
  const Catalog* catalog =
      nullptr;  // of FlowRecord::app and service; never null where they are asked
};

// Of an attribute that a flow has met several values of, which are kept.
enum class Keep : uint8_t {
  kFirst,
  kLast,
  kList,   // up to kListCountMax different ones, in the order of first sight
  kCount,  // how many there were: the value is a number
};
const char* keep_name(Keep keep) noexcept;  // "first", "last", "list", "count"

inline constexpr size_t kListCountMax = 8;          // values of a list attribute
inline constexpr size_t kAttributeSizeMax = 256;    // bytes of one value; longer ones are cut
inline constexpr size_t kAttributesSizeMax = 1024;  // bytes of all values of one flow, as encoded
inline constexpr uint16_t kNoAttribute = UINT16_MAX;

// One thing a protocol finds, declared beside the code that finds it.
struct Attribute {
  std::string_view name;  // "tls.sni": the protocol's name, a dot, snake_case
  FieldType type;
  uint8_t index;  // its place in the protocol's list, which its enumerator says
  Keep keep;
  std::string_view help;  // one sentence
  Unit unit = Unit::kNone;
  bool names_service = false;  // a host name that tells the service (FlowRecord::service)
};

struct Field {
  std::string_view name;  // snake_case; dotted for protocol attributes
  FieldType type;
  Unit unit;
  std::string_view heading;  // of a table column, as short as can be understood
  std::string_view help;     // one sentence
  Mappings mappings;
  // Fills `value`, which is absent on entry; leaves it absent when the field does not apply to this
  // flow. Null: the field is an attribute.
  void (*get)(const FlowRecord& record, const RecordNames& names, Value& value) = nullptr;
  Words words = {};  // which texts there can be

  // Attributes only.
  uint16_t attribute = kNoAttribute;  // its number in attribute blocks
  uint16_t parent = kNoAttribute;  // the object it is a member of; such a field has no value itself
  Keep keep = Keep::kFirst;
  bool names_service = false;

  bool is_attribute() const noexcept { return attribute != kNoAttribute; }
  bool is_member() const noexcept { return parent != kNoAttribute; }
  bool is_list() const noexcept { return is_attribute() && keep == Keep::kList; }
};

// A name for two fields together, one of each end of a flow: for filters, not for output.
struct Alias {
  enum class Means : uint8_t {
    kEither,  // the values of both: `port == 53` holds when one of them is 53
    kSum,     // one value, what both add up to; of unsigned numbers
  };
  std::string_view name;
  Means means;
  std::array<std::string_view, 2> members;  // names of fields of one type
  std::string_view help;                    // one sentence
};

// The value of any field in a record: by its getter, or from the record's attributes.
void get_value(const Field& field, const FlowRecord& record, const RecordNames& names,
               Value& value);

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "weir/field.h"

#include "base/assert.h"
#include "weir/attribute_block.h"

namespace weir {

const char* field_type_name(FieldType type) noexcept {
  switch (type) {
    case FieldType::kBool:
      return "bool";
    case FieldType::kU8:
      return "uint8";
    case FieldType::kU16:
      return "uint16";
    case FieldType::kU32:
      return "uint32";
    case FieldType::kU64:
      return "uint64";
    case FieldType::kI32:
      return "int32";
    case FieldType::kString:
      return "string";
    case FieldType::kAddress:
      return "address";
    case FieldType::kMac:
      return "mac";
    case FieldType::kTime:
      return "time";
    case FieldType::kDuration:
      return "duration";
    case FieldType::kListU16:
      return "list of uint16";
    case FieldType::kCounters:
    case FieldType::kObject:
      return "object";
    case FieldType::kBytes:
      return "bytes";
  }
  ASSERT(false && "every type is listed");
}

const char* keep_name(Keep keep) noexcept {
  switch (keep) {
    case Keep::kFirst:
      return "first";
    case Keep::kLast:
      return "last";
    case Keep::kList:
      return "list";
    case Keep::kCount:
      return "count";
  }
  ASSERT(false && "every way is listed");
}

void get_value(const Field& field, const FlowRecord& record, const RecordNames& names,
               Value& value) {
  value.kind = ValueKind::kAbsent;
  if (field.get != nullptr) {
    field.get(record, names, value);
  } else {
    find_attribute(field, record.attributes.span(), value);
  }
}

const char* unit_name(Unit unit) noexcept {
  switch (unit) {
    case Unit::kNone:
      return "";
    case Unit::kPackets:
      return "packets";
    case Unit::kBytes:
      return "bytes";
    case Unit::kSeconds:
      return "seconds";
  }
  ASSERT(false && "every unit is listed");
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "export/json_lines.h"

#include "base/text.h"

namespace weir {
namespace {

void append_counters(std::string& out, const Value& value) {
  out.push_back('{');
  for (const CounterMember& counter : kCounterMembers) {
    out.append(out.back() == '{' ? "\"src_" : ",\"src_").append(counter.name).append("\":");
    append_unsigned(out, value.src_counters->*counter.member);
    out.append(",\"dst_").append(counter.name).append("\":");
    append_unsigned(out, value.dst_counters->*counter.member);
  }
  out.push_back('}');
}

void append_list(std::string& out, const Value& value) {
  out.push_back('[');
  for (size_t index = 0; index < value.list_count; ++index) {
    if (index > 0) out.push_back(',');
    append_unsigned(out, value.list[index]);
  }
  out.push_back(']');
}

// `value` is not absent.
void append_json_value(std::string& out, const Value& value) {
  switch (value.kind) {
    case ValueKind::kText:
      append_json_string(out, value.text);
      return;
    case ValueKind::kAddress:
    case ValueKind::kTime:
      // Digits, letters and colons only: nothing to escape.
      out.push_back('"');
      append_text(out, value);
      out.push_back('"');
      return;
    case ValueKind::kDuration:
      append_seconds_short(out, value.signed_number);
      return;
    case ValueKind::kListU16:
      append_list(out, value);
      return;
    case ValueKind::kCounters:
      append_counters(out, value);
      return;
    default:
      append_text(out, value);
      return;
  }
}

}  // namespace

JsonFormat::JsonFormat(const Catalog& catalog) {
  for (const Field& field : catalog.fields()) {
    members_.push_back({"\"" + std::string(field.name) + "\":", field.get});
  }
}

void JsonFormat::append(std::string& out, const FlowRecord& record,
                        const RecordNames& names) const {
  Value value;
  char before = '{';
  for (const Member& member : members_) {
    value.kind = ValueKind::kAbsent;
    member.get(record, names, value);
    if (value.kind == ValueKind::kAbsent) continue;
    out.push_back(before);
    before = ',';
    out.append(member.key);
    append_json_value(out, value);
  }
  out.append(before == '{' ? "{}" : "}");
}

JsonLines::JsonLines(const Catalog& catalog, const ExportOptions&, OutputStream& stream)
    : format_(catalog), stream_(stream) {}

void JsonLines::write(const FlowRecord& record, const RecordNames& names) {
  format_.append(stream_.buffer(), record, names);
  stream_.buffer().push_back('\n');
  stream_.commit();
}

}  // namespace weir

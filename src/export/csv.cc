// SPDX-License-Identifier: Apache-2.0
#include "export/csv.h"

#include "base/text.h"
#include "weir/attribute_block.h"

namespace weir {
namespace {

void append_counter_names(std::string& out, std::string_view field_name) {
  for (const CounterMember& counter : kCounterMembers) {
    if (&counter != &kCounterMembers.front()) out.push_back(',');
    out.append(field_name).append(".src_").append(counter.name).push_back(',');
    out.append(field_name).append(".dst_").append(counter.name);
  }
}

void append_counters(std::string& out, const Value& value) {
  for (const CounterMember& counter : kCounterMembers) {
    if (&counter != &kCounterMembers.front()) out.push_back(',');
    append_unsigned(out, value.src_counters->*counter.member);
    out.push_back(',');
    append_unsigned(out, value.dst_counters->*counter.member);
  }
}

void append_cell(std::string& out, const Catalog& catalog, const Field& field, const Value& value) {
  if (value.kind == ValueKind::kList || value.kind == ValueKind::kObject) {
    // Objects as JSON, which is the one form that holds any of them.
    std::string text;
    if (field.type == FieldType::kObject) {
      append_json(text, catalog, value);
    } else {
      append_text(text, catalog, value);
    }
    append_csv_text(out, text);
  } else if (value.kind == ValueKind::kText) {
    append_csv_text(out, value.text);
  } else if (value.kind == ValueKind::kCounters) {
    append_counters(out, value);
  } else if (field.type == FieldType::kCounters) {
    out.append(2 * kCounterMembers.size() - 1, ',');
  } else {
    append_text(out, value);
  }
}

}  // namespace

Csv::Csv(const Catalog& catalog, const ExportOptions& options, OutputStream& stream)
    : catalog_(catalog), fields_(options.fields), stream_(stream) {
  if (!fields_.empty()) return;
  for (const Field& field : catalog.fields()) {
    if (!field.is_attribute()) fields_.push_back(&field);
  }
}

void Csv::begin() {
  std::string& out = stream_.buffer();
  char before = 0;
  for (const Field* field : fields_) {
    if (before != 0) out.push_back(before);
    before = ',';
    if (field->type == FieldType::kCounters) {
      append_counter_names(out, field->name);
    } else {
      out.append(field->name);
    }
  }
  out.push_back('\n');
  stream_.commit();
}

void Csv::write(const FlowRecord& record, const RecordNames& names) {
  std::string& out = stream_.buffer();
  Value value;
  char before = 0;
  for (const Field* field : fields_) {
    if (before != 0) out.push_back(before);
    before = ',';
    get_value(*field, record, names, value);
    append_cell(out, catalog_, *field, value);
  }
  out.push_back('\n');
  stream_.commit();
}

}  // namespace weir

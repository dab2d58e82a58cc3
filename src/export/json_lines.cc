// SPDX-License-Identifier: Apache-2.0
#include "export/json_lines.h"

#include "weir/attribute_block.h"

namespace weir {
JsonFormat::JsonFormat(const Catalog& catalog, std::span<const Field* const> fields)
    : catalog_(catalog), is_chosen_(!fields.empty()) {
  const auto add = [this](const Field& field) {
    if (field.is_attribute()) {
      attributes_.push_back(&field);
    } else {
      members_.push_back({"\"" + std::string(field.name) + "\":", field.get});
    }
  };
  for (const Field* field : fields) add(*field);
  if (is_chosen_) return;
  for (const Field& field : catalog.fields()) add(field);
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
    append_json(out, catalog_, value);
  }
  if (before == '{') out.push_back('{');
  if (!record.attributes.is_empty()) {
    std::span<const uint8_t> block = record.attributes.span();
    std::vector<uint8_t> chosen;
    if (is_chosen_) {
      append_chosen(chosen, block, attributes_);
      block = chosen;
    }
    if (before == ',' && !block.empty()) out.push_back(',');
    append_json_attributes(out, catalog_, block);
  }
  out.push_back('}');
}

JsonLines::JsonLines(const Catalog& catalog, const ExportOptions& options, OutputStream& stream)
    : format_(catalog, options.fields), stream_(stream) {}

void JsonLines::write(const FlowRecord& record, const RecordNames& names) {
  format_.append(stream_.buffer(), record, names);
  stream_.buffer().push_back('\n');
  stream_.commit();
}

}  // namespace weir

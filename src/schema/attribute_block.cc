// SPDX-License-Identifier: Apache-2.0
#include "weir/attribute_block.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "weir/byte_reader.h"

namespace weir {
namespace {

std::string_view text_of(std::span<const uint8_t> bytes) {
  return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

uint64_t number_of(std::span<const uint8_t> bytes) {
  uint64_t number = 0;
  for (size_t index = std::min<size_t>(bytes.size(), 8); index-- > 0;)
    number = number << 8 | bytes[index];
  return number;
}

void set_address(std::span<const uint8_t> bytes, Value& value) {
  AddressBytes address{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), address.size()), address.begin());
  switch (bytes.size()) {
    case 4:
      return value.set_address(AddressKind::kIpv4, address);
    case 6:
      return value.set_address(AddressKind::kMac, address);
    case 8:
      return value.set_address(AddressKind::kEui64, address);
    case 16:
      return value.set_address(AddressKind::kIpv6, address);
    default:
      return;
  }
}

// "answers" of "dns.answers", "ttl" of "dns.answers.ttl".
std::string_view last_word(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

// The entries of one list from the reader's next one on, which is `first`.
std::span<const uint8_t> list_from(std::span<const uint8_t> rest, uint16_t number) {
  AttributeReader reader(rest);
  AttributeEntry entry;
  std::span<const uint8_t> after = rest;
  while (reader.next(entry) && entry.number == number) after = reader.rest();
  return rest.first(rest.size() - after.size());
}

void append_json_at(std::string& out, const Catalog& catalog, const Value& value, size_t depth);

// The members of an object, or the attributes of one protocol, from `rest` on as long as `is_mine`.
template <typename IsMine>
void append_members(std::string& out, const Catalog& catalog, std::span<const uint8_t>& rest,
                    size_t depth, const IsMine& is_mine) {
  out.push_back('{');
  AttributeEntry entry;
  Value value;
  for (AttributeReader reader(rest); reader.next(entry);) {
    const Field* field = catalog.attribute(entry.number);
    if (field != nullptr && !is_mine(*field)) break;
    std::span<const uint8_t> entries = list_from(rest, entry.number);
    if (field == nullptr || !field->is_list())
      entries = entries.first(kEntryHeaderSize + entry.value.size());
    rest = rest.subspan(entries.size());
    reader = AttributeReader(rest);
    if (field == nullptr) continue;
    value.kind = ValueKind::kAbsent;
    find_attribute(*field, entries, value);
    if (value.kind == ValueKind::kAbsent) continue;
    if (out.back() != '{') out.push_back(',');
    append_json_string(out, last_word(field->name));
    out.push_back(':');
    append_json_at(out, catalog, value, depth);
  }
  out.push_back('}');
}

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

void append_json_at(std::string& out, const Catalog& catalog, const Value& value, size_t depth) {
  switch (value.kind) {
    case ValueKind::kText:
      append_json_string(out, value.text);
      return;
    case ValueKind::kBytes:
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
      out.push_back('[');
      for (size_t index = 0; index < value.list_count; ++index) {
        if (index > 0) out.push_back(',');
        append_unsigned(out, value.list[index]);
      }
      out.push_back(']');
      return;
    case ValueKind::kCounters:
      append_counters(out, value);
      return;
    case ValueKind::kList: {
      out.push_back('[');
      Value list = value;
      Value element;
      const Field* field = nullptr;
      while (next_element(catalog, list, field, element)) {
        if (out.back() != '[') out.push_back(',');
        append_json_at(out, catalog, element, depth);
      }
      out.push_back(']');
      return;
    }
    case ValueKind::kObject: {
      std::span<const uint8_t> rest = value.encoded;
      if (depth == kNestingMax) rest = {};
      append_members(out, catalog, rest, depth + 1, [](const Field&) { return true; });
      return;
    }
    default:
      append_text(out, value);
      return;
  }
}

void append_text_at(std::string& out, const Catalog& catalog, const Value& value, size_t depth) {
  if (value.kind != ValueKind::kList && value.kind != ValueKind::kObject)
    return append_text(out, value);
  if (depth == kNestingMax) return;
  const bool is_object = value.kind == ValueKind::kObject;
  if (is_object) out.push_back('{');
  bool is_first = true;
  Value rest = value;
  Value element;
  const Field* field = nullptr;
  while (next_element(catalog, rest, field, element)) {
    if (!is_first) out.push_back(' ');
    is_first = false;
    if (is_object) out.append(last_word(field->name)).push_back('=');
    append_text_at(out, catalog, element, is_object ? depth + 1 : depth);
  }
  if (is_object) out.push_back('}');
}

}  // namespace

bool AttributeReader::next(AttributeEntry& entry) noexcept {
  ByteReader reader(rest_);
  entry.number = reader.le16();
  const uint16_t size = reader.le16();
  entry.value = reader.bytes(size);
  if (!reader.ok()) {
    rest_ = {};
    return false;
  }
  rest_ = rest_.subspan(kEntryHeaderSize + size);
  return true;
}

void decode_attribute(const Field& field, const AttributeEntry& entry, Value& value) {
  if (field.keep == Keep::kCount) return value.set_unsigned(number_of(entry.value));
  switch (field.type) {
    case FieldType::kBool:
      return value.set_bool(number_of(entry.value) != 0);
    case FieldType::kU8:
    case FieldType::kU16:
    case FieldType::kU32:
    case FieldType::kU64:
      return value.set_unsigned(number_of(entry.value));
    case FieldType::kI32:
      return value.set_signed(static_cast<int32_t>(number_of(entry.value)));
    case FieldType::kString:
      return value.set_text(text_of(entry.value));
    case FieldType::kBytes:
      return value.set_bytes(text_of(entry.value));
    case FieldType::kAddress:
    case FieldType::kMac:
      return set_address(entry.value, value);
    case FieldType::kTime:
      return value.set_time(static_cast<int64_t>(number_of(entry.value)));
    case FieldType::kDuration:
      return value.set_duration(static_cast<int64_t>(number_of(entry.value)));
    case FieldType::kObject:
      value.kind = ValueKind::kObject;
      value.encoded = entry.value;
      return;
    case FieldType::kListU16:
    case FieldType::kCounters:
      return;  // no attribute has them
  }
}

void find_attribute(const Field& field, std::span<const uint8_t> block, Value& value) {
  AttributeEntry entry;
  std::span<const uint8_t> rest = block;
  for (AttributeReader reader(block); reader.next(entry); rest = reader.rest()) {
    if (entry.number != field.attribute) continue;
    if (!field.is_list()) return decode_attribute(field, entry, value);
    value.kind = ValueKind::kList;
    value.encoded = list_from(rest, entry.number);
    return;
  }
}

bool next_element(const Catalog& catalog, Value& list, const Field*& field, Value& element) {
  AttributeReader reader(list.encoded);
  AttributeEntry entry;
  while (reader.next(entry)) {
    list.encoded = reader.rest();
    field = catalog.attribute(entry.number);
    if (field == nullptr) continue;
    element.kind = ValueKind::kAbsent;
    decode_attribute(*field, entry, element);
    if (element.kind != ValueKind::kAbsent) return true;
  }
  return false;
}

void append_text(std::string& out, const Catalog& catalog, const Value& value) {
  append_text_at(out, catalog, value, 0);
}

void append_json(std::string& out, const Catalog& catalog, const Value& value) {
  append_json_at(out, catalog, value, 0);
}

void append_entry(std::vector<uint8_t>& out, uint16_t number, std::span<const uint8_t> value) {
  for (const size_t word : {size_t{number}, value.size()}) {
    out.push_back(static_cast<uint8_t>(word));
    out.push_back(static_cast<uint8_t>(word >> 8));
  }
  out.insert(out.end(), value.begin(), value.end());
}

void append_chosen(std::vector<uint8_t>& out, std::span<const uint8_t> block,
                   std::span<const Field* const> fields) {
  AttributeEntry entry;
  std::span<const uint8_t> rest = block;
  for (AttributeReader reader(block); reader.next(entry); rest = reader.rest()) {
    const auto is_asked = [&entry](const Field* field) { return field->attribute == entry.number; };
    if (std::none_of(fields.begin(), fields.end(), is_asked)) continue;
    const auto whole = rest.first(rest.size() - reader.rest().size());
    out.insert(out.end(), whole.begin(), whole.end());
  }
}

void append_json_attributes(std::string& out, const Catalog& catalog,
                            std::span<const uint8_t> block) {
  bool is_first = true;
  AttributeEntry entry;
  for (AttributeReader reader(block); reader.next(entry); reader = AttributeReader(block)) {
    const Field* field = catalog.attribute(entry.number);
    if (field == nullptr) {
      block = reader.rest();
      continue;
    }
    const std::string_view group = field->name.substr(0, field->name.find('.'));
    if (!is_first) out.push_back(',');
    is_first = false;
    append_json_string(out, group);
    out.push_back(':');
    append_members(out, catalog, block, 0, [group](const Field& member) {
      return member.name.starts_with(group) && member.name[group.size()] == '.';
    });
  }
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "export/event_lines.h"

#include <algorithm>

#include "base/text.h"
#include "flow/flow_fields.h"
#include "weir/attribute_block.h"

namespace weir {
namespace {

// What is known of the flow, as a record of it has it.
FlowRecord record_of(const MessageEvent& message) {
  FlowRecord record;
  const bool is_initiator = message.side == Side::kInitiator;
  FlowSide& sender = is_initiator ? record.src : record.dst;
  FlowSide& receiver = is_initiator ? record.dst : record.src;
  record.id = message.flow_id;
  record.address_kind = message.address_kind;
  record.has_ports = message.has_ports;
  record.proto_number = message.proto_number;
  record.first_seen_ns = record.last_seen_ns = message.ts_ns;
  record.app = message.protocol;
  sender.address = message.sender;
  receiver.address = message.receiver;
  sender.port = message.sender_port;
  receiver.port = message.receiver_port;
  return record;
}

void append_member(std::string& out, std::string_view key) {
  out.push_back(',');
  append_json_string(out, key);
  out.push_back(':');
}

}  // namespace

void append_event(std::string& out, const Catalog& catalog, const MessageEvent& message,
                  std::span<const uint8_t> block, std::span<const Field* const> fields) {
  const FlowRecord record = record_of(message);
  const RecordNames names{{}, &catalog};
  Value value;
  out.append("{\"time\":\"");
  append_time(out, message.ts_ns);
  out.append("\",\"event\":");
  append_json_string(out, catalog.app_name(message.protocol));
  out.append(",\"flow_id\":\"");
  append_hex(out, message.flow_id, 16);
  out.append("\",\"sender\":");
  out.append(message.side == Side::kInitiator ? "\"src\"" : "\"dst\"");
  const bool is_link = is_link_address(record.address_kind);
  for (const std::string_view name :
       {kProtoField, is_link ? kSrcMacField : kSrcIpField, kSrcPortField,
        is_link ? kDstMacField : kDstIpField, kDstPortField}) {
    get_value(*catalog.find(name), record, names, value);
    if (value.kind == ValueKind::kAbsent) continue;
    append_member(out, name);
    append_json(out, catalog, value);
  }
  if (!fields.empty()) {
    std::vector<uint8_t> chosen;
    append_chosen(chosen, block, fields);
    if (!chosen.empty()) out.push_back(',');
    append_json_attributes(out, catalog, chosen);
  } else if (!block.empty()) {
    out.push_back(',');
    append_json_attributes(out, catalog, block);
  }
  out.append("}\n");
}

EventValues::EventValues(const Catalog& catalog, const MessageEvent& message,
                         std::span<const uint8_t> block)
    : message_(block), record_(record_of(message)), names_{{}, &catalog} {}

void EventValues::value(const Field& field, Value& value) const {
  if (field.is_attribute()) return message_.value(field, value);
  get_value(field, record_, names_, value);
}

}  // namespace weir

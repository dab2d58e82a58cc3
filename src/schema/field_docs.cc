// SPDX-License-Identifier: Apache-2.0
#include "schema/field_docs.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace weir {
namespace {

constexpr std::string_view kIntroduction =
    R"(<!-- Written by `weir protocols flow --markdown`; a test compares. Do not edit. -->
# The fields of a flow record

One row per field, in output order: the keys of JSON, the columns of CSV, the names of `--sort`.
A field that does not apply to a flow is absent in JSON and empty in CSV.
`src` is the initiator, `dst` the responder. Times are RFC 3339 in UTC with nine fractional digits,
durations are seconds. The last columns name the same thing in other tools, where they have it.

| Field | Type | Unit | Meaning | IPFIX | Zeek | EVE | ECS |
|---|---|---|---|---|---|---|---|
)";

constexpr std::string_view kProtocolsIntroduction =
    R"(<!-- Written by `weir protocols all --markdown`; a test compares. Do not edit. -->
# Protocols and their attributes

What weir finds in payloads, and the header fields of packets. The names are those of the field `app`, of
`--filter`, `--fields` and `--events`, and of the objects of JSON, where what stands before the
dot is an object: `"tls":{…}`.

Of a flow that meets several values of an attribute the first is kept, unless the type says otherwise: *last* keeps the
last, *list of* up to eight different ones in the order of first sight, *count* how many there were. Members of an object
follow its row. An attribute that a flow does not have is absent.

)";

constexpr std::string_view kAttributeHeading = R"(
| Attribute | Type | Meaning |
|---|---|---|
)";

// A bar would end the cell.
void append_cell(std::string& out, std::string_view text) {
  out.append(" ");
  for (const char character : text) {
    if (character == '|') out.push_back('\\');
    out.push_back(character);
  }
  out.append(" |");
}

struct TransportName {
  Transport transport;
  const char* name;
};
constexpr std::array<TransportName, 6> kTransportNames = {{{kOverTcp, "tcp"},
                                                           {kOverUdp, "udp"},
                                                           {kOverSctp, "sctp"},
                                                           {kOverIcmp, "icmp"},
                                                           {kOverEthernet, "ethernet"},
                                                           {kOverIp, "ip"}}};
constexpr uint16_t kEtherTypeMin = 0x600;  // IEEE 802.3: smaller ones are lengths

void append_protocol(std::string& out, const Catalog& catalog, const Protocol& protocol) {
  out += "\n### " + std::string(protocol.name) + "\n\n" + std::string(protocol.help) + '\n';
  const std::string transports = transports_text(protocol);
  if (!transports.empty()) {
    out += "Over " + transports;
    const std::string ports = ports_text(protocol, SIZE_MAX);
    if (!ports.empty()) out += "; asked first on " + ports;
    out += ".\n";
  }
  const std::span<const Field> fields = attribute_fields(catalog, protocol);
  if (fields.empty()) return;
  out += kAttributeHeading;
  for (const Field& field : fields) {
    out.push_back('|');
    append_cell(out, "`" + std::string(field.name) + "`");
    append_cell(out, type_text(field));
    append_cell(out, field.help);
    out.push_back('\n');
  }
}

}  // namespace

std::string type_text(const Field& field) {
  std::string text = field_type_name(field.type);
  if (field.is_attribute()) {
    if (field.keep == Keep::kCount) text = keep_name(field.keep);
    if (field.keep == Keep::kList) text = "list of " + text;
  }
  const bool says_unit = field.unit != Unit::kNone && field.type != FieldType::kDuration;
  if (says_unit) text += std::string(", ") + unit_name(field.unit);
  if (field.is_attribute() && field.keep == Keep::kLast) text += ", last";
  return text;
}

std::string transports_text(const Protocol& protocol) {
  std::string text;
  for (const auto& [transport, name] : kTransportNames) {
    if ((protocol.transports & transport) == 0) continue;
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

std::string ports_text(const Protocol& protocol, size_t count_max) {
  std::string text;
  size_t count = 0;
  for (const uint16_t port : protocol.ports) {
    if (count > 0) text += ", ";
    if (count++ == count_max) return text + "…";
    const bool is_ethertype = (protocol.transports & kOverEthernet) != 0 && port >= kEtherTypeMin;
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), is_ethertype ? "0x%04x" : "%u",
                  static_cast<unsigned>(port));
    text += digits.data();
  }
  return text;
}

std::span<const Field> attribute_fields(const Catalog& catalog, const Protocol& protocol) {
  if (protocol.attributes.empty()) return {};
  const uint16_t first = catalog.first_attribute(catalog.protocol_number(protocol.name));
  return {catalog.attribute(first), protocol.attributes.size()};
}

std::string protocols_markdown(const Catalog& catalog, std::span<const Protocol* const> headers) {
  std::string out(kProtocolsIntroduction);
  const auto is_header = [headers](const Protocol* protocol) {
    return std::find(headers.begin(), headers.end(), protocol) != headers.end();
  };
  out += "## In payloads\n";
  for (const Protocol* protocol : catalog.protocols()) {
    if (!is_header(protocol)) append_protocol(out, catalog, *protocol);
  }
  out +=
      "\n## Headers of packets\n\nOf a flow's first packet that has the header; kept only where "
      "`--fields`, `--filter` or `--sort` names them.\n";
  for (const Protocol* protocol : catalog.protocols()) {
    if (is_header(protocol)) append_protocol(out, catalog, *protocol);
  }
  return out;
}

std::string fields_markdown(const Catalog& catalog) {
  std::string out(kIntroduction);
  for (const Field& field : catalog.fields()) {
    if (field.is_attribute()) continue;
    out.push_back('|');
    append_cell(out, "`" + std::string(field.name) + "`");
    append_cell(out, field_type_name(field.type));
    append_cell(out, unit_name(field.unit));
    append_cell(out, field.help);
    append_cell(out, field.mappings.ipfix);
    append_cell(out, field.mappings.zeek);
    append_cell(out, field.mappings.eve);
    append_cell(out, field.mappings.ecs);
    out.push_back('\n');
  }
  return out;
}

}  // namespace weir

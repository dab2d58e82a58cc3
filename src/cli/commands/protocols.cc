// SPDX-License-Identifier: Apache-2.0
//
// weir protocols: what weir finds and decodes, and what every field it prints means. All from the lists
// of the program itself (the catalogue, layers.inc, the service map).
#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/results.h"
#include "cli/suggestion.h"
#include "cli/user_message.h"
#include "dpi/packet_fields.h"
#include "dpi/services.h"
#include "flow/flow_fields.h"
#include "net/service_map.h"
#include "schema/field_docs.h"
#include "weir/catalog.h"
#include "weir/verdict.h"

namespace weir {
namespace {

// Documents of whole lists, beside the names of single things.
constexpr std::string_view kFlowName = "flow";
constexpr std::string_view kServicesName = "services";
constexpr std::string_view kAllName = "all";

std::vector<Layer> known_layers() {
  std::vector<Layer> layers;
  for (size_t i = 0; i < kLayerCount; ++i) {
    const Layer layer = static_cast<Layer>(i);
    if (layer != Layer::kNone) layers.push_back(layer);
  }
  return layers;
}

void append_padded(std::string& out, std::string_view text, size_t width) {
  out += text;
  const size_t size = column_count(text);
  out.append(size < width ? width - size : 1, ' ');
}

bool is_header(const Protocol* protocol) {
  const std::span<const Protocol* const> headers = packet_protocols();
  return std::find(headers.begin(), headers.end(), protocol) != headers.end();
}

// Rows of words, each column as wide as its widest word, the last as it is.
template <size_t kColumnCount>
std::string columns(const std::vector<std::array<std::string, kColumnCount>>& rows) {
  std::array<size_t, kColumnCount> widths{};
  for (const auto& row : rows) {
    for (size_t column = 0; column < kColumnCount; ++column)
      widths[column] = std::max(widths[column], column_count(row[column]));
  }
  std::string text;
  for (const auto& row : rows) {
    text += "  ";
    for (size_t column = 0; column + 1 < kColumnCount; ++column)
      append_padded(text, row[column], widths[column] + 2);
    text += row[kColumnCount - 1] + '\n';
  }
  return text;
}

std::string overview(const Catalog& catalog) {
  constexpr size_t kPortsShown = 3;
  std::vector<std::array<std::string, 4>> protocols;
  std::vector<std::array<std::string, 2>> headers;
  for (const Protocol* protocol : catalog.protocols()) {
    const std::string name(protocol->name);
    if (is_header(protocol)) {
      headers.push_back({name, std::string(protocol->help)});
    } else {
      protocols.push_back({name, transports_text(*protocol), ports_text(*protocol, kPortsShown),
                           std::string(protocol->help)});
    }
  }
  std::sort(protocols.begin(), protocols.end());

  std::string text =
      "Protocols weir finds in payloads, the app of a flow, with the ports that are asked "
      "first:\n\n";
  text += columns(protocols);
  text += "\nHeaders with fields of their own, for --fields and --filter:\n\n" + columns(headers);
  text += "\nLayers weir decodes, as they appear in the path of a flow:\n\n";
  for (Layer layer : known_layers()) {
    text += "  ";
    append_padded(text, layer_name(layer), 10);
    text += layer_help(layer);
    text += '\n';
  }
  text +=
      "\nOther IP protocols become flows without ports, other EtherTypes layer-2 flows.\n"
      "What a protocol or header tells: weir protocols tls\n"
      "Every field of a flow: weir protocols flow\n"
      "Well-known services: weir protocols services\n";
  return text;
}

void append_mapping(std::string& out, std::string_view scheme, std::string_view name) {
  if (name.empty()) return;
  if (!out.empty()) out += " · ";
  out += std::string(scheme) + ' ' + std::string(name);
}

// Name, type, unit and help on a line each; what others call it below.
std::string fields_text(std::span<const Field> fields) {
  size_t name_width = 0;
  size_t type_width = 0;
  for (const Field& field : fields) {
    name_width = std::max(name_width, field.name.size() + 2);
    type_width = std::max(type_width, type_text(field).size() + 2);
  }
  std::string text;
  for (const Field& field : fields) {
    text += "  ";
    append_padded(text, field.name, name_width);
    append_padded(text, type_text(field), type_width);
    text += std::string(field.help) + '\n';
    std::string mappings;
    append_mapping(mappings, "IPFIX", field.mappings.ipfix);
    append_mapping(mappings, "Zeek", field.mappings.zeek);
    append_mapping(mappings, "EVE", field.mappings.eve);
    append_mapping(mappings, "ECS", field.mappings.ecs);
    if (!mappings.empty()) text += std::string(2 + name_width + type_width, ' ') + mappings + '\n';
  }
  return text;
}

std::string flow_text(const Catalog& catalog) {
  std::span<const Field> fields = catalog.fields();
  fields = fields.first(fields.size() - catalog.attribute_count());
  std::string text = "The record of a flow: " + std::to_string(fields.size()) +
                     " fields, in output order. A field that does not apply is absent.\n\n";
  return text + fields_text(fields);
}

std::string protocol_text(const Catalog& catalog, const Protocol& protocol) {
  std::string text = std::string(protocol.name) + ": " + std::string(protocol.help) + '\n';
  const std::string transports = transports_text(protocol);
  const std::string ports = ports_text(protocol, SIZE_MAX);
  if (!transports.empty()) text += "Over " + transports;
  if (!ports.empty()) text += "; asked first on " + ports;
  if (!transports.empty()) text += ".\n";
  if (!is_header(&protocol) && protocol.probe == nullptr)
    text += "Found only where another protocol announces it or hands a flow over.\n";
  if (protocol.parse != nullptr)
    text += "Its messages: weir read FILE --events " + std::string(protocol.name) + '\n';
  const std::span<const Field> fields = attribute_fields(catalog, protocol);
  if (!fields.empty()) text += '\n' + fields_text(fields);
  return text;
}

// An attribute, and the members of it when it is an object.
std::string field_text(const Catalog& catalog, const Field& field) {
  std::vector<Field> fields = {field};
  const std::string prefix = std::string(field.name) + '.';
  for (const Field& other : catalog.fields()) {
    if (field.is_attribute() && other.name.starts_with(prefix)) fields.push_back(other);
  }
  return fields_text(fields);
}

std::string services_text(const Catalog& catalog) {
  std::map<std::string_view, std::array<size_t, 2>> counts;  // services and domains of a category
  std::array<size_t, 2> sums{};
  for (const Service& service : catalog.services()) {
    for (std::array<size_t, 2>* count : {&counts[service.category], &sums}) {
      (*count)[0] += 1;
      (*count)[1] += service.domains.size();
    }
  }
  std::vector<std::array<std::string, 4>> rows;
  for (const ServiceCategory& category : service_categories()) {
    const std::array<size_t, 2>& count = counts[category.name];
    rows.push_back({std::string(category.name), std::to_string(count[0]) + " services",
                    std::to_string(count[1]) + " domains", std::string(category.help)});
  }
  return "Well-known services, told by the host names a flow gives away: " +
         std::to_string(sums[0]) + " with " + std::to_string(sums[1]) + " domains.\n\n" +
         columns(rows) + "\nOne of them: weir protocols youtube\n";
}

std::string service_text(const Service& service) {
  std::string text =
      service.name + ": a service, " + service.category + "\nDomains, and all below them:\n\n";
  for (const std::string& domain : service.domains) text += "  " + domain + '\n';
  return text;
}

// The `proto` of flows that end in this layer; empty for layers that only carry others.
std::string flow_proto(Layer layer) {
  switch (layer) {
    case Layer::kTcp:
      return proto_text(false, 6);
    case Layer::kUdp:
      return proto_text(false, 17);
    case Layer::kSctp:
      return proto_text(false, 132);
    case Layer::kIcmp:
      return proto_text(false, 1);
    case Layer::kIcmpv6:
      return proto_text(false, 58);
    case Layer::kArp:
      return proto_text(true, 0x0806);
    default:
      return {};
  }
}

std::string layer_text(Layer layer) {
  std::string text = std::string(layer_name(layer)) + ": " + layer_help(layer) + '\n';
  const std::string proto = flow_proto(layer);
  if (!proto.empty()) text += "Its flows have the proto \"" + proto + "\".\n";
  return text;
}

// What to print about `name`, which may be several things; empty when there is no such thing.
std::string text_about(const std::string& name, const Catalog& catalog) {
  if (name == kFlowName) return flow_text(catalog);
  if (name == kServicesName) return services_text(catalog);
  std::vector<std::string> texts;
  for (Layer layer : known_layers()) {
    if (name == layer_name(layer)) texts.push_back(layer_text(layer));
  }
  const uint8_t number = catalog.protocol_number(name);
  if (number != kUnknownApp)
    texts.push_back(protocol_text(catalog, *catalog.protocols()[number - 1u]));
  const Field* field = catalog.find(name);
  if (field != nullptr) texts.push_back(field_text(catalog, *field));
  for (const Service& service : catalog.services()) {
    if (name == service.name) texts.push_back(service_text(service));
  }
  std::string text;
  for (const std::string& part : texts) text += (text.empty() ? "" : "\n") + part;
  return text;
}

std::string suggestion(const std::string& name, const Catalog& catalog) {
  std::vector<std::string_view> names = {kFlowName, kServicesName};
  for (Layer layer : known_layers()) names.push_back(layer_name(layer));
  for (const Protocol* protocol : catalog.protocols()) names.push_back(protocol->name);
  for (const Field& field : catalog.fields()) names.push_back(field.name);
  for (const Service& service : catalog.services()) names.push_back(service.name);
  return did_you_mean(name, names);
}

}  // namespace

int run_protocols(const Invocation& invocation) {
  std::vector<std::string> names;
  bool is_markdown = false;
  CommandLine line;
  line.name = "weir protocols";
  line.synopsis = "[NAME] [options]";
  line.description =
      "Lists the protocols weir finds in payloads, the headers whose fields it knows and the "
      "layers it "
      "decodes. With NAME, says what that is: a protocol, header or layer; a field or attribute, "
      "such as tls.sni; a well-known service; \"services\" for their categories; \"flow\" for "
      "every "
      "field of a flow record.";
  line.operand_name = "NAME";
  line.operand_count_max = 1;
  line.operands = &names;
  line.options = {switch_option("Output", "--markdown",
                                "With \"flow\": print docs/formats/flow_fields.md; with \"all\": "
                                "docs/formats/protocols.md.",
                                is_markdown)};
  line.examples = {
      {"weir protocols tls", "What weir finds in TLS: attributes, types, meaning."},
      {"weir protocols flow",
       "Every field: type, unit, meaning, and its name in IPFIX, Zeek, EVE and ECS."},
      {"weir protocols ip", "The layer, and the header fields that can be asked for."}};
  if (std::optional<int> code = parse_command_line(line, invocation.arguments)) return *code;

  const Catalog& catalog = flow_catalog();
  const std::string name = names.empty() ? std::string() : names[0];
  if (is_markdown) {
    if (name == kFlowName) return print_results(fields_markdown(catalog));
    if (name == kAllName) return print_results(protocols_markdown(catalog, packet_protocols()));
    print_error("--markdown: expected NAME to be \"flow\" or \"all\", got " + in_quotes(name));
    return kExitUsage;
  }
  if (names.empty() || name == kAllName) return print_results(overview(catalog));
  const std::string text = text_about(name, catalog);
  if (text.empty()) {
    print_error(in_quotes(name) + ": unknown protocol, field or service" +
                suggestion(name, catalog));
    return kExitUsage;
  }
  return print_results(text);
}

}  // namespace weir

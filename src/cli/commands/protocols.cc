// SPDX-License-Identifier: Apache-2.0
//
// weir protocols: what weir decodes, and what every field it prints means. All from the lists of
// the program itself (layers.inc, the catalogue, the service map).
#include <algorithm>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/results.h"
#include "cli/suggestion.h"
#include "cli/user_message.h"
#include "flow/flow_fields.h"
#include "net/service_map.h"
#include "schema/catalog.h"
#include "schema/field_docs.h"
#include "weir/verdict.h"

namespace weir {
namespace {

constexpr std::string_view kFlowName = "flow";  // documents the record, beside the names of layers

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

std::string overview() {
  std::string text = "Layers weir decodes, as they appear in the path of a flow:\n\n";
  for (Layer layer : known_layers()) {
    text += "  ";
    append_padded(text, layer_name(layer), 10);
    text += layer_help(layer);
    text += '\n';
  }
  text +=
      "\nOther IP protocols become flows without ports, other EtherTypes layer-2 flows.\n"
      "Every field of a flow: weir protocols flow\n";
  return text;
}

void append_mapping(std::string& out, std::string_view scheme, std::string_view name) {
  if (name.empty()) return;
  if (!out.empty()) out += " · ";
  out += std::string(scheme) + ' ' + std::string(name);
}

// Name, type, unit and help on a line; what others call it below.
void append_field(std::string& out, const Field& field) {
  constexpr size_t kNameWidth = 24;
  constexpr size_t kTypeWidth = 18;
  std::string type = field_type_name(field.type);
  const bool says_unit = field.unit != Unit::kNone && field.type != FieldType::kDuration;
  if (says_unit) type += std::string(", ") + unit_name(field.unit);

  out += "  ";
  append_padded(out, field.name, kNameWidth);
  append_padded(out, type, kTypeWidth);
  out += std::string(field.help) + '\n';
  std::string mappings;
  append_mapping(mappings, "IPFIX", field.mappings.ipfix);
  append_mapping(mappings, "Zeek", field.mappings.zeek);
  append_mapping(mappings, "EVE", field.mappings.eve);
  append_mapping(mappings, "ECS", field.mappings.ecs);
  if (!mappings.empty()) out += std::string(2 + kNameWidth + kTypeWidth, ' ') + mappings + '\n';
}

std::string flow_text(const Catalog& catalog) {
  std::string text = "The record of a flow: " + std::to_string(catalog.fields().size()) +
                     " fields, in output order. A field that does not apply is absent.\n\n";
  for (const Field& field : catalog.fields()) append_field(text, field);
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

// What to print about `name`; empty when there is no such thing.
std::string text_about(const std::string& name, const Catalog& catalog) {
  if (name == kFlowName) return flow_text(catalog);
  for (Layer layer : known_layers()) {
    if (name == layer_name(layer)) return layer_text(layer);
  }
  std::string text;
  const Field* field = catalog.find(name);
  if (field != nullptr) append_field(text, *field);
  return text;
}

std::string suggestion(const std::string& name, const Catalog& catalog) {
  std::vector<std::string_view> names = {kFlowName};
  for (Layer layer : known_layers()) names.push_back(layer_name(layer));
  for (const Field& field : catalog.fields()) names.push_back(field.name);
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
      "Lists the layers weir decodes. With the name of a layer or field, says what it is; with "
      "\"flow\", "
      "documents every field of a flow record.";
  line.operand_name = "NAME";
  line.operand_count_max = 1;
  line.operands = &names;
  line.options = {switch_option("Output", "--markdown",
                                "With \"flow\": print docs/formats/flow_fields.md.", is_markdown)};
  line.examples = {{"weir protocols flow",
                    "Every field: type, unit, meaning, and its name in IPFIX, "
                    "Zeek, EVE and ECS."},
                   {"weir protocols sctp", "What weir knows of SCTP."}};
  if (std::optional<int> code = parse_command_line(line, invocation.arguments)) return *code;

  const Catalog& catalog = flow_catalog();
  const std::string name = names.empty() ? std::string() : names[0];
  if (is_markdown && name != kFlowName) {
    print_error("--markdown: expected NAME to be \"flow\", got " + in_quotes(name));
    return kExitUsage;
  }
  if (names.empty()) return print_results(overview());
  const std::string text = is_markdown ? fields_markdown(catalog) : text_about(name, catalog);
  if (text.empty()) {
    print_error(in_quotes(name) + ": unknown protocol or field" + suggestion(name, catalog));
    return kExitUsage;
  }
  return print_results(text);
}

}  // namespace weir

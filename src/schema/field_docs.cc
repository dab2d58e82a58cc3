// SPDX-License-Identifier: Apache-2.0
#include "schema/field_docs.h"

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

// A bar would end the cell.
void append_cell(std::string& out, std::string_view text) {
  out.append(" ");
  for (const char character : text) {
    if (character == '|') out.push_back('\\');
    out.push_back(character);
  }
  out.append(" |");
}

}  // namespace

std::string fields_markdown(const Catalog& catalog) {
  std::string out(kIntroduction);
  for (const Field& field : catalog.fields()) {
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

// SPDX-License-Identifier: Apache-2.0
#include "export/exporter.h"

#include "export/csv.h"
#include "export/json_lines.h"
#include "export/table.h"

namespace weir {
namespace {

class NoExport final : public Exporter {
 public:
  NoExport(const Catalog&, const ExportOptions&, OutputStream&) {}
  void write(const FlowRecord&, const RecordNames&) override {}
};

template <typename Format>
std::unique_ptr<Exporter> make(const Catalog& catalog, const ExportOptions& options,
                               OutputStream& stream) {
  return std::make_unique<Format>(catalog, options, stream);
}

constexpr ExportFormat kFormats[] = {
#define EXPORTER(name, type, is_ordered, help) {name, help, is_ordered, make<type>},
#include "export/exporters.inc"
#undef EXPORTER
};

}  // namespace

std::span<const ExportFormat> export_formats() {
  return kFormats;
}

const ExportFormat* find_export_format(std::string_view name) {
  for (const ExportFormat& format : kFormats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

std::string export_format_names() {
  std::string names;
  for (const ExportFormat& format : kFormats) {
    if (!names.empty()) names.append(", ");
    names.append(format.name);
  }
  return names;
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// What an exporter prints for some records, for the tests of this folder.
#pragma once

#include <initializer_list>
#include <string>

#include "export/exporter.h"

namespace weir {

inline std::string export_to_text(std::string_view format, const Catalog& catalog,
                                  std::initializer_list<FlowRecord> records,
                                  const ExportOptions& options = {}) {
  OutputStream stream(-1, "nowhere");  // never flushed: what is printed stays in its buffer
  const auto exporter = find_export_format(format)->make(catalog, options, stream);
  exporter->begin();
  for (const FlowRecord& record : records) exporter->write(record, {"eth0", &catalog});
  exporter->end();
  std::string text;
  text.swap(stream.buffer());
  return text;
}

}  // namespace weir

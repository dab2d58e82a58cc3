// SPDX-License-Identifier: Apache-2.0
//
// The kinds of capture sources there are, as the command line offers them. sources.inc is the list;
// a new source is its own file and one line there.
//
// Threads: constant data.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "capture/capture_source.h"
#include "capture/interface_names.h"

namespace weir {

struct CaptureSourceKind {
  const char* name;
  // Null and one line in `error` when the argument cannot be opened.
  std::unique_ptr<CaptureSource> (*open)(const std::string& argument, InterfaceNames& names,
                                         std::string& error);
  const char* help;  // what the argument is
};

std::span<const CaptureSourceKind> capture_source_kinds();
// Null when there is none of that name.
const CaptureSourceKind* find_capture_source_kind(std::string_view name);

}  // namespace weir

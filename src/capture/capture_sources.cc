// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_sources.h"

#include "capture/capture_file.h"

namespace weir {

namespace {

constexpr CaptureSourceKind kKinds[] = {
#define CAPTURE_SOURCE(name, opener, help) {name, opener, help},
#include "capture/sources.inc"
#undef CAPTURE_SOURCE
};

}  // namespace

std::span<const CaptureSourceKind> capture_source_kinds() {
  return kKinds;
}

const CaptureSourceKind* find_capture_source_kind(std::string_view name) {
  for (const CaptureSourceKind& kind : kKinds) {
    if (name == kind.name) return &kind;
  }
  return nullptr;
}

}  // namespace weir

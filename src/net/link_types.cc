// SPDX-License-Identifier: Apache-2.0
#include "net/link_types.h"

namespace weir {

const char* link_type_name(uint16_t link_type) noexcept {
  switch (link_type) {
#define LINK_TYPE(number, name) \
  case number:                  \
    return name;
#include "net/link_types.inc"
    default:
      return "";
  }
}

std::string link_type_text(uint16_t link_type) {
  const std::string name = link_type_name(link_type);
  return name.empty() ? "link-type-" + std::to_string(link_type) : name;
}

}  // namespace weir

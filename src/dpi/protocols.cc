// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols.h"

#include <vector>

namespace weir {

std::span<const Protocol* const> built_in_protocols() {
  static const std::vector<const Protocol*> protocols = {
#define PROTOCOL(definition) &definition,
#include "dpi/protocols.inc"
#undef PROTOCOL
  };
  return protocols;
}

}  // namespace weir

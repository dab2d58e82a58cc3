// SPDX-License-Identifier: Apache-2.0
#include "capture/interface_names.h"

#include "base/assert.h"
#include "weir/frame.h"

namespace weir {

uint32_t InterfaceNames::intern(std::string_view name) {
  const auto [entry, is_new] =
      index_by_name_.try_emplace(std::string(name), static_cast<uint32_t>(names_.size()));
  if (is_new) names_.emplace_back(name);
  return entry->second;
}

std::string_view InterfaceNames::name(uint32_t index) const {
  if (index == kNoInterface) return {};
  ASSERT(index < names_.size());
  return names_[index];
}

}  // namespace weir

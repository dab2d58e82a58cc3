// SPDX-License-Identifier: Apache-2.0
#include "capture/name_records.h"

#include <algorithm>

#include "base/assert.h"

namespace weir {

NameRecords::Key NameRecords::key_of(std::span<const uint8_t> address) {
  ASSERT(address.size() == 4 || address.size() == 16);
  Key key{};
  key[0] = static_cast<uint8_t>(address.size());
  std::copy(address.begin(), address.end(), key.begin() + 1);
  return key;
}

void NameRecords::add(std::span<const uint8_t> address, std::string_view name) {
  if (name.empty()) return;
  const Key key = key_of(address);
  if (names_.contains(key)) return;
  if (names_.size() == kCountMax) {
    ++rejected_count_;
    return;
  }
  names_.emplace(key, name.substr(0, kNameSizeMax));
}

std::string_view NameRecords::find(std::span<const uint8_t> address) const {
  const auto entry = names_.find(key_of(address));
  return entry == names_.end() ? std::string_view() : std::string_view(entry->second);
}

}  // namespace weir

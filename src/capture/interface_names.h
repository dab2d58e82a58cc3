// SPDX-License-Identifier: Apache-2.0
//
// InterfaceNames: the names behind Frame::interface and FlowRecord::interface, for one run.
//
// Append-only; the same name always has the same index.
// Threads: one thread (the one that reads the sources and formats records).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir {

class InterfaceNames {
 public:
  uint32_t intern(std::string_view name);
  // Empty for kNoInterface. Valid for the life of the object and until the next intern().
  std::string_view name(uint32_t index) const;
  size_t size() const { return names_.size(); }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, uint32_t> index_by_name_;
};

}  // namespace weir

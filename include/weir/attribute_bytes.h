// SPDX-License-Identifier: Apache-2.0
//
// AttributeBytes: the encoded attributes of a flow record (weir/attribute_block.h reads them). Never
// changes once made; copies share the bytes.
//
// Threads: any may read one, also while others copy it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace weir {

class AttributeBytes {
 public:
  AttributeBytes() = default;
  explicit AttributeBytes(std::span<const uint8_t> bytes) {
    if (!bytes.empty())
      bytes_ = std::make_shared<const std::vector<uint8_t>>(bytes.begin(), bytes.end());
  }

  std::span<const uint8_t> span() const noexcept {
    return bytes_ == nullptr ? std::span<const uint8_t>() : std::span<const uint8_t>(*bytes_);
  }
  bool is_empty() const noexcept { return bytes_ == nullptr; }
  friend bool operator==(const AttributeBytes& x, const AttributeBytes& y) noexcept {
    return std::ranges::equal(x.span(), y.span());
  }

 private:
  std::shared_ptr<const std::vector<uint8_t>> bytes_;  // none when there are none
};

}  // namespace weir

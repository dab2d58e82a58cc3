// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_shape.h"

#include <algorithm>

#include "base/assert.h"

namespace weir {

bool operator==(const FlowShape& x, const FlowShape& y) noexcept {
  return x.interface == y.interface && x.has_ports == y.has_ports && x.has_macs == y.has_macs &&
         x.path.count == y.path.count && x.vlans.count == y.vlans.count &&
         std::equal(x.path.layers.begin(), x.path.layers.begin() + x.path.count,
                    y.path.layers.begin()) &&
         std::equal(x.vlans.ids.begin(), x.vlans.ids.begin() + x.vlans.count, y.vlans.ids.begin());
}

FlowShape shape_of(const Packet& packet) noexcept {
  FlowShape shape;
  shape.path = packet.path;
  shape.vlans = packet.vlans;
  shape.interface = packet.frame->interface;
  shape.has_ports = packet.has_ports;
  shape.has_macs = packet.has_macs;
  return shape;
}

size_t ShapeTable::Hash::operator()(const FlowShape& shape) const noexcept {
  std::array<uint64_t, 1 + kLayerCountMax / 8 + kTagCountMax / 4> words{};
  words[0] = static_cast<uint64_t>(shape.interface) << 32 |
             static_cast<uint64_t>(shape.has_ports) << 17 |
             static_cast<uint64_t>(shape.has_macs) << 16 |
             static_cast<uint64_t>(shape.vlans.count) << 8 | shape.path.count;
  for (size_t at = 0; at < shape.path.count; ++at) {
    words[1 + at / 8] |= static_cast<uint64_t>(shape.path.layers[at]) << at % 8 * 8;
  }
  for (size_t at = 0; at < shape.vlans.count; ++at) {
    words[1 + kLayerCountMax / 8 + at / 4] |= static_cast<uint64_t>(shape.vlans.ids[at])
                                              << at % 4 * 16;
  }
  return keyed_hash(secret, words.data(), words.size());
}

ShapeTable::ShapeTable(const HashSecret& secret) : entries_(1), numbers_(0, Hash{secret}) {}

uint16_t ShapeTable::acquire(const FlowShape& shape) {
  const auto found = numbers_.find(shape);
  if (found != numbers_.end()) {
    acquire_again(found->second);
    return found->second;
  }
  if (numbers_.size() >= kShapeCountMax) return kBlank;
  uint16_t number = static_cast<uint16_t>(entries_.size());
  if (unused_.empty()) {
    entries_.emplace_back();
  } else {
    number = unused_.back();
    unused_.pop_back();
  }
  entries_[number] = {shape, 1};
  numbers_.emplace(shape, number);
  return number;
}

void ShapeTable::release(uint16_t shape) noexcept {
  if (shape == kBlank) return;
  Entry& entry = entries_[shape];
  DASSERT(entry.flow_count > 0);
  if (--entry.flow_count > 0) return;
  numbers_.erase(entry.shape);
  unused_.push_back(shape);
}

}  // namespace weir

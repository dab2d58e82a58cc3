// SPDX-License-Identifier: Apache-2.0
//
// FlowShape: what a flow's first packet tells that many flows share: the headers it came in, its
// VLAN tags, where it was seen. ShapeTable keeps each different one once, with the number of flows
// that have it; a flow keeps 2 bytes.
//
// Limits: kShapeCountMax shapes at once; a flow with another one then has the blank shape (no path,
// no tags), counted as limit flow_shape.
// Threads: one thread owns a table.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/keyed_hash.h"
#include "net/packet.h"

namespace weir {

struct FlowShape {
  LayerPath path;
  VlanTags vlans;
  uint32_t interface = kNoInterface;
  bool has_ports = false;
  bool has_macs = false;

  friend bool operator==(const FlowShape& x, const FlowShape& y) noexcept;
};
FlowShape shape_of(const Packet& packet) noexcept;

inline constexpr uint32_t kShapeCountMax = 65'535;  // 16 bits, one of which is the blank

class ShapeTable {
 public:
  explicit ShapeTable(const HashSecret& secret);

  // The number of the shape, which one more flow has; kBlank when the table is full.
  // Allocates only for a shape it has not met.
  uint16_t acquire(const FlowShape& shape);
  // The same when the caller knows the number and that at least one flow has it.
  void acquire_again(uint16_t shape) noexcept { ++entries_[shape].flow_count; }
  void release(uint16_t shape) noexcept;
  const FlowShape& operator[](uint16_t shape) const noexcept { return entries_[shape].shape; }

  static constexpr uint16_t kBlank = 0;
  size_t count() const noexcept { return numbers_.size(); }

 private:
  struct Entry {
    FlowShape shape;
    uint32_t flow_count = 0;
  };
  struct Hash {
    HashSecret secret;
    size_t operator()(const FlowShape& shape) const noexcept;
  };

  std::vector<Entry> entries_;
  std::vector<uint16_t> unused_;
  std::unordered_map<FlowShape, uint16_t, Hash> numbers_;
};

}  // namespace weir

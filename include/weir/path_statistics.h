// SPDX-License-Identifier: Apache-2.0
//
// PathStatistics: how much went through each protocol, by the headers around it. A node of the tree
// is a protocol below the node of what carries it, so that tcp in a tunnel is not the tcp beside it:
//
//   eth ── ip ─┬─ tcp ─┬─ tls                eth.ip.tcp.tls
//              │       └─ http               eth.ip.tcp.http
//              └─ udp ─┬─ dns                eth.ip.udp.dns
//                      └─ vxlan ── eth ── …  eth.ip.udp.vxlan.eth.…
//
// A packet is counted at the end of its path, as far as that is known when it comes: the first ones
// of a flow at "eth.ip.tcp", later ones at "eth.ip.tcp.tls". What a node says, its `total`, is what
// was counted there and below; readers add that up, so a packet costs one node, not the whole path.
//
// A protocol that is both a layer and an app (gtp: user packets and signalling) is one node, and an
// app of the same name as the layer it is in (icmp) is no node of its own.
//
// Limits: kPathNodeCountMax nodes, all there from the begin, 64 bytes each. A path that finds none
// left is counted in its nearest ancestor, and in `truncated`. Paths are what somebody sent, so a
// tree may be full of them: what was there before still counts right.
// Errors: the constructor throws std::bad_alloc. count() and count_flow() allocate nothing.
// Threads: one thread at a time counts. Any thread may read at any time, without a lock and without
// slowing the other. A number read is one that was right at some moment of the call; different
// numbers may be a packet apart, but in one call a total is always the sum of its parts.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/catalog.h"
#include "weir/flow_record.h"

namespace weir {

inline constexpr size_t kPathNodeCountMax = 4096;

struct PathCounters {
  uint64_t packets = 0;
  uint64_t bytes = 0;          // wire bytes of whole frames
  uint64_t payload_bytes = 0;  // above the transport header
  uint64_t flows = 0;
  // Of the packets, the earliest and the latest; the first later than the last when there is none.
  int64_t first_seen_ns = INT64_MAX;
  int64_t last_seen_ns = INT64_MIN;

  bool has_times() const noexcept { return first_seen_ns <= last_seen_ns; }
  PathCounters& operator+=(const PathCounters& other) noexcept;
};

// What a reader sees of a node.
struct PathNode {
  std::string path;       // "eth.ip.tcp"; "" of the root, which is above all
  std::string_view name;  // "tcp"; lives as long as the catalogue
  size_t depth = 0;       // 3; 0 of the root
  PathCounters own;       // of packets and flows whose path ends here
  PathCounters total;     // and of those below
};

class PathStatistics {
 public:
  // The catalogue must outlive the statistics. node_count_max is at least 1, for the root.
  explicit PathStatistics(const Catalog& catalog, size_t node_count_max = kPathNodeCountMax);
  ~PathStatistics();
  PathStatistics(const PathStatistics&) = delete;
  PathStatistics& operator=(const PathStatistics&) = delete;

  // A packet; `apps` is what is known by then of its flow.
  void count(const LayerPath& layers, const AppPath& apps, uint64_t wire_size,
             uint64_t payload_size, int64_t ts_ns) noexcept;
  // A flow, once in its life, when its path is known.
  void count_flow(const LayerPath& layers, const AppPath& apps) noexcept;

  // All nodes, each before those below it, in the order they were first seen. The first is the root.
  std::vector<PathNode> nodes() const;
  void for_each(const std::function<void(const PathNode&)>& visitor) const;
  // The node of "eth.ip.tcp.tls"; none when no packet and no flow had that path.
  std::optional<PathNode> find(std::string_view path) const;
  // One JSON object: `truncated`, `total`, and `paths` with a member per node, in tree order.
  std::string json() const;

  size_t node_count() const noexcept;  // with the root
  // Packets that were counted in an ancestor because the tree was full.
  uint64_t truncated() const noexcept;

 private:
  struct Node;
  // A layer, or kLayerCount and the number of an app that is no layer.
  using Step = uint16_t;
  struct End {
    uint16_t node = 0;
    bool is_truncated = false;
  };

  End end_of(const LayerPath& layers, const AppPath& apps) noexcept;
  End walk(const LayerPath& layers, const AppPath& apps) noexcept;
  // The node of a step below a parent, made if need be; the root when there is no room.
  uint16_t child(uint16_t parent, Step step) noexcept;
  std::string_view step_name(Step step) const noexcept;

  const Catalog& catalog_;
  const size_t node_count_max_;
  std::array<Step, 256> app_steps_{};  // by the number of the app
  const std::unique_ptr<Node[]> nodes_;
  std::unique_ptr<uint16_t[]> index_;  // nodes by parent and step; 0 is a free place
  std::atomic<uint32_t> node_count_{1};
  std::atomic<uint64_t> truncated_{0};
  // Packets come in runs of the same path.
  LayerPath last_layers_;
  AppPath last_apps_;
  End last_end_;
};

}  // namespace weir

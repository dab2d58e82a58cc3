// SPDX-License-Identifier: Apache-2.0
//
// How a path becomes a node: step by step from the root, each step one look-up in a hash table whose
// key is the number of the parent and the step. Two packets of the same path after each other take
// no step at all: 4 ns instead of 14 for "eth.ip.tcp.tls" (virtual machine on AMD EPYC, GCC 12,
// -O3).
#include "weir/path_statistics.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "export/json_writer.h"
#include "flow/flow_fields.h"

namespace weir {
namespace {

// Four places for each node. A step that finds neither its node nor a free place in kProbeCountMax
// is like one in a full tree, so nobody can make paths whose look-up is slow. With this many places
// that does not happen to paths that were not made for it.
constexpr size_t kIndexSize = 4 * kPathNodeCountMax;
constexpr size_t kProbeCountMax = 32;
static_assert(std::has_single_bit(kIndexSize));

constexpr uint16_t kRoot = 0;

// Where to look first: Knuth's multiplicative hash, of which the upper bits are the good ones.
size_t first_place(uint16_t parent, uint16_t step) noexcept {
  const uint64_t key = (uint64_t{parent} << 16) | step;
  return static_cast<size_t>((key * 0x9e3779b97f4a7c15) >> (64 - std::countr_zero(kIndexSize)));
}

// There is one writer, so an addition need not be atomic as a whole; only its load and store.
void add(std::atomic<uint64_t>& counter, uint64_t value) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

bool is_same(const LayerPath& x, const LayerPath& y) noexcept {
  using Words = std::array<uint64_t, kLayerCountMax / sizeof(uint64_t)>;
  return x.count == y.count && std::bit_cast<Words>(x.layers) == std::bit_cast<Words>(y.layers);
}

}  // namespace

// One cache line. Parent and step never change once the node is published.
struct alignas(64) PathStatistics::Node {
  std::atomic<uint64_t> packets{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> payload_bytes{0};
  std::atomic<uint64_t> flows{0};
  std::atomic<int64_t> first_seen_ns{INT64_MAX};
  std::atomic<int64_t> last_seen_ns{INT64_MIN};
  uint16_t parent = kRoot;
  Step step = 0;

  PathCounters read() const noexcept {
    return {packets.load(std::memory_order_relaxed),
            bytes.load(std::memory_order_relaxed),
            payload_bytes.load(std::memory_order_relaxed),
            flows.load(std::memory_order_relaxed),
            first_seen_ns.load(std::memory_order_relaxed),
            last_seen_ns.load(std::memory_order_relaxed)};
  }
};

PathCounters& PathCounters::operator+=(const PathCounters& other) noexcept {
  packets += other.packets;
  bytes += other.bytes;
  payload_bytes += other.payload_bytes;
  flows += other.flows;
  first_seen_ns = std::min(first_seen_ns, other.first_seen_ns);
  last_seen_ns = std::max(last_seen_ns, other.last_seen_ns);
  return *this;
}

PathStatistics::PathStatistics(const Catalog& catalog, size_t node_count_max)
    : catalog_(catalog),
      node_count_max_(node_count_max),
      nodes_(std::make_unique<Node[]>(node_count_max)),
      index_(std::make_unique<uint16_t[]>(kIndexSize)) {
  ASSERT(node_count_max >= 1);
  ASSERT(node_count_max <= kPathNodeCountMax);
  for (size_t app = 0; app < app_steps_.size(); ++app) {
    // Numbers that are no protocol's all have the name "unknown", so they are one step.
    const size_t named_app = app <= catalog.protocols().size() ? app : kUnknownApp;
    const std::string_view name = catalog.app_name(static_cast<uint8_t>(named_app));
    app_steps_[app] = static_cast<Step>(kLayerCount + named_app);
    for (size_t layer = 0; layer < kLayerCount; ++layer) {
      if (name == layer_name(static_cast<Layer>(layer))) app_steps_[app] = static_cast<Step>(layer);
    }
  }
}

PathStatistics::~PathStatistics() = default;

void PathStatistics::count(const LayerPath& layers, const AppPath& apps, uint64_t wire_size,
                           uint64_t payload_size, int64_t ts_ns) noexcept {
  const End end = end_of(layers, apps);
  if (end.is_truncated) add(truncated_, 1);
  Node& node = nodes_[end.node];
  add(node.packets, 1);
  add(node.bytes, wire_size);
  add(node.payload_bytes, payload_size);
  if (ts_ns < node.first_seen_ns.load(std::memory_order_relaxed)) {
    node.first_seen_ns.store(ts_ns, std::memory_order_relaxed);
  }
  if (ts_ns > node.last_seen_ns.load(std::memory_order_relaxed)) {
    node.last_seen_ns.store(ts_ns, std::memory_order_relaxed);
  }
}

void PathStatistics::count_flow(const LayerPath& layers, const AppPath& apps) noexcept {
  add(nodes_[end_of(layers, apps).node].flows, 1);
}

// The arrays are compared as a whole: what they hold behind their count may make two equal paths
// differ, and then the walk finds the same node.
PathStatistics::End PathStatistics::end_of(const LayerPath& layers, const AppPath& apps) noexcept {
  if (is_same(layers, last_layers_) && apps == last_apps_) return last_end_;
  last_end_ = walk(layers, apps);
  last_layers_ = layers;
  last_apps_ = apps;
  return last_end_;
}

PathStatistics::End PathStatistics::walk(const LayerPath& layers, const AppPath& apps) noexcept {
  DASSERT(layers.count <= kLayerCountMax);
  DASSERT(apps.count <= kAppPathCountMax);
  uint16_t node = kRoot;
  for (size_t index = 0; index < layers.count; ++index) {
    const uint16_t next = child(node, static_cast<Step>(layers.layers[index]));
    if (next == kRoot) return {node, true};
    node = next;
  }
  for (size_t index = 0; index < apps.count; ++index) {
    const Step step = app_steps_[apps.apps[index]];
    if (node != kRoot && nodes_[node].step == step) continue;
    const uint16_t next = child(node, step);
    if (next == kRoot) return {node, true};
    node = next;
  }
  return {node, false};
}

uint16_t PathStatistics::child(uint16_t parent, Step step) noexcept {
  size_t place = first_place(parent, step);
  for (size_t probe = 0; probe < kProbeCountMax; ++probe) {
    const uint16_t number = index_[place];
    if (number == kRoot) {
      const uint32_t count = node_count_.load(std::memory_order_relaxed);
      if (count == node_count_max_) return kRoot;
      nodes_[count].parent = parent;
      nodes_[count].step = step;
      index_[place] = static_cast<uint16_t>(count);
      // From here on readers see the node, and what it is.
      node_count_.store(count + 1, std::memory_order_release);
      return static_cast<uint16_t>(count);
    }
    if (nodes_[number].parent == parent && nodes_[number].step == step) return number;
    place = (place + 1) % kIndexSize;
  }
  return kRoot;
}

std::string_view PathStatistics::step_name(Step step) const noexcept {
  return step < kLayerCount ? std::string_view(layer_name(static_cast<Layer>(step)))
                            : catalog_.app_name(static_cast<uint8_t>(step - kLayerCount));
}

// A node comes after its parent in the array: so one pass from the begin makes names of the names of
// parents, and one from the end makes the totals and the lists of children.
std::vector<PathNode> PathStatistics::nodes() const {
  const size_t count = node_count();
  std::vector<PathNode> nodes(count);
  std::vector<uint16_t> first_children(count, kRoot);
  std::vector<uint16_t> next_siblings(count, kRoot);
  for (size_t number = 0; number < count; ++number) {
    nodes[number].own = nodes[number].total = nodes_[number].read();
    if (number == kRoot) continue;
    const PathNode& parent = nodes[nodes_[number].parent];
    nodes[number].name = step_name(nodes_[number].step);
    nodes[number].depth = parent.depth + 1;
    nodes[number].path = parent.path;
    if (!parent.path.empty()) nodes[number].path.push_back('.');
    nodes[number].path.append(nodes[number].name);
  }
  for (size_t number = count - 1; number > kRoot; --number) {
    const uint16_t parent = nodes_[number].parent;
    nodes[parent].total += nodes[number].total;
    next_siblings[number] = first_children[parent];
    first_children[parent] = static_cast<uint16_t>(number);
  }
  std::vector<PathNode> ordered;
  ordered.reserve(count);
  uint16_t number = kRoot;
  while (true) {
    ordered.push_back(std::move(nodes[number]));
    if (first_children[number] != kRoot) {
      number = first_children[number];
      continue;
    }
    while (number != kRoot && next_siblings[number] == kRoot) number = nodes_[number].parent;
    if (number == kRoot) break;
    number = next_siblings[number];
  }
  return ordered;
}

void PathStatistics::for_each(const std::function<void(const PathNode&)>& visitor) const {
  for (const PathNode& node : nodes()) visitor(node);
}

std::optional<PathNode> PathStatistics::find(std::string_view path) const {
  for (PathNode& node : nodes()) {
    if (node.path == path) return std::move(node);
  }
  return std::nullopt;
}

namespace {

void write_counters(JsonWriter& json, const PathCounters& counters) {
  json.number("packets", counters.packets);
  json.number("bytes", counters.bytes);
  json.number("payload_bytes", counters.payload_bytes);
  json.number("flows", counters.flows);
  if (!counters.has_times()) return;
  json.time(kFirstSeenField, counters.first_seen_ns);
  json.time(kLastSeenField, counters.last_seen_ns);
}

}  // namespace

std::string PathStatistics::json() const {
  std::string text;
  JsonWriter json(text);
  const std::vector<PathNode> all = nodes();
  json.number("truncated", truncated());
  json.begin_object("total");
  write_counters(json, all.front().total);
  json.end_object();
  json.begin_object("paths");
  for (size_t index = 1; index < all.size(); ++index) {
    json.begin_object(all[index].path);
    write_counters(json, all[index].total);
    json.end_object();
  }
  json.end_object();
  json.finish();
  return text;
}

size_t PathStatistics::node_count() const noexcept {
  return node_count_.load(std::memory_order_acquire);
}

uint64_t PathStatistics::truncated() const noexcept {
  return truncated_.load(std::memory_order_relaxed);
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "weir/path_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <initializer_list>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weir {
namespace {

constexpr uint64_t kSeed = 20261120;

constexpr Protocol named(std::string_view name) {
  Protocol protocol;
  protocol.name = name;
  protocol.help = "x";
  return protocol;
}
constexpr Protocol kTls = named("tls");
constexpr Protocol kHttp = named("http");
constexpr Protocol kDns = named("dns");
constexpr Protocol kGtp = named("gtp");    // a layer too
constexpr Protocol kIcmp = named("icmp");  // a layer too
enum : uint8_t { kTlsApp = 1, kHttpApp, kDnsApp, kGtpApp, kIcmpApp, kAppEnd };

const Catalog& catalog() {
  static const Catalog all =
      CatalogBuilder().add(kTls).add(kHttp).add(kDns).add(kGtp).add(kIcmp).freeze();
  return all;
}

LayerPath layers_of(std::initializer_list<Layer> layers) {
  LayerPath path;
  for (const Layer layer : layers) path.layers[path.count++] = layer;
  return path;
}

AppPath apps_of(std::initializer_list<uint8_t> apps) {
  AppPath path;
  for (const uint8_t app : apps) path.apps[path.count++] = app;
  return path;
}

const LayerPath kTcpPath = layers_of({Layer::kEthernet, Layer::kIpv4, Layer::kTcp});
const LayerPath kUdpPath = layers_of({Layer::kEthernet, Layer::kIpv4, Layer::kUdp});
const LayerPath kTunnelPath = layers_of({Layer::kEthernet, Layer::kIpv4, Layer::kUdp, Layer::kVxlan,
                                         Layer::kEthernet, Layer::kIpv4, Layer::kTcp});

std::vector<std::string> paths_of(const PathStatistics& statistics) {
  std::vector<std::string> paths;
  statistics.for_each([&](const PathNode& node) { paths.push_back(node.path); });
  return paths;
}

TEST(PathStatistics, HasOnlyARootAtFirst) {
  const PathStatistics statistics(catalog());
  EXPECT_EQ(paths_of(statistics), std::vector<std::string>{""});
  EXPECT_EQ(statistics.node_count(), 1u);
  const PathNode root = statistics.find("").value();
  EXPECT_EQ(root.depth, 0u);
  EXPECT_EQ(root.total.packets, 0u);
  EXPECT_FALSE(root.total.has_times());
  EXPECT_FALSE(statistics.find("eth").has_value());
  EXPECT_EQ(statistics.json(),
            "{\n"
            "  \"truncated\": 0,\n"
            "  \"total\": {\n"
            "    \"packets\": 0,\n"
            "    \"bytes\": 0,\n"
            "    \"payload_bytes\": 0,\n"
            "    \"flows\": 0\n"
            "  },\n"
            "  \"paths\": {}\n"
            "}\n");
}

TEST(PathStatistics, CountsAtTheEndOfAPathAndShowsItInAllAbove) {
  PathStatistics statistics(catalog());
  statistics.count(kTcpPath, {}, 60, 0, 1'000);
  statistics.count(kTcpPath, apps_of({kTlsApp}), 600, 500, 3'000);
  statistics.count(kTcpPath, apps_of({kTlsApp}), 700, 600, 2'000);
  statistics.count_flow(kTcpPath, apps_of({kTlsApp}));
  const PathNode tls = statistics.find("eth.ip.tcp.tls").value();
  EXPECT_EQ(tls.name, "tls");
  EXPECT_EQ(tls.depth, 4u);
  EXPECT_EQ(tls.own.packets, 2u);
  EXPECT_EQ(tls.total.packets, 2u);
  EXPECT_EQ(tls.total.bytes, 1300u);
  EXPECT_EQ(tls.total.payload_bytes, 1100u);
  EXPECT_EQ(tls.total.flows, 1u);
  EXPECT_EQ(tls.total.first_seen_ns, 2'000);
  EXPECT_EQ(tls.total.last_seen_ns, 3'000);
  const PathNode tcp = statistics.find("eth.ip.tcp").value();
  EXPECT_EQ(tcp.own.packets, 1u);
  EXPECT_EQ(tcp.total.packets, 3u);
  EXPECT_EQ(tcp.total.bytes, 1360u);
  EXPECT_EQ(tcp.total.flows, 1u);
  EXPECT_EQ(tcp.own.flows, 0u);
  EXPECT_EQ(tcp.total.first_seen_ns, 1'000);
  const PathNode eth = statistics.find("eth").value();
  EXPECT_EQ(eth.own.packets, 0u);
  EXPECT_FALSE(eth.own.has_times());
  EXPECT_EQ(eth.total.packets, 3u);
  EXPECT_EQ(statistics.find("")->total.packets, 3u);
}

TEST(PathStatistics, VisitsTheTreeInOrder) {
  PathStatistics statistics(catalog());
  statistics.count(kTcpPath, apps_of({kTlsApp}), 1, 0, 0);
  statistics.count(kUdpPath, apps_of({kDnsApp}), 1, 0, 0);
  statistics.count(kTcpPath, apps_of({kHttpApp}), 1, 0, 0);
  statistics.count(kTunnelPath, apps_of({kTlsApp}), 1, 0, 0);
  statistics.count(layers_of({Layer::kSll, Layer::kArp}), {}, 1, 0, 0);
  EXPECT_EQ(
      paths_of(statistics),
      (std::vector<std::string>{
          "", "eth", "eth.ip", "eth.ip.tcp", "eth.ip.tcp.tls", "eth.ip.tcp.http", "eth.ip.udp",
          "eth.ip.udp.dns", "eth.ip.udp.vxlan", "eth.ip.udp.vxlan.eth", "eth.ip.udp.vxlan.eth.ip",
          "eth.ip.udp.vxlan.eth.ip.tcp", "eth.ip.udp.vxlan.eth.ip.tcp.tls", "sll", "sll.arp"}));
}

TEST(PathStatistics, FindsWholePathsOnly) {
  PathStatistics statistics(catalog());
  statistics.count(kTcpPath, apps_of({kTlsApp}), 1, 0, 0);
  for (const char* path :
       {"eth.ip.tcp.tl", "eth.ip.tcp.tls.", ".eth", "ip", "tls", "ETH", "eth."}) {
    EXPECT_FALSE(statistics.find(path).has_value()) << path;
  }
}

TEST(PathStatistics, ANameIsOneNodeWhetherLayerOrApp) {
  PathStatistics statistics(catalog());
  LayerPath gtp = kUdpPath;
  gtp.layers[gtp.count++] = Layer::kGtp;
  statistics.count(gtp, {}, 1, 0, 0);
  statistics.count(kUdpPath, apps_of({kGtpApp}), 1, 0, 0);
  EXPECT_EQ(statistics.find("eth.ip.udp.gtp")->own.packets, 2u);
  const LayerPath icmp = layers_of({Layer::kEthernet, Layer::kIpv4, Layer::kIcmp});
  statistics.count(icmp, apps_of({kIcmpApp}), 1, 0, 0);
  statistics.count(icmp, {}, 1, 0, 0);
  EXPECT_EQ(statistics.find("eth.ip.icmp")->own.packets, 2u);
  EXPECT_EQ(statistics.node_count(), 6u);
}

TEST(PathStatistics, LayersMayRepeat) {
  PathStatistics statistics(catalog());
  statistics.count(layers_of({Layer::kEthernet, Layer::kVlan, Layer::kVlan, Layer::kIpv4,
                              Layer::kIpv4, Layer::kTcp}),
                   {}, 1, 0, 0);
  EXPECT_TRUE(statistics.find("eth.vlan.vlan.ip.ip.tcp").has_value());
}

TEST(PathStatistics, AppsWithoutAProtocolAreUnknown) {
  PathStatistics statistics(catalog());
  for (const uint8_t app : {uint8_t{0}, uint8_t{kAppEnd}, uint8_t{255}}) {
    statistics.count(kTcpPath, apps_of({app}), 1, 0, 0);
  }
  EXPECT_EQ(statistics.find("eth.ip.tcp.unknown")->own.packets, 3u);
}

TEST(PathStatistics, APathWithoutLayersIsTheRoot) {
  PathStatistics statistics(catalog());
  statistics.count({}, {}, 60, 0, 5);
  statistics.count_flow({}, {});
  EXPECT_EQ(statistics.find("")->own.packets, 1u);
  EXPECT_EQ(statistics.find("")->own.flows, 1u);
  EXPECT_EQ(statistics.truncated(), 0u);
}

TEST(PathStatistics, WhatFindsNoNodeIsCountedInTheNearestAncestor) {
  PathStatistics statistics(catalog(), 4);  // the root, eth, ip, tcp
  statistics.count(kTcpPath, {}, 100, 0, 0);
  for (int repeat = 0; repeat < 2; ++repeat) {
    statistics.count(kTcpPath, apps_of({kTlsApp}), 100, 0, 0);
    statistics.count(kTunnelPath, {}, 100, 0, 0);
  }
  statistics.count_flow(kTunnelPath, {});
  statistics.count(layers_of({Layer::kSll}), {}, 100, 0, 0);
  EXPECT_EQ(statistics.node_count(), 4u);
  EXPECT_EQ(statistics.truncated(), 5u);
  EXPECT_EQ(statistics.find("eth.ip.tcp")->own.packets, 3u);
  EXPECT_EQ(statistics.find("eth.ip")->own.packets, 2u);
  EXPECT_EQ(statistics.find("eth.ip")->own.flows, 1u);
  EXPECT_EQ(statistics.find("")->own.packets, 1u);
  EXPECT_EQ(statistics.find("")->total.bytes, 600u);
}

TEST(PathStatistics, WritesJson) {
  PathStatistics statistics(catalog());
  statistics.count(layers_of({Layer::kRaw, Layer::kIpv4}), {}, 60, 20, 1'500'000'000);
  EXPECT_EQ(statistics.json().substr(statistics.json().find("  \"paths\"")),
            "  \"paths\": {\n"
            "    \"raw\": {\n"
            "      \"packets\": 1,\n"
            "      \"bytes\": 60,\n"
            "      \"payload_bytes\": 20,\n"
            "      \"flows\": 0,\n"
            "      \"first_seen\": \"1970-01-01T00:00:01.500000000Z\",\n"
            "      \"last_seen\": \"1970-01-01T00:00:01.500000000Z\"\n"
            "    },\n"
            "    \"raw.ip\": {\n"
            "      \"packets\": 1,\n"
            "      \"bytes\": 60,\n"
            "      \"payload_bytes\": 20,\n"
            "      \"flows\": 0,\n"
            "      \"first_seen\": \"1970-01-01T00:00:01.500000000Z\",\n"
            "      \"last_seen\": \"1970-01-01T00:00:01.500000000Z\"\n"
            "    }\n"
            "  }\n"
            "}\n");
}

struct RandomPath {
  LayerPath layers;
  AppPath apps;
};

// Few different steps, so that paths share beginnings; now and then a step that is rare.
RandomPath random_path(std::mt19937_64& random, bool has_rare) {
  RandomPath path;
  path.layers.count = static_cast<uint8_t>(random() % (kLayerCountMax + 1));
  for (size_t index = 0; index < path.layers.count; ++index) {
    const uint64_t layer =
        has_rare && random() % 8 == 0 ? random() % kLayerCount : 1 + random() % 2;
    path.layers.layers[index] = static_cast<Layer>(layer);
  }
  // What lies behind the count means nothing.
  if (random() % 2 == 0) path.layers.layers.back() = Layer::kTcp;
  path.apps.count = static_cast<uint8_t>(random() % (kAppPathCountMax + 1));
  for (uint8_t& app : path.apps.apps) app = static_cast<uint8_t>(random() % (kAppEnd + 1u));
  return path;
}

std::vector<std::string> names_of(const RandomPath& path) {
  std::vector<std::string> names;
  for (size_t index = 0; index < path.layers.count; ++index) {
    names.emplace_back(layer_name(path.layers.layers[index]));
  }
  for (size_t index = 0; index < path.apps.count; ++index) {
    const std::string name(catalog().app_name(path.apps.apps[index]));
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

// The model is a map from the text of a path to its counters, in which a packet moves every one of
// its path's beginnings.
void compare_with_model(bool has_rare, size_t packet_count, bool is_full_expected) {
  std::mt19937_64 random(kSeed);
  PathStatistics statistics(catalog());
  std::map<std::string, PathCounters> model{{"", {}}};
  uint64_t truncated = 0;
  for (size_t packet = 0; packet < packet_count; ++packet) {
    const RandomPath path = random_path(random, has_rare);
    const uint64_t wire_size = random() % 1500;
    const uint64_t payload_size = random() % 1000;
    const auto ts_ns = static_cast<int64_t>(random() % 1'000'000) - 500'000;
    const bool is_flow = random() % 4 == 0;
    const int times = random() % 3 == 0 ? 2 : 1;  // runs of one path
    for (int time = 0; time < times; ++time) {
      statistics.count(path.layers, path.apps, wire_size, payload_size, ts_ns);
      if (is_flow) statistics.count_flow(path.layers, path.apps);
      const PathCounters counters{1, wire_size, payload_size, is_flow ? 1u : 0u, ts_ns, ts_ns};
      model[""] += counters;
      std::string text;
      for (const std::string& name : names_of(path)) {
        if (!text.empty()) text.push_back('.');
        text.append(name);
        if (model.size() >= kPathNodeCountMax && !model.contains(text)) {
          ++truncated;
          break;
        }
        model[text] += counters;
      }
    }
  }
  EXPECT_EQ(model.size() == kPathNodeCountMax, is_full_expected);
  EXPECT_EQ(statistics.node_count(), model.size());
  EXPECT_EQ(statistics.truncated(), truncated);
  size_t node_count = 0;
  statistics.for_each([&](const PathNode& node) {
    ++node_count;
    ASSERT_TRUE(model.contains(node.path)) << node.path << " seed " << kSeed;
    const PathCounters& expected = model[node.path];
    EXPECT_EQ(node.total.packets, expected.packets) << node.path;
    EXPECT_EQ(node.total.bytes, expected.bytes) << node.path;
    EXPECT_EQ(node.total.payload_bytes, expected.payload_bytes) << node.path;
    EXPECT_EQ(node.total.flows, expected.flows) << node.path;
    EXPECT_EQ(node.total.first_seen_ns, expected.first_seen_ns) << node.path;
    EXPECT_EQ(node.total.last_seen_ns, expected.last_seen_ns) << node.path;
  });
  EXPECT_EQ(node_count, model.size());
}

TEST(PathStatistics, AgreesWithANaiveModel) {
  compare_with_model(false, 300, false);
}

TEST(PathStatistics, AgreesWithANaiveModelWhenItIsFull) {
  compare_with_model(true, 20'000, true);
}

// One thread counts packets that all have the same sizes, in paths that keep coming new; two read.
// Whatever they see must be a tree whose numbers fit together as far as the header says.
TEST(PathStatistics, MayBeReadWhileItIsWritten) {
  constexpr uint64_t kPacketCount = 30'000;
  PathStatistics statistics(catalog());
  std::atomic<bool> is_done{false};
  const auto read = [&] {
    uint64_t packets_before = 0;
    size_t count_before = 0;
    while (!is_done.load()) {
      const std::vector<PathNode> nodes = statistics.nodes();
      ASSERT_GE(nodes.size(), count_before);
      ASSERT_GE(nodes.front().total.packets, packets_before);
      count_before = nodes.size();
      packets_before = nodes.front().total.packets;
      uint64_t packets = 0;
      for (const PathNode& node : nodes) {
        packets += node.own.packets;
        ASSERT_EQ(node.depth == 0, node.path.empty());
        if (node.depth > 0) {
          ASSERT_TRUE(node.path.ends_with(node.name)) << node.path;
        }
      }
      ASSERT_EQ(packets, nodes.front().total.packets);
      ASSERT_LE(statistics.truncated(), kPacketCount);
      std::this_thread::yield();
    }
  };
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) readers.emplace_back(read);
  std::mt19937_64 random(kSeed);
  for (uint64_t packet = 0; packet < kPacketCount; ++packet) {
    const RandomPath path = random_path(random, packet % 16 == 0);
    statistics.count(path.layers, path.apps, 100, 40, static_cast<int64_t>(packet));
    if (packet % 8 == 0) statistics.count_flow(path.layers, path.apps);
  }
  is_done.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(statistics.find("")->total.packets, kPacketCount);
  EXPECT_EQ(statistics.find("")->total.bytes, kPacketCount * 100);
  EXPECT_EQ(statistics.find("")->total.flows, kPacketCount / 8);
}

}  // namespace
}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_shape.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "net/decode.h"
#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

using Random = std::independent_bits_engine<std::mt19937, 32, uint32_t>;

FlowShape shape_at(uint32_t interface) {
  FlowShape shape;
  shape.path.count = 1;
  shape.path.layers[0] = Layer::kEthernet;
  shape.interface = interface;
  return shape;
}

FlowShape random_shape(Random& random) {
  FlowShape shape;
  shape.path.count = static_cast<uint8_t>(random() % 3);
  for (size_t at = 0; at < shape.path.count; ++at)
    shape.path.layers[at] = static_cast<Layer>(random() % 3);
  shape.vlans.count = static_cast<uint8_t>(random() % 3);
  for (size_t at = 0; at < shape.vlans.count; ++at)
    shape.vlans.ids[at] = static_cast<uint16_t>(random() % 2);
  shape.interface = random() % 2;
  shape.has_ports = random() % 2 == 0;
  shape.has_macs = random() % 2 == 0;
  return shape;
}

TEST(ShapeTable, FlowsOfOneShapeShareIt) {
  ShapeTable table({1, 2});
  const uint16_t first = table.acquire(shape_at(1));
  EXPECT_NE(first, ShapeTable::kBlank);
  EXPECT_EQ(table.acquire(shape_at(1)), first);
  EXPECT_NE(table.acquire(shape_at(2)), first);
  EXPECT_EQ(table.count(), 2u);
  EXPECT_TRUE(table[first] == shape_at(1));
}

TEST(ShapeTable, AShapeGoesWithTheLastOfItsFlowsAndItsNumberIsUsedAgain) {
  ShapeTable table({1, 2});
  const uint16_t number = table.acquire(shape_at(1));
  table.acquire_again(number);
  table.acquire(shape_at(1));
  table.release(number);
  table.release(number);
  EXPECT_EQ(table.count(), 1u);
  EXPECT_TRUE(table[number] == shape_at(1));
  table.release(number);
  EXPECT_EQ(table.count(), 0u);
  EXPECT_EQ(table.acquire(shape_at(2)), number);
  EXPECT_TRUE(table[number] == shape_at(2));
}

TEST(ShapeTable, TheBlankShapeIsEmptyAndMayBeReleasedByAnybody) {
  ShapeTable table({1, 2});
  EXPECT_TRUE(table[ShapeTable::kBlank] == FlowShape{});
  EXPECT_EQ(table[ShapeTable::kBlank].interface, kNoInterface) << "rather none than another's";
  table.release(ShapeTable::kBlank);
  table.release(ShapeTable::kBlank);
  EXPECT_EQ(table.count(), 0u);
  EXPECT_NE(table.acquire(FlowShape{}), ShapeTable::kBlank) << "a shape without layers is one";
}

TEST(ShapeTable, AFullTableGivesTheBlankShapeForNewOnesOnly) {
  ShapeTable table({1, 2});
  std::vector<uint16_t> numbers;
  for (uint32_t interface = 0; interface < kShapeCountMax; ++interface) {
    numbers.push_back(table.acquire(shape_at(interface)));
    ASSERT_NE(numbers.back(), ShapeTable::kBlank);
  }
  EXPECT_EQ(table.count(), kShapeCountMax);
  EXPECT_EQ(table.acquire(shape_at(kShapeCountMax)), ShapeTable::kBlank);
  EXPECT_EQ(table.acquire(shape_at(77)), numbers[77]);
  table.release(numbers[78]);
  EXPECT_EQ(table.acquire(shape_at(kShapeCountMax)), numbers[78]) << "room again";
  for (uint32_t interface = 0; interface < kShapeCountMax; ++interface) {
    ASSERT_TRUE(interface == 78 || table[numbers[interface]] == shape_at(interface));
  }
}

// Against a list of flows and their shapes. So few differ that most are met often.
TEST(ShapeTable, RandomWalkEqualsAList) {
  Random random(31);
  ShapeTable table({random(), random()});
  struct Flow {
    FlowShape shape;
    uint16_t number;
  };
  std::vector<Flow> flows;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0 || flows.empty()) {
      const FlowShape shape = random_shape(random);
      const uint16_t number = table.acquire(shape);
      ASSERT_NE(number, ShapeTable::kBlank);
      flows.push_back({shape, number});
    } else {
      const size_t at = random() % flows.size();
      table.release(flows[at].number);
      flows[at] = flows.back();
      flows.pop_back();
    }
    if (step % 100 != 0) continue;
    std::vector<Flow> different;
    for (const Flow& flow : flows) {
      ASSERT_TRUE(table[flow.number] == flow.shape);
      bool is_known = false;
      for (const Flow& other : different) {
        ASSERT_EQ(flow.shape == other.shape, flow.number == other.number);
        is_known |= flow.number == other.number;
      }
      if (!is_known) different.push_back(flow);
    }
    ASSERT_EQ(table.count(), different.size());
  }
  for (const Flow& flow : flows) table.release(flow.number);
  EXPECT_EQ(table.count(), 0u);
}

// What lies beyond a count was left there by another packet and is no part of the shape.
TEST(FlowShape, EqualsByWhatItsCountsCover) {
  FlowShape shape = shape_at(1);
  FlowShape same = shape;
  same.path.layers[1] = Layer::kIpv4;
  same.vlans.ids[0] = 5;
  EXPECT_TRUE(shape == same);
  ShapeTable table({1, 2});
  EXPECT_EQ(table.acquire(shape), table.acquire(same));
  same.vlans.count = 1;
  EXPECT_FALSE(shape == same);
  shape.path.count = kLayerCountMax;
  shape.vlans.count = kTagCountMax;
  same = shape;
  EXPECT_EQ(table.acquire(shape), table.acquire(same));
  same.path.layers[kLayerCountMax - 1] = Layer::kTcp;
  EXPECT_NE(table.acquire(shape), table.acquire(same));
  same = shape;
  same.vlans.ids[kTagCountMax - 1] = 9;
  EXPECT_NE(table.acquire(shape), table.acquire(same));
}

TEST(FlowShape, IsWhatThePacketCameIn) {
  const Bytes bytes = ethernet().vlan(7).ipv4("10.0.0.1", "10.0.0.2").udp(5, 6).bytes();
  Frame frame = frame_of(bytes);
  frame.interface = 3;
  Packet packet;
  Decoder({}, HashSecret{1, 2}).decode(frame, packet);
  const FlowShape shape = shape_of(packet);
  ASSERT_EQ(shape.vlans.count, 1);
  EXPECT_EQ(shape.vlans.ids[0], 7);
  EXPECT_EQ(shape.interface, 3u);
  EXPECT_TRUE(shape.has_ports);
  EXPECT_TRUE(shape.has_macs);
  ASSERT_GE(shape.path.count, 3);
  EXPECT_EQ(shape.path.layers[0], Layer::kEthernet);
  EXPECT_EQ(shape.path.layers[shape.path.count - 1], Layer::kUdp);
}

}  // namespace
}  // namespace weir::test

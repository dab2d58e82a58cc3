// SPDX-License-Identifier: Apache-2.0
//
// A protocol of one's own, beside those weir knows: thermometers that say over UDP
//
//   'T' 'M' | number of the sensor (2) | tenths of a degree (2)
//
//   custom_protocol        reads one packet, which is in the program
#include <cstdio>

#include "weir/byte_reader.h"
#include "weir/handler.h"
#include "weir/standard_catalog.h"

namespace {

constexpr uint16_t kMagic = 0x544d;
constexpr size_t kMessageSize = 6;
constexpr uint16_t kPorts[] = {7700};

enum : uint8_t { kSensor, kTenths };
constexpr weir::Attribute kAttributes[] = {
    {"thermo.sensor", weir::FieldType::kU16, kSensor, weir::Keep::kList, "Number of the sensor."},
    {"thermo.tenths", weir::FieldType::kU16, kTenths, weir::Keep::kLast, "Tenths of a degree."},
};

// Is the flow ours? Asked of its first payload.
weir::Probe probe(const weir::Payload& payload) {
  weir::ByteReader reader(payload.bytes);
  const bool is_ours = reader.be16() == kMagic && payload.wire_size == kMessageSize;
  return is_ours ? weir::Probe::yes() : weir::Probe::no();
}

// What does the payload say? A reader that ran out of bytes gave zeros and says so once.
weir::Parse parse(weir::Context& context, const weir::Payload& payload) {
  weir::ByteReader reader(payload.bytes);
  const bool is_ours = reader.be16() == kMagic;
  const uint16_t sensor = reader.be16();
  const uint16_t tenths = reader.be16();
  if (!is_ours || !reader.ok()) return weir::Parse::error("malformed");
  context.set(kSensor, sensor);
  context.set(kTenths, tenths);
  context.end_message();
  return weir::Parse::next();
}

constexpr weir::Protocol kThermo = {.name = "thermo",
                                    .help = "Thermometers.",
                                    .transports = weir::kOverUdp,
                                    .ports = kPorts,
                                    .attributes = kAttributes,
                                    .first_bytes = "T",
                                    .probe = probe,
                                    .parse = parse,
                                    .every_message = true};

// clang-format off
constexpr uint8_t kPacket[] = {
    0x02, 0, 0, 0, 0, 1,  0x02, 0, 0, 0, 0, 2,  0x08, 0x00,                         // Ethernet
    0x45, 0, 0, 34,  0, 0, 0, 0,  64, 17, 0, 0,  192, 0, 2, 1,  192, 0, 2, 2,       // IPv4
    0x9c, 0x40,  0x1e, 0x14,  0, 14,  0, 0,                                         // UDP to 7700
    'T', 'M',  0, 12,  0, 215,                                                      // 21.5 degrees
};
// clang-format on

}  // namespace

int main() {
  weir::CatalogBuilder builder = weir::standard_catalog();
  builder.add(kThermo);
  weir::Handler handler({}, std::make_shared<const weir::Catalog>(builder.freeze()));
  handler.on_attribute(
      "thermo.tenths",
      [](const weir::AttributeEvent& event) { std::printf("warm: %s\n", event.text().c_str()); },
      "app == thermo and thermo.sensor == 12 and thermo.tenths > 200");
  handler.on_flow_end([](const weir::Flow& flow) { std::puts(flow.json().c_str()); });

  weir::Frame frame;
  frame.data = kPacket;
  frame.captured_size = frame.wire_size = sizeof(kPacket);
  frame.ts_ns = 1'767'258'000'000'000'000;
  frame.link_type = 1;  // Ethernet
  handler.process(frame);
  handler.finish();
  for (const weir::PathNode& node : handler.paths().nodes())
    std::printf("%s %d\n", node.path.c_str(), static_cast<int>(node.total.packets));
}

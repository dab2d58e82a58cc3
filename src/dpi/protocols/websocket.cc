// SPDX-License-Identifier: Apache-2.0
//
// WebSocket (RFC 6455): frames in both directions after an upgrade of HTTP/1, which hands the flow over
// behind the status line of its 101. The headers of that response come first here, because they say
// what WebSocket carries and how; the handshake's host and target are http.* attributes.
//
//   0               1               2               3
//   F R R R opcode  M length(7)     length (16 or 64 bits, when length is 126 or 127)
//   masking key (4), when M         payload
//
// What is in a frame is skipped but for the status code of a close.
//
// Deliberately without a probe: two bytes prove nothing.

#include <algorithm>
#include <array>

#include "dpi/wire_text.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr uint8_t kControlBit = 8;  // of an opcode
constexpr uint64_t kControlSizeMax = 125;
constexpr size_t kMaskSize = 4;
constexpr size_t kCloseCodeSize = 2;
constexpr uint64_t kSkipMax = UINT32_MAX;

enum : uint8_t {
  kSubprotocol,
  kExtensions,
  kOpcodes,
  kMasked,
  kCloseCode,
  kTextFrames,
  kBinaryFrames,
  kContinuationFrames,
  kPingFrames,
  kPongFrames,
};

constexpr Attribute kAttributes[] = {
    {"websocket.subprotocol", FieldType::kString, kSubprotocol, Keep::kFirst,
     "Subprotocol the server chose (Sec-WebSocket-Protocol)."},
    {"websocket.extensions", FieldType::kString, kExtensions, Keep::kFirst,
     "Extensions the server agreed to, such as permessage-deflate."},
    {"websocket.opcodes", FieldType::kString, kOpcodes, Keep::kList, "Kinds of frames seen."},
    {"websocket.masked", FieldType::kBool, kMasked, Keep::kFirst,
     "Whether the client masks its frames, as it must."},
    {"websocket.close_code", FieldType::kU16, kCloseCode, Keep::kFirst,
     "Why the connection was closed: 1000 is normal."},
    {"websocket.text_frames", FieldType::kU32, kTextFrames, Keep::kFirst,
     "Text frames seen while the flow was inspected."},
    {"websocket.binary_frames", FieldType::kU32, kBinaryFrames, Keep::kFirst,
     "Binary frames seen while the flow was inspected."},
    {"websocket.continuation_frames", FieldType::kU32, kContinuationFrames, Keep::kFirst,
     "Frames that continue a message, seen while the flow was inspected."},
    {"websocket.ping_frames", FieldType::kU32, kPingFrames, Keep::kFirst,
     "Pings seen while the flow was inspected."},
    {"websocket.pong_frames", FieldType::kU32, kPongFrames, Keep::kFirst,
     "Pongs seen while the flow was inspected."},
};

struct Opcode {
  uint8_t number;
  std::string_view name;
  uint8_t count_attribute;  // kOpcodes: not counted
};
constexpr std::array<Opcode, 6> kOpcodeRows = {{
    {0, "continuation", kContinuationFrames},
    {1, "text", kTextFrames},
    {2, "binary", kBinaryFrames},
    {8, "close", kOpcodes},
    {9, "ping", kPingFrames},
    {10, "pong", kPongFrames},
}};

struct Direction {
  uint64_t expected_offset;
  uint64_t remaining;  // of a frame
};

struct State {
  std::array<Direction, 2> directions;
  std::array<uint32_t, kOpcodeRows.size()> counts;
  bool is_handshake_done;
};

// Consumes `size` bytes and, without having seen them, what comes of a frame behind.
Parse consume(Direction& direction, const Payload& payload, uint64_t size) {
  const uint64_t skipped = std::min(direction.remaining, kSkipMax - size);
  direction.remaining -= skipped;
  direction.expected_offset = payload.offset + size + skipped;
  return Parse::next(size + skipped);
}

// The rest of the response that upgrades: header lines up to an empty one.
Parse parse_header(Context& context, State& state, const Payload& payload) {
  Direction& direction = state.directions[static_cast<size_t>(payload.side)];
  const size_t end = find_byte(payload.bytes, '\n');
  if (end == kNotFound) {
    if (payload.bytes.size() >= kAssemblySizeMax) return Parse::error("long_header");
    return Parse::need(payload.bytes.size() + 1);
  }
  const WireText line = without_line_end(payload.bytes.first(end));
  if (line.empty()) {
    state.is_handshake_done = true;
    context.end_message();
    return consume(direction, payload, end + 1);
  }
  const auto [name, value] = split_header_field(line);
  if (equals_ignoring_case(name, "sec-websocket-protocol")) context.set(kSubprotocol, value);
  if (equals_ignoring_case(name, "sec-websocket-extensions")) context.set(kExtensions, value);
  return consume(direction, payload, end + 1);
}

Parse parse_frame(Context& context, State& state, const Payload& payload) {
  ByteReader reader(payload.bytes);
  const uint8_t first = reader.u8();
  const uint8_t second = reader.u8();
  const uint8_t number = first & 15;
  const bool is_control = (number & kControlBit) != 0;
  const bool is_masked = (second & 0x80) != 0;
  uint64_t size = second & 0x7f;
  if (size == 126) {
    size = reader.be16();
  } else if (size == 127) {
    size = reader.be64();
  }
  std::array<uint8_t, kMaskSize> mask{};
  if (is_masked) reader.copy(mask.data(), mask.size());
  if (!reader.ok()) return Parse::need(payload.bytes.size() + 1);

  const auto* const opcode = std::ranges::find_if(
      kOpcodeRows, [number](const Opcode& row) { return row.number == number; });
  if (opcode == kOpcodeRows.end()) return Parse::error("reserved_opcode");
  if (is_control && (size > kControlSizeMax || (first & 0x80) == 0))
    return Parse::error("bad_control_frame");
  if (size >> 63 != 0) return Parse::error("bad_length");

  const bool has_code = opcode->name == "close" && size >= kCloseCodeSize;
  if (has_code) {
    // What follows a close does not matter; its code is waited for.
    if (reader.remaining() < kCloseCodeSize) return Parse::need(payload.bytes.size() + 1);
    const uint8_t high = reader.u8() ^ mask[0];
    const uint8_t low = reader.u8() ^ mask[1];
    size -= kCloseCodeSize;
    context.set(kCloseCode, static_cast<uint16_t>(high << 8 | low));
  }
  ++state.counts[static_cast<size_t>(opcode - kOpcodeRows.begin())];
  context.set(kOpcodes, opcode->name);
  if (payload.from_initiator()) context.set(kMasked, is_masked);
  context.end_message();

  Direction& direction = state.directions[static_cast<size_t>(payload.side)];
  direction.remaining = size;
  return consume(direction, payload, payload.bytes.size() - reader.remaining());
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  Direction& direction = state.directions[static_cast<size_t>(payload.side)];
  if (payload.bytes.empty()) return Parse::need(1);
  // Where the next frame begins cannot be known after loss.
  const bool is_new = direction.expected_offset == 0;
  if (payload.gap_before && !is_new && payload.offset != direction.expected_offset)
    return Parse::done();
  if (direction.remaining > 0) return consume(direction, payload, 0);
  if (!payload.from_initiator() && !state.is_handshake_done)
    return parse_header(context, state, payload);
  return parse_frame(context, state, payload);
}

void end(Context& context) {
  const State& state = context.state<State>();
  for (size_t index = 0; index < kOpcodeRows.size(); ++index) {
    const uint8_t attribute = kOpcodeRows[index].count_attribute;
    if (state.counts[index] > 0 && attribute != kOpcodes)
      context.set(attribute, state.counts[index]);
  }
}

}  // namespace

extern const Protocol kWebsocket{
    .name = "websocket",
    .help = "WebSocket: messages in both directions over an upgraded HTTP connection.",
    .transports = kOverTcp,
    .attributes = kAttributes,
    .parse = parse,
    .end = end,
    .state_size = sizeof(State),
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// ProtocolRun: one flow's payload through a real Inspector, for tests of protocols.
//
//   ProtocolRun run({.transport = kOverTcp, .dst_port = 25});
//   run.send(Side::kResponder, "220 mail.example ESMTP\r\n");
//   run.finish();
//   EXPECT_EQ(run.app(), "smtp");
//   EXPECT_EQ(run.json(), R"({"smtp":{…}})");
//
// Threads: one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dpi/inspector.h"
#include "dpi/protocols.h"
#include "weir/attribute_block.h"

namespace weir::test {

using PayloadBytes = std::vector<uint8_t>;

inline PayloadBytes payload_of(std::string_view text) {
  return {text.begin(), text.end()};
}
// "16 03 01", blanks and all else between the digits left out.
inline PayloadBytes from_hex(std::string_view text) {
  PayloadBytes bytes;
  int high = -1;
  for (const char letter : text) {
    int digit = -1;
    if (letter >= '0' && letter <= '9') digit = letter - '0';
    if (letter >= 'a' && letter <= 'f') digit = letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') digit = letter - 'A' + 10;
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

inline const Catalog& protocol_catalog() {
  static const Catalog catalog = [] {
    CatalogBuilder builder;
    for (const Protocol* protocol : built_in_protocols()) builder.add(*protocol);
    return builder.freeze();
  }();
  return catalog;
}

struct RunOptions {
  Transport transport = kOverTcp;
  uint16_t src_port = 50000;  // of an EtherType or IP protocol: its number in both
  uint16_t dst_port = 50001;
  bool is_midstream = false;  // TCP: the begin was not seen
  AddressKind address_kind = AddressKind::kIpv4;
  const Catalog* catalog = nullptr;  // none: all built-in protocols
  InspectorOptions inspector = {};
};

class ProtocolRun {
 public:
  explicit ProtocolRun(const RunOptions& options = {})
      : options_(options),
        catalog_(options.catalog != nullptr ? *options.catalog : protocol_catalog()),
        table_(catalog_),
        pool_(uint64_t{256} << 20) {
    InspectorOptions inspector = options.inspector;
    for (size_t number = 1; number <= catalog_.protocols().size(); ++number)
      inspector.events.insert(static_cast<uint8_t>(number));
    inspector.inspection_count_max = 64;
    inspector.assembly_count_max = 64;
    inspector.attributes_count_max = 64;
    inspector_ = std::make_unique<Inspector>(table_, inspector, pool_);
  }
  ~ProtocolRun() {
    finish();
    inspector_->release(flow_);
  }

  // The next bytes of a stream as one segment, or one datagram. False when no more is wanted, now or
  // before. wire_size: of a packet the snap length cut.
  bool send(Side side, const PayloadBytes& bytes, uint32_t wire_size = 0) {
    const size_t index = static_cast<size_t>(side);
    const uint32_t size = std::max(wire_size, static_cast<uint32_t>(bytes.size()));
    const bool goes_on = offer(side, sequence_[index], bytes, size);
    sequence_[index] += size;
    return goes_on;
  }
  bool send(Side side, std::string_view text) { return send(side, payload_of(text)); }
  bool send(Side side, const char* text) { return send(side, std::string_view(text)); }
  // The same in segments of `size` bytes.
  bool send_in_pieces(Side side, const PayloadBytes& bytes, size_t size) {
    for (size_t at = 0; at < bytes.size(); at += size) {
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      const auto end =
          bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, bytes.size()));
      send(side, PayloadBytes(begin, end));
    }
    return is_inspected_;
  }
  // Stream: a segment `distance` bytes from where the next one belongs, which stays where it was.
  bool send_at(Side side, int32_t distance, const PayloadBytes& bytes) {
    return offer(side, sequence_[static_cast<size_t>(side)] + static_cast<uint32_t>(distance),
                 bytes, static_cast<uint32_t>(bytes.size()));
  }
  // Stream: bytes that are not in the capture.
  void lose(Side side, uint32_t size) { sequence_[static_cast<size_t>(side)] += size; }
  void advance_clock(int64_t ns) { clock_ns_ += ns; }
  void finish() {
    if (!is_finished_) inspector_->end(flow_, clock_ns_);
    is_finished_ = true;
  }

  std::string_view app() const { return catalog_.app_name(flow_.app); }
  AppConfidence confidence() const { return flow_.confidence(); }
  AppMethod method() const { return flow_.method(); }
  std::string path() const {
    std::string path;
    for (const uint8_t app : {flow_.below, flow_.app, flow_.above}) {
      if (app == kUnknownApp) continue;
      if (!path.empty()) path += '.';
      path += catalog_.app_name(app);
    }
    return path;
  }
  // What was found in the flow.
  std::string json() const {
    std::string text = "{";
    append_json_attributes(text, catalog_, inspector_->attributes(flow_));
    return text + "}";
  }
  // One attribute as text; empty when there is none.
  std::string attribute(std::string_view name) const {
    const Field* field = catalog_.find(name);
    if (field == nullptr) return "no such attribute";
    Value value;
    find_attribute(*field, inspector_->attributes(flow_), value);
    std::string text;
    append_text(text, catalog_, value);
    return text;
  }
  // Of each message, as above.
  std::vector<std::string> events() const {
    std::vector<std::string> texts;
    for (const MessageEvent& message : inspector_->events().messages) {
      std::string& text = texts.emplace_back("{");
      append_json_attributes(text, catalog_, inspector_->events().block(message));
      text += "}";
    }
    return texts;
  }
  Statistics statistics() const {
    Statistics statistics;
    inspector_->add_statistics(statistics);
    return statistics;
  }
  bool is_inspected() const { return is_inspected_; }
  Inspector& inspector() { return *inspector_; }
  // Goes on with another flow between the same two, beginning with nothing; `json()` and the rest are
  // of it from then on.
  void next_flow(Transport transport, uint16_t src_port, uint16_t dst_port) {
    finish();
    inspector_->release(flow_);
    flow_ = FlowDpi{};
    is_finished_ = false;
    is_inspected_ = true;
    sequence_ = {1000, 2000};
    options_.transport = transport;
    options_.src_port = src_port;
    options_.dst_port = dst_port;
  }

 private:
  bool offer(Side side, uint32_t sequence, const PayloadBytes& bytes, uint32_t wire_size) {
    if (!is_inspected_) return false;
    const bool is_initiator = side == Side::kInitiator;
    Segment segment;
    Payload& payload = segment.payload;
    payload.bytes = bytes;
    payload.wire_size = wire_size;
    payload.transport = options_.transport;
    payload.side = side;
    payload.sender_port = is_initiator ? options_.src_port : options_.dst_port;
    payload.receiver_port = is_initiator ? options_.dst_port : options_.src_port;
    payload.sender = {10, 0, 0, static_cast<uint8_t>(is_initiator ? 1 : 2)};
    payload.receiver = {10, 0, 0, static_cast<uint8_t>(is_initiator ? 2 : 1)};
    payload.address_kind = options_.address_kind;
    payload.ts_ns = segment.clock_ns = clock_ns_;
    segment.is_begin_known = !options_.is_midstream;
    segment.begin_seq = is_initiator ? 1000 : 2000;
    segment.seq = sequence;
    segment.flow_id = 1;
    segment.frame_number = ++frame_number_;
    is_inspected_ = inspector_->inspect(flow_, segment);
    return is_inspected_;
  }

  RunOptions options_;
  const Catalog& catalog_;
  ProtocolTable table_;
  MemoryPool pool_;
  std::unique_ptr<Inspector> inspector_;
  FlowDpi flow_;
  std::array<uint32_t, 2> sequence_{1000, 2000};
  int64_t clock_ns_ = 1'700'000'000'000'000'000;
  uint64_t frame_number_ = 0;
  bool is_inspected_ = true;
  bool is_finished_ = false;
};

}  // namespace weir::test

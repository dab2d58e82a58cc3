// SPDX-License-Identifier: Apache-2.0
//
// PayloadFlow: what the two ends of a flow said, piece by piece; PayloadPlayer: shows such flows to an
// Inspector with every protocol weir has, and holds everything that comes of it to what must always
// hold. For the tests with captures (golden_flows.h) and the fuzz target.
//
// A flow as bytes, for the corpus of the fuzz target (big endian):
//
//   flow   = protocol (1)  transport (1)  ports (2 + 2)  piece*
//   piece  = control (1)  size (2)  bytes (size, or what is there)
//
//   protocol   the flow is announced as one of this number, so its parser sees it without its probe;
//              0, or one that does not run over the transport: nobody announces it
//   transport  bits 0-2: which of Transport's; 3: the begin was not seen; 4: addresses of IPv6
//   control    bit 0: of the responder; 1-3: Delivery; 4: the snap length cut it, as much again is
//              missing; 5-6: the clock moves on before it; 7: no piece, but another flow of the same
//              two ends begins (size and bytes are left out)
//
// Errors: none; what is cut ends the last piece. Threads: one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "dpi/inspector.h"
#include "dpi/protocols.h"
#include "tests/support/json_check.h"
#include "weir/attribute_block.h"
#include "weir/byte_reader.h"

namespace weir::test {

using PayloadBytes = std::vector<uint8_t>;

struct Piece {
  Side side = Side::kInitiator;
  uint32_t wire_size = 0;  // bytes.size() or more
  uint64_t offset = 0;     // stream: of bytes[0] since the begin of its direction
  int64_t ts_ns = 0;       // since the begin of the flow
  PayloadBytes bytes;      // exactly as large as it is, so that a sanitizer sees its end
};

struct PayloadFlow {
  Transport transport = kOverTcp;
  uint16_t src_port = 0;  // of an EtherType or IP protocol: its number in both
  uint16_t dst_port = 0;
  bool is_ipv6 = false;
  std::array<bool, 2> is_begin_known{true, true};  // of each Side's stream
  std::vector<Piece> pieces;                       // in the order they are shown

  bool is_stream() const { return transport == kOverTcp; }
  size_t size() const {
    size_t size = 0;
    for (const Piece& piece : pieces) size += piece.bytes.size();
    return size;
  }
};

inline constexpr std::array<Transport, 6> kTransports = {kOverTcp,  kOverUdp,      kOverSctp,
                                                         kOverIcmp, kOverEthernet, kOverIp};

// How a piece of the byte format arrives.
enum class Delivery : uint8_t {
  kOnce,
  kTwice,
  kLost,       // a hole
  kLater,      // after the next piece
  kOverlaps,   // begins with as many bytes of before, at most its own size
  kOtherPart,  // twice; the second time with other bytes
};

// What the byte format says; flows to be played one after the other.
struct PayloadScript {
  struct Flow {
    uint8_t protocol = kUnknownApp;
    PayloadFlow flow;
  };
  std::vector<Flow> flows;
};

inline constexpr size_t kScriptFlowCountMax = 8;

inline PayloadScript read_script(std::span<const uint8_t> bytes) {
  PayloadScript script;
  ByteReader reader(bytes);
  constexpr std::array<int64_t, 4> kWaitsNs = {0, 1'000'000, 2'000'000'000, 400'000'000'000};
  while (reader.ok() && reader.remaining() > 0 && script.flows.size() < kScriptFlowCountMax) {
    PayloadScript::Flow& made = script.flows.emplace_back();
    PayloadFlow& flow = made.flow;
    made.protocol = reader.u8();
    const uint8_t transport = reader.u8();
    flow.transport = kTransports[(transport & 7) % kTransports.size()];
    flow.src_port = reader.be16();
    flow.dst_port = reader.be16();
    flow.is_ipv6 = (transport & 16) != 0;
    if ((transport & 8) != 0) flow.is_begin_known = {false, false};
    std::array<uint64_t, 2> offsets{};
    int64_t ts_ns = 0;
    std::vector<Piece> later;
    while (reader.ok() && reader.remaining() > 0) {
      const uint8_t control = reader.u8();
      if ((control & 128) != 0) break;
      const size_t size = std::min<size_t>(reader.be16(), reader.remaining());
      const std::span<const uint8_t> content = reader.bytes(size);
      const auto delivery = static_cast<Delivery>((control >> 1 & 7) % 6);
      const size_t side = control & 1;
      Piece piece;
      piece.side = static_cast<Side>(side);
      piece.bytes.assign(content.begin(), content.end());
      piece.wire_size = static_cast<uint32_t>((control & 16) != 0 ? 2 * size : size);
      ts_ns += kWaitsNs[control >> 5 & 3];
      piece.ts_ns = ts_ns;
      if (delivery == Delivery::kOverlaps) offsets[side] -= std::min<uint64_t>(offsets[side], size);
      piece.offset = offsets[side];
      offsets[side] += piece.wire_size;
      std::vector<Piece> before = std::move(later);
      later.clear();
      if (delivery == Delivery::kLater) {
        later.push_back(std::move(piece));
      } else if (delivery != Delivery::kLost) {
        flow.pieces.push_back(piece);
        if (delivery == Delivery::kTwice || delivery == Delivery::kOtherPart) {
          if (delivery == Delivery::kOtherPart)
            piece.bytes = PayloadBytes(piece.bytes.rbegin(), piece.bytes.rend());
          flow.pieces.push_back(std::move(piece));
        }
      }
      for (Piece& held : before) flow.pieces.push_back(std::move(held));
    }
    for (Piece& held : later) flow.pieces.push_back(std::move(held));
  }
  return script;
}

// The byte format of one flow whose pieces follow each other without holes.
inline void append_script(PayloadBytes& out, uint8_t protocol, const PayloadFlow& flow) {
  const auto put16 = [&out](size_t value) {
    out.push_back(static_cast<uint8_t>(value >> 8));
    out.push_back(static_cast<uint8_t>(value));
  };
  const auto transport = std::find(kTransports.begin(), kTransports.end(), flow.transport);
  out.push_back(protocol);
  out.push_back(static_cast<uint8_t>((transport - kTransports.begin()) |
                                     (flow.is_begin_known[0] ? 0 : 8) | (flow.is_ipv6 ? 16 : 0)));
  put16(flow.src_port);
  put16(flow.dst_port);
  for (const Piece& piece : flow.pieces) {
    out.push_back(static_cast<uint8_t>(piece.side));
    put16(std::min<size_t>(piece.bytes.size(), UINT16_MAX));
    out.insert(out.end(), piece.bytes.begin(),
               piece.bytes.begin() +
                   static_cast<std::ptrdiff_t>(std::min<size_t>(piece.bytes.size(), UINT16_MAX)));
  }
}

// What came of a flow.
struct Findings {
  std::string app;
  std::string path;
  std::string json;
  size_t message_count = 0;
  bool is_known_early = false;  // before the flow ended
  friend bool operator==(const Findings&, const Findings&) = default;
};

// The protocol that announces flows: a datagram from port kAnnouncementPort to the same, of protocol
// number, transport and port.
inline constexpr uint16_t kAnnouncementPort = 1;
inline constexpr uint16_t kAnnouncementPorts[] = {kAnnouncementPort};

inline Probe probe_announcement(const Payload& payload) {
  const bool is_mine =
      payload.sender_port == kAnnouncementPort && payload.receiver_port == kAnnouncementPort;
  return is_mine ? Probe::yes() : Probe::no();
}

inline Parse parse_announcement(Context& context, const Payload& payload) {
  ByteReader reader(payload.bytes);
  const uint8_t number = reader.u8();
  const auto transport = static_cast<Transport>(reader.u8());
  const uint16_t port = reader.be16();
  if (!reader.ok() || number == 0 || number > built_in_protocols().size())
    return Parse::error("no_announcement");
  context.expect({built_in_protocols()[number - 1u]->name, transport, port});
  return Parse::done();
}

inline constexpr Protocol kAnnouncement{.name = "announcement",
                                        .help = "Announces flows in tests.",
                                        .transports = kOverUdp,
                                        .ports = kAnnouncementPorts,
                                        .probe = probe_announcement,
                                        .parse = parse_announcement};

// Every protocol weir has; the announcement's number comes after theirs.
inline const Catalog& played_catalog() {
  static const Catalog catalog = [] {
    CatalogBuilder builder;
    for (const Protocol* protocol : built_in_protocols()) builder.add(*protocol);
    builder.add(kAnnouncement);
    return builder.freeze();
  }();
  return catalog;
}

// How much room there is: usual limits, ones that every other flow hits, or a pool that refuses.
enum class Room : uint8_t { kEnough, kLittle, kPoolRefuses };
inline constexpr size_t kRoomCount = 3;

class PayloadPlayer {
 public:
  explicit PayloadPlayer(Room room = Room::kEnough)
      : table_(played_catalog()),
        pool_(room == Room::kPoolRefuses ? uint64_t{260} << 10 : uint64_t{256} << 20),
        inspector_(table_, options(room), pool_) {}

  // Shows a flow and forgets it; the Inspector's announcements and clock go on.
  Findings play(const PayloadFlow& flow) {
    FlowDpi dpi;
    show(flow, dpi);
    Findings findings = findings_of(dpi);
    findings.is_known_early = is_known_early_;
    forget(dpi);
    return findings;
  }
  // The same for who wants to know how long it takes.
  void skim(const PayloadFlow& flow) {
    FlowDpi dpi;
    show(flow, dpi);
    forget(dpi);
  }
  // Flows like this one are said to be of the protocol; of none when it does not run over that.
  void announce(uint8_t protocol, const PayloadFlow& flow) {
    if (protocol == kUnknownApp || protocol > built_in_protocols().size()) return;
    if ((built_in_protocols()[protocol - 1u]->transports & flow.transport) == 0) return;
    const std::array<uint8_t, 4> announcement = {protocol, static_cast<uint8_t>(flow.transport),
                                                 static_cast<uint8_t>(flow.dst_port >> 8),
                                                 static_cast<uint8_t>(flow.dst_port)};
    Segment segment = segment_of(flow, Piece{}, clock_ns_);
    segment.payload.transport = kOverUdp;
    segment.payload.sender_port = segment.payload.receiver_port = kAnnouncementPort;
    segment.payload.bytes = announcement;
    segment.payload.wire_size = announcement.size();
    FlowDpi dpi;
    inspector_.inspect(dpi, segment);
    inspector_.end(dpi, clock_ns_);
    inspector_.release(dpi);
  }
  // As `ns` of silence would, so that nothing is announced any more.
  void advance_clock(int64_t ns) { clock_ns_ += ns; }

  // The first thing that did not hold since it was last taken; empty when everything did.
  std::string take_broken() { return std::exchange(broken_, {}); }
  Inspector& inspector() { return inspector_; }

 private:
  static InspectorOptions options(Room room) {
    InspectorOptions options;
    const bool is_little = room == Room::kLittle;
    for (size_t number = 1; number <= played_catalog().protocols().size(); ++number)
      options.events.insert(static_cast<uint8_t>(number));
    options.inspection_count_max = is_little ? 1 : 64;
    options.assembly_count_max = is_little ? 1 : 64;
    options.attributes_count_max = is_little ? 1 : 64;
    options.expectation_count_max = is_little ? 1 : 64;
    options.decryptions_per_second_max = is_little ? 1 : 20'000;
    return options;
  }

  void show(const PayloadFlow& flow, FlowDpi& dpi) {
    const int64_t begin_ns = clock_ns_;
    bool is_inspected = inspector_.wants(flow.transport);
    for (const Piece& piece : flow.pieces) {
      if (!is_inspected) break;
      const Segment segment = segment_of(flow, piece, begin_ns);
      clock_ns_ = std::max(clock_ns_, segment.clock_ns);
      is_inspected = inspector_.inspect(dpi, segment);
    }
    is_known_early_ = dpi.app != kUnknownApp;
    inspector_.end(dpi, clock_ns_);
  }
  void forget(FlowDpi& dpi) {
    inspector_.release(dpi);
    if (inspector_.held_count() != 0) fail("memory of a flow that is released");
    inspector_.take_events(events_);
    events_.clear();
  }

  Segment segment_of(const PayloadFlow& flow, const Piece& piece, int64_t begin_ns) {
    // Sequence numbers wrap early in every flow.
    constexpr std::array<uint32_t, 2> kBegins = {UINT32_MAX - 100, UINT32_MAX - 5000};
    const bool is_initiator = piece.side == Side::kInitiator;
    const size_t side = static_cast<size_t>(piece.side);
    const uint8_t last = is_initiator ? 1 : 2;
    Segment segment;
    Payload& payload = segment.payload;
    payload.bytes = piece.bytes;
    payload.wire_size = std::max(piece.wire_size, static_cast<uint32_t>(piece.bytes.size()));
    payload.transport = flow.transport;
    payload.side = piece.side;
    payload.sender_port = is_initiator ? flow.src_port : flow.dst_port;
    payload.receiver_port = is_initiator ? flow.dst_port : flow.src_port;
    payload.address_kind = flow.transport == kOverEthernet ? AddressKind::kMac
                           : flow.is_ipv6                  ? AddressKind::kIpv6
                                                           : AddressKind::kIpv4;
    payload.sender = {10, 0, 0, last};
    payload.receiver = {10, 0, 0, static_cast<uint8_t>(3 - last)};
    payload.ts_ns = segment.clock_ns = begin_ns + piece.ts_ns;
    segment.is_begin_known = flow.is_begin_known[side];
    segment.begin_seq = kBegins[side];
    segment.seq = kBegins[side] + static_cast<uint32_t>(piece.offset);
    segment.flow_id = 1;
    segment.frame_number = ++frame_number_;
    return segment;
  }

  Findings findings_of(const FlowDpi& dpi) {
    const Catalog& catalog = played_catalog();
    Findings findings;
    findings.app = catalog.app_name(dpi.app);
    for (const uint8_t app : {dpi.below, dpi.app, dpi.above}) {
      if (app == kUnknownApp) continue;
      if (!findings.path.empty()) findings.path += '.';
      findings.path += catalog.app_name(app);
    }
    if ((dpi.app == kUnknownApp) != (dpi.confidence() == AppConfidence::kNone))
      fail("an app without confidence, or the reverse");
    if ((dpi.app == kUnknownApp) != (dpi.method() == AppMethod::kNone))
      fail("an app without method, or the reverse");
    const std::span<const uint8_t> block = inspector_.attributes(dpi);
    if (block.size() > kAttributesSizeMax) fail("more attributes than a flow may have");
    findings.json = json_of(block, true);
    for (const MessageEvent& message : inspector_.events().messages) {
      if (message.size == 0) fail("a message with nothing in it");
      json_of(inspector_.events().block(message), false);
      ++findings.message_count;
    }
    return findings;
  }

  // A block as JSON and, cell by cell, as CSV; both checked.
  std::string json_of(std::span<const uint8_t> block, bool is_record) {
    const Catalog& catalog = played_catalog();
    check_block(block, is_record, 0);
    std::string json = "{";
    append_json_attributes(json, catalog, block);
    json += '}';
    if (const char* const broken = broken_json(json)) fail(broken, json);
    AttributeEntry entry;
    uint16_t before = kNoAttribute;
    for (AttributeReader reader(block); reader.next(entry);) {
      const Field* const field = catalog.attribute(entry.number);
      // A list is one cell.
      if (field == nullptr || std::exchange(before, entry.number) == entry.number) continue;
      Value value;
      find_attribute(*field, block, value);
      std::string text;
      append_text(text, catalog, value);
      std::string cell;
      append_csv_text(cell, text);
      if (const char* const broken = broken_csv_cell(cell)) fail(broken, cell);
    }
    return json;
  }

  // Recursive, as deep as objects may be.
  void check_block(std::span<const uint8_t> block, bool is_record, size_t depth) {
    if (depth > kNestingMax) return fail("objects too deep");
    AttributeReader reader(block);
    AttributeEntry entry;
    size_t size = 0;
    uint16_t before = 0;
    size_t same_count = 0;
    while (reader.next(entry)) {
      const Field* const field = played_catalog().attribute(entry.number);
      if (field == nullptr) return fail("an attribute nobody declared");
      if ((field->parent == kNoAttribute) != (depth == 0))
        return fail("a member without its object", field->name);
      if (depth == 0 && size > 0 && entry.number < before)
        return fail("a block that is not sorted", field->name);
      same_count = size > 0 && entry.number == before ? same_count + 1 : 1;
      if (is_record && depth == 0 && same_count > (field->is_list() ? kListCountMax : 1))
        return fail("more values than are kept", field->name);
      before = entry.number;
      size += kEntryHeaderSize + entry.value.size();
      if (field->type == FieldType::kObject) {
        check_block(entry.value, is_record, depth + 1);
      } else {
        check_value(*field, entry.value);
      }
    }
    if (size != block.size()) fail("a block that is cut");
  }

  void check_value(const Field& field, std::span<const uint8_t> value) {
    if (value.size() > kAttributeSizeMax) return fail("a value that is too long", field.name);
    switch (field.type) {
      case FieldType::kBool:
        if (value.size() != 1 || value[0] > 1) fail("neither true nor false", field.name);
        return;
      case FieldType::kU8:
      case FieldType::kU16:
      case FieldType::kU32:
      case FieldType::kU64:
        if (field.keep == Keep::kCount) {
          if (value.size() != 8) fail("a count that is not of 8 bytes", field.name);
          return;
        }
        if (value.empty() || value.size() > size_of(field.type))
          fail("a number that does not fit", field.name);
        return;
      case FieldType::kTime:
      case FieldType::kDuration:
        if (value.size() != 8) fail("a time that is not of 8 bytes", field.name);
        return;
      case FieldType::kAddress:
        if (value.size() != 4 && value.size() != 6 && value.size() != 8 && value.size() != 16)
          fail("no address", field.name);
        return;
      case FieldType::kMac:
        if (value.size() != 6) fail("no MAC address", field.name);
        return;
      default:
        return;
    }
  }
  static size_t size_of(FieldType type) {
    switch (type) {
      case FieldType::kU8:
        return 1;
      case FieldType::kU16:
        return 2;
      case FieldType::kU32:
        return 4;
      default:
        return 8;
    }
  }

  void fail(const char* sentence, std::string_view detail = {}) {
    if (!broken_.empty()) return;
    broken_ = sentence;
    if (!detail.empty()) broken_.append(": ").append(detail);
  }

  ProtocolTable table_;
  MemoryPool pool_;
  Inspector inspector_;
  Events events_;
  int64_t clock_ns_ = 1'700'000'000'000'000'000;
  uint64_t frame_number_ = 0;
  bool is_known_early_ = false;
  std::string broken_;
};

}  // namespace weir::test

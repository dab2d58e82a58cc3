// SPDX-License-Identifier: Apache-2.0
//
// RTCP (RFC 3550, section 6), with feedback (RFC 4585) and extended reports (RFC 3611); also
// encrypted (SRTCP, RFC 3711), of which only the first packet's header and sender are clear.
//
//    |V=2|P|  count  |      type     |  32-bit words that follow     |
//    |                     SSRC of the sender                        |  …
//
// A datagram is several such packets, whose lengths add up to its size; then it is clear. Round
// trips are measured where the capture is: from a sender report that passed here to the reception
// report about it that came back (section 6.4.1), without the time its receiver held it.
#include <algorithm>
#include <array>

#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr size_t kPacketCountMax = 32;  // of a datagram that are looked at
constexpr size_t kHeaderSize = 4;
constexpr size_t kSenderReportWords = 6;  // after the header, without reports
constexpr size_t kReceiverReportWords = 1;
constexpr size_t kReportBlockWords = 6;
constexpr int64_t kRoundTripMaxNs = 60'000'000'000;  // more is no round trip

enum Type : uint8_t {
  kFirstType = 200,
  kSenderReport = 200,
  kReceiverReport = 201,
  kSourceDescription = 202,
  kGoodbye = 203,
  kTransportFeedback = 205,
  kPayloadFeedback = 206,
  kExtendedReport = 207,
  kLastType = 207,
};
enum Item : uint8_t { kItemEnd = 0, kItemCname = 1, kItemTool = 6 };  // section 6.5

enum : uint8_t {
  kPacketType,
  kSsrc,
  kCname,
  kTool,
  kFractionLost,
  kLost,
  kJitter,
  kRoundTrip,
  kReason,
  kEncrypted,
};

constexpr Attribute kAttributes[] = {
    {"rtcp.packet_type", FieldType::kU8, kPacketType, Keep::kList,
     "Packet types: 200 sender report, 201 receiver report, 202 source description, 203 goodbye."},
    {"rtcp.ssrc", FieldType::kU32, kSsrc, Keep::kList,
     "Synchronization sources that sent reports."},
    {"rtcp.cname", FieldType::kString, kCname, Keep::kList,
     "Canonical names of the sources (CNAME)."},
    {"rtcp.tool", FieldType::kString, kTool, Keep::kFirst, "Program that sends (TOOL)."},
    {"rtcp.fraction_lost", FieldType::kU8, kFractionLost, Keep::kLast,
     "Packets lost since the report before, in 256ths, of the last reception report."},
    {"rtcp.lost", FieldType::kU32, kLost, Keep::kLast,
     "Packets lost in all, by the last reception report.", Unit::kPackets},
    {"rtcp.jitter", FieldType::kU32, kJitter, Keep::kLast,
     "Interarrival jitter of the last reception report, in timestamp units."},
    {"rtcp.round_trip", FieldType::kDuration, kRoundTrip, Keep::kLast,
     "Time from here to the receiver of a sender report and back.", Unit::kSeconds},
    {"rtcp.bye_reason", FieldType::kString, kReason, Keep::kFirst, "Why a source left (BYE)."},
    {"rtcp.encrypted", FieldType::kBool, kEncrypted, Keep::kFirst,
     "The packets are encrypted (SRTCP)."},
};

// The last sender report of a direction.
struct SentReport {
  uint32_t ntp;  // middle bits of its time, which come back as "last SR"
  int64_t ts_ns;
};
struct State {
  std::array<SentReport, 2> sent;
};

struct Header {
  uint8_t count;
  uint8_t type;
  size_t body_size;  // after the four bytes
};

// False when no packet begins here.
bool read_header(ByteReader& reader, Header& header) {
  const uint8_t first = reader.u8();
  header.count = first & 0x1f;
  header.type = reader.u8();
  header.body_size = size_t{4} * reader.be16();
  return reader.ok() && first >> 6 == 2 && header.type >= kFirstType && header.type <= kLastType;
}

// The packets' lengths add up to that of the datagram. What the capture cut is taken as it should
// be.
bool is_whole_compound(const Payload& payload) {
  ByteReader reader(payload.bytes);
  size_t left = payload.wire_size;
  for (size_t count = 0; left > 0; ++count) {
    if (reader.remaining() < kHeaderSize)
      return count > 0 && payload.bytes.size() < payload.wire_size;
    Header header;
    if (count == kPacketCountMax) return true;
    if (!read_header(reader, header) || header.body_size > left - kHeaderSize) return false;
    left -= kHeaderSize + header.body_size;
    reader.skip(std::min(header.body_size, reader.remaining()));
  }
  return true;
}

// A report has the size its count of blocks says.
bool is_exact_report(const Header& header) {
  const size_t own_words = header.type == kSenderReport ? kSenderReportWords : kReceiverReportWords;
  return header.type <= kReceiverReport &&
         header.body_size == 4 * (own_words + header.count * kReportBlockWords);
}

Probe probe(const Payload& payload) {
  ByteReader reader(payload.bytes);
  Header header;
  if (!read_header(reader, header)) return Probe::no();
  if (header.body_size < 4 || header.body_size > payload.wire_size - kHeaderSize)
    return Probe::no();
  if (is_exact_report(header)) return Probe::yes();
  return is_whole_compound(payload) ? Probe::yes() : Probe::maybe();
}

void read_report_block(Context& context, State& state, const Payload& payload, ByteReader& reader) {
  reader.skip(4);  // whom it is about
  const uint32_t fraction_and_lost = reader.be32();
  reader.skip(4);
  const uint32_t jitter = reader.be32();
  const uint32_t last_report = reader.be32();
  const uint32_t delay = reader.be32();  // in 65536ths of a second
  if (!reader.ok()) return;
  context.set(kFractionLost, fraction_and_lost >> 24);
  const uint32_t lost = fraction_and_lost & 0xffffff;
  // Negative when packets came double: nothing is lost then.
  context.set(kLost, lost < 0x800000 ? lost : 0u);
  context.set(kJitter, jitter);
  const SentReport& sent = state.sent[static_cast<size_t>(other(payload.side))];
  if (last_report == 0 || sent.ntp != last_report || sent.ts_ns == 0) return;
  const int64_t held_ns = int64_t{delay} * 1'000'000'000 >> 16;
  const int64_t round_trip_ns = payload.ts_ns - sent.ts_ns - held_ns;
  if (round_trip_ns >= 0 && round_trip_ns < kRoundTripMaxNs)
    context.set_duration(kRoundTrip, round_trip_ns);
}

void read_report(Context& context, State& state, const Payload& payload, const Header& header,
                 ByteReader reader) {
  reader.skip(4);
  if (header.type == kSenderReport) {
    const uint64_t ntp = reader.be64();
    reader.skip(12);
    if (reader.ok())
      state.sent[static_cast<size_t>(payload.side)] = {static_cast<uint32_t>(ntp >> 16),
                                                       payload.ts_ns};
  }
  for (size_t block = 0; block < header.count && reader.ok(); ++block)
    read_report_block(context, state, payload, reader);
}

// Chunks of a source and its items, each chunk filled up to 32 bits.
void read_description(Context& context, const Header& header, ByteReader reader) {
  for (size_t chunk = 0; chunk < header.count; ++chunk) {
    const size_t size_before = reader.remaining();
    reader.skip(4);
    while (reader.ok()) {
      const uint8_t item = reader.u8();
      if (!reader.ok() || item == kItemEnd) break;
      const std::span<const uint8_t> text = reader.bytes(reader.u8());
      if (!reader.ok() || text.empty()) continue;
      if (item == kItemCname) context.set(kCname, text);
      if (item == kItemTool) context.set(kTool, text);
    }
    if (!reader.ok()) return;
    reader.skip((4 - (size_before - reader.remaining()) % 4) % 4);
  }
}

void read_goodbye(Context& context, const Header& header, ByteReader reader) {
  reader.skip(size_t{4} * header.count);
  const std::span<const uint8_t> reason = reader.bytes(reader.u8());
  if (reader.ok() && !reason.empty()) context.set(kReason, reason);
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  const bool is_clear = is_whole_compound(payload);
  ByteReader reader(payload.bytes);
  for (size_t count = 0; count < kPacketCountMax && reader.remaining() >= kHeaderSize; ++count) {
    Header header;
    if (!read_header(reader, header)) break;
    ByteReader body = reader.prefix(header.body_size);
    reader.skip(std::min(header.body_size, reader.remaining()));
    context.set(kPacketType, header.type);
    ByteReader sender = body;
    const uint32_t ssrc = sender.be32();
    if (sender.ok() && header.type != kSourceDescription) context.set(kSsrc, ssrc);
    if (!is_clear) {
      context.set(kEncrypted, true);
      break;
    }
    if (header.type <= kReceiverReport) read_report(context, state, payload, header, body);
    if (header.type == kSourceDescription) read_description(context, header, body);
    if (header.type == kGoodbye) read_goodbye(context, header, body);
  }
  context.end_message();
  return Parse::next();
}

constexpr uint16_t kPorts[] = {5005};
// V=2 and any count, with or without padding.
constexpr char kFirstBytes[] =
    "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f"
    "\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f"
    "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xaf"
    "\xb0\xb1\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xbb\xbc\xbd\xbe\xbf";

}  // namespace

extern const Protocol kRtcp{
    .name = "rtcp",
    .help = "RTP Control Protocol: reports about the quality of RTP, also encrypted (SRTCP).",
    .transports = kOverUdp,
    .ports = kPorts,
    .attributes = kAttributes,
    .first_bytes = kFirstBytes,
    .size_min = 8,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(State),
    .every_message = true,
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// RTP (RFC 3550, section 5.1), also encrypted (SRTP, RFC 3711: its header is clear).
//
//    0                   1                   2                   3
//    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//    |                           timestamp                           |
//    |                             SSRC                              |
//    | CC x CSRC | extension, when X | payload …
//
// Mostly a signalling protocol announces it. Without that, a header of 12 bytes that may mean
// anything is no proof: the probe believes kPacketsBelieved packets in a row of one source.
//
// Every packet is looked at, to count what is lost, late or double, and the jitter (appendices A.1,
// A.3 and A.8). That must be cheap: attributes are set when a source or payload type is new, and at
// the end. Of a flow kStreamCountMax sources are counted; further ones are not. STUN, DTLS, ZRTP
// and RTCP on the same ports (RFC 7983, RFC 5761) are passed over.
#include <algorithm>
#include <array>

#include "dpi/protocols/rtp_payload_types.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr uint8_t kPacketsBelieved = 3;  // in a row before the probe says yes
constexpr uint8_t kPacketsBelievedMixed =
    5;  // with CSRCs, which are rare and other protocols' bits
constexpr size_t kStreamCountMax = 4;
constexpr uint16_t kSkippedMax = 3000;    // appendix A.1: MAX_DROPOUT
constexpr uint16_t kMisorderedMax = 100;  // and MAX_MISORDER
constexpr uint32_t kWindowSize = 32;  // sequence numbers in which doubles are told from late ones
constexpr uint32_t kProbeTimeMax = 0x200000;  // timestamps between them: 10 s of the fastest clock
constexpr uint32_t kEstimatePackets = 32;     // seen before a clock rate is estimated
constexpr uint32_t kEstimateTimeMs = 500;
constexpr int64_t kSecondNs = 1'000'000'000;

enum : uint8_t {
  kSsrc,
  kPayloadType,
  kCodec,
  kLost,
  kReordered,
  kDuplicates,
  kJitter,
  kStreams,
  kStreamSender,
  kStreamSsrc,
  kStreamPayloadType,
  kStreamPackets,
  kStreamLost,
  kStreamReordered,
  kStreamDuplicates,
  kStreamJitter,
  kStreamClockRate,
};

constexpr Attribute kAttributes[] = {
    {"rtp.ssrc", FieldType::kU32, kSsrc, Keep::kList, "Synchronization sources: who sends."},
    {"rtp.payload_type", FieldType::kU8, kPayloadType, Keep::kList, "Payload types seen."},
    {"rtp.codec", FieldType::kString, kCodec, Keep::kList,
     "Codecs of the payload types that are not negotiated."},
    {"rtp.lost", FieldType::kU32, kLost, Keep::kLast, "Packets missing, of all sources.",
     Unit::kPackets},
    {"rtp.reordered", FieldType::kU32, kReordered, Keep::kLast,
     "Packets that came after later ones, of all sources.", Unit::kPackets},
    {"rtp.duplicates", FieldType::kU32, kDuplicates, Keep::kLast,
     "Packets that came again, of all sources.", Unit::kPackets},
    {"rtp.jitter", FieldType::kDuration, kJitter, Keep::kLast,
     "Interarrival jitter at the end, of the source with the largest.", Unit::kSeconds},
    {"rtp.streams", FieldType::kObject, kStreams, Keep::kList, "What each source sent."},
    {"rtp.streams.sender", FieldType::kString, kStreamSender, Keep::kFirst,
     "End of the flow that sent it, src or dst."},
    {"rtp.streams.ssrc", FieldType::kU32, kStreamSsrc, Keep::kFirst, "Synchronization source."},
    {"rtp.streams.payload_type", FieldType::kU8, kStreamPayloadType, Keep::kFirst,
     "Payload type of its first packet."},
    {"rtp.streams.packets", FieldType::kU32, kStreamPackets, Keep::kFirst,
     "Packets seen, each once.", Unit::kPackets},
    {"rtp.streams.lost", FieldType::kU32, kStreamLost, Keep::kFirst, "Packets missing.",
     Unit::kPackets},
    {"rtp.streams.reordered", FieldType::kU32, kStreamReordered, Keep::kFirst,
     "Packets that came after later ones.", Unit::kPackets},
    {"rtp.streams.duplicates", FieldType::kU32, kStreamDuplicates, Keep::kFirst,
     "Packets that came again.", Unit::kPackets},
    {"rtp.streams.jitter", FieldType::kDuration, kStreamJitter, Keep::kFirst,
     "Interarrival jitter at its end (RFC 3550, 6.4.1).", Unit::kSeconds},
    {"rtp.streams.clock_rate", FieldType::kU32, kStreamClockRate, Keep::kFirst,
     "Timestamps per second: of the payload type, or as estimated."},
};

struct Header {
  uint8_t payload_type;
  uint16_t sequence;
  uint32_t timestamp;
  uint32_t ssrc;
};

// Payload types that RTCP's packet types would be, read as RTP: RFC 5761, section 4.
constexpr bool is_of_rtcp(uint8_t payload_type) {
  return payload_type >= 64 && payload_type < 96;
}

// Whether the datagram may be RTP, by its header. What the capture cut is not held against it.
bool read_header(const Payload& payload, Header& header) {
  ByteReader reader(payload.bytes);
  const uint8_t first = reader.u8();
  const uint8_t second = reader.u8();
  header.payload_type = second & 0x7f;
  header.sequence = reader.be16();
  header.timestamp = reader.be32();
  header.ssrc = reader.be32();
  return reader.ok() && first >> 6 == 2 && !is_of_rtcp(header.payload_type);
}

// Probe.

// What the probe remembers of the last packet of a direction; 12 bytes of its notes.
struct Note {
  uint32_t ssrc = 0;
  uint32_t timestamp = 0;
  uint16_t sequence = 0;
  uint8_t count = 0;  // of packets in a row
};
constexpr size_t kNoteSize = 12;
static_assert(2 * kNoteSize <= kProbeNotesSize);

Note read_note(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  Note note;
  note.ssrc = reader.be32();
  note.timestamp = reader.be32();
  note.sequence = reader.be16();
  note.count = reader.u8();
  return note;
}

void write_note(std::span<uint8_t> bytes, const Note& note) {
  for (size_t index = 0; index < 4; ++index) {
    bytes[index] = static_cast<uint8_t>(note.ssrc >> (24 - 8 * index));
    bytes[4 + index] = static_cast<uint8_t>(note.timestamp >> (24 - 8 * index));
  }
  bytes[8] = static_cast<uint8_t>(note.sequence >> 8);
  bytes[9] = static_cast<uint8_t>(note.sequence);
  bytes[10] = note.count;
}

// The lengths the header implies fit the datagram, and the payload type is one that is in use.
bool is_plausible(const Payload& payload, const Header& header) {
  const bool is_in_use = header.payload_type >= 96 || header.payload_type == 19 ||
                         find_rtp_payload_type(header.payload_type) != nullptr;
  if (!is_in_use || header.ssrc == 0) return false;
  ByteReader reader(payload.bytes);
  const uint8_t first = reader.u8();
  uint32_t size = 12 + 4u * (first & 0x0f);
  if ((first & 0x10) != 0) {
    reader.skip(size - 1 + 2);
    size += 4 + 4u * reader.be16();
    // An extension the capture has cut is none to judge.
    if (!reader.ok() && payload.bytes.size() == payload.wire_size) return false;
  }
  return size < payload.wire_size;
}

bool follows(const Header& header, const Note& note) {
  const uint32_t time = header.timestamp - note.timestamp;
  return header.ssrc == note.ssrc && header.sequence == static_cast<uint16_t>(note.sequence + 1) &&
         (time <= kProbeTimeMax || time >= uint32_t{0} - kProbeTimeMax);
}

Probe probe(const Payload& payload) {
  Header header;
  if (!read_header(payload, header)) {
    // RTCP of the same session: the media is what the flow is for.
    const bool is_rtcp = payload.bytes.size() >= 2 && payload.bytes[0] >> 6 == 2 &&
                         is_of_rtcp(payload.bytes[1] & 0x7f);
    const bool is_begun = payload.notes.size() == kProbeNotesSize &&
                          (payload.notes[10] | payload.notes[kNoteSize + 10]) != 0;
    return is_rtcp && is_begun ? Probe::maybe() : Probe::no();
  }
  if (!is_plausible(payload, header)) return Probe::no();
  if (payload.notes.size() < kProbeNotesSize) return Probe::maybe();
  const std::span<uint8_t> bytes =
      payload.notes.subspan(payload.from_initiator() ? 0 : kNoteSize, kNoteSize);
  Note note = read_note(bytes);
  // A capture of two mirrored ports has each packet twice.
  if (note.count > 0 && header.ssrc == note.ssrc && header.sequence == note.sequence)
    return Probe::maybe();
  note.count =
      note.count > 0 && follows(header, note) ? static_cast<uint8_t>(note.count + 1) : uint8_t{1};
  note.ssrc = header.ssrc;
  note.timestamp = header.timestamp;
  note.sequence = header.sequence;
  write_note(bytes, note);
  const bool is_mixed = (payload.bytes[0] & 0x0f) != 0;
  return note.count >= (is_mixed ? kPacketsBelievedMixed : kPacketsBelieved) ? Probe::likely()
                                                                             : Probe::maybe();
}

// Parse.

// One source in one direction. Sequence numbers are extended by a count of their cycles, which
// begins at one: a packet before the first seen is no trouble then.
struct Stream {
  uint32_t ssrc;
  uint32_t sequence_first;
  uint32_t sequence_last;
  uint32_t expected_before;  // packets of before the source began anew
  uint32_t received;
  uint32_t reordered;
  uint32_t duplicates;
  uint32_t window;  // bit n: the packet n before the last was seen
  uint32_t jitter;  // 16 times, in units of the clock
  uint32_t transit;
  uint32_t clock_rate;  // 0: not known
  uint32_t first_ms;
  uint32_t first_timestamp;
  uint16_t sequence_odd;  // that would follow one far away
  uint8_t payload_type;
  Side side;
};

struct State {
  std::array<Stream, kStreamCountMax> streams;
  std::array<uint32_t, 4> payload_types;  // seen, one bit each
  uint8_t stream_count;
};
static_assert(sizeof(State) <= kProtocolStateSizeMax);

void begin_stream(Stream& stream, const Header& header, const Payload& payload) {
  stream = {};
  stream.ssrc = header.ssrc;
  stream.sequence_first = stream.sequence_last = 0x10000u + header.sequence;
  stream.received = 1;
  stream.window = 1;
  stream.side = payload.side;
  stream.payload_type = header.payload_type;
  stream.first_timestamp = header.timestamp;
  stream.first_ms = static_cast<uint32_t>(payload.ts_ns / 1'000'000);
  const RtpPayloadType* type = find_rtp_payload_type(header.payload_type);
  if (type != nullptr) stream.clock_rate = type->clock_rate;
}

// Late or double. False: it is neither, but of a source that jumps.
bool count_late(Stream& stream, uint32_t back) {
  if (back >= kMisorderedMax) return false;
  if (back < kWindowSize && (stream.window >> back & 1) != 0) {
    ++stream.duplicates;
    return true;
  }
  if (back < kWindowSize) stream.window |= 1u << back;
  stream.sequence_first = std::min(stream.sequence_first, stream.sequence_last - back);
  ++stream.reordered;
  ++stream.received;
  return true;
}

// Appendix A.1. False: the packet is not counted.
bool count_sequence(Stream& stream, uint16_t sequence) {
  const auto step = static_cast<uint16_t>(sequence - static_cast<uint16_t>(stream.sequence_last));
  if (step != 0 && step < kSkippedMax) {
    stream.window = step < kWindowSize ? stream.window << step | 1 : 1;
    stream.sequence_last += step;
    ++stream.received;
    return true;
  }
  if (count_late(stream, static_cast<uint16_t>(0u - step))) return false;
  // Two in a row far away: the source began anew there.
  const bool is_restart = sequence == stream.sequence_odd;
  stream.sequence_odd = static_cast<uint16_t>(sequence + 1);
  if (!is_restart) return false;
  stream.expected_before += stream.sequence_last - stream.sequence_first + 1;
  stream.sequence_first = stream.sequence_last = 0x10000u + sequence;
  stream.window = 1;
  ++stream.received;
  return true;
}

// The clock rate of a payload type that was negotiated elsewhere: the usual one nearest to what the
// timestamps say, if one is near.
uint32_t estimate_clock_rate(const Stream& stream, const Header& header, const Payload& payload) {
  constexpr uint32_t kUsual[] = {8000, 16000, 24000, 32000, 44100, 48000, 90000};
  const uint32_t elapsed_ms = static_cast<uint32_t>(payload.ts_ns / 1'000'000) - stream.first_ms;
  if (elapsed_ms < kEstimateTimeMs || elapsed_ms > INT32_MAX) return 0;
  const uint64_t rate = uint64_t{header.timestamp - stream.first_timestamp} * 1000 / elapsed_ms;
  for (const uint32_t usual : kUsual) {
    if (rate > usual - usual / 25 && rate < usual + usual / 25) return usual;
  }
  return 0;
}

// Appendix A.8: in 16ths, all in units of the clock, modulo 2^32.
void count_jitter(Stream& stream, const Header& header, const Payload& payload) {
  const uint64_t ns = static_cast<uint64_t>(payload.ts_ns);
  const uint64_t arrival =
      ns / kSecondNs * stream.clock_rate + ns % kSecondNs * stream.clock_rate / kSecondNs;
  const uint32_t transit = static_cast<uint32_t>(arrival) - header.timestamp;
  if (stream.transit != 0) {
    const auto change = static_cast<int32_t>(transit - stream.transit);
    const uint32_t distance =
        change < 0 ? 0u - static_cast<uint32_t>(change) : static_cast<uint32_t>(change);
    stream.jitter += distance - ((stream.jitter + 8) >> 4);
  }
  stream.transit = transit != 0 ? transit : 1;
}

void note_payload_type(Context& context, State& state, uint8_t payload_type) {
  uint32_t& seen = state.payload_types[payload_type / 32];
  const uint32_t bit = 1u << payload_type % 32;
  if ((seen & bit) != 0) return;
  seen |= bit;
  context.set(kPayloadType, payload_type);
  const RtpPayloadType* type = find_rtp_payload_type(payload_type);
  if (type != nullptr) context.set(kCodec, type->name);
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  Header header;
  if (!read_header(payload, header)) return Parse::next();
  note_payload_type(context, state, header.payload_type);
  for (size_t index = 0; index < state.stream_count; ++index) {
    Stream& stream = state.streams[index];
    if (stream.ssrc != header.ssrc || stream.side != payload.side) continue;
    const bool is_next = count_sequence(stream, header.sequence);
    if (!is_next || header.payload_type != stream.payload_type) return Parse::next();
    if (stream.clock_rate == 0 && stream.received % kEstimatePackets == 0)
      stream.clock_rate = estimate_clock_rate(stream, header, payload);
    if (stream.clock_rate != 0) count_jitter(stream, header, payload);
    return Parse::next();
  }
  if (state.stream_count == kStreamCountMax) return Parse::next();
  Stream& stream = state.streams[state.stream_count++];
  begin_stream(stream, header, payload);
  if (stream.clock_rate != 0) count_jitter(stream, header, payload);
  context.set(kSsrc, header.ssrc);
  context.end_message();
  return Parse::next();
}

// Appendix A.3.
uint32_t lost_count(const Stream& stream) {
  const uint32_t expected =
      stream.expected_before + stream.sequence_last - stream.sequence_first + 1;
  return expected > stream.received ? expected - stream.received : 0;
}

int64_t jitter_ns(const Stream& stream) {
  return stream.clock_rate == 0 ? 0 : int64_t{stream.jitter} * (kSecondNs / 16) / stream.clock_rate;
}

void set_stream(Context& context, const Stream& stream) {
  context.begin_object(kStreams);
  context.set(kStreamSender, stream.side == Side::kInitiator ? "src" : "dst");
  context.set(kStreamSsrc, stream.ssrc);
  context.set(kStreamPayloadType, stream.payload_type);
  context.set(kStreamPackets, stream.received);
  context.set(kStreamLost, lost_count(stream));
  context.set(kStreamReordered, stream.reordered);
  context.set(kStreamDuplicates, stream.duplicates);
  if (stream.clock_rate != 0) {
    context.set_duration(kStreamJitter, jitter_ns(stream));
    context.set(kStreamClockRate, stream.clock_rate);
  }
  context.end_object();
}

void end(Context& context) {
  const State& state = context.state<State>();
  if (state.stream_count == 0) return;
  uint32_t lost = 0;
  uint32_t reordered = 0;
  uint32_t duplicates = 0;
  int64_t jitter = -1;
  for (size_t index = 0; index < state.stream_count; ++index) {
    const Stream& stream = state.streams[index];
    lost += lost_count(stream);
    reordered += stream.reordered;
    duplicates += stream.duplicates;
    if (stream.clock_rate != 0) jitter = std::max(jitter, jitter_ns(stream));
  }
  context.set(kLost, lost);
  context.set(kReordered, reordered);
  context.set(kDuplicates, duplicates);
  if (jitter >= 0) context.set_duration(kJitter, jitter);
  for (size_t index = 0; index < state.stream_count; ++index)
    set_stream(context, state.streams[index]);
}

// V=2, and nothing else of the first byte.
constexpr char kFirstBytes[] =
    "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f"
    "\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f"
    "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xaf"
    "\xb0\xb1\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xbb\xbc\xbd\xbe\xbf";

constexpr uint16_t kPorts[] = {5004};

}  // namespace

extern const Protocol kRtp{
    .name = "rtp",
    .help = "Real-time Transport Protocol: voice and video, also encrypted (SRTP).",
    .transports = kOverUdp,
    .ports = kPorts,
    .attributes = kAttributes,
    .first_bytes = kFirstBytes,
    .size_min = 12,
    .probe = probe,
    .parse = parse,
    .end = end,
    .state_size = sizeof(State),
    .every_message = true,
    .keeps_notes = true,
};

}  // namespace weir

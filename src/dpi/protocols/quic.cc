// SPDX-License-Identifier: Apache-2.0
//
// QUIC (RFC 8999, 9000, 9001, 9369, drafts from 22 on): the hellos in its Initial packets, which
// are encrypted with keys that can be derived from them; versions, connection ids, Retry and
// version negotiation. What follows is not looked at. Google's Q050, which has this header but no
// TLS, is only named; its older versions are gquic's.
//
//    0        1                 5                                            long header
//   +--------+-----------------+------+---------+------+---------+-----
//   |11TTxxxx| version         | size | dcid    | size | scid    | by type
//   +--------+-----------------+------+---------+------+---------+-----
//   Initial: token size, token, size, number, frames     0-RTT, Handshake: size, number, frames
//   Retry: token, tag (16)     version negotiation (version 0): versions
//
// A datagram may have several packets. The keys follow from the client's first dcid, after a Retry
// from the one the server chose there.
#include <algorithm>
#include <bit>

#include "dpi/protocols/client_hello.h"
#include "dpi/protocols/quic_initial.h"
#include "dpi/protocols/tls_names.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr uint16_t kPorts[] = {443, 853, 784, 8443, 4433};

constexpr uint8_t kLongHeader = 0x80;
constexpr uint8_t kFixedBit = 0x40;
constexpr size_t kConnectionIdSizeMax = 20;
constexpr size_t kClientIdSizeMin = 8;  // of the dcid a client begins with
constexpr uint32_t kClientDatagramSizeMin = 1200;
constexpr size_t kRetryTagSize = 16;
constexpr size_t kSealedSizeMin = 20;  // number and sample: nothing shorter can be opened
constexpr size_t kPacketCountMax = 8;  // of one datagram that are looked at
// Initial packets of a flow that are opened: a hello of the largest size that is put together takes
// 14, the answer about as many. Four that cannot be opened are enough.
constexpr uint8_t kOpenCountMax = 32;
constexpr uint8_t kFailureCountMax = 4;

enum Frame : uint8_t {
  kPadding = 0x00,
  kPing = 0x01,
  kAck = 0x02,
  kAckEcn = 0x03,
  kCrypto = 0x06,
  kCryptoGoogle = 0x08,  // of T050 and T051; of others what is not allowed here
  kConnectionClose = 0x1c,
};

constexpr uint64_t kParameterUserAgent = 0x3129;  // Google's, in the client's transport parameters

enum : uint8_t {
  kVersion,
  kSni,
  kJa3,
  kJa3s,
  kJa4,
  kCipher,
  kCurve,
  kEch,
  kUserAgent,
  kDcid,
  kScid,
  kServerScid,
  kRetry,
  kVersionNegotiation,
  kEarlyData,
  kClientVersion,
  kClientAlpns,
  kClientGroups,
  kClientCiphers,
  kClientExtensions,
};

constexpr Attribute kAttributes[] = {
    {"quic.version", FieldType::kString, kVersion, Keep::kFirst,
     "Version: 1, 2, draft-29, mvfst-faceb002, Q050."},
    {"quic.sni", FieldType::kString, kSni, Keep::kFirst,
     "Host name the client asks for (server_name).", Unit::kNone, true},
    {"quic.ja3", FieldType::kString, kJa3, Keep::kFirst, "JA3 fingerprint of the client."},
    {"quic.ja3s", FieldType::kString, kJa3s, Keep::kFirst, "JA3S fingerprint of the server."},
    {"quic.ja4", FieldType::kString, kJa4, Keep::kFirst, "JA4 fingerprint of the client."},
    {"quic.cipher", FieldType::kString, kCipher, Keep::kFirst,
     "Cipher suite the server chose, by its IANA name."},
    {"quic.curve", FieldType::kString, kCurve, Keep::kFirst,
     "Group of the key exchange, such as x25519 or X25519MLKEM768."},
    {"quic.ech", FieldType::kBool, kEch, Keep::kFirst,
     "The client sent an encrypted hello, or pretended to; the host name may be a front's."},
    {"quic.user_agent", FieldType::kString, kUserAgent, Keep::kFirst,
     "Program and system of the client, where its transport parameters tell."},
    {"quic.dcid", FieldType::kBytes, kDcid, Keep::kFirst,
     "Connection id the client's first packet is sent to."},
    {"quic.scid", FieldType::kBytes, kScid, Keep::kFirst,
     "Connection id the client chose for itself."},
    {"quic.server_scid", FieldType::kBytes, kServerScid, Keep::kFirst,
     "Connection id the server chose for itself."},
    {"quic.retry", FieldType::kBool, kRetry, Keep::kFirst,
     "The server made the client show its address first (Retry)."},
    {"quic.version_negotiation", FieldType::kBool, kVersionNegotiation, Keep::kFirst,
     "The server did not take the client's version (Version Negotiation)."},
    {"quic.early_data", FieldType::kBool, kEarlyData, Keep::kFirst,
     "The client sent data with its first flight (0-RTT)."},
    {"quic.client_version", FieldType::kString, kClientVersion, Keep::kFirst,
     "Highest version of TLS the client offers."},
    {"quic.client_alpns", FieldType::kString, kClientAlpns, Keep::kList,
     "Application protocols the client offers, such as h3."},
    {"quic.client_groups", FieldType::kString, kClientGroups, Keep::kList,
     "Groups of key exchange the client offers."},
    {"quic.client_ciphers", FieldType::kString, kClientCiphers, Keep::kFirst,
     "Cipher suites the client offers, their numbers with dashes between."},
    {"quic.client_extensions", FieldType::kString, kClientExtensions, Keep::kFirst,
     "Extensions of the client's hello, their numbers with dashes between."},
};

constexpr HelloAttributes kHelloAttributes = {.sni = kSni,
                                              .client_alpns = kClientAlpns,
                                              .client_version = kClientVersion,
                                              .client_groups = kClientGroups,
                                              .client_ciphers = kClientCiphers,
                                              .client_extensions = kClientExtensions,
                                              .ech = kEch,
                                              .ja3 = kJa3,
                                              .ja4 = kJa4,
                                              .cipher = kCipher,
                                              .curve = kCurve,
                                              .ja3s = kJa3s};

struct State {
  std::array<uint8_t, kConnectionIdSizeMax> dcid;  // that the keys follow from
  uint8_t dcid_size;
  Side client;
  bool has_client;  // the client is known, and its dcid
  bool has_retry;
  bool has_hello;
  bool has_server_hello;
  uint8_t open_count;
  uint8_t failure_count;
};

// ---- Headers ----

enum class PacketType : uint8_t { kInitial, kEarlyData, kHandshake, kRetry, kNegotiation, kOther };

struct LongHeader {
  QuicVersion version;
  PacketType type = PacketType::kOther;
  bool has_fixed_bit =
      false;  // both sides may agree to vary it (RFC 9287), but a flow begins with it
  std::span<const uint8_t> dcid;
  std::span<const uint8_t> scid;
  size_t number_offset = 0;  // where what is protected begins
  uint64_t sealed_size = 0;  // of the packet number and what follows, as announced
};

// RFC 9000, section 16.
uint64_t read_varint(ByteReader& reader) {
  const uint8_t first = reader.u8();
  uint64_t value = first & 0x3f;
  for (unsigned i = 1; i < 1u << (first >> 6); ++i) value = value << 8 | reader.u8();
  return value;
}

PacketType packet_type(const QuicVersion& version, uint8_t first) {
  // In the order of version 1; version 2 has each one number later.
  const uint8_t number = first >> 4 & 3;
  const uint8_t number_1 = version.kind == QuicVersion::Kind::kIetf2 ? (number + 3) & 3 : number;
  return static_cast<PacketType>(number_1);
}

// False: no long header of QUIC. What follows the connection ids is left at `reader`.
bool read_invariant_header(ByteReader& reader, LongHeader& header) {
  const uint8_t first = reader.u8();
  header.version = quic_version(reader.be32());
  header.dcid = reader.bytes(reader.u8());
  header.scid = reader.bytes(reader.u8());
  if (!reader.ok() || (first & kLongHeader) == 0) return false;
  if (header.dcid.size() > kConnectionIdSizeMax || header.scid.size() > kConnectionIdSizeMax)
    return false;
  if (header.version.number == 0) {
    header.type = PacketType::kNegotiation;
    return true;
  }
  header.has_fixed_bit = (first & kFixedBit) != 0;
  if (header.version.has_keys()) header.type = packet_type(header.version, first);
  return true;
}

// The rest of the header of a packet that has one. `size` is that of the whole packet as far as it
// was captured.
bool read_long_header(std::span<const uint8_t> bytes, LongHeader& header) {
  ByteReader reader(bytes);
  if (!read_invariant_header(reader, header)) return false;
  if (header.type == PacketType::kInitial) reader.skip(read_varint(reader));  // token
  if (header.type == PacketType::kInitial || header.type == PacketType::kEarlyData ||
      header.type == PacketType::kHandshake) {
    header.sealed_size = read_varint(reader);
    header.number_offset = bytes.size() - reader.remaining();
  }
  return reader.ok();
}

// ---- Probe ----

// A connection whose handshake was not seen has short headers only: 01sxxxxx and the connection id
// its receiver chose, mostly of 8 bytes. The five low bits are masked with random ones, the id is
// random and stays, what follows is encrypted. Three such datagrams of one direction in which this
// holds are QUIC, as far as anything tells. The other direction may have no id at all, so when the
// first one does not hold, the other one is looked at.
constexpr size_t kShortIdSize = 8;
constexpr uint32_t kShortSizeMin = 1 + kShortIdSize + 4 + 16;  // number and sample
constexpr uint8_t kShortCountMin = 3;
constexpr size_t kIdBytesDistinctMin = 6;
struct ShortNotes {
  uint8_t count = 0;  // of datagrams that fit; 0: none looked at yet
  Side side = Side::kInitiator;
  bool is_second_side = false;
  bool is_stepping = false;  // the low bits count up so far
  uint8_t low_bits = 0;      // of the last one
  std::array<uint8_t, kShortIdSize> id{};
  std::array<uint8_t, 4> sealed{};  // behind the id in the last one
};

// Random bytes are seldom equal and never all letters.
bool looks_random(std::span<const uint8_t, kShortIdSize> id) {
  size_t distinct_count = 0;
  bool is_text = true;
  for (size_t i = 0; i < id.size(); ++i) {
    const auto earlier = id.first(i);
    if (std::ranges::find(earlier, id[i]) == earlier.end()) ++distinct_count;
    is_text = is_text && id[i] >= 0x20 && id[i] < 0x7f;
  }
  return distinct_count >= kIdBytesDistinctMin && !is_text;
}

using NoteBytes = std::array<uint8_t, sizeof(ShortNotes)>;

ShortNotes read_notes(std::span<const uint8_t> notes) {
  NoteBytes bytes;
  std::ranges::copy(notes.first(bytes.size()), bytes.begin());
  return std::bit_cast<ShortNotes>(bytes);
}
void write_notes(std::span<uint8_t> notes, const ShortNotes& values) {
  std::ranges::copy(std::bit_cast<NoteBytes>(values), notes.begin());
}

Probe probe_short(const Payload& payload) {
  constexpr uint8_t kLowBits = 0x1f;
  ByteReader reader(payload.bytes);
  const uint8_t first = reader.u8();
  ShortNotes now{};
  reader.copy(now.id.data(), now.id.size());
  reader.copy(now.sealed.data(), now.sealed.size());
  if ((first & kFixedBit) == 0 || payload.wire_size < kShortSizeMin || !reader.ok() ||
      !looks_random(now.id) || payload.notes.size() < sizeof(ShortNotes))
    return Probe::no();
  now.count = 1;
  now.side = payload.side;
  now.low_bits = first & kLowBits;
  now.is_stepping = true;
  const ShortNotes before = read_notes(payload.notes);
  if (before.count > 0) {
    if (payload.side != before.side) return Probe::maybe();
    now.is_second_side = before.is_second_side;
    const bool is_first_of_second = before.is_second_side && before.id == ShortNotes{}.id;
    const bool holds = now.id == before.id && now.sealed != before.sealed;
    if (is_first_of_second) {
      // Nothing to compare with yet.
    } else if (!holds) {
      if (before.is_second_side) return Probe::no();
      now = {.count = 1, .side = other(payload.side), .is_second_side = true};
    } else {
      const auto step = static_cast<uint8_t>((now.low_bits - before.low_bits) & kLowBits);
      now.is_stepping = before.is_stepping && step <= 1;
      now.count = static_cast<uint8_t>(before.count + 1);
    }
  }
  if (now.count >= kShortCountMin && !now.is_stepping) return Probe::likely();
  write_notes(payload.notes, now);
  return Probe::maybe();
}

// Versions to the end, of which at least one is known.
bool is_version_list(ByteReader reader, size_t cut_size) {
  if (reader.remaining() < 4 || (reader.remaining() + cut_size) % 4 != 0) return false;
  bool is_any_known = false;
  while (reader.remaining() >= 4) {
    const QuicVersion version = quic_version(reader.be32());
    is_any_known = is_any_known || version.kind != QuicVersion::Kind::kUnknown;
  }
  return is_any_known;
}

// What may follow a packet in its datagram: another packet, or zeros.
bool is_continuation(std::span<const uint8_t> rest, const QuicVersion& version) {
  if (rest.empty()) return true;
  ByteReader reader(rest);
  const uint8_t first = reader.u8();
  if ((first & kLongHeader) == 0) return (first & kFixedBit) != 0 || first == 0;
  const uint32_t number = reader.be32();
  return !reader.ok() || number == version.number || quic_version(number).is_ietf();
}

Probe probe(const Payload& payload) {
  const size_t cut_size =
      payload.wire_size - std::min<size_t>(payload.wire_size, payload.bytes.size());
  if (!payload.bytes.empty() && (payload.bytes[0] & kLongHeader) == 0) return probe_short(payload);
  LongHeader header;
  ByteReader reader(payload.bytes);
  if (!read_invariant_header(reader, header)) return Probe::no();
  if (header.type == PacketType::kNegotiation)
    return is_version_list(reader, cut_size) ? Probe::yes() : Probe::no();
  if (!header.has_fixed_bit) return Probe::no();
  switch (header.version.kind) {
    case QuicVersion::Kind::kUnknown:
      return Probe::no();
    case QuicVersion::Kind::kGoogle:
      return Probe::yes();
    case QuicVersion::Kind::kReserved:
      return payload.wire_size >= kClientDatagramSizeMin && header.dcid.size() >= kClientIdSizeMin
                 ? Probe::likely()
                 : Probe::no();
    default:
      break;
  }
  if (header.dcid.empty() && header.scid.empty()) return Probe::no();
  if (header.type == PacketType::kRetry)
    return payload.wire_size >= payload.bytes.size() - reader.remaining() + kRetryTagSize
               ? Probe::yes()
               : Probe::no();
  if (!read_long_header(payload.bytes, header)) return cut_size > 0 ? Probe::likely() : Probe::no();
  const uint64_t rest_size = payload.bytes.size() - header.number_offset;
  if (header.sealed_size < kSealedSizeMin || header.sealed_size > rest_size + cut_size)
    return Probe::no();
  if (header.sealed_size >= rest_size) return Probe::yes();
  const std::span<const uint8_t> rest =
      payload.bytes.subspan(header.number_offset + static_cast<size_t>(header.sealed_size));
  return is_continuation(rest, header.version) ? Probe::yes() : Probe::no();
}

// ---- Initial packets ----

void set_id(Context& context, uint8_t index, std::span<const uint8_t> id) {
  if (!id.empty()) context.set(index, id);
}

void keep_dcid(State& state, std::span<const uint8_t> dcid) {
  std::ranges::copy(dcid, state.dcid.begin());
  state.dcid_size = static_cast<uint8_t>(dcid.size());
}

std::span<const uint8_t> kept_dcid(const State& state) {
  return std::span(state.dcid).first(state.dcid_size);
}

// Transport parameters (RFC 9000, section 18): id, size, value.
void set_parameters(Context& context, std::span<const uint8_t> parameters) {
  ByteReader reader(parameters);
  while (reader.remaining() > 0) {
    const uint64_t id = read_varint(reader);
    const std::span<const uint8_t> value = reader.bytes(read_varint(reader));
    if (!reader.ok()) return;
    if (id == kParameterUserAgent && !value.empty()) context.set(kUserAgent, value);
  }
}

// The begin of the handshake stream of one side: a hello, once it is whole.
void take_handshake(Context& context, State& state, Side side, std::span<const uint8_t> stream) {
  ByteReader reader(stream);
  const uint8_t type = reader.u8();
  const uint32_t size = uint32_t{reader.u8()} << 16 | reader.be16();
  const std::span<const uint8_t> body = reader.bytes(size);
  if (!reader.ok()) return;
  if (type == kHandshakeClientHello && !state.has_hello) {
    const ClientHello hello = read_client_hello(body);
    set_client_hello(context, hello, kHelloAttributes, 'q');
    set_parameters(context, hello.transport_parameters);
    state.has_hello = true;
  } else if (type == kHandshakeServerHello && !state.has_server_hello) {
    const ServerHello hello = read_server_hello(body);
    set_server_hello(context, hello, kHelloAttributes);
    state.has_server_hello = true;
  } else {
    return;
  }
  context.end_message();
  context.drop_assembly(side);
}

void skip_ack(ByteReader& reader, bool has_ecn) {
  read_varint(reader);  // largest
  read_varint(reader);  // delay
  const uint64_t range_count = read_varint(reader);
  read_varint(reader);  // first range
  for (uint64_t i = 0; i < range_count && reader.ok(); ++i) {
    read_varint(reader);
    read_varint(reader);
  }
  for (int i = 0; has_ecn && i < 3; ++i) read_varint(reader);
}

void take_frames(Context& context, State& state, Side side, std::span<const uint8_t> frames) {
  ByteReader reader(frames);
  while (reader.ok() && reader.remaining() > 0) {
    const uint8_t type = reader.u8();
    switch (type) {
      case kPadding:
      case kPing:
        break;
      case kAck:
      case kAckEcn:
        skip_ack(reader, type == kAckEcn);
        break;
      case kCrypto:
      case kCryptoGoogle: {
        const uint64_t offset = read_varint(reader);
        const uint64_t size = read_varint(reader);
        if (!reader.ok()) return;
        // All of it, or what a cut packet has of it.
        const std::span<const uint8_t> piece =
            reader.bytes(std::min(size, uint64_t{reader.remaining()}));
        const bool is_wanted = side == state.client ? !state.has_hello : !state.has_server_hello;
        if (!is_wanted || piece.empty()) break;
        const std::span<const uint8_t> stream = context.assemble(side, offset, piece);
        if (!stream.empty()) take_handshake(context, state, side, stream);
        break;
      }
      default:
        return;  // CONNECTION_CLOSE ends what there is; others are not allowed here
    }
  }
}

struct Packet {
  std::span<const uint8_t> bytes;  // of this packet alone, as far as captured
  LongHeader header;
  bool is_cut = false;
};

std::span<const uint8_t> open_packet(const Packet& packet, std::span<const uint8_t> dcid,
                                     bool of_server, std::span<uint8_t> out) {
  for (QuicVersion version = packet.header.version; version.has_keys();
       version = earlier_version(version)) {
    QuicKeys keys;
    if (!derive_quic_keys(version, dcid, of_server, keys)) return {};
    const std::span<const uint8_t> frames =
        open_quic_packet(keys, packet.bytes, packet.header.number_offset, packet.is_cut, out);
    if (!frames.empty()) return frames;
  }
  return {};
}

void take_initial(Context& context, State& state, Side side, const Packet& packet) {
  if (state.open_count >= kOpenCountMax || state.failure_count >= kFailureCountMax) return;
  const bool is_server = state.has_client && side != state.client;
  if (is_server ? state.has_server_hello : state.has_hello) return;
  if (packet.header.sealed_size < kSealedSizeMin || !context.may_decrypt()) return;
  const std::span<uint8_t> out = context.scratch(packet.bytes.size());
  if (out.empty()) return;
  ++state.open_count;

  std::span<const uint8_t> frames;
  if (state.has_client) frames = open_packet(packet, kept_dcid(state), is_server, out);
  const bool may_be_first =
      !state.has_client ||
      (!is_server && !std::ranges::equal(packet.header.dcid, kept_dcid(state)));
  if (frames.empty() && may_be_first) {
    // The client's first packet, or that of a second try: after version negotiation, or because the
    // ports are used again.
    frames = open_packet(packet, packet.header.dcid, false, out);
    if (!frames.empty()) {
      if (state.has_client) context.drop_assembly(side);
      state.has_client = true;
      state.client = side;
      keep_dcid(state, packet.header.dcid);
      set_id(context, kDcid, packet.header.dcid);
      set_id(context, kScid, packet.header.scid);
    }
  }
  if (frames.empty()) {
    ++state.failure_count;
    return;
  }
  context.set_confidence(AppConfidence::kCertain);
  take_frames(context, state, side, frames);
}

void take_retry(Context& context, State& state, Side side, const LongHeader& header) {
  context.set(kRetry, true);
  // A client takes one of them (RFC 9000, section 17.2.5.2).
  if (state.has_retry || (state.has_client && side == state.client)) return;
  state.has_retry = true;
  // The client's next packet goes to the server's new id, and its keys follow from that.
  state.client = other(side);
  state.has_client = true;
  keep_dcid(state, header.scid);
  state.failure_count = 0;
  context.drop_assembly(state.client);
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  std::span<const uint8_t> rest = payload.bytes;
  const size_t cut_size = payload.wire_size - std::min<size_t>(payload.wire_size, rest.size());
  for (size_t i = 0; i < kPacketCountMax && !rest.empty(); ++i) {
    Packet packet;
    LongHeader& header = packet.header;
    if (!read_long_header(rest, header)) break;  // a short header, or padding
    const bool is_client =
        state.has_client ? payload.side == state.client : payload.from_initiator();
    if (header.version.is_ietf() || header.version.kind == QuicVersion::Kind::kGoogle)
      context.set(kVersion, quic_version_name(header.version).view());
    if (header.version.kind == QuicVersion::Kind::kGoogle) return Parse::done();
    if (header.type == PacketType::kNegotiation) {
      context.set(kVersionNegotiation, true);
      break;
    }
    if (!is_client && header.version.is_ietf() && header.type != PacketType::kRetry)
      set_id(context, kServerScid, header.scid);
    if (header.type == PacketType::kRetry) {
      take_retry(context, state, payload.side, header);
      break;
    }
    if (header.type == PacketType::kOther) break;

    const uint64_t there_size = rest.size() - header.number_offset;
    packet.is_cut = header.sealed_size > there_size;
    if (header.sealed_size > there_size + cut_size) break;
    const size_t sealed_size = static_cast<size_t>(std::min(header.sealed_size, there_size));
    packet.bytes = rest.first(header.number_offset + sealed_size);
    rest = rest.subspan(packet.bytes.size());
    if (header.type == PacketType::kEarlyData && is_client) context.set(kEarlyData, true);
    if (header.type == PacketType::kInitial) take_initial(context, state, payload.side, packet);
  }
  const bool is_hopeless =
      state.open_count >= kOpenCountMax || state.failure_count >= kFailureCountMax;
  if (is_hopeless || (state.has_hello && state.has_server_hello)) return Parse::done();
  return Parse::next();
}

// 0x40 to 0xff: a server's Version Negotiation may lack the fixed bit.
constexpr auto kFirstBytes = [] {
  std::array<char, 192> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(kFixedBit + i);
  return bytes;
}();

}  // namespace

extern const Protocol kQuic{
    .name = "quic",
    .help = "QUIC: the hellos of its encrypted handshake, as everybody on the path can read them.",
    .transports = kOverUdp,
    .ports = kPorts,
    .attributes = kAttributes,
    .first_bytes = std::string_view(kFirstBytes.data(), kFirstBytes.size()),
    .size_min = 7,  // of the header up to empty connection ids
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(State),
    .keeps_notes = true,
};

}  // namespace weir

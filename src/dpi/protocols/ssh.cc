// SPDX-License-Identifier: Apache-2.0
//
// SSH (RFC 4253; 1.x by its version line): versions, what both sides offer and what follows from it,
// and the fingerprints HASSH and HASSHServer. After both offers everything is encrypted.
//
//   line       SSH-2.0-software comments CR LF      a server may say other lines before it
//   packet     length (4)  padding size (1)  payload  padding
//   KEXINIT    20  cookie (16)  ten name lists  first packet follows (1)  reserved (4)
//   list       size (4)  name,name,…
//
//   lists      key exchange, host key, then cipher, MAC, compression and language, each client to
//              server and server to client
//
// Of each kind the first name of the client's that the server has too is chosen (7.1). The offer that
// comes first is kept as hashes of its names until the other one comes, which says the name: lists are
// longer than a flow's state. A list with more names than there is room for chooses nothing when the
// answer could be behind the room.
//
// HASSH is the MD5 of "kex;ciphers;MACs;compressions", of the client's lists to the server; HASSHServer
// that of the server's to the client.
//
// Authentication is encrypted; nothing is guessed from the sizes of packets.

#include <algorithm>
#include <array>

#include "dpi/digest.h"
#include "dpi/text_buffer.h"
#include "dpi/wire_text.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr std::array<uint16_t, 2> kPorts = {22, 2222};
constexpr size_t kVersionLineSizeMax = 1024;   // RFC: 255; some are longer
constexpr size_t kPreambleSizeMax = 8 * 1024;  // lines of a server before its version
constexpr size_t kPacketSizeMax = kAssemblySizeMax - 4;
constexpr size_t kCookieSize = 16;
constexpr uint8_t kKexInit = 20;  // also a number of SSH 1, which is not looked into
constexpr size_t kListCount = 10;

enum : uint8_t {
  kVersion,
  kClient,
  kServer,
  kClientSoftware,
  kServerSoftware,
  kHassh,
  kHasshServer,
  kKexAlg,
  kHostKeyAlg,
  kCipherAlg,
  kMacAlg,
  kCompressionAlg,
};

constexpr Attribute kAttributes[] = {
    {"ssh.version", FieldType::kU8, kVersion, Keep::kFirst,
     "Major version both sides can speak: 1 or 2."},
    {"ssh.client", FieldType::kString, kClient, Keep::kFirst, "Version line of the client."},
    {"ssh.server", FieldType::kString, kServer, Keep::kFirst, "Version line of the server."},
    {"ssh.client_software", FieldType::kString, kClientSoftware, Keep::kFirst,
     "Software of the client, as its version line says."},
    {"ssh.server_software", FieldType::kString, kServerSoftware, Keep::kFirst,
     "Software of the server, as its version line says."},
    {"ssh.hassh", FieldType::kString, kHassh, Keep::kFirst,
     "HASSH: fingerprint of what the client offers."},
    {"ssh.hassh_server", FieldType::kString, kHasshServer, Keep::kFirst,
     "HASSHServer: fingerprint of what the server offers."},
    {"ssh.kex_alg", FieldType::kString, kKexAlg, Keep::kFirst, "Key exchange both agree on."},
    {"ssh.host_key_alg", FieldType::kString, kHostKeyAlg, Keep::kFirst,
     "Kind of host key both agree on."},
    {"ssh.cipher_alg", FieldType::kString, kCipherAlg, Keep::kFirst, "Cipher both agree on."},
    {"ssh.mac_alg", FieldType::kString, kMacAlg, Keep::kFirst,
     "MAC both agree on; implicit when the cipher has its own."},
    {"ssh.compression_alg", FieldType::kString, kCompressionAlg, Keep::kFirst,
     "Compression both agree on."},
};

// --- State ---

// Names of a list as hashes, in their order; 0 ends it.
template <size_t kSize>
struct KeptList {
  std::array<uint16_t, kSize> hashes;
  static constexpr size_t kRoom = kSize - 1;  // the last one says that there were more
};

enum class Phase : uint8_t { kVersion, kOffer, kOffered };

struct State {
  KeptList<30> kex;
  KeptList<24> host_key;
  KeptList<24> cipher;
  KeptList<22> mac;
  KeptList<6> compression;
  std::array<uint16_t, 2> preamble_sizes;
  std::array<uint8_t, 2> majors;  // 1: 1.x; 2: 2.0; 3: both (1.99)
  std::array<Phase, 2> phases;
  bool has_offer;
};
static_assert(sizeof(State) <= kProtocolStateSizeMax);

// --- Names ---

// Folded to 16 bits; never 0. Names in use are different by it, which a test holds it to; two
// unknown ones that are not give a wrong name of an algorithm, no more.
constexpr uint16_t hash_of(WireText name) {
  const uint32_t hash = name_hash(name);
  const auto folded = static_cast<uint16_t>(hash >> 16 ^ hash);
  return folded == 0 ? uint16_t{1} : folded;
}

void keep(std::span<uint16_t> hashes, WireText list) {
  for (uint16_t& hash : hashes) {
    if (list.empty()) return;
    hash = hash_of(take_until(list, ','));
  }
}

// The name in `list` with this hash, or none.
WireText find_name(WireText list, uint16_t hash) {
  while (!list.empty()) {
    const WireText name = take_until(list, ',');
    if (hash_of(name) == hash) return name;
  }
  return {};
}

// The last place of a kept list is only taken when there were as many names or more.
bool is_cut(std::span<const uint16_t> kept) {
  return kept.back() != 0;
}

// The first name of the client's that is one of the server's.
WireText choose(std::span<const uint16_t> kept, WireText list, bool is_kept_of_client) {
  if (is_kept_of_client) {
    for (const uint16_t hash : kept) {
      if (hash == 0) return {};
      const WireText name = find_name(list, hash);
      if (!name.empty()) return name;
    }
    return {};
  }
  while (!list.empty()) {
    const WireText name = take_until(list, ',');
    if (std::ranges::find(kept, hash_of(name)) != kept.end()) return name;
    if (is_cut(kept)) return {};
  }
  return {};
}

// --- Probe ---

bool is_version_line(WireText bytes) {
  return begins_with(bytes, "SSH-2.") || begins_with(bytes, "SSH-1.");
}

// A server may explain itself before its version line: lines of text, one of which begins so.
Probe probe_preamble(WireText bytes) {
  const WireText begin = bytes.first(std::min(bytes.size(), kPreambleSizeMax));
  size_t line = 0;
  for (size_t end = find_byte(begin, '\n'); end != kNotFound; end = find_byte(begin, '\n', line)) {
    const WireText text = without_line_end(begin.subspan(line, end - line));
    if (!is_text(text)) return Probe::no();
    line = end + 1;
    if (is_version_line(begin.subspan(line))) return Probe::yes();
  }
  return begin.size() < kPreambleSizeMax ? Probe::maybe() : Probe::no();
}

struct Offer {
  std::array<WireText, kListCount> lists;
};

// A packet with the offer of a side. False when it is not one, or not all there.
bool read_offer(WireText bytes, Offer& offer, size_t& packet_size) {
  ByteReader reader(bytes);
  packet_size = reader.be32();
  ByteReader packet = reader.prefix(packet_size);
  const uint8_t padding_size = packet.u8();
  if (packet.u8() != kKexInit) return false;
  packet.skip(kCookieSize);
  for (WireText& list : offer.lists) list = packet.bytes(packet.be32());
  constexpr size_t kFlagsSize = 5;
  packet.skip(kFlagsSize);
  packet.skip(padding_size);
  return packet.ok() && packet.remaining() == 0;
}

bool is_name_list(WireText list) {
  return std::ranges::none_of(list, [](uint8_t byte) { return byte <= ' ' || byte >= 0x7f; });
}

// The first packet after the version lines, where the capture began behind them.
bool is_offer(WireText bytes) {
  Offer offer;
  size_t packet_size = 0;
  if (!read_offer(bytes, offer, packet_size)) return false;
  return std::ranges::all_of(offer.lists, is_name_list) &&
         std::ranges::none_of(std::span(offer.lists).first(8),
                              [](WireText list) { return list.empty(); });
}

Probe probe(const Payload& payload) {
  const WireText bytes = payload.bytes;
  if (is_version_line(bytes)) return Probe::yes();
  if (may_begin_with(bytes, "SSH-2.") || may_begin_with(bytes, "SSH-1.")) return Probe::more(6);
  if (payload.is_midstream && is_offer(bytes)) return Probe::yes();
  // In the middle of a stream lines are anything, and whoever waits for more keeps others from trying.
  const bool may_be_preamble = !payload.from_initiator() && !payload.is_midstream;
  return may_be_preamble ? probe_preamble(bytes) : Probe::no();
}

// --- Parse ---

Parse wait(const Payload& payload, size_t size_max) {
  return payload.bytes.size() < size_max ? Parse::need(payload.bytes.size() + 1)
                                         : Parse::error("long_line");
}

// "SSH-2.0-OpenSSH_9.2p1 Debian-2": the software is the first word behind the version.
void set_version_line(Context& context, State& state, Side side, WireText line) {
  const bool is_client = side == Side::kInitiator;
  context.set(is_client ? kClient : kServer, line);
  WireText rest = line;
  take_until(rest, '-');
  const WireText number = take_until(rest, '-');
  const WireText software = take_until(rest, ' ');
  if (!software.empty()) context.set(is_client ? kClientSoftware : kServerSoftware, software);

  uint8_t major = 2;
  if (begins_with(number, "1.")) major = equals(number, "1.99") ? 3 : 1;
  state.majors[static_cast<size_t>(side)] = major;
  if (state.majors[0] == 0 || state.majors[1] == 0) return;
  const auto common = static_cast<uint8_t>(state.majors[0] & state.majors[1]);
  if (common != 0) context.set(kVersion, common >= 2 ? uint8_t{2} : uint8_t{1});
}

Parse parse_version(Context& context, State& state, const Payload& payload) {
  const WireText bytes = payload.bytes;
  const auto side = static_cast<size_t>(payload.side);
  const size_t end = find_byte(bytes, '\n');
  if (end == kNotFound) return wait(payload, kVersionLineSizeMax);
  const WireText line = without_line_end(bytes.first(end));
  if (!is_version_line(line)) {
    if (payload.from_initiator()) return Parse::error("not_ssh");
    state.preamble_sizes[side] =
        static_cast<uint16_t>(std::min(state.preamble_sizes[side] + end + 1, kPreambleSizeMax));
    if (state.preamble_sizes[side] == kPreambleSizeMax) return Parse::error("not_ssh");
    return Parse::next(end + 1);
  }
  set_version_line(context, state, payload.side, line);
  context.end_message();
  state.phases[side] = Phase::kOffer;
  // What follows in version 1 has other packets. It is known when both have said what they speak.
  if (state.majors[0] == 1 || state.majors[1] == 1) {
    return state.majors[0] != 0 && state.majors[1] != 0 ? Parse::done() : Parse::next(end + 1);
  }
  return Parse::next(end + 1);
}

// The lists HASSH is made of, by side: key exchange, cipher, MAC, compression.
constexpr std::array<std::array<uint8_t, 4>, 2> kHasshLists = {{{0, 2, 4, 6}, {0, 3, 5, 7}}};

void set_hassh(Context& context, Side side, const Offer& offer) {
  const uint8_t index = side == Side::kInitiator ? kHassh : kHasshServer;
  if (!context.subscribed(index)) return;
  Digest digest(Digest::Algorithm::kMd5);
  bool is_first = true;
  for (const uint8_t list : kHasshLists[static_cast<size_t>(side)]) {
    if (!is_first) digest.add(";");
    is_first = false;
    digest.add(offer.lists[list]);
  }
  DigestBytes bytes;
  TextBuffer<kDigestSizeMax * 2> text;
  text.append_hex(digest.finish(bytes));
  if (!text.is_empty()) context.set(index, text.view());
}

bool has_own_mac(WireText cipher) {
  return begins_with(cipher, "chacha20-poly1305") || begins_with(cipher, "AEAD_") ||
         begins_with(cipher, "aes128-gcm") || begins_with(cipher, "aes256-gcm");
}

// Ciphers and the like of the direction from client to server; both are the same nearly always.
void set_choices(Context& context, const State& state, Side side, const Offer& offer) {
  const bool is_kept_of_client = side == Side::kResponder;
  const auto choose_from = [&](std::span<const uint16_t> kept, size_t list) {
    return choose(kept, offer.lists[list], is_kept_of_client);
  };
  const auto set = [&](uint8_t index, WireText name) {
    if (!name.empty()) context.set(index, name);
  };
  set(kKexAlg, choose_from(state.kex.hashes, 0));
  set(kHostKeyAlg, choose_from(state.host_key.hashes, 1));
  const WireText cipher = choose_from(state.cipher.hashes, 2);
  set(kCipherAlg, cipher);
  if (has_own_mac(cipher))
    context.set(kMacAlg, "implicit");
  else
    set(kMacAlg, choose_from(state.mac.hashes, 4));
  set(kCompressionAlg, choose_from(state.compression.hashes, 6));
}

void keep_offer(State& state, const Offer& offer) {
  keep(state.kex.hashes, offer.lists[0]);
  keep(state.host_key.hashes, offer.lists[1]);
  keep(state.cipher.hashes, offer.lists[2]);
  keep(state.mac.hashes, offer.lists[4]);
  keep(state.compression.hashes, offer.lists[6]);
}

Parse parse_packet(Context& context, State& state, const Payload& payload) {
  ByteReader reader(payload.bytes);
  const size_t packet_size = reader.be32();
  constexpr size_t kHeaderSize = 6;  // with the message number
  constexpr size_t kLengthSize = 4;
  reader.skip(1);
  const uint8_t message = reader.u8();
  if (!reader.ok()) return Parse::need(kHeaderSize);
  if (packet_size < 2 || packet_size > kPacketSizeMax) return Parse::error("bad_packet_length");
  if (message != kKexInit) return Parse::next(kLengthSize + packet_size);
  if (payload.bytes.size() < kLengthSize + packet_size)
    return Parse::need(kLengthSize + packet_size);

  Offer offer;
  size_t offer_size = 0;
  if (!read_offer(payload.bytes, offer, offer_size)) return Parse::error("bad_kexinit");
  state.phases[static_cast<size_t>(payload.side)] = Phase::kOffered;
  set_hassh(context, payload.side, offer);
  if (state.has_offer) set_choices(context, state, payload.side, offer);
  context.end_message();
  if (state.has_offer) return Parse::done();
  state.has_offer = true;
  keep_offer(state, offer);
  return Parse::next(kLengthSize + packet_size);
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  if (payload.bytes.empty()) return Parse::need(1);
  const auto side = static_cast<size_t>(payload.side);
  Phase& phase = state.phases[side];
  if (phase == Phase::kOffered) return Parse::next(payload.bytes.size());
  // Packets have no mark to be found again by: what this side offered stays unknown after loss.
  if (payload.gap_before && !(payload.is_midstream && payload.offset == 0)) {
    phase = Phase::kOffered;
    return Parse::next(payload.bytes.size());
  }
  if (phase == Phase::kVersion && payload.is_midstream && is_offer(payload.bytes))
    phase = Phase::kOffer;
  if (phase == Phase::kVersion) return parse_version(context, state, payload);
  // Version 1 of this side, and the other's is not known yet.
  if (state.majors[side] == 1) return Parse::next(payload.bytes.size());
  return parse_packet(context, state, payload);
}

}  // namespace

extern const Protocol kSsh{
    .name = "ssh",
    .help = "Secure Shell: logins, file transfer and tunnels.",
    .transports = kOverTcp,
    .ports = kPorts,
    .attributes = kAttributes,
    .size_min = 1,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(State),
};

}  // namespace weir

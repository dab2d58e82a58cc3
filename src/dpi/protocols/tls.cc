// SPDX-License-Identifier: Apache-2.0
//
// TLS 1.0 to 1.3 and SSL 2 and 3 (RFC 8446, 5246, 2246, 6101): what both sides say in the clear.
// The hellos, and before 1.3 the certificates, the curve and alerts. Nothing is decrypted or
// verified; application data is skipped unseen.
//
//    0        1                 4                     handshake message
//   +--------+-----------------+---------------
//   | type   | length          | body
//   +--------+-----------------+---------------
//
// A message is taken from the stream where its record has it whole, and put together where it spans
// several. Of a certificate chain only the first, the server's own, is wanted.
#include <algorithm>

#include "dpi/digest.h"
#include "dpi/protocols/client_hello.h"
#include "dpi/protocols/tls_names.h"
#include "dpi/protocols/tls_records.h"
#include "dpi/protocols/x509.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

using namespace tls;  // of tls_records.h

constexpr uint16_t kPorts[] = {443,  465,  563,  636,  853,  989,  990,  992,  993,
                               995,  802,  2083, 3269, 4843, 5061, 5223, 5349, 5671,
                               5986, 6514, 6697, 8443, 8883, 9443, 19999};

// Header of the message, size of the list, size of the first certificate.
constexpr uint32_t kCertificateListHeaderSize = 4 + 3 + 3;
constexpr uint8_t kCurveNamed = 3;  // RFC 8422, section 5.4

enum : uint8_t {
  kVersion,
  kSni,
  kAlpn,
  kCipher,
  kCipherNumber,
  kCurve,
  kJa3,
  kJa3s,
  kJa4,
  kResumed,
  kEch,
  kHelloRetry,
  kAlertName,
  kClientVersion,
  kRecordVersion,
  kClientAlpns,
  kClientGroups,
  kClientCiphers,
  kClientExtensions,
  kSubject,
  kIssuer,
  kSerial,
  kNotBefore,
  kNotAfter,
  kFingerprint,
  kSelfSigned,
  kSan,
  kClientSubject,
  kClientIssuer,
};

constexpr Attribute kAttributes[] = {
    {"tls.version", FieldType::kString, kVersion, Keep::kFirst,
     "Version both sides agreed on: SSLv3, TLSv1.0 to TLSv1.3."},
    {"tls.sni", FieldType::kString, kSni, Keep::kFirst,
     "Host name the client asks for (server_name).", Unit::kNone, true},
    {"tls.alpn", FieldType::kString, kAlpn, Keep::kFirst,
     "Application protocol the server chose, before TLS 1.3."},
    {"tls.cipher", FieldType::kString, kCipher, Keep::kFirst,
     "Cipher suite the server chose, by its IANA name."},
    {"tls.cipher_number", FieldType::kU16, kCipherNumber, Keep::kFirst,
     "Cipher suite the server chose, by its number."},
    {"tls.curve", FieldType::kString, kCurve, Keep::kFirst,
     "Group of the key exchange, such as x25519 or X25519MLKEM768."},
    {"tls.ja3", FieldType::kString, kJa3, Keep::kFirst, "JA3 fingerprint of the client."},
    {"tls.ja3s", FieldType::kString, kJa3s, Keep::kFirst, "JA3S fingerprint of the server."},
    {"tls.ja4", FieldType::kString, kJa4, Keep::kFirst, "JA4 fingerprint of the client."},
    {"tls.resumed", FieldType::kBool, kResumed, Keep::kFirst,
     "Whether an earlier session was resumed."},
    {"tls.ech", FieldType::kBool, kEch, Keep::kFirst,
     "The client sent an encrypted hello, or pretended to; the host name may be a front's."},
    {"tls.hello_retry", FieldType::kBool, kHelloRetry, Keep::kFirst,
     "The server asked for another hello (HelloRetryRequest)."},
    {"tls.alert", FieldType::kString, kAlertName, Keep::kList,
     "Alerts sent in the clear, such as handshake_failure."},
    {"tls.client_version", FieldType::kString, kClientVersion, Keep::kFirst,
     "Highest version the client offers."},
    {"tls.record_version", FieldType::kString, kRecordVersion, Keep::kFirst,
     "Version of the first record."},
    {"tls.client_alpns", FieldType::kString, kClientAlpns, Keep::kList,
     "Application protocols the client offers."},
    {"tls.client_groups", FieldType::kString, kClientGroups, Keep::kList,
     "Groups of key exchange the client offers."},
    {"tls.client_ciphers", FieldType::kString, kClientCiphers, Keep::kFirst,
     "Cipher suites the client offers, their numbers with dashes between."},
    {"tls.client_extensions", FieldType::kString, kClientExtensions, Keep::kFirst,
     "Extensions of the client's hello, their numbers with dashes between."},
    {"tls.subject", FieldType::kString, kSubject, Keep::kFirst,
     "Whose the server's certificate is (RFC 4514)."},
    {"tls.issuer", FieldType::kString, kIssuer, Keep::kFirst,
     "Who issued the server's certificate (RFC 4514)."},
    {"tls.serial", FieldType::kBytes, kSerial, Keep::kFirst,
     "Serial number of the server's certificate."},
    {"tls.not_before", FieldType::kTime, kNotBefore, Keep::kFirst,
     "When the server's certificate begins to be valid."},
    {"tls.not_after", FieldType::kTime, kNotAfter, Keep::kFirst,
     "When the server's certificate expires."},
    {"tls.fingerprint_sha256", FieldType::kBytes, kFingerprint, Keep::kFirst,
     "SHA-256 of the server's certificate."},
    {"tls.self_signed", FieldType::kBool, kSelfSigned, Keep::kFirst,
     "Whether the server's certificate names itself as its issuer."},
    {"tls.san", FieldType::kString, kSan, Keep::kList,
     "Names the server's certificate is for (subject alternative names)."},
    {"tls.client_subject", FieldType::kString, kClientSubject, Keep::kFirst,
     "Whose the client's certificate is (RFC 4514)."},
    {"tls.client_issuer", FieldType::kString, kClientIssuer, Keep::kFirst,
     "Who issued the client's certificate (RFC 4514)."},
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

// What is remembered of one direction.
struct Half {
  uint64_t record_end;    // where the stream is behind the current record
  uint32_t skip;          // bytes of handshake records that are of no interest
  uint32_t gathered;      // bytes of a message put together so far
  uint32_t message_size;  // of that message, once its header is there
  uint8_t record;         // its type
  bool has_begun;
  bool is_sealed;   // what follows is encrypted
  bool is_lost;     // where the next record begins is not known
  bool has_peeked;  // at a hello that is not whole
};

struct State {
  std::array<Half, 2> halves;
  std::array<uint8_t, kSessionIdSizeMax> session_id;  // the client's
  uint8_t session_id_size;
  Side client;
  bool has_client_hello;
  bool has_server_hello;
  bool has_server_hello_done;
  bool is_13;
  bool has_ecdhe;
  bool is_done;
};

// ---- The messages ----

void set_certificate(Context& context, std::span<const uint8_t> der, bool is_client) {
  Certificate certificate;
  if (!read_certificate(der, certificate)) return;
  if (is_client) {
    context.set(kClientSubject, name_text(certificate.subject).view());
    context.set(kClientIssuer, name_text(certificate.issuer).view());
    return;
  }
  context.set(kSubject, name_text(certificate.subject).view());
  context.set(kIssuer, name_text(certificate.issuer).view());
  context.set(kSerial, certificate.serial);
  if (certificate.has_validity) {
    context.set_time(kNotBefore, certificate.not_before_ns);
    context.set_time(kNotAfter, certificate.not_after_ns);
  }
  if (context.subscribed(kFingerprint)) {
    Digest digest(Digest::Algorithm::kSha256);
    digest.add(der);
    DigestBytes bytes;
    const std::span<const uint8_t> fingerprint = digest.finish(bytes);
    if (!fingerprint.empty()) context.set(kFingerprint, fingerprint);
  }
  context.set(kSelfSigned, certificate.is_self_issued());
  ByteReader names(certificate.alternative_names);
  AttributeText name;
  for (size_t i = 0; i < kListCountMax && next_alternative_name(names, name); ++i)
    context.set(kSan, name.view());
}

void take_client_hello(Context& context, State& state, Side side, std::span<const uint8_t> body) {
  const ClientHello hello = read_client_hello(body);
  set_client_hello(context, hello, kHelloAttributes, 't');
  state.client = side;
  state.has_client_hello = true;
  state.is_done = state.is_13;
  state.session_id_size = 0;
  if (hello.session_id.size() > state.session_id.size()) return;
  std::ranges::copy(hello.session_id, state.session_id.begin());
  state.session_id_size = static_cast<uint8_t>(hello.session_id.size());
}

void take_server_hello(Context& context, State& state, Side side, std::span<const uint8_t> body) {
  const ServerHello hello = read_server_hello(body);
  state.client = other(side);
  if (hello.is_retry) {
    context.set(kHelloRetry, true);
    return;
  }
  state.has_server_hello = true;
  const uint16_t version = hello.version_chosen;
  context.set(kVersion, tls_name_or_number(tls_version_name(version), version).view());
  context.set(kCipherNumber, hello.cipher);
  set_server_hello(context, hello, kHelloAttributes);
  if (!hello.alpn.empty()) context.set(kAlpn, hello.alpn);
  state.has_ecdhe = tls_cipher_name(hello.cipher).find("_ECDHE_") != std::string_view::npos;
  if (is_tls13(version)) {
    // Everything behind is encrypted.
    context.set(kResumed, hello.is_resumption);
    state.is_13 = true;
    state.is_done = state.has_client_hello;
    state.halves[static_cast<size_t>(side)].is_sealed = true;
    return;
  }
  const std::span<const uint8_t> offered = std::span(state.session_id).first(state.session_id_size);
  if (!offered.empty() && std::ranges::equal(offered, hello.session_id))
    context.set(kResumed, true);
}

// The first certificate of the list, if it is there.
std::span<const uint8_t> first_certificate(ByteReader& body) {
  body.skip(3);
  const uint32_t size = uint32_t{body.u8()} << 16 | body.be16();
  return body.bytes(size);
}

void take_message(Context& context, State& state, Side side, std::span<const uint8_t> message) {
  ByteReader reader(message);
  const uint8_t type = reader.u8();
  reader.skip(3);
  const std::span<const uint8_t> body =
      message.subspan(std::min(kHandshakeHeaderSize, message.size()));
  const bool is_client = state.has_client_hello || state.has_server_hello
                             ? side == state.client
                             : side == Side::kInitiator;
  switch (type) {
    case kClientHello:
      take_client_hello(context, state, side, body);
      break;
    case kServerHello:
      take_server_hello(context, state, side, body);
      break;
    case kCertificate:
      set_certificate(context, first_certificate(reader), is_client);
      break;
    case kServerKeyExchange: {
      const uint8_t curve_type = reader.u8();
      const uint16_t group = reader.be16();
      if (state.has_ecdhe && curve_type == kCurveNamed && reader.ok())
        context.set(kCurve, tls_name_or_number(tls_group_name(group), group).view());
      return;
    }
    case kServerHelloDone:
      state.has_server_hello_done = true;
      context.set(kResumed, false);
      return;
    default:
      return;
  }
  context.end_message();
}

// How many bytes of a message of which these are the first must be there; 0: it is of no interest.
uint32_t wanted_size(std::span<const uint8_t> begin, uint32_t message_size) {
  ByteReader reader(begin);
  switch (reader.u8()) {
    case kClientHello:
    case kServerHello:
      return message_size;
    case kCertificate: {
      reader.skip(kCertificateListHeaderSize - 4);
      const uint32_t size = uint32_t{reader.u8()} << 16 | reader.be16();
      const uint32_t wanted =
          reader.ok() ? kCertificateListHeaderSize + size : kCertificateListHeaderSize;
      return std::min(wanted, message_size);
    }
    case kServerKeyExchange:
      return std::min<uint32_t>(kHandshakeHeaderSize + 3, message_size);
    case kServerHelloDone:
      return kHandshakeHeaderSize;
    default:
      return 0;
  }
}

uint32_t message_size_of(ByteReader header) {
  header.skip(1);
  const uint32_t size = uint32_t{header.u8()} << 16 | header.be16();
  return static_cast<uint32_t>(kHandshakeHeaderSize) + size;
}

// A hello that is not whole yet may never be (a capture that cut its packets): its host name is
// worth a look at what is there, once.
void peek_hello(Context& context, Half& half, std::span<const uint8_t> begin) {
  if (half.has_peeked) return;
  half.has_peeked = true;
  ByteReader reader(begin);
  if (reader.u8() != kClientHello) return;
  reader.skip(3);
  if (!reader.ok()) return;
  const ClientHello hello = read_client_hello(begin.subspan(kHandshakeHeaderSize));
  if (!hello.server_name.empty()) context.set(kSni, hello.server_name);
}

// ---- The stream ----

// What became of the bytes at the reader.
enum class Step : uint8_t { kOn, kWait };
struct Progress {
  Step step = Step::kOn;
  uint64_t size = 0;  // kWait: bytes wanted from the reader's position on; kOn: bytes to pass
};
constexpr Progress on(uint64_t size) {
  return {Step::kOn, size};
}
constexpr Progress wait(uint64_t size) {
  return {Step::kWait, size};
}

// The message that begins or goes on here, of which `rest` bytes are in this record.
Progress take_handshake(Context& context, State& state, Side side, const ByteReader& here,
                        uint64_t rest) {
  Half& half = state.halves[static_cast<size_t>(side)];
  if (half.skip > 0) {
    const uint32_t size = static_cast<uint32_t>(std::min<uint64_t>(half.skip, rest));
    half.skip -= size;
    return on(size);
  }
  ByteReader there = here.prefix(rest);
  if (half.gathered == 0 && rest >= kHandshakeHeaderSize) {
    if (there.remaining() < kHandshakeHeaderSize) return wait(kHandshakeHeaderSize);
    const uint32_t size = message_size_of(there);
    if (size <= rest) {
      std::span<const uint8_t> begin = there.bytes(std::min<size_t>(size, there.remaining()));
      const uint32_t wanted = wanted_size(begin, size);
      if (wanted > kAssemblySizeMax) return on(size);
      if (wanted > begin.size()) {
        peek_hello(context, half, begin);
        return wait(wanted);
      }
      if (wanted > 0) take_message(context, state, side, begin.first(wanted));
      return on(size);
    }
    if (size > kMessageSizeMax) return on(rest);
  }
  // It spans records.
  const uint32_t wanted_now = half.gathered < kHandshakeHeaderSize
                                  ? static_cast<uint32_t>(kHandshakeHeaderSize) - half.gathered
                                  : half.message_size - half.gathered;
  const std::span<const uint8_t> piece =
      there.bytes(std::min<size_t>(wanted_now, there.remaining()));
  if (piece.empty()) return wait(1);
  const std::span<const uint8_t> message = context.assemble(side, half.gathered, piece);
  half.gathered += static_cast<uint32_t>(piece.size());
  if (half.gathered < kHandshakeHeaderSize) return on(piece.size());
  const bool is_all_there = message.size() == half.gathered;
  if (half.gathered == kHandshakeHeaderSize)
    half.message_size = message_size_of(ByteReader(message));
  const uint32_t wanted = is_all_there ? wanted_size(message, half.message_size) : 0;
  if (wanted > half.gathered && wanted <= kAssemblySizeMax &&
      half.message_size <= kMessageSizeMax) {
    return on(piece.size());
  }
  if (wanted > 0 && wanted <= half.gathered)
    take_message(context, state, side, message.first(wanted));
  context.drop_assembly(side);
  half.skip = half.message_size - half.gathered;
  half.gathered = 0;
  return on(piece.size());
}

Progress take_alert(Context& context, State& state, const ByteReader& here, uint64_t rest) {
  constexpr uint64_t kAlertSize = 2;
  if (rest != kAlertSize) return on(rest);  // encrypted
  if (here.remaining() < kAlertSize) return wait(kAlertSize);
  ByteReader reader = here;
  const uint8_t level = reader.u8();
  const uint8_t alert = reader.u8();
  context.set(kAlertName, tls_name_or_number(tls_alert_name(alert), alert).view());
  context.end_message();
  state.is_done = level == kAlertFatal;
  return on(kAlertSize);
}

void take_change_cipher_spec(Context& context, State& state, Side side) {
  Half& half = state.halves[static_cast<size_t>(side)];
  // Before a ServerHello this is what 1.3 sends to please middleboxes.
  if (!state.has_server_hello) return;
  half.is_sealed = true;
  if (side != state.client && !state.has_server_hello_done) context.set(kResumed, true);
}

// Application data ends what can be seen, but for what a client of 1.3 sends ahead of the answer.
bool ends_handshake(const State& state, Side side) {
  const bool is_early = state.has_client_hello && !state.has_server_hello && side == state.client;
  return !is_early;
}

Progress take_record(Context& context, State& state, Side side, const ByteReader& here,
                     uint64_t rest) {
  const Half& half = state.halves[static_cast<size_t>(side)];
  switch (half.record) {
    case kHandshake:
      return half.is_sealed ? on(rest) : take_handshake(context, state, side, here, rest);
    case kAlert:
      return half.is_sealed ? on(rest) : take_alert(context, state, here, rest);
    default:
      return on(rest);
  }
}

// A hello of SSL 2, which later versions understand (RFC 5246, appendix E.2).
Parse take_ssl2(Context& context, State& state, const Payload& payload) {
  ByteReader reader(payload.bytes);
  const uint32_t size = kSsl2HeaderSize + (reader.be16() & 0x7fffu);
  if (!reader.ok()) return Parse::need(kSsl2HeaderSize);
  if (size > kAssemblySizeMax) return Parse::error("ssl2_size");
  if (payload.bytes.size() < size) return Parse::need(size);
  const uint8_t type = reader.u8();
  if (type == kSsl2ClientHello) {
    const uint16_t version = reader.be16();
    context.set(kClientVersion, tls_name_or_number(tls_version_name(version), version).view());
    const uint16_t ciphers_size = reader.be16();
    reader.skip(4);  // sizes of session id and challenge
    AttributeText ciphers;
    ByteReader list(reader.bytes(ciphers_size));
    while (list.remaining() >= 3) {
      if (!ciphers.is_empty()) ciphers.append('-');
      const uint8_t kind = list.u8();
      ciphers.append_unsigned(uint32_t{kind} << 16 | list.be16());
    }
    if (!ciphers.is_empty()) context.set(kClientCiphers, ciphers.view());
    state.client = payload.side;
    state.has_client_hello = true;
    context.end_message();
    return Parse::next(size);
  }
  if (type == kSsl2ServerHello) {
    context.set(kVersion, tls_version_name(kSsl2Version));
    context.end_message();
    return Parse::done();
  }
  return Parse::error("ssl2_type");
}

// Where the next record is after bytes were lost. False: not known, and nothing here looks like
// one.
bool find_record(Context& context, Half& half, const Payload& payload) {
  if (half.gathered > 0) context.drop_assembly(payload.side);
  half.gathered = 0;
  half.skip = 0;
  if (half.has_begun && payload.offset <= half.record_end) {
    half.record = kNoRecord;  // its rest, of which a part is missing
    return true;
  }
  half.record_end = payload.offset;
  half.is_lost = is_no_record(payload.bytes);
  return !half.is_lost;
}

// Until both sides encrypt, one of them may say in an alert that it does not like what it got.
bool is_finished(const State& state) {
  return state.is_done || (state.halves[0].is_sealed && state.halves[1].is_sealed);
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  Half& half = state.halves[static_cast<size_t>(payload.side)];
  const bool is_cut_off = payload.gap_before || (payload.is_midstream && !half.has_begun);
  if (is_cut_off || half.is_lost) {
    if (!find_record(context, half, payload)) return Parse::next(payload.bytes.size());
  } else if (!half.has_begun) {
    if (!payload.bytes.empty() && (payload.bytes[0] & kSsl2LengthBit) != 0)
      return take_ssl2(context, state, payload);
    half.record_end = payload.offset;
  }

  ByteReader reader(payload.bytes);
  while (true) {
    const size_t passed = payload.bytes.size() - reader.remaining();
    const uint64_t here = payload.offset + passed;
    if (here < half.record_end) {
      const Progress progress =
          take_record(context, state, payload.side, reader, half.record_end - here);
      if (is_finished(state)) return Parse::done();
      if (progress.step == Step::kWait)
        return passed > 0 ? Parse::next(passed) : Parse::need(progress.size);
      if (progress.size >= reader.remaining()) return Parse::next(passed + progress.size);
      reader.skip(progress.size);
      continue;
    }
    if (reader.remaining() < kRecordHeaderSize)
      return passed > 0 ? Parse::next(passed) : Parse::need(kRecordHeaderSize);
    const RecordHeader header = read_record_header(reader);
    if (!header.is_sound()) {
      if (!payload.is_midstream) return Parse::error("record_header");
      half.is_lost = true;
      return Parse::next(payload.bytes.size());
    }
    if (!state.halves[0].has_begun && !state.halves[1].has_begun) {
      const uint16_t version = static_cast<uint16_t>(0x0300 | header.minor);
      context.set(kRecordVersion, tls_name_or_number(tls_version_name(version), version).view());
    }
    half.has_begun = true;
    half.record = header.type;
    half.record_end = here + kRecordHeaderSize + header.size;
    if (header.type == kChangeCipherSpec) take_change_cipher_spec(context, state, payload.side);
    if (header.type == kApplicationData && ends_handshake(state, payload.side))
      return Parse::done();
    if (is_finished(state)) return Parse::done();
  }
}

}  // namespace

extern const Protocol kTls{
    .name = "tls",
    .help = "Transport Layer Security and SSL: the handshake in the clear.",
    .transports = kOverTcp,
    .ports = kPorts,
    .attributes = kAttributes,
    .first_bytes = tls::kFirstBytes,
    .size_min = 1,
    .probe = tls::probe,
    .parse = parse,
    .state_size = sizeof(State),
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/tls_records.h"

#include "dpi/protocols/tls_names.h"

namespace weir::tls {
namespace {

constexpr uint32_t kSealedSizeMin = 17;  // of application data: a byte at least and a tag of AEAD
constexpr uint8_t kMinorMax = 4;
constexpr uint32_t kHelloSizeMin = 2 + 32 + 1;  // version, random, size of the session id
constexpr uint32_t kSsl2HelloHeaderSize = 11;   // with the length in front

// Old drafts of 1.3 have 3.x too; version 3.0 is SSL 3.
bool is_plausible(const RecordHeader& header) {
  if (!header.is_sound() || header.minor > kMinorMax) return false;
  switch (header.type) {
    case kChangeCipherSpec:
      return header.size == 1;
    case kAlert:
      return header.size >= 2 && header.size <= 256;
    case kApplicationData:
      return true;  // an empty one is legal: protection of CBC ciphers
    default:
      return header.size > 0;
  }
}

// Records, or the begin of one, from here to the end of what is there? Counts whole headers.
struct Chain {
  size_t record_count = 0;
  bool is_broken = false;
  bool ends_exactly = false;
  uint64_t size = 0;  // to the end of the last record
  uint8_t first_type = 0;
  uint16_t first_size = 0;
};
constexpr size_t kChainCountMax = 4;

Chain follow_records(std::span<const uint8_t> bytes) {
  Chain chain;
  ByteReader reader(bytes);
  while (chain.record_count < kChainCountMax && reader.remaining() >= kRecordHeaderSize) {
    const RecordHeader header = read_record_header(reader);
    if (!is_plausible(header)) {
      chain.is_broken = true;
      return chain;
    }
    if (chain.record_count == 0) {
      chain.first_type = header.type;
      chain.first_size = header.size;
    }
    ++chain.record_count;
    chain.size += kRecordHeaderSize + header.size;
    if (header.size > reader.remaining()) return chain;
    reader.skip(header.size);
  }
  chain.ends_exactly = reader.remaining() == 0;
  return chain;
}

// A flow, or what is left of it, that begins between two handshakes: by its records alone.
Probe probe_records(const Payload& payload) {
  const Chain chain = follow_records(payload.bytes);
  if (chain.is_broken || chain.record_count == 0) return Probe::no();
  if (chain.record_count >= 2) return Probe::likely();
  const bool says_something =
      chain.first_type != kApplicationData || chain.first_size >= kSealedSizeMin;
  if (chain.ends_exactly && says_something) return Probe::likely();
  // The header of the record behind this one decides.
  const uint64_t size = chain.size + kRecordHeaderSize;
  if (size > kAssemblySizeMax)
    return chain.first_type == kApplicationData ? Probe::likely() : Probe::no();
  return Probe::more(static_cast<uint32_t>(size));
}

// Message type and size in the first record of a flow.
Probe probe_handshake(const Payload& payload, ByteReader& reader, uint32_t record_size) {
  if (record_size < kHandshakeHeaderSize) {
    // A header in several records: legal, and only seen where somebody hides. The record behind it
    // must be there.
    return probe_records(payload);
  }
  if (reader.remaining() < kHandshakeHeaderSize)
    return Probe::more(kRecordHeaderSize + kHandshakeHeaderSize);
  const uint8_t type = reader.u8();
  const uint32_t size = uint32_t{reader.u8()} << 16 | reader.be16();
  const bool is_hello = (type == kClientHello || type == kServerHello) && size >= kHelloSizeMin &&
                        size <= kMessageSizeMax;
  // In the middle of a handshake, or encrypted, which begins with anything.
  if (!is_hello) return probe_records(payload);
  if (record_size < kHandshakeHeaderSize + 2) return Probe::yes();
  if (reader.remaining() < 2) return Probe::more(kRecordHeaderSize + kHandshakeHeaderSize + 2);
  const uint16_t version = reader.be16();
  const bool is_version = (version >> 8) == 3 || !tls_version_name(version).empty();
  return is_version ? Probe::yes() : Probe::no();
}

Probe probe_ssl2(ByteReader& reader, size_t there) {
  if (there < kSsl2HelloHeaderSize) return Probe::more(kSsl2HelloHeaderSize);
  const uint32_t size = reader.be16() & 0x7fffu;
  const uint8_t type = reader.u8();
  const uint16_t version = reader.be16();
  const uint16_t ciphers_size = reader.be16();
  const uint16_t session_id_size = reader.be16();
  const uint16_t challenge_size = reader.be16();
  const bool is_version = version == kSsl2Version || (version >= 0x0300 && version <= kTls12);
  const bool is_hello = type == kSsl2ClientHello && is_version && ciphers_size > 0 &&
                        ciphers_size % 3 == 0 && (session_id_size == 0 || session_id_size == 16) &&
                        challenge_size >= 16 && challenge_size <= 32;
  const uint32_t parts_size = uint32_t{ciphers_size} + session_id_size + challenge_size;
  return is_hello && size == kSsl2HelloHeaderSize - kSsl2HeaderSize + parts_size ? Probe::yes()
                                                                                 : Probe::no();
}

}  // namespace

RecordHeader read_record_header(ByteReader& reader) noexcept {
  RecordHeader header;
  header.type = reader.u8();
  header.major = reader.u8();
  header.minor = reader.u8();
  header.size = reader.be16();
  return header;
}

bool is_no_record(std::span<const uint8_t> bytes) noexcept {
  return follow_records(bytes).is_broken;
}

Probe probe(const Payload& payload) noexcept {
  ByteReader reader(payload.bytes);
  if (!payload.bytes.empty() && (payload.bytes[0] & kSsl2LengthBit) != 0)
    return probe_ssl2(reader, payload.bytes.size());
  if (reader.remaining() < kRecordHeaderSize) {
    // Refuse early what cannot become a record.
    const uint8_t type = reader.u8();
    if (type < kChangeCipherSpec || type > kHeartbeat) return Probe::no();
    if (reader.remaining() > 0 && reader.u8() != 3) return Probe::no();
    return Probe::more(kRecordHeaderSize);
  }
  const RecordHeader header = read_record_header(reader);
  if (!is_plausible(header)) return Probe::no();
  switch (header.type) {
    case kHandshake:
      return probe_handshake(payload, reader, header.size);
    case kAlert: {
      if (header.size != 2) return probe_records(payload);
      if (reader.remaining() < 2) return Probe::more(kRecordHeaderSize + 2);
      const uint8_t level = reader.u8();
      const bool is_alert =
          (level == 1 || level == kAlertFatal) && !tls_alert_name(reader.u8()).empty();
      return is_alert ? Probe::yes() : Probe::no();
    }
    default:
      return probe_records(payload);
  }
}

}  // namespace weir::tls

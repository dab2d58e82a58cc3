// SPDX-License-Identifier: Apache-2.0
//
// Google's QUIC before the IETF's: versions Q010 to Q049, gone from the network but for old
// programs (https://www.chromium.org/quic/). The client's first message, CHLO, is not encrypted:
// tags with values.
//
//    0        1                    9                 13           to Q043
//   +--------+--------------------+-----------------+-------------------
//   |00nn1001| connection id      | "Q039"          | number, hash, frames
//   +--------+--------------------+-----------------+-------------------
//    0        1                 5      6                          Q044 to Q049
//   +--------+-----------------+------+-------------------
//   |11xxxxxx| "Q046"          | sizes| connection ids, number, hash, frames
//   +--------+-----------------+------+-------------------
//   "CHLO"  count of tags (2)  0 (2)  { tag (4)  end of its value (4) } …  values      little endian
//
// Only a flow whose first packet with a version is seen is known: other packets have no mark.
#include <algorithm>

#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr uint16_t kPorts[] = {443};

constexpr uint8_t kVersionFlag = 0x01;
constexpr uint8_t kResetFlag = 0x02;
constexpr uint8_t kConnectionIdFlag = 0x08;
constexpr uint8_t kReservedFlags = 0xc0;
constexpr uint8_t kLongHeader = 0xc0;
constexpr size_t kConnectionIdSize = 8;
constexpr uint8_t kFirstLongVersion = 44;
constexpr uint8_t kLastVersion = 49;
constexpr uint8_t kFirstVersion = 10;
// The message begins behind number, hash and the header of its frame, which differ by version.
constexpr size_t kMessageOffsetMax = 64;
constexpr uint16_t kTagCountMax = 128;  // as many as the program that made them took

constexpr uint32_t tag(std::string_view letters) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i)
    number = number << 8 | (i < letters.size() ? static_cast<uint8_t>(letters[i]) : 0u);
  return number;
}
constexpr uint32_t kClientHello = tag("CHLO");
constexpr uint32_t kServerName = tag("SNI");
constexpr uint32_t kUserAgentId = tag("UAID");

enum : uint8_t { kVersion, kSni, kUserAgent, kConnectionId };

constexpr Attribute kAttributes[] = {
    {"gquic.version", FieldType::kString, kVersion, Keep::kFirst,
     "Version the client speaks: Q043."},
    {"gquic.sni", FieldType::kString, kSni, Keep::kFirst, "Host name the client asks for.",
     Unit::kNone, true},
    {"gquic.user_agent", FieldType::kString, kUserAgent, Keep::kFirst,
     "Program and system of the client."},
    {"gquic.connection_id", FieldType::kBytes, kConnectionId, Keep::kFirst,
     "Connection id the client chose."},
};

struct Header {
  std::array<char, 4> version{};
  std::span<const uint8_t> connection_id;
};

// False: no packet with a version, or of another kind of QUIC.
bool read_header(ByteReader& reader, Header& header) {
  const uint8_t flags = reader.u8();
  const bool is_long = (flags & kLongHeader) == kLongHeader;
  if (!is_long) {
    constexpr uint8_t kNeeded = kVersionFlag | kConnectionIdFlag;
    if ((flags & (kNeeded | kResetFlag | kReservedFlags)) != kNeeded) return false;
    header.connection_id = reader.bytes(kConnectionIdSize);
  }
  for (char& letter : header.version) letter = static_cast<char>(reader.u8());
  if (is_long) {
    // 4 bits each; 0 is none, else three bytes more than that.
    const unsigned sizes = reader.u8();
    const unsigned dcid_size = sizes >> 4 == 0 ? 0 : (sizes >> 4) + 3;
    const unsigned scid_size = (sizes & 15) == 0 ? 0 : (sizes & 15) + 3;
    header.connection_id = reader.bytes(dcid_size);
    reader.skip(scid_size);
  }
  const auto [letter, zero, tens, ones] = header.version;
  if (!reader.ok() || letter != 'Q' || zero != '0') return false;
  if (tens < '0' || tens > '9' || ones < '0' || ones > '9') return false;
  const int version = (tens - '0') * 10 + (ones - '0');
  return is_long ? version >= kFirstLongVersion && version <= kLastVersion
                 : version >= kFirstVersion && version < kFirstLongVersion;
}

Probe probe(const Payload& payload) {
  ByteReader reader(payload.bytes);
  Header header;
  return read_header(reader, header) ? Probe::yes() : Probe::no();
}

void take_hello(Context& context, ByteReader reader) {
  const uint16_t tag_count = reader.le16();
  reader.skip(2);
  if (tag_count > kTagCountMax) return;
  ByteReader entries(reader.bytes(size_t{tag_count} * 8));
  uint32_t begin = 0;
  while (entries.remaining() > 0) {
    const uint32_t name = entries.be32();
    const uint32_t end = entries.le32();
    if (end < begin) return;
    const std::span<const uint8_t> value = reader.bytes(end - begin);
    if (!reader.ok()) return;
    begin = end;
    if (name == kServerName && !value.empty()) context.set(kSni, value);
    if (name == kUserAgentId && !value.empty()) context.set(kUserAgent, value);
  }
}

Parse parse(Context& context, const Payload& payload) {
  ByteReader reader(payload.bytes);
  Header header;
  if (!read_header(reader, header)) return Parse::next();
  context.set(kVersion, std::string_view(header.version.data(), header.version.size()));
  if (!header.connection_id.empty()) context.set(kConnectionId, header.connection_id);
  bool has_hello = false;
  for (size_t i = 0; i < kMessageOffsetMax && reader.remaining() >= 4 && !has_hello; ++i) {
    ByteReader message = reader;
    has_hello = message.be32() == kClientHello;
    if (has_hello) take_hello(context, message);
    reader.skip(1);
  }
  context.end_message();
  return has_hello ? Parse::done() : Parse::next();
}

// 0x09 with number sizes and nonce (to Q043); 0xc0 to 0xff.
constexpr auto kFirstBytes = [] {
  std::array<char, 8 + 64> bytes{};
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(0x09 | (i & 1) << 2 | (i >> 1) << 4);
  for (size_t i = 0; i < 64; ++i) bytes[8 + i] = static_cast<char>(kLongHeader + i);
  return bytes;
}();

}  // namespace

extern const Protocol kGquic{
    .name = "gquic",
    .help = "Google's QUIC before the IETF's: its client's first message.",
    .transports = kOverUdp,
    .ports = kPorts,
    .attributes = kAttributes,
    .first_bytes = std::string_view(kFirstBytes.data(), kFirstBytes.size()),
    .size_min = 14,
    .probe = probe,
    .parse = parse,
};

}  // namespace weir

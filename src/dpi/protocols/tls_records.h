// SPDX-License-Identifier: Apache-2.0
//
// Records of TLS, and how a flow of TLS may begin: with a hello, with an alert, in the middle.
//
//    0        1        3        5
//   +--------+--------+--------+---------------
//   | type   | 3   x  | length | one or more messages, or a part of one
//   +--------+--------+--------+---------------
//
// Threads: pure functions; any.
#pragma once

#include <cstdint>
#include <span>

#include "dpi/protocols/client_hello.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir::tls {

inline constexpr size_t kRecordHeaderSize = 5;
inline constexpr uint32_t kRecordSizeMax =
    16'384 + 2048;                                    // RFC 5246, section 6.2.3; 1.3 allows less
inline constexpr uint32_t kMessageSizeMax = 1 << 17;  // a handshake message larger is none

enum Record : uint8_t {
  kNoRecord = 0,  // nothing of interest: skip it
  kChangeCipherSpec = 20,
  kAlert = 21,
  kHandshake = 22,
  kApplicationData = 23,
  kHeartbeat = 24,
};

// Of handshake records; others are of no interest.
enum Message : uint8_t {
  kClientHello = kHandshakeClientHello,
  kServerHello = kHandshakeServerHello,
  kCertificate = 11,
  kServerKeyExchange = 12,
  kServerHelloDone = 14,
};

inline constexpr uint8_t kAlertFatal = 2;

// SSL 2: a length of 15 bits, the highest one set, and a type.
inline constexpr uint8_t kSsl2LengthBit = 0x80;
inline constexpr uint32_t kSsl2HeaderSize = 2;
inline constexpr uint8_t kSsl2ClientHello = 1;
inline constexpr uint8_t kSsl2ServerHello = 4;
inline constexpr uint16_t kSsl2Version = 2;

struct RecordHeader {
  uint8_t type = 0;
  uint8_t major = 0;
  uint8_t minor = 0;
  uint16_t size = 0;

  bool is_sound() const noexcept {
    return type >= kChangeCipherSpec && type <= kHeartbeat && major == 3 && size <= kRecordSizeMax;
  }
};
RecordHeader read_record_header(ByteReader& reader) noexcept;

// Is what begins here the begin of something else than records? Less than a header is not.
bool is_no_record(std::span<const uint8_t> bytes) noexcept;

// What begins every flow that probe() may take: 0x80 and 0x81 are a hello of SSL 2 with less than
// 512 bytes.
inline constexpr std::string_view kFirstBytes = "\x14\x15\x16\x17\x18\x80\x81";
Probe probe(const Payload& payload) noexcept;

}  // namespace weir::tls

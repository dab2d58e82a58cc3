// SPDX-License-Identifier: Apache-2.0
//
// ClientHello and ServerHello (RFC 8446, section 4.1, and RFC 5246, section 7.4.1), as TLS and QUIC
// carry them, and the fingerprints made of them.
//
//   JA3   MD5 of "version,ciphers,extensions,groups,point formats", JA3S of "version,cipher,extensions"
//   JA4   the TLS client fingerprint of FoxIO (BSD-3): "t13d1516h2_8daaf6152771_e5627efa2ab1"
//
// A hello that is cut gives what is before the cut, and no fingerprint.
//
// Errors: none; a hello that makes no sense is not is_complete.
// Threads: pure functions; any. Spans point into the message.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "dpi/text_buffer.h"
#include "weir/protocol.h"

namespace weir {

inline constexpr uint8_t kHandshakeClientHello = 1;
inline constexpr uint8_t kHandshakeServerHello = 2;
inline constexpr size_t kHandshakeHeaderSize = 4;  // type and length
inline constexpr size_t kSessionIdSizeMax = 32;

struct ClientHello {
  bool is_complete = false;  // to the end of its extensions
  uint16_t version = 0;      // of the message: at most 1.2, whatever is offered
  uint16_t version_max = 0;  // the highest offered that is known
  uint16_t version_largest =
      0;  // the largest number offered, which JA4 takes: drafts are above 1.3
  std::span<const uint8_t> session_id;
  // Lists of 16-bit numbers, as sent.
  std::span<const uint8_t> ciphers;
  std::span<const uint8_t> groups;
  std::span<const uint8_t> signature_algorithms;
  std::span<const uint8_t> extensions;            // whole, types and contents
  std::span<const uint8_t> alpns;                 // each with a length in front
  std::span<const uint8_t> point_formats;         // a byte each
  std::span<const uint8_t> server_name;           // the host name
  std::span<const uint8_t> transport_parameters;  // QUIC's
  bool has_server_name = false;                   // the extension, even if empty
  bool has_encrypted_hello = false;               // ECH: the server name is that of the front
};

struct ServerHello {
  bool is_complete = false;
  bool is_retry = false;       // HelloRetryRequest
  bool is_resumption = false;  // a pre-shared key was accepted (1.3)
  uint16_t version = 0;        // of the message
  uint16_t version_chosen = 0;
  uint16_t cipher = 0;
  uint16_t group = 0;  // of the key share; 0: none told
  std::span<const uint8_t> session_id;
  std::span<const uint8_t> extensions;
  std::span<const uint8_t> alpn;
};

// `body` begins behind the handshake header. DTLS has a cookie more.
ClientHello read_client_hello(std::span<const uint8_t> body, bool is_dtls = false) noexcept;
ServerHello read_server_hello(std::span<const uint8_t> body) noexcept;

using Ja3Text = TextBuffer<32>;
using Ja4Text = TextBuffer<36>;

// Empty without MD5.
Ja3Text ja3(const ClientHello& hello) noexcept;
Ja3Text ja3s(const ServerHello& hello) noexcept;
// `transport` is 't' for TCP, 'q' for QUIC, 'd' for DTLS. Empty for a hello with absurdly many
// ciphers or extensions.
Ja4Text ja4(const ClientHello& hello, char transport) noexcept;

// Where a protocol keeps what a hello says.
struct HelloAttributes {
  uint8_t sni;
  uint8_t client_alpns;
  uint8_t client_version;
  uint8_t client_groups;
  uint8_t client_ciphers;
  uint8_t client_extensions;
  uint8_t ech;
  uint8_t ja3;
  uint8_t ja4;
  uint8_t cipher;
  uint8_t curve;
  uint8_t ja3s;
};
void set_client_hello(Context& context, const ClientHello& hello, const HelloAttributes& attributes,
                      char transport) noexcept;
void set_server_hello(Context& context, const ServerHello& hello,
                      const HelloAttributes& attributes) noexcept;

}  // namespace weir

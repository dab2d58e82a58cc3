// SPDX-License-Identifier: Apache-2.0
//
// Numbers of TLS and their names, as IANA registers them.
//
// Threads: pure functions; any.
#pragma once

#include <cstdint>
#include <string_view>

#include "dpi/text_buffer.h"

namespace weir {

inline constexpr uint16_t kTls10 = 0x0301;
inline constexpr uint16_t kTls12 = 0x0303;
inline constexpr uint16_t kTls13 = 0x0304;

// 1.3, or one of its drafts.
bool is_tls13(uint16_t version) noexcept;

// Empty when the number has no name.
std::string_view tls_cipher_name(uint16_t cipher) noexcept;    // "TLS_AES_128_GCM_SHA256"
std::string_view tls_group_name(uint16_t group) noexcept;      // "x25519"
std::string_view tls_version_name(uint16_t version) noexcept;  // "TLSv1.3"
std::string_view tls_alert_name(uint8_t alert) noexcept;       // "handshake_failure"

using TlsName = TextBuffer<64>;

// `name`, or the number as "0x1a2b".
TlsName tls_name_or_number(std::string_view name, uint16_t number) noexcept;

// GREASE: values that mean nothing, which keep servers tolerant (RFC 8701). Fingerprints skip them.
constexpr bool is_grease(uint16_t value) noexcept {
  return (value & 0x0f0f) == 0x0a0a && (value >> 8) == (value & 0xff);
}

}  // namespace weir

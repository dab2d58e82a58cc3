// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/tls_names.h"

#include "dpi/number_names.h"

namespace weir {
namespace {

constexpr NumberName kCiphers[] = {
#define CIPHER(number, name) {number, name},
#include "dpi/protocols/tls_ciphers.inc"
#undef CIPHER
};

// RFC 8446 and 8422, RFC 7919, and the hybrids with ML-KEM (draft-ietf-tls-ecdhe-mlkem) and what
// browsers used before them.
constexpr NumberName kGroups[] = {
    {1, "sect163k1"},
    {2, "sect163r1"},
    {3, "sect163r2"},
    {4, "sect193r1"},
    {5, "sect193r2"},
    {6, "sect233k1"},
    {7, "sect233r1"},
    {8, "sect239k1"},
    {9, "sect283k1"},
    {10, "sect283r1"},
    {11, "sect409k1"},
    {12, "sect409r1"},
    {13, "sect571k1"},
    {14, "sect571r1"},
    {15, "secp160k1"},
    {16, "secp160r1"},
    {17, "secp160r2"},
    {18, "secp192k1"},
    {19, "secp192r1"},
    {20, "secp224k1"},
    {21, "secp224r1"},
    {22, "secp256k1"},
    {23, "secp256r1"},
    {24, "secp384r1"},
    {25, "secp521r1"},
    {26, "brainpoolP256r1"},
    {27, "brainpoolP384r1"},
    {28, "brainpoolP512r1"},
    {29, "x25519"},
    {30, "x448"},
    {31, "brainpoolP256r1tls13"},
    {32, "brainpoolP384r1tls13"},
    {33, "brainpoolP512r1tls13"},
    {34, "GC256A"},
    {35, "GC256B"},
    {36, "GC256C"},
    {37, "GC256D"},
    {38, "GC512A"},
    {39, "GC512B"},
    {40, "GC512C"},
    {41, "curveSM2"},
    {256, "ffdhe2048"},
    {257, "ffdhe3072"},
    {258, "ffdhe4096"},
    {259, "ffdhe6144"},
    {260, "ffdhe8192"},
    {512, "MLKEM512"},
    {513, "MLKEM768"},
    {514, "MLKEM1024"},
    {4587, "SecP256r1MLKEM768"},
    {4588, "X25519MLKEM768"},
    {4589, "SecP384r1MLKEM1024"},
    {4590, "curveSM2MLKEM768"},
    {16696, "CECPQ2"},
    {25497, "X25519Kyber768Draft00"},
    {25498, "SecP256r1Kyber768Draft00"},
    {65281, "arbitrary_explicit_prime_curves"},
    {65282, "arbitrary_explicit_char2_curves"},
};

// RFC 8446, section 6, with those of older versions.
constexpr NumberName kAlerts[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
    {121, "ech_required"},
};

static_assert(is_ascending(kCiphers));
static_assert(is_ascending(kGroups));
static_assert(is_ascending(kAlerts));

}  // namespace

// Drafts are 0x7f00 and their number; 0xfb00 those of one large user.
bool is_tls13(uint16_t version) noexcept {
  return version == kTls13 || (version >> 8) == 0x7f || (version >> 8) == 0xfb;
}

std::string_view tls_cipher_name(uint16_t cipher) noexcept {
  return find_name(kCiphers, cipher);
}
std::string_view tls_group_name(uint16_t group) noexcept {
  return find_name(kGroups, group);
}
std::string_view tls_alert_name(uint8_t alert) noexcept {
  return find_name(kAlerts, alert);
}

std::string_view tls_version_name(uint16_t version) noexcept {
  switch (version) {
    case 0x0002:
      return "SSLv2";
    case 0x0300:
      return "SSLv3";
    case 0x0301:
      return "TLSv1.0";
    case 0x0302:
      return "TLSv1.1";
    case 0x0303:
      return "TLSv1.2";
    default:
      return is_tls13(version) ? "TLSv1.3" : std::string_view();
  }
}

TlsName tls_name_or_number(std::string_view name, uint16_t number) noexcept {
  TlsName text;
  if (!name.empty()) {
    text.append(name);
  } else {
    text.append("0x");
    text.append_hex(number, 4);
  }
  return text;
}

}  // namespace weir

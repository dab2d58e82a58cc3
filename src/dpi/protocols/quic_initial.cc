// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/quic_initial.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/assert.h"
#include "dpi/digest.h"
#include "dpi/wire_text.h"
#include "weir/byte_reader.h"

namespace weir {
namespace {

using Kind = QuicVersion::Kind;

// Of drafts 22, 23 to 28, 29 to 32, of version 1 (and drafts 33 and 34), of version 2 as a draft
// and as a standard, and of Google's two versions with TLS.
enum Salt : uint8_t {
  kDraft22,
  kDraft23,
  kDraft29,
  kVersion1,
  kVersion2Draft,
  kVersion2,
  kT050,
  kT051,
  kSaltCount
};
constexpr size_t kSaltSize = 20;
constexpr std::array<std::array<uint8_t, kSaltSize>, kSaltCount> kSalts = {{
    {0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a,
     0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a},
    {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
     0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02},
    {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
     0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
    {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
     0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
    {0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d,
     0x62, 0xca, 0x57, 0x04, 0x06, 0xea, 0x7a, 0xe3, 0xe5, 0xd3},
    {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
     0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
    {0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
     0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10},
    {0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
     0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d},
}};

constexpr uint32_t kNumber1 = 1;
constexpr uint32_t kNumber2 = 0x6b3343cf;
constexpr uint32_t kNumber2Draft = 0x709a50c4;
constexpr uint32_t kDraftPrefix = 0xff0000;  // of 24 bits
constexpr uint32_t kDraftMin = 22;
constexpr uint32_t kDraftMax = 34;
// Of mvfst, all 0xfaceb0xx: the first is draft 22, the third version 1, the others draft 27.
constexpr uint32_t kMvfstPrefix = 0xfaceb0;
constexpr uint32_t kMvfstDraft22 = 0xfaceb001;
constexpr uint32_t kMvfstVersion1 = 0xfaceb003;
constexpr uint32_t kMvfstMax = 0xfaceb015;
constexpr uint32_t kMvfstPriming = 0xfacefeed;
constexpr uint32_t kNumberT050 = 0x54303530;
constexpr uint32_t kNumberT051 = 0x54303531;

constexpr size_t kExpandedSizeMax = 32;  // one block of HKDF-Expand

// "Q050", "T051": letters as numbers. Below 50 the header is another one (gquic).
bool is_google(uint32_t number) {
  const uint32_t letter = number >> 24;
  return (letter == 'Q' || letter == 'T') && (number >> 16 & 0xff) == '0' &&
         (number >> 8 & 0xff) >= '5' && is_digit(static_cast<uint8_t>(number >> 8)) &&
         is_digit(static_cast<uint8_t>(number));
}

// HKDF-Expand-Label (RFC 8446, section 7.1) without a context, of at most one block.
bool expand_label(std::span<const uint8_t> secret, std::string_view label, std::span<uint8_t> out) {
  constexpr std::string_view kPrefix = "tls13 ";
  ASSERT(out.size() <= kExpandedSizeMax);
  TextBuffer<48> info;
  info.append('\0');
  info.append(static_cast<char>(out.size()));
  info.append(static_cast<char>(kPrefix.size() + label.size()));
  info.append(kPrefix);
  info.append(label);
  info.append('\0');
  info.append('\1');  // number of the block
  std::array<uint8_t, 48> message;
  const std::string_view text = info.view();
  std::ranges::transform(text, message.begin(),
                         [](char character) { return static_cast<uint8_t>(character); });
  DigestBytes block;
  if (!hmac_sha256(secret, std::span(message).first(text.size()), block)) return false;
  std::ranges::copy(std::span(block).first(out.size()), out.begin());
  return true;
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

struct Ciphers {
  EVP_CIPHER* header = EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr);
  EVP_CIPHER* packet = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
};
const Ciphers& ciphers() {
  static const Ciphers fetched;  // for the life of the process
  return fetched;
}

struct Contexts {
  CipherContext header{EVP_CIPHER_CTX_new()};
  CipherContext packet{EVP_CIPHER_CTX_new()};
};
const Contexts& thread_contexts() {
  static thread_local const Contexts contexts;
  return contexts;
}

// The mask of RFC 9001, section 5.4.3.
bool header_mask(const QuicKeys& keys, std::span<const uint8_t> sample,
                 std::array<uint8_t, 32>& mask) {
  EVP_CIPHER_CTX* const context = thread_contexts().header.get();
  if (context == nullptr || ciphers().header == nullptr) return false;
  if (EVP_EncryptInit_ex2(context, ciphers().header, keys.header_key.data(), nullptr, nullptr) != 1)
    return false;
  int size = 0;
  return EVP_EncryptUpdate(context, mask.data(), &size, sample.data(),
                           static_cast<int>(sample.size())) == 1;
}

bool add_header(EVP_CIPHER_CTX* context, std::span<const uint8_t> bytes) {
  int size = 0;
  return bytes.empty() || EVP_DecryptUpdate(context, nullptr, &size, bytes.data(),
                                            static_cast<int>(bytes.size())) == 1;
}

}  // namespace

QuicVersion quic_version(uint32_t number) noexcept {
  QuicVersion version{.number = number};
  const auto is = [&](Kind kind, Salt salt) {
    version.kind = kind;
    version.salt = salt;
    return version;
  };
  if (number == kNumber1 || number == kMvfstVersion1 || number == kMvfstPriming)
    return is(Kind::kIetf, kVersion1);
  if (number == kNumber2) return is(Kind::kIetf2, kVersion2);
  if (number == kNumber2Draft) return is(Kind::kIetf2, kVersion2Draft);
  if (number == kNumberT050) return is(Kind::kIetf, kT050);
  if (number == kNumberT051) return is(Kind::kIetf, kT051);
  if (number >> 8 == kDraftPrefix) {
    const uint32_t draft = number & 0xff;
    if (draft < kDraftMin || draft > kDraftMax) return version;
    return is(Kind::kIetf, draft == kDraftMin ? kDraft22
                           : draft <= 28      ? kDraft23
                           : draft <= 32      ? kDraft29
                                              : kVersion1);
  }
  if (number >> 8 == kMvfstPrefix && number <= kMvfstMax)
    return is(Kind::kIetf, number <= kMvfstDraft22 ? kDraft22 : kDraft23);
  if ((number & 0x0f0f0f0f) == 0x0a0a0a0a) {
    return is(Kind::kReserved, kVersion1);
  } else if (is_google(number)) {
    version.kind = Kind::kGoogle;
  }
  return version;
}

QuicVersion earlier_version(const QuicVersion& version) noexcept {
  QuicVersion earlier = version;
  if (version.kind == Kind::kReserved && version.salt == kVersion1) {
    earlier.salt = kDraft29;
  } else {
    earlier.kind = Kind::kUnknown;
  }
  return earlier;
}

TextBuffer<16> quic_version_name(const QuicVersion& version) noexcept {
  TextBuffer<16> name;
  const uint32_t number = version.number;
  if (number == kNumber1) {
    name.append('1');
  } else if (number == kNumber2) {
    name.append('2');
  } else if (number == kNumber2Draft) {
    name.append("2-draft");
  } else if (version.is_ietf() && number >> 8 == kDraftPrefix) {
    name.append("draft-");
    name.append_unsigned(number & 0xff);
  } else if (number >> 16 == kMvfstPrefix >> 8) {
    name.append("mvfst-");
    name.append_hex(number, 8);
  } else if (is_google(number)) {
    for (const int shift : {24, 16, 8, 0}) name.append(static_cast<char>(number >> shift & 0xff));
  } else {
    name.append("0x");
    name.append_hex(number, 8);
  }
  return name;
}

bool derive_quic_keys(const QuicVersion& version, std::span<const uint8_t> client_dcid,
                      bool of_server, QuicKeys& keys) noexcept {
  ASSERT(version.has_keys());
  const bool is_2 = version.kind == Kind::kIetf2;
  DigestBytes secret, side_secret;
  return hmac_sha256(kSalts[version.salt], client_dcid, secret) &&
         expand_label(secret, of_server ? "server in" : "client in", side_secret) &&
         expand_label(side_secret, is_2 ? "quicv2 key" : "quic key", keys.key) &&
         expand_label(side_secret, is_2 ? "quicv2 iv" : "quic iv", keys.iv) &&
         expand_label(side_secret, is_2 ? "quicv2 hp" : "quic hp", keys.header_key);
}

std::span<const uint8_t> open_quic_packet(const QuicKeys& keys, std::span<const uint8_t> packet,
                                          size_t number_offset, bool is_cut,
                                          std::span<uint8_t> out) noexcept {
  constexpr size_t kNumberSizeMax = 4;  // the sample is taken as if the number had four bytes
  ByteReader reader(packet);
  const uint8_t first = reader.u8();
  const std::span<const uint8_t> header = reader.bytes(number_offset - 1);
  ByteReader number_reader = reader;
  reader.skip(kNumberSizeMax);
  const std::span<const uint8_t> sample = reader.bytes(kQuicSampleSize);
  if (!reader.ok() || number_offset == 0) return {};
  std::array<uint8_t, 32> mask{};
  if (!header_mask(keys, sample, mask)) return {};

  const uint8_t first_open = static_cast<uint8_t>(first ^ (mask[0] & 0x0f));
  const size_t number_size = (first_open & 3u) + 1;
  std::array<uint8_t, kNumberSizeMax> number{};
  for (size_t i = 0; i < number_size; ++i)
    number[i] = static_cast<uint8_t>(number_reader.u8() ^ mask[i + 1]);

  // Of an Initial packet the number in the header is all of it: there are only a few of them.
  std::array<uint8_t, 12> nonce = keys.iv;
  for (size_t i = 0; i < number_size; ++i) nonce[nonce.size() - number_size + i] ^= number[i];

  const size_t tag_size = is_cut ? 0 : kQuicTagSize;
  if (number_reader.remaining() < tag_size) return {};
  const std::span<const uint8_t> sealed = number_reader.bytes(number_reader.remaining() - tag_size);
  std::array<uint8_t, kQuicTagSize> tag{};
  number_reader.copy(tag.data(), tag_size);
  if (sealed.empty() || sealed.size() > out.size()) return {};

  EVP_CIPHER_CTX* const context = thread_contexts().packet.get();
  if (context == nullptr || ciphers().packet == nullptr) return {};
  int size = 0;
  const bool is_open =
      EVP_DecryptInit_ex2(context, ciphers().packet, keys.key.data(), nonce.data(), nullptr) == 1 &&
      add_header(context, std::span(&first_open, 1)) && add_header(context, header) &&
      add_header(context, std::span(number).first(number_size)) &&
      EVP_DecryptUpdate(context, out.data(), &size, sealed.data(),
                        static_cast<int>(sealed.size())) == 1;
  if (!is_open || size < 0 || static_cast<size_t>(size) > out.size()) return {};
  if (!is_cut) {
    int rest = 0;
    std::array<uint8_t, kQuicTagSize> none;
    const bool is_genuine = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG,
                                                static_cast<int>(tag.size()), tag.data()) == 1 &&
                            EVP_DecryptFinal_ex(context, none.data(), &rest) == 1;
    if (!is_genuine) return {};
  }
  return out.first(static_cast<size_t>(size));
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/client_hello.h"

#include <algorithm>

#include "dpi/digest.h"
#include "dpi/protocols/tls_names.h"
#include "weir/byte_reader.h"

namespace weir {
namespace {

constexpr size_t kRandomSize = 32;
// Numbers sorted for JA4. Real hellos have less than 100 ciphers and 30 extensions.
constexpr size_t kFingerprintCountMax = 512;
constexpr size_t kJa4DigitCount = 12;  // of each of its two hashes
constexpr uint8_t kHostName = 0;       // RFC 6066
constexpr uint16_t kDraftLikeTls12 =
    0x7f16;  // of 1.3, from which a ServerHello looks like one of 1.2

enum Extension : uint16_t {
  kServerName = 0,
  kSupportedGroups = 10,
  kPointFormats = 11,
  kSignatureAlgorithms = 13,
  kAlpn = 16,
  kPreSharedKey = 41,
  kSupportedVersions = 43,
  kKeyShare = 51,
  kQuicTransportParameters = 57,
  kEncryptedClientHello = 0xfe0d,
  kQuicTransportParametersDraft = 0xffa5,
};

// The random value of a ServerHello that is a HelloRetryRequest: SHA-256 of that word.
constexpr std::array<uint8_t, kRandomSize> kRetryRandom = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

// A list with its size in front, or what is there of it.
std::span<const uint8_t> sized_list(ByteReader& reader, size_t size) {
  return reader.bytes(std::min(size, reader.remaining()));
}
std::span<const uint8_t> list16(std::span<const uint8_t> content) {
  ByteReader reader(content);
  const uint16_t size = reader.be16();
  return sized_list(reader, size);
}
std::span<const uint8_t> list8(std::span<const uint8_t> content) {
  ByteReader reader(content);
  const uint8_t size = reader.u8();
  return sized_list(reader, size);
}

std::span<const uint8_t> host_name(std::span<const uint8_t> content) {
  ByteReader reader(list16(content));
  while (reader.remaining() > 0) {
    const uint8_t type = reader.u8();
    const std::span<const uint8_t> name = reader.bytes(reader.be16());
    if (!reader.ok()) break;
    if (type == kHostName) return name;
  }
  return {};
}

// The drafts of 1.3 are above 1.2 and below 1.3, whatever their numbers.
uint32_t version_rank(uint16_t version) {
  if (version == kTls13) return 0x20000;
  return is_tls13(version) ? uint32_t{version} + 0x10000 : version;
}

void read_versions(ClientHello& hello, std::span<const uint8_t> list) {
  ByteReader reader(list);
  uint16_t highest = 0;
  uint16_t largest = 0;
  while (reader.remaining() >= 2) {
    const uint16_t version = reader.be16();
    if (is_grease(version)) continue;
    largest = std::max(largest, version);
    if (!tls_version_name(version).empty() && version_rank(version) > version_rank(highest))
      highest = version;
  }
  if (highest != 0) hello.version_max = highest;
  if (largest != 0) hello.version_largest = largest;
}

void read_client_extension(ClientHello& hello, uint16_t type, std::span<const uint8_t> content) {
  switch (type) {
    case kServerName:
      hello.has_server_name = true;
      if (hello.server_name.empty()) hello.server_name = host_name(content);
      return;
    case kSupportedGroups:
      hello.groups = list16(content);
      return;
    case kPointFormats:
      hello.point_formats = list8(content);
      return;
    case kSignatureAlgorithms:
      hello.signature_algorithms = list16(content);
      return;
    case kAlpn:
      hello.alpns = list16(content);
      return;
    case kSupportedVersions:
      read_versions(hello, list8(content));
      return;
    case kQuicTransportParameters:
    case kQuicTransportParametersDraft:
      hello.transport_parameters = content;
      return;
    case kEncryptedClientHello:
      hello.has_encrypted_hello = true;
      return;
    default:
      return;
  }
}

void read_server_extension(ServerHello& hello, uint16_t type, std::span<const uint8_t> content) {
  ByteReader reader(content);
  switch (type) {
    case kAlpn:
      hello.alpn = list8(list16(content));
      return;
    case kPreSharedKey:
      hello.is_resumption = true;
      return;
    case kSupportedVersions:
      if (content.size() == 2) hello.version_chosen = reader.be16();
      return;
    case kKeyShare:
      hello.group = reader.be16();
      return;
    default:
      return;
  }
}

// The extensions and what follows them; false when they are cut. A hello may end before them.
template <typename Hello>
bool read_extensions(ByteReader& reader, Hello& hello,
                     void (*read)(Hello&, uint16_t, std::span<const uint8_t>)) {
  if (reader.remaining() == 0) return true;
  const uint16_t size = reader.be16();
  if (!reader.ok()) return false;
  const bool is_whole = size <= reader.remaining();
  hello.extensions = sized_list(reader, size);
  ByteReader extensions(hello.extensions);
  while (extensions.remaining() > 0) {
    const uint16_t type = extensions.be16();
    const std::span<const uint8_t> content = extensions.bytes(extensions.be16());
    if (!extensions.ok()) return false;
    read(hello, type, content);
  }
  return is_whole;
}

// Decimal or hexadecimal numbers with something between, hashed or kept as they come.
class NumberText {
 public:
  explicit NumberText(char separator) : separator_(separator) {}
  void add(TextBuffer<8>& out, uint16_t number, bool is_hex) {
    out.clear();
    if (!is_first_) out.append(separator_);
    is_first_ = false;
    if (is_hex) {
      out.append_hex(number, 4);
    } else {
      out.append_unsigned(number);
    }
  }

 private:
  char separator_;
  bool is_first_ = true;
};

void add_numbers(Digest& digest, std::span<const uint16_t> numbers) {
  NumberText text(',');
  TextBuffer<8> word;
  for (const uint16_t number : numbers) {
    text.add(word, number, true);
    digest.add(word.view());
  }
}

// What `each` is called with: the 16-bit numbers of a list that mean something.
template <typename Each>
void for_each_number(std::span<const uint8_t> list, Each each) {
  ByteReader reader(list);
  while (reader.remaining() >= 2) {
    const uint16_t number = reader.be16();
    if (!is_grease(number)) each(number);
  }
}
template <typename Each>
void for_each_extension(std::span<const uint8_t> extensions, Each each) {
  ByteReader reader(extensions);
  while (reader.remaining() > 0) {
    const uint16_t type = reader.be16();
    reader.skip(reader.be16());
    if (!reader.ok()) return;
    if (!is_grease(type)) each(type);
  }
}

// What JA3 hashes comes in many short pieces; the digest gets them in larger ones.
class Ja3Digest {
 public:
  void add(char character) {
    if (pending_.is_full()) flush();
    pending_.append(character);
  }
  // Numbers of one field have a dash between.
  void add_number(uint16_t number) {
    TextBuffer<8> word;
    text_.add(word, number, false);
    for (const char character : word.view()) add(character);
  }
  void next_field() {
    add(',');
    text_ = NumberText('-');
  }
  Ja3Text finish() {
    flush();
    DigestBytes bytes;
    Ja3Text text;
    text.append_hex(digest_.finish(bytes));
    return text;
  }

 private:
  void flush() {
    digest_.add(pending_.view());
    pending_.clear();
  }
  Digest digest_{Digest::Algorithm::kMd5};
  TextBuffer<256> pending_;
  NumberText text_{'-'};
};

// The numbers of a hello that JA4 sorts; count > kFingerprintCountMax: too many.
struct SortedNumbers {
  std::array<uint16_t, kFingerprintCountMax> numbers;
  size_t count = 0;

  void add(uint16_t number) {
    if (count < numbers.size()) numbers[count] = number;
    ++count;
  }
  bool is_too_many() const { return count > numbers.size(); }
  std::span<const uint16_t> sorted() {
    std::sort(numbers.begin(), numbers.begin() + static_cast<ptrdiff_t>(count));
    return std::span(numbers).first(count);
  }
};

void append_ja4_hash(Ja4Text& out, Digest& digest, bool is_empty) {
  DigestBytes bytes;
  const std::span<const uint8_t> hash = digest.finish(bytes);
  if (is_empty || hash.empty()) {
    for (size_t i = 0; i < kJa4DigitCount; ++i) out.append('0');
  } else {
    out.append_hex(hash.first(kJa4DigitCount / 2));
  }
}

std::string_view ja4_version(uint16_t version) {
  switch (version) {
    case 0x0002:
      return "s2";
    case 0x0300:
      return "s3";
    case 0x0301:
      return "10";
    case 0x0302:
      return "11";
    case 0x0303:
      return "12";
    case 0x0304:
      return "13";
    case 0xfeff:
      return "d1";
    case 0xfefd:
      return "d2";
    case 0xfefc:
      return "d3";
    default:
      return "00";
  }
}

void append_ja4_count(Ja4Text& out, size_t count) {
  const size_t shown = std::min<size_t>(count, 99);
  out.append(static_cast<char>('0' + shown / 10));
  out.append(static_cast<char>('0' + shown % 10));
}

bool is_alphanumeric(uint8_t byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= 'a' && byte <= 'z');
}

// The first and the last character of the first ALPN value; of their hexadecimal form when one of
// the two is no letter or digit.
void append_ja4_alpn(Ja4Text& out, std::span<const uint8_t> alpns) {
  const std::span<const uint8_t> alpn = list8(alpns);
  if (alpn.empty()) {
    out.append("00");
  } else if (is_alphanumeric(alpn.front()) && is_alphanumeric(alpn.back())) {
    out.append(static_cast<char>(alpn.front()));
    out.append(static_cast<char>(alpn.back()));
  } else {
    out.append_hex(static_cast<uint64_t>(alpn.front() >> 4), 1);
    out.append_hex(static_cast<uint64_t>(alpn.back() & 15), 1);
  }
}

void set_fingerprint(Context& context, uint8_t index, std::string_view fingerprint) {
  if (!fingerprint.empty()) context.set(index, fingerprint);
}

void append_number(AttributeText& text, uint16_t number) {
  if (!text.is_empty()) text.append('-');
  text.append_unsigned(number);
}

}  // namespace

ClientHello read_client_hello(std::span<const uint8_t> body, bool is_dtls) noexcept {
  ClientHello hello;
  ByteReader reader(body);
  hello.version = hello.version_max = hello.version_largest = reader.be16();
  reader.skip(kRandomSize);
  hello.session_id = reader.bytes(reader.u8());
  if (is_dtls) reader.skip(reader.u8());  // cookie
  const uint16_t ciphers_size = reader.be16();
  if (!reader.ok()) return hello;
  hello.ciphers = sized_list(reader, ciphers_size);
  reader.skip(reader.u8());  // compression methods
  if (!reader.ok()) return hello;
  hello.is_complete = read_extensions(reader, hello, read_client_extension);
  return hello;
}

ServerHello read_server_hello(std::span<const uint8_t> body) noexcept {
  ServerHello hello;
  ByteReader reader(body);
  hello.version = hello.version_chosen = reader.be16();
  hello.is_retry = std::ranges::equal(reader.bytes(kRandomSize), kRetryRandom);
  // 1.3 itself says 1.2 here; its older drafts said what they were and had no session id.
  const bool is_old_draft = is_tls13(hello.version) && hello.version < kDraftLikeTls12;
  if (!is_old_draft) hello.session_id = reader.bytes(reader.u8());
  hello.cipher = reader.be16();
  if (!is_old_draft) reader.skip(1);  // compression method
  if (!reader.ok()) return hello;
  hello.is_complete = read_extensions(reader, hello, read_server_extension);
  return hello;
}

Ja3Text ja3(const ClientHello& hello) noexcept {
  Ja3Digest digest;
  digest.add_number(hello.version);
  digest.next_field();
  const auto add = [&](uint16_t number) { digest.add_number(number); };
  for_each_number(hello.ciphers, add);
  digest.next_field();
  for_each_extension(hello.extensions, add);
  digest.next_field();
  for_each_number(hello.groups, add);
  digest.next_field();
  for (const uint8_t format : hello.point_formats) digest.add_number(format);
  return digest.finish();
}

Ja3Text ja3s(const ServerHello& hello) noexcept {
  Ja3Digest digest;
  digest.add_number(hello.version);
  digest.next_field();
  digest.add_number(hello.cipher);
  digest.next_field();
  for_each_extension(hello.extensions, [&](uint16_t type) { digest.add_number(type); });
  return digest.finish();
}

Ja4Text ja4(const ClientHello& hello, char transport) noexcept {
  SortedNumbers ciphers;
  for_each_number(hello.ciphers, [&](uint16_t cipher) { ciphers.add(cipher); });
  SortedNumbers extensions;
  size_t extension_count = 0;
  for_each_extension(hello.extensions, [&](uint16_t type) {
    ++extension_count;
    if (type != kServerName && type != kAlpn) extensions.add(type);
  });
  Ja4Text text;
  if (ciphers.is_too_many() || extensions.is_too_many()) return text;

  text.append(transport);
  text.append(ja4_version(hello.version_largest));
  text.append(hello.has_server_name ? 'd' : 'i');
  append_ja4_count(text, ciphers.count);
  append_ja4_count(text, extension_count);
  append_ja4_alpn(text, hello.alpns);
  text.append('_');
  {
    Digest digest(Digest::Algorithm::kSha256);
    add_numbers(digest, ciphers.sorted());
    append_ja4_hash(text, digest, ciphers.count == 0);
  }
  text.append('_');
  Digest digest(Digest::Algorithm::kSha256);
  add_numbers(digest, extensions.sorted());
  char separator = '_';
  for_each_number(hello.signature_algorithms, [&](uint16_t algorithm) {
    TextBuffer<8> word;
    word.append(separator);
    word.append_hex(algorithm, 4);
    digest.add(word.view());
    separator = ',';
  });
  append_ja4_hash(text, digest, extensions.count == 0);
  return text;
}

void set_client_hello(Context& context, const ClientHello& hello, const HelloAttributes& attributes,
                      char transport) noexcept {
  if (!hello.server_name.empty()) context.set(attributes.sni, hello.server_name);
  if (!hello.is_complete) return;
  ByteReader alpns(hello.alpns);
  while (alpns.remaining() > 0) {
    const std::span<const uint8_t> alpn = alpns.bytes(alpns.u8());
    if (!alpns.ok()) break;
    if (!alpn.empty() && !(alpn.size() == 2 && is_grease(ByteReader(alpn).be16())))
      context.set(attributes.client_alpns, alpn);
  }
  context.set(attributes.client_version,
              tls_name_or_number(tls_version_name(hello.version_max), hello.version_max).view());
  if (hello.has_encrypted_hello) context.set(attributes.ech, true);
  if (context.subscribed(attributes.ja3))
    set_fingerprint(context, attributes.ja3, ja3(hello).view());
  if (context.subscribed(attributes.ja4))
    set_fingerprint(context, attributes.ja4, ja4(hello, transport).view());

  size_t group_count = 0;
  for_each_number(hello.groups, [&](uint16_t group) {
    if (++group_count > kListCountMax) return;
    context.set(attributes.client_groups, tls_name_or_number(tls_group_name(group), group).view());
  });
  if (context.subscribed(attributes.client_ciphers)) {
    AttributeText text;
    for_each_number(hello.ciphers, [&](uint16_t cipher) { append_number(text, cipher); });
    context.set(attributes.client_ciphers, text.view());
  }
  if (context.subscribed(attributes.client_extensions)) {
    AttributeText text;
    for_each_extension(hello.extensions, [&](uint16_t type) { append_number(text, type); });
    context.set(attributes.client_extensions, text.view());
  }
}

void set_server_hello(Context& context, const ServerHello& hello,
                      const HelloAttributes& attributes) noexcept {
  context.set(attributes.cipher,
              tls_name_or_number(tls_cipher_name(hello.cipher), hello.cipher).view());
  if (hello.group != 0)
    context.set(attributes.curve,
                tls_name_or_number(tls_group_name(hello.group), hello.group).view());
  if (hello.is_complete && context.subscribed(attributes.ja3s))
    set_fingerprint(context, attributes.ja3s, ja3s(hello).view());
}

}  // namespace weir

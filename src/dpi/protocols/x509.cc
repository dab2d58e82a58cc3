// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/x509.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <string_view>

namespace weir {
namespace {

constexpr size_t kNamePartCountMax = 32;   // of one Name; more are left out
constexpr size_t kExtensionCountMax = 64;  // looked at
constexpr size_t kOidPartCountMax = 32;    // shown of an object identifier

enum Tag : uint8_t {
  kInteger = 0x02,
  kOctetString = 0x04,
  kOid = 0x06,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kBmpString = 0x1e,
  kSequence = 0x30,
  kSet = 0x31,
  kVersion = 0xa0,
  kExtensions = 0xa3,
  // Of GeneralName.
  kEmailName = 0x81,
  kDnsName = 0x82,
  kUriName = 0x86,
  kAddressName = 0x87,
};

struct Element {
  uint8_t tag = 0;
  std::span<const uint8_t> content;
};

// Lengths of up to four bytes; no indefinite ones and no tags of several bytes, which DER has not
// or certificates do not use.
bool read_element(ByteReader& reader, Element& element) {
  element.tag = reader.u8();
  if ((element.tag & 0x1f) == 0x1f) return false;
  uint32_t size = reader.u8();
  if (size >= 0x80) {
    const unsigned byte_count = size & 0x7f;
    if (byte_count == 0 || byte_count > 4) return false;
    size = 0;
    for (unsigned i = 0; i < byte_count; ++i) size = size << 8 | reader.u8();
  }
  element.content = reader.bytes(size);
  return reader.ok();
}
bool read_element(ByteReader& reader, Tag tag, Element& element) {
  return read_element(reader, element) && element.tag == tag;
}

bool read_two_digits(ByteReader& reader, unsigned& value) {
  const unsigned tens = reader.u8() - unsigned{'0'};
  const unsigned ones = reader.u8() - unsigned{'0'};
  value = tens * 10 + ones;
  return reader.ok() && tens <= 9 && ones <= 9;
}

// "YYMMDDhhmmssZ" or "YYYYMMDDhhmmssZ" (RFC 5280, section 4.1.2.5). Seconds may be missing in old
// certificates.
bool read_time(const Element& element, int64_t& ns) {
  ByteReader reader(element.content);
  unsigned century = 0, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (element.tag == kGeneralizedTime) {
    if (!read_two_digits(reader, century)) return false;
  } else if (element.tag != kUtcTime) {
    return false;
  }
  if (!read_two_digits(reader, year)) return false;
  if (element.tag == kUtcTime) century = year < 50 ? 20 : 19;
  if (!read_two_digits(reader, month) || !read_two_digits(reader, day) ||
      !read_two_digits(reader, hour) || !read_two_digits(reader, minute))
    return false;
  if (reader.remaining() >= 2 && !read_two_digits(reader, second)) return false;
  if (hour > 23 || minute > 59 || second > 60) return false;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(century * 100 + year)),
                                         std::chrono::month(month), std::chrono::day(day));
  if (!date.ok()) return false;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t seconds = days * 86'400 + int64_t{hour} * 3600 + int64_t{minute} * 60 + second;
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kNsPerSecond;
  if (seconds > kSecondsMax) {
    ns = std::numeric_limits<int64_t>::max();
  } else if (seconds < -kSecondsMax) {
    ns = std::numeric_limits<int64_t>::min();
  } else {
    ns = seconds * kNsPerSecond;
  }
  return true;
}

constexpr std::array<uint8_t, 3> kOidAlternativeNames = {0x55, 0x1d, 0x11};  // 2.5.29.17

void read_extensions(std::span<const uint8_t> content, Certificate& certificate) {
  ByteReader outer(content);
  Element list;
  if (!read_element(outer, kSequence, list)) return;
  ByteReader extensions(list.content);
  for (size_t i = 0; i < kExtensionCountMax && extensions.remaining() > 0; ++i) {
    Element extension, oid, value, names;
    if (!read_element(extensions, kSequence, extension)) return;
    ByteReader reader(extension.content);
    if (!read_element(reader, kOid, oid)) continue;
    if (!std::ranges::equal(oid.content, kOidAlternativeNames)) continue;
    if (!read_element(reader, value)) return;
    if (value.tag != kOctetString && !read_element(reader, kOctetString, value))
      return;  // critical
    ByteReader inner(value.content);
    if (read_element(inner, kSequence, names)) certificate.alternative_names = names.content;
    return;
  }
}

struct PartName {
  std::string_view oid;
  std::string_view name;
};
// RFC 4514, section 3, and what OpenSSL shows of the others in use.
constexpr PartName kPartNames[] = {
    {"\x55\x04\x03", "CN"},
    {"\x55\x04\x04", "SN"},
    {"\x55\x04\x05", "serialNumber"},
    {"\x55\x04\x06", "C"},
    {"\x55\x04\x07", "L"},
    {"\x55\x04\x08", "ST"},
    {"\x55\x04\x09", "street"},
    {"\x55\x04\x0a", "O"},
    {"\x55\x04\x0b", "OU"},
    {"\x55\x04\x0c", "title"},
    {"\x55\x04\x0d", "description"},
    {"\x55\x04\x0f", "businessCategory"},
    {"\x55\x04\x11", "postalCode"},
    {"\x55\x04\x2a", "GN"},
    {"\x55\x04\x2b", "initials"},
    {"\x55\x04\x2e", "dnQualifier"},
    {"\x55\x04\x61", "organizationIdentifier"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", "unstructuredName"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"},
    {"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", "jurisdictionL"},
    {"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", "jurisdictionST"},
    {"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", "jurisdictionC"},
};

void append_oid(AttributeText& out, std::span<const uint8_t> oid) {
  uint64_t number = 0;
  size_t part_count = 0;
  for (const uint8_t byte : oid) {
    number = number << 7 | (byte & 0x7f);
    if ((byte & 0x80) != 0) continue;
    if (part_count == 0) {
      const uint64_t first = std::min<uint64_t>(number / 40, 2);
      out.append_unsigned(first);
      number -= first * 40;
    }
    if (++part_count > kOidPartCountMax) return;
    out.append('.');
    out.append_unsigned(number);
    number = 0;
  }
}

void append_part_type(AttributeText& out, std::span<const uint8_t> oid) {
  for (const PartName& part : kPartNames) {
    const bool is_it = std::ranges::equal(
        oid, part.oid, {}, {}, [](char character) { return static_cast<uint8_t>(character); });
    if (is_it) return out.append(part.name);
  }
  append_oid(out, oid);
}

void append_escaped(AttributeText& out, uint8_t byte, bool is_first) {
  constexpr std::string_view kSpecial = ",+\"\\<>;";
  const char character = static_cast<char>(byte);
  if (kSpecial.find(character) != kSpecial.npos ||
      (is_first && (character == '#' || character == ' ')))
    out.append('\\');
  out.append(character);
}

void append_utf8(AttributeText& out, uint16_t code_unit, bool is_first) {
  if (code_unit < 0x80) return append_escaped(out, static_cast<uint8_t>(code_unit), is_first);
  if (code_unit < 0x800) {
    out.append(static_cast<char>(0xc0 | code_unit >> 6));
  } else {
    out.append(static_cast<char>(0xe0 | code_unit >> 12));
    out.append(static_cast<char>(0x80 | (code_unit >> 6 & 0x3f)));
  }
  out.append(static_cast<char>(0x80 | (code_unit & 0x3f)));
}

// Everything but BMPString (UCS-2) is shown as its bytes.
void append_part_value(AttributeText& out, const Element& value) {
  ByteReader reader(value.content);
  for (bool is_first = true; reader.remaining() > 0 && !out.is_full(); is_first = false) {
    if (value.tag == kBmpString) {
      const uint16_t code_unit = reader.be16();
      if (!reader.ok()) return;
      append_utf8(out, code_unit, is_first);
    } else {
      append_escaped(out, reader.u8(), is_first);
    }
  }
}

// The attributes of one part, which is nearly always one.
void append_part(AttributeText& out, std::span<const uint8_t> part) {
  ByteReader reader(part);
  for (bool is_first = true; reader.remaining() > 0 && !out.is_full(); is_first = false) {
    Element pair, type, value;
    if (!read_element(reader, kSequence, pair)) return;
    ByteReader inside(pair.content);
    if (!read_element(inside, kOid, type) || !read_element(inside, value)) return;
    if (!is_first) out.append('+');
    append_part_type(out, type.content);
    out.append('=');
    append_part_value(out, value);
  }
}

void append_address(AttributeText& out, std::span<const uint8_t> address) {
  if (address.size() == 4) {
    append_ipv4(out, address.first<4>());
    return;
  }
  // Without the abbreviations of RFC 5952 but for leading zeros: a name to search for needs one
  // form, and certificates with these are rare.
  ByteReader reader(address);
  for (bool is_first = true; reader.remaining() >= 2; is_first = false) {
    if (!is_first) out.append(':');
    append_ipv6_group(out, reader.be16());
  }
}

}  // namespace

bool Certificate::is_self_issued() const noexcept {
  return !subject.empty() && std::ranges::equal(subject, issuer);
}

bool read_certificate(std::span<const uint8_t> der, Certificate& certificate) noexcept {
  certificate = {};
  ByteReader outer(der);
  Element whole, body, element, validity;
  if (!read_element(outer, kSequence, whole)) return false;
  ByteReader inside(whole.content);
  if (!read_element(inside, kSequence, body)) return false;
  ByteReader reader(body.content);
  if (!read_element(reader, element)) return false;
  if (element.tag == kVersion && !read_element(reader, element)) return false;
  if (element.tag != kInteger) return false;
  certificate.serial = element.content;
  if (!read_element(reader, kSequence, element)) return false;  // signature algorithm
  if (!read_element(reader, kSequence, element)) return false;
  certificate.issuer = element.content;
  if (!read_element(reader, kSequence, validity)) return false;
  if (!read_element(reader, kSequence, element)) return false;
  certificate.subject = element.content;

  ByteReader times(validity.content);
  Element from, until;
  certificate.has_validity = read_element(times, from) && read_element(times, until) &&
                             read_time(from, certificate.not_before_ns) &&
                             read_time(until, certificate.not_after_ns);
  // The key, two identifiers nobody uses, the extensions: at most four elements.
  for (int i = 0; i < 4 && read_element(reader, element); ++i) {
    if (element.tag == kExtensions) read_extensions(element.content, certificate);
  }
  return true;
}

AttributeText name_text(std::span<const uint8_t> name) noexcept {
  std::array<std::span<const uint8_t>, kNamePartCountMax> parts;
  size_t part_count = 0;
  ByteReader reader(name);
  Element part;
  while (part_count < parts.size() && reader.remaining() > 0 && read_element(reader, kSet, part))
    parts[part_count++] = part.content;
  AttributeText text;
  while (part_count > 0) {
    if (!text.is_empty()) text.append(',');
    append_part(text, parts[--part_count]);
  }
  return text;
}

bool next_alternative_name(ByteReader& names, AttributeText& out) noexcept {
  Element name;
  while (names.remaining() > 0 && read_element(names, name)) {
    out.clear();
    if (name.tag == kDnsName || name.tag == kEmailName || name.tag == kUriName) {
      out.append_bytes(name.content);
    } else if (name.tag == kAddressName) {
      append_address(out, name.content);
    }
    if (!out.is_empty()) return true;
  }
  return false;
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/dns_message.h"

#include "dpi/number_names.h"

namespace weir {
namespace {

constexpr size_t kNameSizeMax = 255;       // RFC 1035, section 2.3.4: with length bytes
constexpr uint32_t kPointerCountMax = 64;  // more than labels a useful name has
constexpr uint8_t kLabelKindMask = 0xc0;
constexpr uint8_t kLabelKindPointer = 0xc0;

// IANA, "Resource Record (RR) TYPEs".
constexpr NumberName kTypes[] = {
    {1, "A"},           {2, "NS"},       {3, "MD"},        {4, "MF"},         {5, "CNAME"},
    {6, "SOA"},         {7, "MB"},       {8, "MG"},        {9, "MR"},         {10, "NULL"},
    {11, "WKS"},        {12, "PTR"},     {13, "HINFO"},    {14, "MINFO"},     {15, "MX"},
    {16, "TXT"},        {17, "RP"},      {18, "AFSDB"},    {19, "X25"},       {20, "ISDN"},
    {21, "RT"},         {22, "NSAP"},    {23, "NSAP-PTR"}, {24, "SIG"},       {25, "KEY"},
    {26, "PX"},         {27, "GPOS"},    {28, "AAAA"},     {29, "LOC"},       {30, "NXT"},
    {31, "EID"},        {32, "NIMLOC"},  {33, "SRV"},      {34, "ATMA"},      {35, "NAPTR"},
    {36, "KX"},         {37, "CERT"},    {38, "A6"},       {39, "DNAME"},     {40, "SINK"},
    {41, "OPT"},        {42, "APL"},     {43, "DS"},       {44, "SSHFP"},     {45, "IPSECKEY"},
    {46, "RRSIG"},      {47, "NSEC"},    {48, "DNSKEY"},   {49, "DHCID"},     {50, "NSEC3"},
    {51, "NSEC3PARAM"}, {52, "TLSA"},    {53, "SMIMEA"},   {55, "HIP"},       {56, "NINFO"},
    {57, "RKEY"},       {58, "TALINK"},  {59, "CDS"},      {60, "CDNSKEY"},   {61, "OPENPGPKEY"},
    {62, "CSYNC"},      {63, "ZONEMD"},  {64, "SVCB"},     {65, "HTTPS"},     {66, "DSYNC"},
    {99, "SPF"},        {100, "UINFO"},  {101, "UID"},     {102, "GID"},      {103, "UNSPEC"},
    {104, "NID"},       {105, "L32"},    {106, "L64"},     {107, "LP"},       {108, "EUI48"},
    {109, "EUI64"},     {128, "NXNAME"}, {249, "TKEY"},    {250, "TSIG"},     {251, "IXFR"},
    {252, "AXFR"},      {253, "MAILB"},  {254, "MAILA"},   {255, "ANY"},      {256, "URI"},
    {257, "CAA"},       {258, "AVC"},    {259, "DOA"},     {260, "AMTRELAY"}, {261, "RESINFO"},
    {262, "WALLET"},    {32768, "TA"},   {32769, "DLV"},
};
static_assert(is_ascending(kTypes));

constexpr NumberName kClasses[] = {
    {1, "IN"}, {2, "CS"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"},
};
static_assert(is_ascending(kClasses));

constexpr NumberName kOpcodes[] = {
    {0, "QUERY"}, {1, "IQUERY"}, {2, "STATUS"}, {4, "NOTIFY"}, {5, "UPDATE"}, {6, "DSO"},
};
static_assert(is_ascending(kOpcodes));

// IANA, "DNS RCODEs". 16 is BADVERS in an OPT record, and BADSIG where no such number is ours.
constexpr NumberName kRcodes[] = {
    {0, "NOERROR"},  {1, "FORMERR"},    {2, "SERVFAIL"}, {3, "NXDOMAIN"},  {4, "NOTIMP"},
    {5, "REFUSED"},  {6, "YXDOMAIN"},   {7, "YXRRSET"},  {8, "NXRRSET"},   {9, "NOTAUTH"},
    {10, "NOTZONE"}, {11, "DSOTYPENI"}, {16, "BADVERS"}, {17, "BADKEY"},   {18, "BADTIME"},
    {19, "BADMODE"}, {20, "BADNAME"},   {21, "BADALG"},  {22, "BADTRUNC"}, {23, "BADCOOKIE"},
};
static_assert(is_ascending(kRcodes));

// RFC 9460, section 14.3.2.
constexpr NumberName kServiceKeys[] = {
    {0, "mandatory"}, {1, "alpn"},     {2, "no-default-alpn"}, {3, "port"},  {4, "ipv4hint"},
    {5, "ech"},       {6, "ipv6hint"}, {7, "dohpath"},         {8, "ohttp"},
};
static_assert(is_ascending(kServiceKeys));

void append_name_or_number(AttributeText& text, std::span<const NumberName> table, uint32_t number,
                           std::string_view prefix) noexcept {
  const std::string_view name = find_name(table, number);
  text.append(name.empty() ? prefix : name);
  if (name.empty()) text.append_unsigned(number);
}

void append_label(AttributeText& text, std::span<const uint8_t> label) noexcept {
  for (const uint8_t byte : label) {
    if (byte == '.' || byte == '\\') text.append('\\');
    text.append(static_cast<char>(byte));
  }
}

}  // namespace

DnsHeader read_dns_header(ByteReader& reader) noexcept {
  DnsHeader header;
  header.id = reader.be16();
  header.flags = reader.be16();
  header.question_count = reader.be16();
  header.answer_count = reader.be16();
  header.authority_count = reader.be16();
  header.additional_count = reader.be16();
  return header;
}

bool read_dns_name(std::span<const uint8_t> message, ByteReader& reader,
                   AttributeText* text) noexcept {
  ByteReader cursor = reader;
  // Where the part of the name that is being read begins: a pointer goes before it.
  size_t part_begin = message.size() - cursor.remaining();
  size_t name_size = 0;
  uint32_t pointer_count = 0;
  while (true) {
    const uint8_t length = cursor.u8();
    if (!cursor.ok()) return false;
    if ((length & kLabelKindMask) == kLabelKindPointer) {
      const size_t target = static_cast<size_t>(length & ~kLabelKindMask) << 8 | cursor.u8();
      if (!cursor.ok() || target < kDnsHeaderSize || target >= part_begin) return false;
      if (pointer_count == 0) reader = cursor;
      if (++pointer_count > kPointerCountMax) return false;
      part_begin = target;
      cursor = ByteReader(message.subspan(target));
      continue;
    }
    if ((length & kLabelKindMask) != 0) return false;
    if (length == 0) break;
    const std::span<const uint8_t> label = cursor.bytes(length);
    name_size += size_t{1} + length;
    if (!cursor.ok() || name_size >= kNameSizeMax) return false;
    if (text == nullptr) continue;
    if (name_size > size_t{1} + length) text->append('.');
    append_label(*text, label);
  }
  if (pointer_count == 0) reader = cursor;
  if (text != nullptr && name_size == 0) text->append('.');
  return true;
}

bool skip_dns_name(ByteReader& reader) noexcept {
  size_t name_size = 0;
  while (true) {
    const uint8_t length = reader.u8();
    if (!reader.ok()) return false;
    if ((length & kLabelKindMask) == kLabelKindPointer) {
      const size_t target = static_cast<size_t>(length & ~kLabelKindMask) << 8 | reader.u8();
      return reader.ok() && target >= kDnsHeaderSize;
    }
    if ((length & kLabelKindMask) != 0) return false;
    if (length == 0) return true;
    reader.skip(length);
    name_size += size_t{1} + length;
    if (!reader.ok() || name_size >= kNameSizeMax) return false;
  }
}

bool read_dns_record(ByteReader& reader, DnsRecord& record) noexcept {
  record.type = reader.be16();
  record.record_class = reader.be16();
  record.ttl = reader.be32();
  record.data_size = reader.be16();
  record.data = reader;
  if (!reader.ok()) return false;
  reader.skip(record.data_size < reader.remaining() ? record.data_size : reader.remaining());
  return true;
}

bool is_whole(const DnsRecord& record) noexcept {
  return record.data_size <= record.data.remaining();
}

void append_dns_type(AttributeText& text, uint16_t type) noexcept {
  append_name_or_number(text, kTypes, type, "TYPE");  // RFC 3597, section 5
}

void append_dns_class(AttributeText& text, uint16_t record_class) noexcept {
  append_name_or_number(text, kClasses, record_class, "CLASS");
}

void append_dns_opcode(AttributeText& text, uint8_t opcode) noexcept {
  append_name_or_number(text, kOpcodes, opcode, "OPCODE");
}

void append_dns_rcode(AttributeText& text, uint16_t rcode) noexcept {
  append_name_or_number(text, kRcodes, rcode, "RCODE");
}

bool is_dns_type(uint16_t type) noexcept {
  return !find_name(kTypes, type).empty();
}

namespace {

// What append_dns_data works with: a cursor in the data that names may leave by their pointers, and
// that knows how much of the data is left.
struct RecordCursor {
  std::span<const uint8_t> message;
  ByteReader reader;        // to the end of the message
  size_t remaining_behind;  // of the message behind the data
  AttributeText& text;

  size_t size_left() const noexcept {
    return reader.remaining() > remaining_behind ? reader.remaining() - remaining_behind : 0;
  }
  std::span<const uint8_t> rest() noexcept { return reader.bytes(size_left()); }
  std::span<const uint8_t> counted() noexcept {
    const uint8_t size = reader.u8();
    return reader.bytes(size <= size_left() ? size : size_left());
  }

  void append_number(uint64_t number) noexcept {
    text.append_unsigned(number);
    text.append(' ');
  }
  void append_name() noexcept {
    if (size_left() > 0) read_dns_name(message, reader, &text);
  }
  void append_quoted(std::span<const uint8_t> bytes) noexcept {
    text.append('"');
    text.append_bytes(bytes);
    text.append('"');
  }
  void append_type() noexcept {
    append_dns_type(text, reader.be16());
    text.append(' ');
  }
};

void append_address(RecordCursor& data, std::span<const uint8_t> bytes) noexcept {
  if (bytes.size() == 4) {
    append_ipv4(data.text, bytes.first<4>());
  } else if (bytes.size() == 16) {
    append_ipv6(data.text, bytes.first<16>());
  } else {
    data.text.append_hex(bytes);
  }
}

// The strings of a TXT record with blanks between.
void append_strings(RecordCursor& data) noexcept {
  for (bool is_first = true; data.size_left() > 0 && !data.text.is_full(); is_first = false) {
    if (!is_first) data.text.append(' ');
    data.text.append_bytes(data.counted());
  }
}

void append_start_of_authority(RecordCursor& data) noexcept {
  data.append_name();
  data.text.append(' ');
  data.append_name();
  constexpr int kNumberCount = 5;  // serial, refresh, retry, expire, minimum
  for (int index = 0; index < kNumberCount && data.size_left() >= 4; ++index) {
    data.text.append(' ');
    data.text.append_unsigned(data.reader.be32());
  }
}

void append_service_value(RecordCursor& data, uint16_t key,
                          std::span<const uint8_t> value) noexcept {
  constexpr uint16_t kMandatory = 0, kAlpn = 1, kPort = 3, kIpv4Hint = 4, kIpv6Hint = 6;
  constexpr uint16_t kDohPath = 7;
  ByteReader reader(value);
  for (bool is_first = true; reader.remaining() > 0 && !data.text.is_full(); is_first = false) {
    if (!is_first) data.text.append(',');
    if (key == kAlpn) {
      const uint8_t size = reader.u8();
      data.text.append_bytes(reader.bytes(size <= reader.remaining() ? size : reader.remaining()));
    } else if (key == kPort && reader.remaining() >= 2) {
      data.text.append_unsigned(reader.be16());
    } else if (key == kMandatory && reader.remaining() >= 2) {
      append_name_or_number(data.text, kServiceKeys, reader.be16(), "key");
    } else if (key == kIpv4Hint && reader.remaining() >= 4) {
      append_address(data, reader.bytes(4));
    } else if (key == kIpv6Hint && reader.remaining() >= 16) {
      append_address(data, reader.bytes(16));
    } else if (key == kDohPath) {
      data.text.append_bytes(reader.bytes(reader.remaining()));
    } else {
      data.text.append_hex(reader.bytes(reader.remaining()));
    }
  }
}

// SVCB and HTTPS: RFC 9460, section 2.1.
void append_service_binding(RecordCursor& data) noexcept {
  data.append_number(data.reader.be16());
  data.append_name();
  while (data.size_left() >= 4 && !data.text.is_full()) {
    const uint16_t key = data.reader.be16();
    const uint16_t size = data.reader.be16();
    const std::span<const uint8_t> value =
        data.reader.bytes(size <= data.size_left() ? size : data.size_left());
    data.text.append(' ');
    append_name_or_number(data.text, kServiceKeys, key, "key");
    if (value.empty()) continue;
    data.text.append('=');
    append_service_value(data, key, value);
  }
}

// NSEC: the next name, then the types there are, as windows of bits (RFC 4034, section 4.1.2).
void append_next_secure(RecordCursor& data) noexcept {
  data.append_name();
  while (data.size_left() >= 2 && !data.text.is_full()) {
    const unsigned window = data.reader.u8();
    const uint8_t size = data.reader.u8();
    const std::span<const uint8_t> bits =
        data.reader.bytes(size <= data.size_left() ? size : data.size_left());
    for (size_t byte = 0; byte < bits.size() && !data.text.is_full(); ++byte) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        if ((bits[byte] & 0x80 >> bit) == 0) continue;
        data.text.append(' ');
        append_dns_type(data.text, static_cast<uint16_t>(window << 8 | (byte * 8 + bit)));
      }
    }
  }
}

// RRSIG without the signature: RFC 4034, section 3.1.
void append_signature_head(RecordCursor& data) noexcept {
  data.append_type();
  data.append_number(data.reader.u8());    // algorithm
  data.append_number(data.reader.u8());    // labels
  data.append_number(data.reader.be32());  // original time to live
  data.append_number(data.reader.be32());  // expiration
  data.append_number(data.reader.be32());  // inception
  data.append_number(data.reader.be16());  // key tag
  data.append_name();
}

void append_naming_authority_pointer(RecordCursor& data) noexcept {
  data.append_number(data.reader.be16());
  data.append_number(data.reader.be16());
  for (int index = 0; index < 3; ++index) {
    data.append_quoted(data.counted());
    data.text.append(' ');
  }
  data.append_name();
}

void append_data(RecordCursor& data, uint16_t type) noexcept {
  ByteReader& reader = data.reader;
  switch (type) {
    case kDnsTypeA:
    case kDnsTypeAaaa:
      append_address(data, data.rest());
      return;
    case 2:   // NS
    case 3:   // MD
    case 4:   // MF
    case 5:   // CNAME
    case 7:   // MB
    case 8:   // MG
    case 9:   // MR
    case 12:  // PTR
    case 39:  // DNAME
      data.append_name();
      return;
    case 6:
      append_start_of_authority(data);
      return;
    case 13:  // HINFO
    case 16:  // TXT
    case 99:  // SPF
      append_strings(data);
      return;
    case 14:  // MINFO
    case 17:  // RP
      data.append_name();
      data.text.append(' ');
      data.append_name();
      return;
    case 15:  // MX
    case 18:  // AFSDB
    case 21:  // RT
    case 36:  // KX
      data.append_number(reader.be16());
      data.append_name();
      return;
    case 24:  // SIG
    case 46:  // RRSIG
      append_signature_head(data);
      return;
    case 33:  // SRV
      data.append_number(reader.be16());
      data.append_number(reader.be16());
      data.append_number(reader.be16());
      data.append_name();
      return;
    case 35:
      append_naming_authority_pointer(data);
      return;
    case 43:     // DS
    case 59:     // CDS
    case 32768:  // TA
    case 32769:  // DLV
      data.append_number(reader.be16());
      data.append_number(reader.u8());
      data.append_number(reader.u8());
      data.text.append_hex(data.rest());
      return;
    case 44:  // SSHFP
      data.append_number(reader.u8());
      data.append_number(reader.u8());
      data.text.append_hex(data.rest());
      return;
    case 47:
      append_next_secure(data);
      return;
    case 25:  // KEY
    case 48:  // DNSKEY
    case 60:  // CDNSKEY
      data.append_number(reader.be16());
      data.append_number(reader.u8());
      data.append_number(reader.u8());
      data.text.append_hex(data.rest());
      return;
    case 52:  // TLSA
    case 53:  // SMIMEA
      data.append_number(reader.u8());
      data.append_number(reader.u8());
      data.append_number(reader.u8());
      data.text.append_hex(data.rest());
      return;
    case 64:
    case 65:
      append_service_binding(data);
      return;
    case 256:  // URI
      data.append_number(reader.be16());
      data.append_number(reader.be16());
      data.append_quoted(data.rest());
      return;
    case 257:  // CAA
      data.append_number(reader.u8());
      data.text.append_bytes(data.counted());
      data.text.append(' ');
      data.append_quoted(data.rest());
      return;
    default:
      data.text.append_hex(data.rest());
  }
}

}  // namespace

void append_dns_data(AttributeText& text, std::span<const uint8_t> message,
                     const DnsRecord& record) noexcept {
  if (record.data_size == 0 || record.data.remaining() == 0) return;
  const size_t size_before = text.size();
  const size_t size_there = record.data.remaining();
  RecordCursor data{
      .message = message,
      .reader = record.data,
      .remaining_behind = record.data_size < size_there ? size_there - record.data_size : 0,
      .text = text};
  append_data(data, record.type);
  // A field that reached behind the data read what is not its own.
  if (data.reader.remaining() < data.remaining_behind || !data.reader.ok())
    text.shorten(size_before);
}

}  // namespace weir

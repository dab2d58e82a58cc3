// SPDX-License-Identifier: Apache-2.0
//
// DNS over UDP and TCP: RFC 1035; RFC 6891 (EDNS), RFC 7871 (client subnet), RFC 8914 (extended
// errors), RFC 2136 (update), RFC 1996 (notify), RFC 5936 (zone transfer), RFC 7766 (over TCP).
//
//   UDP: one message.   TCP: size 2 | message | size 2 | message …   A message: dns_message.h.
//
// mDNS, LLMNR and NetBIOS names have the same format and are other protocols: the one case where a
// port decides. On port 53 a header or a question that makes sense is enough; on any other port all of
// both must.
//
// Not here: what resolves a name for other flows (the store joins them), DNS over TLS, HTTPS or QUIC.
#include <algorithm>
#include <array>

#include "dpi/pending_requests.h"
#include "dpi/protocols/dns_message.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr uint16_t kPort = 53;
constexpr uint16_t kNetbiosPort = 137;
constexpr uint16_t kMulticastPort = 5353;
constexpr uint16_t kLinkLocalPort = 5355;
constexpr uint32_t kStreamPrefixSize = 2;
constexpr uint16_t kQuestionCountMax = 16;  // of a message that is believed; real ones have one
// Of a stream on another port, what is waited for before a message is believed.
constexpr uint32_t kStreamProofSize = 512;
// Messages of a stream up to this size are waited for; of longer ones the begin is read. Less than
// kAssemblySizeMax, since the segment that completes a message must find room, too.
constexpr uint32_t kWholeSizeMax = 12 * 1024;
constexpr uint32_t kBeginSize = 8 * 1024;
static_assert(kWholeSizeMax < kAssemblySizeMax);
constexpr size_t kPendingMax = 16;  // queries of a flow whose response is awaited
// Of name, type and data together, so that the record fits into an object: the data is cut.
constexpr size_t kRecordTextMax = 480;
constexpr uint8_t kNetbiosLabelSize = 32;
constexpr uint16_t kOptionClientSubnet = 8;
constexpr uint16_t kOptionExtendedError = 15;
constexpr uint32_t kEdnsFlagDnssec = 0x8000;
constexpr uint8_t kOpcodeQuery = 0;
constexpr uint8_t kOpcodeInverseQuery = 1;
constexpr uint8_t kOpcodeUnassigned = 3;
constexpr uint8_t kOpcodeUpdate = 5;
constexpr uint8_t kOpcodeMax = 6;
constexpr uint8_t kRcodeMax = 11;  // of those four bits can say

enum : uint8_t {
  kType,
  kQuery,
  kQueryType,
  kQueryClass,
  kOpcode,
  kRcode,
  kAuthoritative,
  kTruncated,
  kRecursionDesired,
  kRecursionAvailable,
  kAuthenticData,
  kCheckingDisabled,
  kQueryCount,
  kResponseCount,
  kAnswerCount,
  kResponseTime,
  kEdnsSize,
  kDnssecOk,
  kClientSubnet,
  kExtendedError,
  kResolvedIp,
  kAnswers,
  kAnswersName,
  kAnswersType,
  kAnswersTtl,
  kAnswersData,
  kAuthorities,
  kAuthoritiesName,
  kAuthoritiesType,
  kAuthoritiesTtl,
  kAuthoritiesData,
};
constexpr Attribute kAttributes[] = {
    {"dns.type", FieldType::kString, kType, Keep::kList, "query or response."},
    {"dns.query", FieldType::kString, kQuery, Keep::kList, "Name that was asked for.", Unit::kNone,
     true},
    {"dns.query_type", FieldType::kString, kQueryType, Keep::kList,
     "Type of record that was asked for."},
    {"dns.query_class", FieldType::kString, kQueryClass, Keep::kList,
     "Class that was asked for, as a rule IN."},
    {"dns.opcode", FieldType::kString, kOpcode, Keep::kList, "What kind of request it is."},
    {"dns.rcode", FieldType::kString, kRcode, Keep::kList,
     "Result of a request, with the upper bits that EDNS adds."},
    {"dns.authoritative", FieldType::kBool, kAuthoritative, Keep::kFirst,
     "A response came from an authority for the name; absent when none did."},
    {"dns.truncated", FieldType::kBool, kTruncated, Keep::kFirst,
     "A message was cut to fit; absent when none was."},
    {"dns.recursion_desired", FieldType::kBool, kRecursionDesired, Keep::kFirst,
     "The client wants the server to ask others; absent when not."},
    {"dns.recursion_available", FieldType::kBool, kRecursionAvailable, Keep::kFirst,
     "The server asks others for its clients; absent when not."},
    {"dns.authentic_data", FieldType::kBool, kAuthenticData, Keep::kFirst,
     "The server vouches for a response by DNSSEC; absent when not."},
    {"dns.checking_disabled", FieldType::kBool, kCheckingDisabled, Keep::kFirst,
     "The client wants answers that DNSSEC has not proved, too; absent when not."},
    {"dns.query_count", FieldType::kU32, kQueryCount, Keep::kCount, "Requests."},
    {"dns.response_count", FieldType::kU32, kResponseCount, Keep::kCount, "Responses."},
    {"dns.answer_count", FieldType::kU32, kAnswerCount, Keep::kCount,
     "Answer records of all responses, as their headers say."},
    {"dns.response_time", FieldType::kDuration, kResponseTime, Keep::kFirst,
     "Time from a request to its response, of the first that has one.", Unit::kSeconds},
    {"dns.edns_size", FieldType::kU16, kEdnsSize, Keep::kFirst,
     "Size of UDP message the sender can take (EDNS).", Unit::kBytes},
    {"dns.dnssec_ok", FieldType::kBool, kDnssecOk, Keep::kFirst,
     "The client wants DNSSEC records; absent when not."},
    {"dns.client_subnet", FieldType::kString, kClientSubnet, Keep::kFirst,
     "Network the client is said to be in (EDNS client subnet)."},
    {"dns.extended_error", FieldType::kU16, kExtendedError, Keep::kList,
     "Extended error code (RFC 8914)."},
    {"dns.resolved_ip", FieldType::kAddress, kResolvedIp, Keep::kList, "Address in an answer."},
    {"dns.answers", FieldType::kObject, kAnswers, Keep::kList, "Answer records."},
    {"dns.answers.name", FieldType::kString, kAnswersName, Keep::kFirst, "Name of the record."},
    {"dns.answers.type", FieldType::kString, kAnswersType, Keep::kFirst, "Type of the record."},
    {"dns.answers.ttl", FieldType::kU32, kAnswersTtl, Keep::kFirst,
     "How long the record may be kept.", Unit::kSeconds},
    {"dns.answers.data", FieldType::kString, kAnswersData, Keep::kFirst,
     "Data of the record as a zone file has it, or in hexadecimal."},
    {"dns.authorities", FieldType::kObject, kAuthorities, Keep::kList,
     "Authority records; of an update, the changes."},
    {"dns.authorities.name", FieldType::kString, kAuthoritiesName, Keep::kFirst,
     "Name of the record."},
    {"dns.authorities.type", FieldType::kString, kAuthoritiesType, Keep::kFirst,
     "Type of the record."},
    {"dns.authorities.ttl", FieldType::kU32, kAuthoritiesTtl, Keep::kFirst,
     "How long the record may be kept.", Unit::kSeconds},
    {"dns.authorities.data", FieldType::kString, kAuthoritiesData, Keep::kFirst,
     "Data of the record as a zone file has it, or in hexadecimal."},
};

struct DnsState {
  PendingRequests<kPendingMax> pending;
  std::array<bool, 2> is_lost;  // by side: where a message begins is not known
};

// --- Is it DNS?

enum class Shape : uint8_t {
  kWrong,
  kShort,  // right as far as it goes, which is not far enough to tell
  kRight,
};

// First-level encoding of a NetBIOS name (RFC 1001, section 14.1): 32 letters from A to P.
bool is_netbios_name(ByteReader reader) noexcept {
  if (reader.u8() != kNetbiosLabelSize) return false;
  for (const uint8_t letter : reader.bytes(kNetbiosLabelSize)) {
    if (letter < 'A' || letter > 'P') return false;
  }
  return reader.ok();
}

bool is_graphic(uint8_t character) noexcept {
  return character > ' ' && character < 0x7f;
}

bool is_known_class(uint16_t record_class) noexcept {
  return (record_class >= 1 && record_class <= 4) || record_class == 254 || record_class == 255;
}

bool flags_fit(const DnsHeader& header) noexcept {
  const uint8_t opcode = header.opcode();
  if (opcode > kOpcodeMax || opcode == kOpcodeUnassigned) return false;
  if ((header.flags & kDnsFlagReserved) != 0) return false;
  return header.rcode() <= (header.is_response() ? kRcodeMax : 0);
}

bool counts_fit(const DnsHeader& header, size_t wire_size) noexcept {
  if (header.question_count > kQuestionCountMax) return false;
  const uint64_t size_min = kDnsHeaderSize + uint64_t{header.question_count} * kDnsQuestionSizeMin +
                            uint64_t{header.record_count()} * kDnsRecordSizeMin;
  if (size_min > wire_size && (header.flags & kDnsFlagTruncated) == 0) return false;
  if (header.is_response()) return true;
  switch (header.opcode()) {
    case kOpcodeQuery:
      // With a question, or cookies alone (RFC 7873); a zone transfer has what is known already.
      return header.answer_count == 0 && header.authority_count <= 1 &&
             (header.question_count > 0 || header.additional_count > 0);
    case kOpcodeInverseQuery:
      return header.answer_count > 0;
    default:
      return true;
  }
}

struct Question {
  Shape shape = Shape::kWrong;
  bool is_printable = true;
  bool is_root = false;
};

Question read_question(ByteReader& reader) noexcept {
  Question question;
  const ByteReader begin = reader;
  if (!skip_dns_name(reader)) {
    question.shape = reader.ok() ? Shape::kWrong : Shape::kShort;
    return question;
  }
  const size_t name_size = begin.remaining() - reader.remaining();
  const uint16_t type = reader.be16();
  const uint16_t question_class = reader.be16();
  if (!reader.ok()) {
    question.shape = Shape::kShort;
    return question;
  }
  question.is_root = name_size == 1;
  ByteReader labels = begin;
  for (uint8_t size = labels.u8(); size > 0 && question.is_printable; size = labels.u8()) {
    // In the first name nothing is there to point to.
    const std::span<const uint8_t> label = labels.bytes(size);
    question.is_printable = labels.ok() && std::ranges::all_of(label, is_graphic);
  }
  if (is_known_class(question_class) && is_dns_type(type) && !is_netbios_name(begin))
    question.shape = Shape::kRight;
  return question;
}

Shape check_records(ByteReader& reader, const DnsHeader& header) noexcept {
  const uint32_t record_count = header.record_count();
  for (uint32_t index = 0; index < record_count; ++index) {
    const ByteReader begin = reader;
    DnsRecord record;
    if (!skip_dns_name(reader)) return reader.ok() ? Shape::kWrong : Shape::kShort;
    if (!read_dns_record(reader, record)) return Shape::kShort;
    if (!is_dns_type(record.type) || is_netbios_name(begin)) return Shape::kWrong;
    if (record.type != kDnsTypeOpt && !is_known_class(record.record_class)) return Shape::kWrong;
    if (header.opcode() != kOpcodeUpdate &&
        ((record.type == kDnsTypeA && record.data_size != 4) ||
         (record.type == kDnsTypeAaaa && record.data_size != 16)))
      return Shape::kWrong;
    if (!is_whole(record)) return Shape::kShort;
  }
  return Shape::kRight;
}

// On its port, a question that makes sense or a header that announces one is enough, so that damaged
// messages have a name, too.
Shape shape_on_port(const DnsHeader& header, ByteReader& reader) noexcept {
  const Shape question = read_question(reader).shape;
  if (question == Shape::kRight) return Shape::kRight;
  if (flags_fit(header) && header.question_count == 1) return Shape::kRight;
  return Shape::kWrong;
}

// On any other port, header and question must make sense in every part; the question of the root
// zone, being short, and more than one question, being rare, need all of the message to be right.
Shape shape_anywhere(const DnsHeader& header, ByteReader& reader, size_t wire_size) noexcept {
  if (!flags_fit(header) || !counts_fit(header, wire_size)) return Shape::kWrong;
  for (uint16_t index = 0; index < header.question_count; ++index) {
    const Question question = read_question(reader);
    if (question.shape != Shape::kRight) return question.shape;
    if (index == 0 && !question.is_printable) return Shape::kWrong;
    if (header.question_count == 1 && !question.is_root) return Shape::kRight;
  }
  if (header.question_count == 0 && header.record_count() == 0) return Shape::kWrong;
  const Shape records = check_records(reader, header);
  return records == Shape::kRight && reader.remaining() > 0 ? Shape::kWrong : records;
}

// Without a question: a refusal, a query for cookies, the later messages of a zone transfer, an
// inverse query, a session (RFC 8490).
Shape shape_without_question(const DnsHeader& header, ByteReader& reader,
                             size_t wire_size) noexcept {
  if (!flags_fit(header) || !counts_fit(header, wire_size)) return Shape::kWrong;
  const bool may_be_bare =
      (header.is_response() && header.rcode() != 0) || header.opcode() != kOpcodeQuery;
  if (header.record_count() == 0 && !may_be_bare) return Shape::kWrong;
  return check_records(reader, header);
}

Shape shape_of(std::span<const uint8_t> bytes, size_t wire_size, bool is_on_port) noexcept {
  ByteReader reader(bytes);
  const DnsHeader header = read_dns_header(reader);
  if (!reader.ok()) return wire_size < kDnsHeaderSize ? Shape::kWrong : Shape::kShort;
  if (!is_on_port) return shape_anywhere(header, reader, wire_size);
  return header.question_count > 0 ? shape_on_port(header, reader)
                                   : shape_without_question(header, reader, wire_size);
}

// The same format on another port is another protocol.
bool is_anothers_port(const Payload& payload) noexcept {
  if (payload.has_port(kPort)) return false;
  if (payload.has_port(kLinkLocalPort) || payload.has_port(kNetbiosPort)) return true;
  return payload.is_datagram() && payload.has_port(kMulticastPort);
}

Probe probe_datagram(const Payload& payload) noexcept {
  const bool is_cut = payload.bytes.size() < payload.wire_size;
  switch (shape_of(payload.bytes, payload.wire_size, payload.has_port(kPort))) {
    case Shape::kRight:
      return Probe::yes();
    case Shape::kShort:
      return is_cut ? Probe::maybe() : Probe::no();
    case Shape::kWrong:
      break;
  }
  return Probe::no();
}

// What begins at `bytes` as a message of a stream; kShort when more bytes would tell, at most `wanted`.
Shape shape_of_stream(std::span<const uint8_t> bytes, bool is_on_port, uint32_t& wanted) noexcept {
  ByteReader reader(bytes);
  const uint32_t size = reader.be16();
  wanted = kStreamPrefixSize + kDnsHeaderSize;
  if (!reader.ok()) return Shape::kShort;
  if (size < kDnsHeaderSize) return Shape::kWrong;
  wanted = std::min(kStreamPrefixSize + size, kStreamProofSize);
  const std::span<const uint8_t> message = reader.bytes(std::min<size_t>(size, reader.remaining()));
  const Shape shape = shape_of(message, size, is_on_port);
  if (shape != Shape::kShort || bytes.size() < wanted) return shape;
  // A long message is believed for its first bytes; a whole one should have had more.
  return message.size() < size ? Shape::kRight : Shape::kWrong;
}

Probe probe_stream(const Payload& payload) noexcept {
  uint32_t wanted = 0;
  switch (shape_of_stream(payload.bytes, payload.has_port(kPort), wanted)) {
    case Shape::kRight:
      return Probe::yes();
    case Shape::kShort:
      return Probe::more(wanted);
    case Shape::kWrong:
      break;
  }
  return Probe::no();
}

Probe probe(const Payload& payload) {
  if (is_anothers_port(payload)) return Probe::no();
  return payload.is_datagram() ? probe_datagram(payload) : probe_stream(payload);
}

// --- What is in it?

void set_header(Context& context, const DnsHeader& header) noexcept {
  const bool is_response = header.is_response();
  context.set(kType, is_response ? "response" : "query");
  context.set(is_response ? kResponseCount : kQueryCount, 1u);
  AttributeText opcode;
  append_dns_opcode(opcode, header.opcode());
  context.set(kOpcode, opcode.view());
  if (is_response && header.answer_count > 0)
    context.set(kAnswerCount, uint32_t{header.answer_count});

  const auto set_flag = [&](uint8_t index, uint16_t flag) {
    if ((header.flags & flag) != 0) context.set(index, true);
  };
  set_flag(kTruncated, kDnsFlagTruncated);
  set_flag(kRecursionDesired, kDnsFlagRecursionDesired);
  set_flag(kCheckingDisabled, kDnsFlagCheckingDisabled);
  if (!is_response) return;
  set_flag(kAuthoritative, kDnsFlagAuthoritative);
  set_flag(kRecursionAvailable, kDnsFlagRecursionAvailable);
  set_flag(kAuthenticData, kDnsFlagAuthenticData);
}

bool set_questions(Context& context, std::span<const uint8_t> message, ByteReader& reader,
                   uint16_t count) noexcept {
  for (uint16_t index = 0; index < count; ++index) {
    AttributeText text;
    // Of a list of eight, the ninth is not read as text.
    if (!(index < kListCountMax ? read_dns_name(message, reader, &text) : skip_dns_name(reader)))
      return false;
    const uint16_t type = reader.be16();
    const uint16_t question_class = reader.be16();
    if (index >= kListCountMax) continue;
    context.set(kQuery, text.view());
    if (!reader.ok()) return false;
    text.clear();
    append_dns_type(text, type);
    context.set(kQueryType, text.view());
    text.clear();
    append_dns_class(text, question_class);
    context.set(kQueryClass, text.view());
  }
  return reader.ok();
}

// Members follow their object in the order name, type, ttl, data.
void set_record(Context& context, uint8_t object, std::span<const uint8_t> message,
                std::string_view name, const DnsRecord& record) noexcept {
  AttributeText type;
  append_dns_type(type, record.type);
  AttributeText text;
  append_dns_data(text, message, record);
  const size_t size_taken = name.size() + type.size();
  text.shorten(size_taken < kRecordTextMax ? kRecordTextMax - size_taken : 0);

  context.begin_object(object);
  context.set(static_cast<uint8_t>(object + 1), name);
  context.set(static_cast<uint8_t>(object + 2), type.view());
  context.set(static_cast<uint8_t>(object + 3), record.ttl);
  if (!text.is_empty()) context.set(static_cast<uint8_t>(object + 4), text.view());
  context.end_object();
}

void set_client_subnet(Context& context, ByteReader option) noexcept {
  constexpr uint16_t kIpv4 = 1, kIpv6 = 2;
  const uint16_t family = option.be16();
  const uint8_t prefix_length = option.u8();
  option.skip(1);  // the length the answer holds for
  if (!option.ok()) return;
  // Only as many bytes as the prefix has are sent.
  const std::span<const uint8_t> sent = option.bytes(option.remaining());
  std::array<uint8_t, 16> address{};
  for (size_t index = 0; index < sent.size() && index < address.size(); ++index)
    address[index] = sent[index];
  AttributeText text;
  if (family == kIpv4 && prefix_length <= 32) {
    append_ipv4(text, std::span(address).first<4>());
  } else if (family == kIpv6 && prefix_length <= 128) {
    append_ipv6(text, address);
  } else {
    return;
  }
  text.append('/');
  text.append_unsigned(prefix_length);
  context.set(kClientSubnet, text.view());
}

// The OPT record of EDNS: the class is a size, the time to live upper bits of the result and flags.
void set_edns(Context& context, const DnsRecord& record) noexcept {
  context.set(kEdnsSize, record.record_class);
  if ((record.ttl & kEdnsFlagDnssec) != 0) context.set(kDnssecOk, true);
  ByteReader options = record.data.prefix(record.data_size);
  while (options.remaining() >= 4) {
    const uint16_t code = options.be16();
    const uint16_t size = options.be16();
    const std::span<const uint8_t> value =
        options.bytes(size < options.remaining() ? size : options.remaining());
    if (code == kOptionClientSubnet) set_client_subnet(context, ByteReader(value));
    if (code == kOptionExtendedError && value.size() >= 2)
      context.set(kExtendedError, ByteReader(value).be16());
  }
}

// Returns the upper bits of the result, which the OPT record has.
uint16_t set_records(Context& context, std::span<const uint8_t> message, ByteReader& reader,
                     const DnsHeader& header) noexcept {
  const uint32_t answers_end = header.answer_count;
  const uint32_t authorities_end = answers_end + header.authority_count;
  const uint32_t records_end = header.record_count();
  const bool wants_answers = context.subscribed(kAnswers);
  const bool wants_authorities = context.subscribed(kAuthorities);
  uint32_t told_count = 0;  // of the section
  for (uint32_t index = 0; index < records_end; ++index) {
    if (index == answers_end) told_count = 0;
    const bool is_answer = index < answers_end;
    const bool is_authority = !is_answer && index < authorities_end;
    const bool is_told = ((is_answer && wants_answers) || (is_authority && wants_authorities)) &&
                         told_count < kListCountMax;
    AttributeText name;
    if (!(is_told ? read_dns_name(message, reader, &name) : skip_dns_name(reader))) return 0;
    DnsRecord record;
    if (!read_dns_record(reader, record)) return 0;
    if (is_answer && is_whole(record) && header.opcode() != kOpcodeUpdate &&
        ((record.type == kDnsTypeA && record.data_size == 4) ||
         (record.type == kDnsTypeAaaa && record.data_size == 16))) {
      ByteReader address = record.data;
      context.set(kResolvedIp, address.bytes(record.data_size));
    }
    if (is_told && record.type != kDnsTypeOpt) {
      set_record(context, is_answer ? kAnswers : kAuthorities, message, name.view(), record);
      ++told_count;
    }
    if (record.type == kDnsTypeOpt && !is_answer && !is_authority) {
      set_edns(context, record);
      // TSIG and SIG(0) may follow: nothing of ours.
      return static_cast<uint16_t>(record.ttl >> 24 << 4);
    }
    if (!is_whole(record)) return 0;
  }
  return 0;
}

void parse_message(Context& context, const Payload& payload,
                   std::span<const uint8_t> message) noexcept {
  ByteReader reader(message);
  const DnsHeader header = read_dns_header(reader);
  if (!reader.ok()) return;
  set_header(context, header);
  uint16_t rcode = header.rcode();
  PendingRequests<kPendingMax>& pending = context.state<DnsState>().pending;
  int64_t elapsed_ns = 0;
  if (!header.is_response()) {
    pending.add(header.id, payload.ts_ns);
  } else if (pending.take(header.id, payload.ts_ns, elapsed_ns)) {
    context.set_duration(kResponseTime, elapsed_ns);
  }
  if (set_questions(context, message, reader, header.question_count))
    rcode = static_cast<uint16_t>(rcode | set_records(context, message, reader, header));
  if (header.is_response()) {
    AttributeText text;
    append_dns_rcode(text, rcode);
    context.set(kRcode, text.view());
  }
  context.end_message();
}

Parse parse_stream(Context& context, const Payload& payload) noexcept {
  bool& is_lost = context.state<DnsState>().is_lost[static_cast<size_t>(payload.side)];
  if (payload.gap_before) is_lost = true;
  ByteReader reader(payload.bytes);
  while (reader.remaining() > 0) {
    const size_t consumed = payload.bytes.size() - reader.remaining();
    if (is_lost) {
      uint32_t wanted = 0;
      const Shape shape = shape_of_stream(payload.bytes.subspan(consumed), false, wanted);
      if (shape == Shape::kShort) return consumed > 0 ? Parse::next(consumed) : Parse::need(wanted);
      if (shape == Shape::kWrong) return Parse::next(payload.bytes.size());
      is_lost = false;
    }
    const uint32_t size = reader.be16();
    if (!reader.ok()) return consumed > 0 ? Parse::next(consumed) : Parse::need(kStreamPrefixSize);
    if (size < kDnsHeaderSize) {
      is_lost = true;
      return Parse::next(payload.bytes.size());
    }
    const uint32_t size_kept = size <= kWholeSizeMax ? size : kBeginSize;
    if (size_kept > reader.remaining())
      return consumed > 0 ? Parse::next(consumed) : Parse::need(kStreamPrefixSize + size_kept);
    parse_message(context, payload, reader.bytes(size_kept));
    if (size > reader.remaining() + size_kept)
      return Parse::next(consumed + kStreamPrefixSize + size);
    reader.skip(size - size_kept);
  }
  return Parse::next(payload.bytes.size());
}

Parse parse(Context& context, const Payload& payload) {
  if (!payload.is_datagram()) return parse_stream(context, payload);
  parse_message(context, payload, payload.bytes);
  return Parse::next();
}

constexpr uint16_t kPorts[] = {kPort};

}  // namespace

extern const Protocol kDns{
    .name = "dns",
    .help = "Domain Name System over UDP and TCP.",
    .transports = kOverUdp | kOverTcp,
    .ports = kPorts,
    .attributes = kAttributes,
    .size_min = kDnsHeaderSize,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(DnsState),
    .every_message = true,
};

}  // namespace weir

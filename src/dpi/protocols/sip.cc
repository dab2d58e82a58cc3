// SPDX-License-Identifier: Apache-2.0
//
// SIP (RFC 3261), and the SDP it carries (RFC 8866, RFC 3264).
//
//   INVITE sip:bob@example.org SIP/2.0          SIP/2.0 180 Ringing
//   From: "Ann" <sip:ann@example.com>;tag=1     Content-Type: application/sdp
//   Content-Length: 142                         <empty line>
//   c=IN IP4 192.0.2.1                          m=audio 49170 RTP/AVP 0 8
//
// Header fields also in their short forms. Each message is one event. The media ports of SDP are
// announced: flows between the same two ends on them are RTP and RTCP. Bodies of other kinds are
// skipped. Lines are read one by one as they come, so that a message may be of any size.
#include <algorithm>
#include <array>

#include "dpi/protocols/sdp.h"
#include "dpi/protocols/text_lines.h"
#include "dpi/wire_text.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr size_t kLineSizeMax = 4096;
constexpr uint64_t kBodySizeMax = 1 << 20;
constexpr uint16_t kStrayLinesMax = 256;  // of a stream that are no begin of a message
constexpr size_t kMethodSizeMax = 24;

enum : uint8_t {
  kMethod,
  kUri,
  kStatusCode,
  kReason,
  kFrom,
  kTo,
  kCallId,
  kCseq,
  kUserAgent,
  kServer,
  kContact,
  kSubject,
  kAuthUser,
  kContentType,
  kCodec,
  kMedia,
  kMediaType,
  kMediaAddress,
  kMediaPort,
  kMediaProtocol,
  kMediaDirection,
};

constexpr Attribute kAttributes[] = {
    {"sip.method", FieldType::kString, kMethod, Keep::kList, "Methods of the requests."},
    {"sip.uri", FieldType::kString, kUri, Keep::kFirst, "URI of the request."},
    {"sip.status_code", FieldType::kU16, kStatusCode, Keep::kList,
     "Status codes of the responses."},
    {"sip.reason", FieldType::kString, kReason, Keep::kLast, "Reason phrase of the last response."},
    {"sip.from", FieldType::kString, kFrom, Keep::kFirst, "Who asks (From), without the tag."},
    {"sip.to", FieldType::kString, kTo, Keep::kFirst, "Who is asked (To), without the tag."},
    {"sip.call_id", FieldType::kString, kCallId, Keep::kList, "Call-IDs of the dialogs."},
    {"sip.cseq", FieldType::kString, kCseq, Keep::kFirst, "Sequence number and method (CSeq)."},
    {"sip.user_agent", FieldType::kString, kUserAgent, Keep::kFirst,
     "Program that asks (User-Agent of a request)."},
    {"sip.server", FieldType::kString, kServer, Keep::kFirst,
     "Program that answers (Server, or User-Agent of a response)."},
    {"sip.contact", FieldType::kString, kContact, Keep::kFirst,
     "Where the sender can be reached (Contact)."},
    {"sip.subject", FieldType::kString, kSubject, Keep::kFirst, "What it is about (Subject)."},
    {"sip.auth_user", FieldType::kString, kAuthUser, Keep::kFirst,
     "User name of an Authorization field."},
    {"sip.content_type", FieldType::kString, kContentType, Keep::kList, "Types of the bodies."},
    {"sip.codec", FieldType::kString, kCodec, Keep::kList, "Codecs offered and accepted in SDP."},
    {"sip.media", FieldType::kObject, kMedia, Keep::kList, "Media described in SDP."},
    {"sip.media.type", FieldType::kString, kMediaType, Keep::kFirst,
     "Kind: audio, video and others."},
    {"sip.media.address", FieldType::kAddress, kMediaAddress, Keep::kFirst,
     "Address it is wanted at."},
    {"sip.media.port", FieldType::kU16, kMediaPort, Keep::kFirst,
     "Port it is wanted at; 0: it is refused."},
    {"sip.media.protocol", FieldType::kString, kMediaProtocol, Keep::kFirst,
     "How it is transported: RTP/AVP and others."},
    {"sip.media.direction", FieldType::kString, kMediaDirection, Keep::kFirst,
     "sendrecv, sendonly, recvonly or inactive."},
};
constexpr SdpAttributes kSdpAttributes = {kCodec,     kMedia,         kMediaType,     kMediaAddress,
                                          kMediaPort, kMediaProtocol, kMediaDirection};

// Probe.

bool is_token(WireText text) {
  constexpr std::string_view kMarks = "-.!%*_+`'~";  // RFC 3261, 25.1
  for (const uint8_t byte : text) {
    if (!is_letter(byte) && !is_digit(byte) &&
        kMarks.find(static_cast<char>(byte)) == std::string_view::npos)
      return false;
  }
  return !text.empty();
}

// "SIP/2.0 180 Ringing".
bool read_status_line(WireText line, uint64_t& code, WireText& reason) {
  if (!begins_with_ignoring_case(line, "sip/2.0 ")) return false;
  WireText rest = line.subspan(8);
  if (!take_decimal(rest, 699, code) || code < 100) return false;
  reason = trimmed(rest);
  return rest.empty() || is_blank(rest.front());
}

// "INVITE sip:bob@example.org SIP/2.0".
bool read_request_line(WireText line, WireText& method, WireText& uri) {
  WireText rest = line;
  method = take_word(rest);
  uri = take_word(rest);
  return method.size() <= kMethodSizeMax && is_token(method) && !uri.empty() &&
         equals_ignoring_case(trimmed(rest), "sip/2.0");
}

bool has_scheme_of_sip(WireText uri) {
  return begins_with_ignoring_case(uri, "sip:") || begins_with_ignoring_case(uri, "sips:") ||
         begins_with_ignoring_case(uri, "tel:");
}

// A request line whose end is not there, or damaged: the method and the scheme tell.
bool is_request_begin(WireText line) {
  WireText rest = line;
  const WireText method = take_word(rest);
  const bool is_upper = std::ranges::none_of(method, [](uint8_t byte) { return byte >= 'a'; });
  return is_upper && method.size() <= kMethodSizeMax && is_token(method) && has_scheme_of_sip(rest);
}

// Whether bytes too few to tell may still become the begin of a message.
bool may_become_message(WireText line) {
  constexpr std::string_view kVersion = "sip/2.0 ";
  if (line.size() <= kVersion.size() &&
      begins_with_ignoring_case(line, kVersion.substr(0, line.size())))
    return true;
  WireText rest = line;
  const WireText method = take_word(rest);
  constexpr std::string_view kScheme = "sip:";
  if (method.size() > kMethodSizeMax || !is_token(method)) return false;
  return rest.size() < kScheme.size() &&
         begins_with_ignoring_case(rest, kScheme.substr(0, rest.size()));
}

// Lines without anything, or a few zeros, keep a way through a NAT open (RFC 5626, 3.5.1).
bool is_keep_alive(WireText bytes) {
  constexpr size_t kKeepAliveSizeMax = 4;
  if (bytes.size() > kKeepAliveSizeMax) return false;
  for (const uint8_t byte : bytes) {
    if (byte != '\r' && byte != '\n' && byte != 0) return false;
  }
  return true;
}

Probe probe(const Payload& payload) {
  WireText rest = payload.bytes;
  if (is_keep_alive(rest))
    return payload.is_datagram() ? Probe::maybe() : Probe::more(rest.size() + 1);
  while (!rest.empty() && (rest.front() == '\r' || rest.front() == '\n')) rest = rest.subspan(1);
  const size_t end =
      find_byte(rest.first(rest.size() < kLineSizeMax ? rest.size() : kLineSizeMax), '\n');
  const bool is_whole = end != kNotFound;
  const WireText line =
      !is_whole ? rest : rest.first(end > 0 && rest[end - 1] == '\r' ? end - 1 : end);
  uint64_t code = 0;
  WireText method;
  WireText uri;
  if (read_status_line(line, code, uri)) return Probe::yes();
  if (is_request_begin(line)) return Probe::yes();
  if (is_whole) return read_request_line(line, method, uri) ? Probe::yes() : Probe::no();
  if (payload.is_datagram()) return Probe::no();
  return may_become_message(line) ? Probe::more(payload.bytes.size() + 1) : Probe::no();
}

// Parse.

enum class Part : uint8_t { kBegin, kFields, kBody };

// Of one direction.
struct Half {
  LineSearch lines;
  SdpMedia media;
  uint32_t body_size;  // still to come
  uint16_t stray_lines;
  Part part;
  bool is_sdp;
  bool is_response;
};
struct State {
  std::array<Half, 2> halves;
};
static_assert(sizeof(State) <= kProtocolStateSizeMax);

// `"Ann" <sip:ann@example.com>;tag=1`: without what is different in each dialog.
WireText without_parameters(WireText value) {
  const size_t end = find_byte(value, '>');
  if (end != kNotFound) return value.first(end + 1);
  WireText rest = value;
  return trimmed(take_until(rest, ';'));
}

void set_auth_user(Context& context, WireText value) {
  constexpr std::string_view kName = "username=\"";
  const size_t begin = find_ignoring_case(value, kName);
  if (begin == kNotFound) return;
  WireText rest = value.subspan(begin + kName.size());
  const WireText user = take_until(rest, '"');
  if (!user.empty()) context.set(kAuthUser, user);
}

enum class FieldName : uint8_t {
  kFrom,
  kTo,
  kCallId,
  kCseq,
  kUserAgent,
  kServer,
  kContact,
  kSubject,
  kAuthorization,
  kContentType,
  kContentLength,
};
struct KnownField {
  std::string_view name;
  FieldName field;
};
constexpr KnownField kKnownFields[] = {
    {"from", FieldName::kFrom},
    {"f", FieldName::kFrom},
    {"to", FieldName::kTo},
    {"t", FieldName::kTo},
    {"call-id", FieldName::kCallId},
    {"i", FieldName::kCallId},
    {"cseq", FieldName::kCseq},
    {"user-agent", FieldName::kUserAgent},
    {"server", FieldName::kServer},
    {"contact", FieldName::kContact},
    {"m", FieldName::kContact},
    {"subject", FieldName::kSubject},
    {"s", FieldName::kSubject},
    {"authorization", FieldName::kAuthorization},
    {"proxy-authorization", FieldName::kAuthorization},
    {"content-type", FieldName::kContentType},
    {"c", FieldName::kContentType},
    {"content-length", FieldName::kContentLength},
    {"l", FieldName::kContentLength},
};

const KnownField* find_field(WireText name) {
  for (const KnownField& known : kKnownFields) {
    if (equals_ignoring_case(name, known.name)) return &known;
  }
  return nullptr;
}

void set_content_type(Context& context, Half& half, WireText value) {
  WireText rest = value;
  const WireText type = trimmed(take_until(rest, ';'));
  context.set(kContentType, type);
  // A part of a multipart body may be SDP; lines of its other parts are none of SDP's.
  half.is_sdp = equals_ignoring_case(type, "application/sdp") ||
                begins_with_ignoring_case(type, "multipart/");
}

void read_field(Context& context, Half& half, WireText line) {
  if (line.empty() || is_blank(line.front())) return;  // goes on with the field before: obsolete
  const auto [name, value] = split_header_field(line);
  const KnownField* known = find_field(name);
  if (known == nullptr || value.empty()) return;
  uint64_t size = 0;
  switch (known->field) {
    case FieldName::kFrom:
      context.set(kFrom, without_parameters(value));
      break;
    case FieldName::kTo:
      context.set(kTo, without_parameters(value));
      break;
    case FieldName::kCallId:
      context.set(kCallId, value);
      break;
    case FieldName::kCseq:
      context.set(kCseq, value);
      break;
    case FieldName::kUserAgent:
      context.set(half.is_response ? kServer : kUserAgent, value);
      break;
    case FieldName::kServer:
      context.set(kServer, value);
      break;
    case FieldName::kContact:
      context.set(kContact, without_parameters(value));
      break;
    case FieldName::kSubject:
      context.set(kSubject, value);
      break;
    case FieldName::kAuthorization:
      set_auth_user(context, value);
      break;
    case FieldName::kContentType:
      set_content_type(context, half, value);
      break;
    case FieldName::kContentLength:
      half.body_size = read_decimal(value, kBodySizeMax, size) ? static_cast<uint32_t>(size) : 0;
      break;
  }
}

// False for what is no begin of a message.
bool begin_message(Context& context, Half& half, WireText line) {
  uint64_t code = 0;
  WireText method;
  WireText text;
  if (read_status_line(line, code, text)) {
    half.is_response = true;
    context.set(kStatusCode, static_cast<uint16_t>(code));
    if (!text.empty()) context.set(kReason, text);
  } else if (read_request_line(line, method, text) || is_request_begin(line)) {
    half.is_response = false;
    context.set(kMethod, method);
    if (!text.empty()) context.set(kUri, text);
  } else {
    return false;
  }
  half.part = Part::kFields;
  half.body_size = 0;
  half.is_sdp = false;
  half.stray_lines = 0;
  half.media = {};
  return true;
}

void finish_message(Context& context, Half& half) {
  if (half.part == Part::kBegin) return;
  if (half.is_sdp) finish_sdp(context, kSdpAttributes, half.media);
  half.part = Part::kBegin;
  context.end_message();
}

// The lines up to the body, as far as they are there. False: this is no message.
bool read_head(Context& context, Half& half, WireText& rest) {
  WireText line;
  while (half.part != Part::kBody && half.lines.take_line(rest, kLineSizeMax, line)) {
    if (half.part == Part::kBegin) {
      if (line.empty() || begin_message(context, half, line)) continue;
      if (++half.stray_lines > kStrayLinesMax) return false;
    } else if (line.empty()) {
      half.part = Part::kBody;
    } else {
      read_field(context, half, line);
    }
  }
  return true;
}

// The body's lines, as far as they are there. The last one may have no end.
void read_sdp(Context& context, Half& half, WireText& rest, bool is_cut) {
  WireText body = rest.first(std::min<size_t>(rest.size(), half.body_size));
  const size_t size = body.size();
  WireText line;
  while (half.lines.take_line(body, kLineSizeMax, line))
    read_sdp_line(context, kSdpAttributes, half.media, line);
  if (size == half.body_size) {
    if (!is_cut) read_sdp_line(context, kSdpAttributes, half.media, body);
    body = {};
    half.lines = {};
  }
  rest = rest.subspan(size - body.size());
  half.body_size -= static_cast<uint32_t>(size - body.size());
}

Parse parse(Context& context, const Payload& payload) {
  Half& half = context.state<State>().halves[static_cast<size_t>(payload.side)];
  WireText rest = payload.bytes;
  if (payload.is_datagram()) {
    half = {};
    if (is_keep_alive(rest)) return Parse::next();
  } else if (payload.gap_before) {
    finish_message(context, half);
    half.lines.skip_to_next();
  }
  while (!rest.empty()) {
    if (!read_head(context, half, rest)) return Parse::error("no_message");
    if (half.part != Part::kBody) break;
    // A datagram is one message, whatever its length field says.
    if (payload.is_datagram()) half.body_size = static_cast<uint32_t>(rest.size());
    if (half.is_sdp) {
      read_sdp(context, half, rest, payload.bytes.size() < payload.wire_size);
      if (half.body_size > 0) break;
    }
    const size_t here = std::min<size_t>(rest.size(), half.body_size);
    const size_t skipped = half.body_size - here;
    rest = rest.subspan(here);
    finish_message(context, half);
    if (skipped > 0) return Parse::next(payload.bytes.size() + skipped);
  }
  const size_t consumed = payload.bytes.size() - rest.size();
  if (!payload.is_datagram())
    return consumed == 0 ? Parse::need(rest.size() + 1) : Parse::next(consumed);
  // What the capture cut, or the sender did not finish.
  if (half.part == Part::kBegin && consumed == 0 && !begin_message(context, half, rest))
    return Parse::error("no_message");
  finish_message(context, half);
  return Parse::next();
}

constexpr uint16_t kPorts[] = {5060};

}  // namespace

extern const Protocol kSip{
    .name = "sip",
    .help = "Session Initiation Protocol: setting up calls, with the media that SDP describes.",
    .transports = kOverUdp | kOverTcp | kOverSctp,
    .ports = kPorts,
    .attributes = kAttributes,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(State),
    .every_message = true,
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.0 and 1.1 (RFC 9110, RFC 9112): requests and responses, their framing, and what they hand the
// connection over to.
//
//   request    GET /index.html HTTP/1.1 CR LF        response   HTTP/1.1 200 OK CR LF
//              Host: example.org CR LF                          Content-Length: 5 CR LF
//              CR LF                                            CR LF hello
//
//   body       Content-Length: that many bytes; or Transfer-Encoding: chunked:
//              5;extension CR LF hello CR LF 0 CR LF trailer: x CR LF CR LF; or until the stream ends
//
// The version token decides what is HTTP: SIP, RTSP and ICAP have the same lines with one of their own.
// Methods are not listed: WebDAV, UPnP and what people invent are HTTP by their version as well.
// A request line without any version (HTTP/0.9, and what scanners send) is likely HTTP when it asks for
// a path by a method that others do not have; of other lines in capitals the server's answer decides. The
// preface of HTTP/2 is refused; SSDP is HTTP over UDP and a protocol of its own.
//
// Whether a response has a body depends on the method it answers (HEAD, CONNECT), so the kinds of
// requests without an answer are remembered: kPipelineMax of them; those beyond count as ordinary.
//
// After loss, the direction is picked up again at the next packet that begins with a start line.
//
// Not every message: headers say most in the first few, and bodies are what most bytes are. Events are
// of the messages within the inspector's budget.
//
// Invariants: nothing is kept between calls but numbers; a header block is read again at most once when
// it came in several segments.

#include <algorithm>
#include <array>

#include "dpi/protocols/http_message.h"
#include "dpi/wire_text.h"
#include "weir/protocol.h"

namespace weir {
namespace {

using namespace http;  // NOLINT(google-build-using-namespace): one thing in two files

constexpr std::array<uint16_t, 10> kPorts = {80,   8080, 8000, 8008, 8081,
                                             8888, 3128, 5985, 631,  49152};
constexpr size_t kChunkLineSizeMax = 1024;  // a size and its extensions
constexpr uint32_t kPipelineMax = 32;       // requests whose kind is remembered
constexpr uint64_t kSkipMax = UINT32_MAX;

// --- Attributes ---

constexpr Attribute kAttributes[] = {
    {"http.version", FieldType::kString, kVersion, Keep::kFirst,
     "Version of the first message: 1.0 or 1.1."},
    {"http.method", FieldType::kString, kMethod, Keep::kList, "Methods of the requests."},
    {"http.host", FieldType::kString, kHost, Keep::kList,
     "Host the requests are for, without the port: header Host, else of the target.", Unit::kNone,
     true},
    {"http.uri", FieldType::kString, kUri, Keep::kFirst,
     "Target of the first request, without a user and password before the host."},
    {"http.user_agent", FieldType::kString, kUserAgent, Keep::kFirst, "Header User-Agent."},
    {"http.referrer", FieldType::kString, kReferrer, Keep::kFirst, "Header Referer."},
    {"http.request_content_type", FieldType::kString, kRequestContentType, Keep::kFirst,
     "Header Content-Type of a request."},
    {"http.request_body_bytes", FieldType::kU64, kRequestBodyBytes, Keep::kFirst,
     "Size of a request's body, as its header Content-Length says.", Unit::kBytes},
    {"http.auth_scheme", FieldType::kString, kAuthScheme, Keep::kList,
     "How clients prove who they are: Basic, Digest, Bearer, Negotiate."},
    {"http.username", FieldType::kString, kUsername, Keep::kList,
     "User names of Basic authentication; passwords are not read."},
    {"http.x_forwarded_for", FieldType::kString, kXForwardedFor, Keep::kFirst,
     "Header X-Forwarded-For: whom a proxy asks for."},
    {"http.status_code", FieldType::kU16, kStatusCode, Keep::kList,
     "Status codes of the responses."},
    {"http.server", FieldType::kString, kServer, Keep::kFirst, "Header Server."},
    {"http.response_content_type", FieldType::kString, kResponseContentType, Keep::kList,
     "Header Content-Type of responses."},
    {"http.response_body_bytes", FieldType::kU64, kResponseBodyBytes, Keep::kFirst,
     "Size of a response's body, as its header Content-Length says.", Unit::kBytes},
    {"http.location", FieldType::kString, kLocation, Keep::kFirst,
     "Where a response redirects to."},
    {"http.upgrade", FieldType::kString, kUpgrade, Keep::kFirst,
     "Protocol a client asks to go on with."},
    {"http.requests", FieldType::kU32, kRequests, Keep::kFirst,
     "Requests seen while the flow was inspected."},
};

// --- State ---

enum class Phase : uint8_t {
  kMessage,  // a start line and headers come
  kBody,     // `remaining` bytes of it
  kChunkLine,
  kChunk,  // `remaining` bytes of it and its line end
  kTrailers,
  kUntilClose,  // the body ends with the stream
  kLost,        // somewhere in a message
};

// What its response must know of a request; two bits. kMayLeave and kConnect have the upper one.
enum class Kind : uint8_t { kOrdinary = 0, kHead = 1, kMayLeave = 2, kConnect = 3 };
constexpr uint64_t kLeavingKinds = 0xaaaa'aaaa'aaaa'aaaa;

struct Direction {
  uint64_t expected_offset;  // in the stream, of what comes next
  uint64_t remaining;
  uint32_t searched_size;  // of an incomplete header block: no line ends in it behind line_begin
  uint32_t line_begin;     // of its last, incomplete line
  Phase phase;
};

struct State {
  std::array<Direction, 2> directions;
  uint64_t kinds;  // of requests not answered: of the number n at bits 2 (n mod kPipelineMax)
  uint32_t request_count;
  uint32_t response_count;  // final ones
  bool is_confirmed;        // a complete start line was seen

  void push(Kind kind) noexcept {
    if (request_count - response_count < kPipelineMax)
      kinds |= static_cast<uint64_t>(kind) << 2 * (request_count % kPipelineMax);
    ++request_count;
  }
  Kind front() const noexcept {
    return static_cast<Kind>(kinds >> 2 * (response_count % kPipelineMax) & 3);
  }
  void pop() noexcept {
    kinds &= ~(uint64_t{3} << 2 * (response_count % kPipelineMax));
    if (response_count < request_count) ++response_count;
  }
  // Whatever was asked before counts as answered.
  void forget_requests() noexcept {
    kinds = 0;
    response_count = request_count;
  }
  // Bytes of the initiator's may be another protocol's already.
  bool may_leave() const noexcept { return (kinds & kLeavingKinds) != 0; }
};

// --- Probe ---

Probe probe(const Payload& payload) {
  switch (begin_of(payload.bytes)) {
    case Begin::kRequest:
    case Begin::kResponse:
      return Probe::yes();
    case Begin::kLikely:
    case Begin::kBare:
      return Probe::likely();
    case Begin::kText:
      return payload.from_initiator() && !payload.is_midstream ? Probe::maybe() : Probe::no();
    case Begin::kIncomplete:
      return Probe::more(static_cast<uint32_t>(payload.bytes.size()) + 1);
    case Begin::kNo:
      break;
  }
  return Probe::no();
}

// --- Messages ---

Parse consume(Direction& direction, const Payload& payload, uint64_t size) {
  direction.expected_offset = payload.offset + size;
  direction.searched_size = 0;
  direction.line_begin = 0;
  return Parse::next(size);
}

// Waits for one more byte, or gives the direction up when that is more than may be kept.
Parse wait(Direction& direction, const Payload& payload) {
  if (payload.bytes.size() < kAssemblySizeMax) return Parse::need(payload.bytes.size() + 1);
  direction.phase = Phase::kLost;
  return consume(direction, payload, payload.bytes.size());
}

// Consumes `size` bytes and, without having seen them, what comes of the body behind.
Parse consume_and_skip(Direction& direction, const Payload& payload, uint64_t size) {
  const uint64_t skipped = std::min(direction.remaining, kSkipMax - size);
  direction.remaining -= skipped;
  if (direction.remaining == 0 && direction.phase == Phase::kBody)
    direction.phase = Phase::kMessage;
  if (direction.remaining == 0 && direction.phase == Phase::kChunk)
    direction.phase = Phase::kChunkLine;
  return consume(direction, payload, size + skipped);
}

void expect_body(Direction& direction, const Message& message, bool until_close) {
  if (message.is_malformed) {
    direction.phase = Phase::kLost;
  } else if (message.has_transfer_encoding) {  // counts before a length (RFC 9112, 6.3)
    direction.phase = message.is_chunked ? Phase::kChunkLine : Phase::kUntilClose;
  } else if (message.has_length) {
    direction.remaining = message.length;
    direction.phase = Phase::kBody;
  } else {
    direction.phase = until_close ? Phase::kUntilClose : Phase::kMessage;
  }
}

Parse finish_request(Context& context, State& state, const Payload& payload, const Message& message,
                     size_t size) {
  if (message.has_length && !message.is_malformed) context.set(kRequestBodyBytes, message.length);
  if (!message.has_host && !message.authority.empty()) set_host(context, message.authority);
  Kind kind = Kind::kOrdinary;
  if (message.is_head) kind = Kind::kHead;
  if (message.has_upgrade) kind = Kind::kMayLeave;
  if (message.is_connect) kind = Kind::kConnect;
  state.push(kind);
  context.end_message();
  Direction& direction = state.directions[static_cast<size_t>(payload.side)];
  expect_body(direction, message, false);
  return consume_and_skip(direction, payload, size);
}

// `start_line_size`: of `size`, the whole header block.
Parse finish_response(Context& context, State& state, const Payload& payload,
                      const Message& message, size_t start_line_size, size_t size) {
  Direction& direction = state.directions[static_cast<size_t>(payload.side)];
  if (message.status_code == 101) {
    context.end_message();
    // The headers of the WebSocket handshake say what WebSocket carries: they are its to read.
    if (message.is_websocket) return Parse::carry("websocket", start_line_size);
    return Parse::upgrade("", size);
  }
  if (message.status_code < 200) {
    context.end_message();
    return consume(direction, payload, size);
  }
  const Kind kind = state.front();
  state.pop();
  const bool is_tunnel = kind == Kind::kConnect && message.status_code < 300;
  const bool has_body =
      kind != Kind::kHead && !is_tunnel && message.status_code != 204 && message.status_code != 304;
  if (has_body && message.has_length && !message.is_malformed)
    context.set(kResponseBodyBytes, message.length);
  context.end_message();
  if (is_tunnel) return Parse::upgrade("", size);
  if (has_body)
    expect_body(direction, message, true);
  else
    direction.phase = Phase::kMessage;
  return consume_and_skip(direction, payload, size);
}

Parse parse_message(Context& context, State& state, const Payload& payload) {
  Direction& direction = state.directions[static_cast<size_t>(payload.side)];
  const WireText bytes = payload.bytes;
  // Between messages; some clients end a body with a line end that its length does not count.
  if (bytes.front() == '\r' || bytes.front() == '\n') return consume(direction, payload, 1);

  Message message;
  message.is_request = bytes.front() != 'H' || !may_begin_with(bytes, "HTTP/1.");
  if (direction.line_begin == 0) {
    const Begin begin = begin_of(bytes);
    if (begin == Begin::kNo || begin == Begin::kText) {
      if (payload.from_initiator() && state.may_leave()) return wait(direction, payload);
      direction.phase = Phase::kLost;
      return consume(direction, payload, bytes.size());
    }
    if (begin == Begin::kIncomplete || begin == Begin::kLikely) return wait(direction, payload);
    if (begin != Begin::kBare && !state.is_confirmed) {
      context.set_confidence(AppConfidence::kCertain);
      state.is_confirmed = true;
    }
  }

  size_t line_begin = direction.line_begin;
  size_t line_end = find_byte(bytes, '\n', direction.searched_size);
  bool is_complete = false;
  while (line_end != kNotFound && !is_complete) {
    is_complete = line_begin > 0 &&
                  without_line_end(bytes.subspan(line_begin, line_end - line_begin)).empty();
    line_begin = line_end + 1;
    if (!is_complete) line_end = find_byte(bytes, '\n', line_begin);
  }

  if (!is_complete && bytes.size() < kAssemblySizeMax) {
    // What is there is read at once: the rest may never come. It is read again for the message's event.
    read_lines(context, bytes.subspan(direction.line_begin, line_begin - direction.line_begin),
               direction.line_begin == 0, message);
    direction.line_begin = static_cast<uint32_t>(line_begin);
    direction.searched_size = static_cast<uint32_t>(bytes.size());
    return wait(direction, payload);
  }
  read_lines(context, bytes.first(line_begin), true, message);
  if (!is_complete) {  // headers longer than anybody keeps
    message.is_malformed = true;
    line_begin = bytes.size();
  }
  const size_t start_line_end = find_byte(bytes, '\n');
  const size_t start_line_size = start_line_end == kNotFound ? bytes.size() : start_line_end + 1;
  return message.is_request
             ? finish_request(context, state, payload, message, line_begin)
             : finish_response(context, state, payload, message, start_line_size, line_begin);
}

// "1a3f;name=value": hexadecimal digits, then whatever.
bool parse_chunk_size(WireText line, uint64_t& size) {
  size = 0;
  size_t digit_count = 0;
  for (const uint8_t byte : line) {
    uint8_t digit = 16;
    if (is_digit(byte)) digit = static_cast<uint8_t>(byte - '0');
    if (to_lower(byte) >= 'a' && to_lower(byte) <= 'f')
      digit = static_cast<uint8_t>(to_lower(byte) - 'a' + 10);
    if (digit == 16) return digit_count > 0 && (byte == ';' || is_blank(byte));
    if (++digit_count > 15) return false;
    size = size << 4 | digit;
  }
  return digit_count > 0;
}

Parse parse_chunk_line(Direction& direction, const Payload& payload) {
  const size_t end = find_byte(payload.bytes, '\n', direction.searched_size);
  if (end == kNotFound && payload.bytes.size() < kChunkLineSizeMax) {
    direction.searched_size = static_cast<uint32_t>(payload.bytes.size());
    return wait(direction, payload);
  }
  uint64_t size = 0;
  if (end == kNotFound || !parse_chunk_size(without_line_end(payload.bytes.first(end)), size)) {
    direction.phase = Phase::kLost;
    return consume(direction, payload, payload.bytes.size());
  }
  constexpr uint64_t kLineEndSize = 2;
  direction.remaining = size == 0 ? 0 : size + kLineEndSize;
  direction.phase = size == 0 ? Phase::kTrailers : Phase::kChunk;
  return consume_and_skip(direction, payload, end + 1);
}

// Lines up to an empty one. What they say is not looked at.
Parse parse_trailers(Direction& direction, const Payload& payload) {
  const size_t end = find_byte(payload.bytes, '\n', direction.searched_size);
  if (end == kNotFound) {
    direction.searched_size = static_cast<uint32_t>(payload.bytes.size());
    return wait(direction, payload);
  }
  if (without_line_end(payload.bytes.first(end)).empty()) direction.phase = Phase::kMessage;
  return consume(direction, payload, end + 1);
}

void begin_after_gap(State& state, const Payload& payload) {
  Direction& direction = state.directions[static_cast<size_t>(payload.side)];
  direction.searched_size = 0;
  direction.line_begin = 0;
  direction.remaining = 0;
  if (direction.phase != Phase::kUntilClose) direction.phase = Phase::kLost;
  state.forget_requests();
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  Direction& direction = state.directions[static_cast<size_t>(payload.side)];
  if (payload.bytes.empty()) return Parse::need(1);
  // Bytes missing in what is skipped anyway are not missed.
  if (payload.gap_before && payload.offset != direction.expected_offset)
    begin_after_gap(state, payload);

  switch (direction.phase) {
    case Phase::kMessage:
      return parse_message(context, state, payload);
    case Phase::kBody:
    case Phase::kChunk:
      return consume_and_skip(direction, payload, 0);
    case Phase::kChunkLine:
      return parse_chunk_line(direction, payload);
    case Phase::kTrailers:
      return parse_trailers(direction, payload);
    case Phase::kUntilClose:
      return consume(direction, payload, payload.bytes.size());
    case Phase::kLost:
      break;
  }
  const Begin begin = begin_of(payload.bytes);
  if (begin == Begin::kNo || begin == Begin::kText)
    return consume(direction, payload, payload.bytes.size());
  direction.phase = Phase::kMessage;
  return parse_message(context, state, payload);
}

void end(Context& context) {
  const State& state = context.state<State>();
  if (state.request_count > 0) context.set(kRequests, state.request_count);
}

}  // namespace

extern const Protocol kHttp{
    .name = "http",
    .help = "HTTP/1.0 and HTTP/1.1: requests and responses of the web.",
    .transports = kOverTcp,
    .ports = kPorts,
    .attributes = kAttributes,
    .first_bytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    .size_min = 1,
    .probe = probe,
    .parse = parse,
    .end = end,
    .state_size = sizeof(State),
};

}  // namespace weir

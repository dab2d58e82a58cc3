// SPDX-License-Identifier: Apache-2.0
//
// One message of HTTP/1 as far as its header block goes: what its first line is, and what the headers
// say. Where one message ends and the next begins is http.cc's.
//
// Errors: what makes no sense is Begin::kNo, or Message::is_malformed; other headers are left out.
// Threads: pure functions; any. Spans point into the bytes that were read.
#pragma once

#include <cstdint>

#include "dpi/wire_text.h"
#include "weir/protocol.h"

namespace weir::http {

// Attributes, in the order of their rows in http.cc.
enum : uint8_t {
  kVersion,
  kMethod,
  kHost,
  kUri,
  kUserAgent,
  kReferrer,
  kRequestContentType,
  kRequestBodyBytes,
  kAuthScheme,
  kUsername,
  kXForwardedFor,
  kStatusCode,
  kServer,
  kResponseContentType,
  kResponseBodyBytes,
  kLocation,
  kUpgrade,
  kRequests,
};

// What a stream of bytes begins with.
enum class Begin : uint8_t {
  kNo,          // nothing of HTTP begins so
  kText,        // a line in capitals that is none of HTTP; a server may say so
  kIncomplete,  // may be a start line
  kLikely,      // a request line but for its end
  kBare,        // a request line but for its version
  kRequest,
  kResponse,
};
Begin begin_of(WireText bytes) noexcept;

// What framing depends on.
struct Message {
  bool is_request = false;
  bool is_connect = false;
  bool is_head = false;
  bool has_length = false;
  bool has_transfer_encoding = false;
  bool is_chunked = false;
  bool is_malformed = false;  // the size of the body cannot be known
  bool has_upgrade = false;
  bool is_websocket = false;
  bool has_host = false;
  uint16_t status_code = 0;
  uint64_t length = 0;
  WireText authority;  // of the target
};

// Reads complete lines of a header block into `message` and attributes, the start line first when
// `has_start_line`; message.is_request is known. A line that begins with a space continues the one
// before (obsolete line folding) and is not looked at.
void read_lines(Context& context, WireText lines, bool has_start_line, Message& message) noexcept;

// The host in "example.org:8080" or "[2001:db8::1]:80".
void set_host(Context& context, WireText authority) noexcept;

}  // namespace weir::http

// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/http_message.h"

#include <algorithm>
#include <array>

#include "weir/byte_reader.h"

namespace weir::http {
namespace {

constexpr size_t kMethodSizeMax = 31;
constexpr size_t kStartLineSizeMax = 8 * 1024;
constexpr size_t kConvincingSize = 16;  // of a request line that is cut, to be likely
constexpr size_t kUserNameSizeMax = 128;
constexpr size_t kLengthDigitsMax = 19;  // what 64 bits hold for certain, zeros in front included

// --- The first line ---

Begin response_begin(WireText bytes) {
  constexpr std::string_view kPattern = "HTTP/1.";
  ByteReader reader(bytes);
  reader.skip(kPattern.size());
  constexpr size_t kSize = 12;  // "HTTP/1.1 200"
  const WireText rest = reader.bytes(std::min(reader.remaining(), kSize - kPattern.size()));
  for (size_t index = 0; index < rest.size(); ++index) {
    const bool is_fine = index == 1 ? rest[index] == ' ' : is_digit(rest[index]);
    if (!is_fine) return Begin::kNo;
  }
  if (bytes.size() < kSize) return Begin::kIncomplete;
  if (reader.remaining() == 0) return Begin::kResponse;
  const uint8_t next = reader.u8();
  return next == ' ' || next == '\r' || next == '\n' ? Begin::kResponse : Begin::kNo;
}

// A path after a method that nobody but HTTP has.
bool is_convincing(WireText bytes) {
  return begins_with(bytes, "GET /") || begins_with(bytes, "POST /") ||
         begins_with(bytes, "HEAD /") || begins_with(bytes, "PUT /");
}

// " HTTP/1.1" and nothing behind it but spaces.
bool has_version(WireText line) {
  line = trimmed(line);
  constexpr std::string_view kPattern = " HTTP/1.";
  return line.size() > kPattern.size() && is_digit(line.back()) &&
         ends_with(line.first(line.size() - 1), kPattern);
}

// "RTSP/1.0", "ICAP/1.0", "HTTP/2.0": what a line ends with that is another protocol's.
bool has_other_version(WireText line) {
  WireText word;
  for (WireText rest = trimmed(line); !rest.empty();) word = take_until(rest, ' ');
  if (begins_with(word, "HTTP/1")) return false;
  const WireText name = take_until(word, '/');
  return !name.empty() && std::ranges::all_of(name, is_upper) && !word.empty() &&
         is_digit(word.front());
}

Begin request_begin(WireText bytes) {
  size_t size = 0;
  while (size < bytes.size() && size <= kMethodSizeMax &&
         (is_upper(bytes[size]) ||
          (size > 0 && (is_digit(bytes[size]) || bytes[size] == '-' || bytes[size] == '_'))))
    ++size;
  if (size == 0 || size > kMethodSizeMax) return Begin::kNo;
  if (size == bytes.size()) return Begin::kIncomplete;
  const bool has_method = bytes[size] == ' ';

  // Spaces and bytes beyond ASCII have no place in a target, but browsers of old and scripts of today
  // send them.
  while (size < bytes.size() && size < kStartLineSizeMax && !is_control(bytes[size])) ++size;
  const WireText line = bytes.first(size);
  const bool is_request = has_method && has_version(line);
  const bool is_cut = size == bytes.size();
  if (is_cut || size == kStartLineSizeMax) {
    if (is_request) return Begin::kRequest;  // cut right behind it, or its line end is to come
    if (is_convincing(line) && size >= kConvincingSize) return Begin::kLikely;
    return is_cut && has_method ? Begin::kIncomplete : Begin::kNo;
  }
  const bool is_line_end =
      bytes[size] == '\n' ||
      (bytes[size] == '\r' && (size + 1 == bytes.size() || bytes[size + 1] == '\n'));
  if (!is_line_end) return Begin::kNo;
  if (is_request) return Begin::kRequest;
  if (has_method && has_other_version(line)) return Begin::kNo;
  return is_convincing(line) ? Begin::kBare : Begin::kText;
}

}  // namespace

Begin begin_of(WireText bytes) noexcept {
  if (bytes.empty()) return Begin::kIncomplete;
  if (begins_with(bytes, "HTTP/1.")) return response_begin(bytes);
  const Begin begin = request_begin(bytes);
  return begin == Begin::kNo && may_begin_with(bytes, "HTTP/1.") ? Begin::kIncomplete : begin;
}

// --- Headers ---

namespace {

// "example.org:8080" and "[2001:db8::1]:80" without the port and brackets.
WireText host_of(WireText authority) {
  authority = trimmed(authority);
  if (!authority.empty() && authority.front() == '[') {
    WireText rest = authority.subspan(1);
    return take_until(rest, ']');
  }
  return take_until(authority, ':');
}

// The target of a request to a proxy may have a password in it: scheme://user:password@host/path.
void set_uri(Context& context, WireText target, Message& message) {
  if (message.is_connect) {
    message.authority = target;
    context.set(kUri, target);
    return;
  }
  const size_t colon = find_byte(target, ':');
  if (colon == kNotFound || !begins_with(target.subspan(colon), "://") ||
      find_byte(target.first(colon), '/') != kNotFound) {
    context.set(kUri, target);
    return;
  }
  const WireText scheme = target.first(colon + 3);
  WireText rest = target.subspan(scheme.size());
  const auto end = std::ranges::find_if(
      rest, [](uint8_t byte) { return byte == '/' || byte == '?' || byte == '#'; });
  const WireText authority = rest.first(static_cast<size_t>(end - rest.begin()));
  size_t user_size = 0;
  for (size_t index = 0; index < authority.size(); ++index)
    if (authority[index] == '@') user_size = index + 1;
  message.authority = authority.subspan(user_size);
  if (user_size == 0) {
    context.set(kUri, target);
    return;
  }
  rest = rest.subspan(user_size);
  const size_t rest_size = std::min(rest.size(), kAttributeSizeMax);
  const std::span<uint8_t> text = context.scratch(scheme.size() + rest_size);
  if (text.empty()) return;
  const auto behind = std::ranges::copy(scheme, text.begin()).out;
  std::ranges::copy(rest.first(rest_size), behind);
  context.set(kUri, std::span<const uint8_t>(text));
}

void set_version(Context& context, WireText version) {
  if (version.size() == 8) context.set(kVersion, version.last(3));
}

void read_request_line(Context& context, WireText line, Message& message) {
  message.is_request = true;
  const WireText method = take_until(line, ' ');
  message.is_connect = equals(method, "CONNECT");
  message.is_head = equals(method, "HEAD");
  context.set(kMethod, method);
  constexpr size_t kVersionSize = 8;
  WireText target;
  if (has_version(line)) {
    line = trimmed(line);
    set_version(context, line.last(kVersionSize));
    target = trimmed(line.first(line.size() - kVersionSize));
  } else {
    line = trimmed(line);
    target = take_until(line, ' ');
  }
  if (!target.empty()) set_uri(context, target, message);
}

void read_status_line(Context& context, WireText line, Message& message) {
  set_version(context, take_until(line, ' '));
  uint64_t code = 0;
  if (!read_decimal(take_until(line, ' '), 999, code)) return;
  message.status_code = static_cast<uint16_t>(code);
  context.set(kStatusCode, message.status_code);
}

// Of both alphabets of RFC 4648: some programs send that of URLs.
constexpr uint8_t base64_value_of_any(uint8_t byte) {
  if (byte == '-') return 62;
  return byte == '_' ? 63 : base64_value(byte);
}

// Basic credentials are base64(user:password) (RFC 7617): decoding stops at the colon.
void set_basic_user(Context& context, WireText credentials) {
  std::array<uint8_t, kUserNameSizeMax> name;
  size_t size = 0;
  uint32_t bits = 0;
  unsigned bit_count = 0;
  for (const uint8_t byte : credentials) {
    const uint8_t value = base64_value_of_any(byte);
    if (value == 64) return;
    bits = bits << 6 | value;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    const auto decoded = static_cast<uint8_t>(bits >> bit_count);
    if (decoded == ':') {
      context.set(kUsername, std::span<const uint8_t>(name).first(size));
      return;
    }
    if (size == name.size()) return;
    name[size++] = decoded;
  }
}

void read_authorization(Context& context, WireText value) {
  const WireText scheme = take_until(value, ' ');
  // A token without a scheme may be a secret.
  if (scheme.empty() || value.empty() || scheme.size() > kMethodSizeMax) return;
  context.set(kAuthScheme, scheme);
  if (equals_ignoring_case(scheme, "basic") && context.subscribed(kUsername))
    set_basic_user(context, trimmed(value));
}

// "5", or "5, 5" of a proxy that joined two headers.
void read_length(WireText value, Message& message) {
  while (!value.empty()) {
    uint64_t length = 0;
    const WireText digits = trimmed(take_until(value, ','));
    const bool is_number =
        digits.size() <= kLengthDigitsMax && read_decimal(digits, UINT64_MAX, length);
    if (!is_number || (message.has_length && message.length != length)) message.is_malformed = true;
    message.has_length = true;
    message.length = length;
  }
}

// Of several codings the last one frames the body.
void read_transfer_encoding(WireText value, Message& message) {
  message.has_transfer_encoding = true;
  WireText coding;
  while (!value.empty()) coding = trimmed(take_until(value, ','));
  message.is_chunked = equals_ignoring_case(coding, "chunked");
}

void read_upgrade(Context& context, WireText value, Message& message) {
  message.has_upgrade = true;
  context.set(kUpgrade, value);
  while (!value.empty())
    if (equals_ignoring_case(trimmed(take_until(value, ',')), "websocket"))
      message.is_websocket = true;
}

enum class Header : uint8_t {
  kHost,
  kServer,
  kReferer,
  kUpgrade,
  kLocation,
  kUserAgent,
  kContentType,
  kAuthorization,
  kContentLength,
  kXForwardedFor,
  kTransferEncoding,
};
struct HeaderName {
  std::string_view name;  // in lower case
  Header header;
};
constexpr HeaderName kHeaderNames[] = {
    {"host", Header::kHost},
    {"server", Header::kServer},
    {"referer", Header::kReferer},
    {"upgrade", Header::kUpgrade},
    {"location", Header::kLocation},
    {"user-agent", Header::kUserAgent},
    {"content-type", Header::kContentType},
    {"authorization", Header::kAuthorization},
    {"proxy-authorization", Header::kAuthorization},
    {"content-length", Header::kContentLength},
    {"x-forwarded-for", Header::kXForwardedFor},
    {"transfer-encoding", Header::kTransferEncoding},
};

void read_header(Context& context, WireText line, Message& message) {
  const HeaderField field = split_header_field(line);
  const WireText value = field.value;
  const auto known = std::ranges::find_if(kHeaderNames, [&](const HeaderName& row) {
    return equals_ignoring_case(field.name, row.name);
  });
  if (known == std::end(kHeaderNames)) return;
  if (value.empty()) return;
  const auto set_if = [&](bool is_here, uint8_t index) {
    if (is_here) context.set(index, value);
  };
  switch (known->header) {
    case Header::kHost:
      if (message.is_request) set_host(context, value);
      message.has_host = true;
      break;
    case Header::kServer:
      set_if(!message.is_request, kServer);
      break;
    case Header::kReferer:
      set_if(message.is_request, kReferrer);
      break;
    case Header::kUpgrade:
      if (message.is_request || message.status_code == 101) read_upgrade(context, value, message);
      break;
    case Header::kLocation:
      set_if(!message.is_request, kLocation);
      break;
    case Header::kUserAgent:
      set_if(message.is_request, kUserAgent);
      break;
    case Header::kContentType:
      context.set(message.is_request ? kRequestContentType : kResponseContentType, value);
      break;
    case Header::kAuthorization:
      if (message.is_request) read_authorization(context, value);
      break;
    case Header::kContentLength:
      read_length(value, message);
      break;
    case Header::kXForwardedFor:
      set_if(message.is_request, kXForwardedFor);
      break;
    case Header::kTransferEncoding:
      read_transfer_encoding(value, message);
      break;
  }
}

}  // namespace

void set_host(Context& context, WireText authority) noexcept {
  const WireText host = host_of(authority);
  if (!host.empty()) context.set(kHost, host);
}

void read_lines(Context& context, WireText lines, bool has_start_line, Message& message) noexcept {
  bool is_start_line = has_start_line;
  while (!lines.empty()) {
    const WireText line = without_line_end(take_until(lines, '\n'));
    if (is_start_line) {
      if (message.is_request)
        read_request_line(context, line, message);
      else
        read_status_line(context, line, message);
      is_start_line = false;
      continue;
    }
    if (!line.empty() && !is_blank(line.front())) read_header(context, line, message);
  }
}

}  // namespace weir::http

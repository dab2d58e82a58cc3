// SPDX-License-Identifier: Apache-2.0
//
// SMTP (RFC 5321) with what servers offer besides: AUTH (RFC 4954), STARTTLS (RFC 3207), PIPELINING
// (RFC 2920), CHUNKING (RFC 3030); and LMTP (RFC 2033).
//
//   S: 220 mx.example.org ESMTP Postfix       C: EHLO laptop.example.com
//   S: 250-mx.example.org                     S: 250 STARTTLS
//   C: MAIL FROM:<ann@example.com>            C: RCPT TO:<bob@example.org>
//   C: DATA                                   S: 354 End data with <CR><LF>.<CR><LF>
//   C: Subject: …  <empty line>  body  "\r\n.\r\n"     S: 250 2.0.0 queued
//
// Every message of a session is counted, so every byte is looked at: of bodies only by the search
// for their end. Of a message's header the usual fields are taken, as they are on the wire (no RFC
// 2047). Passwords are never kept; the user name is, when AUTH PLAIN or LOGIN tells it. Attachments
// are not looked for.
#include <algorithm>
#include <array>

#include "dpi/protocols/line_probe.h"
#include "dpi/protocols/message_head.h"
#include "dpi/protocols/text_lines.h"
#include "dpi/wire_text.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr size_t kLineSizeMax = 2048;       // RFC 5321, 4.5.3.1.6: 1000; AUTH lines are longer
constexpr size_t kFieldSizeMax = 8 * 1024;  // of a message's header, with its continuation lines
constexpr size_t kHeadSizeMax = 8 * 1024;   // of a message, where fields are looked for
constexpr uint64_t kChunkSizeMax = UINT32_MAX / 2;  // BDAT

enum : uint8_t {
  kServer,
  kGreeting,
  kHelo,
  kCommands,
  kMailFrom,
  kRecipients,
  kAuthMechanism,
  kUser,
  kFrom,
  kTo,
  kCc,
  kReplyTo,
  kSubject,
  kMessageId,
  kInReplyTo,
  kDate,
  kUserAgent,
  kReplyCode,
  kReply,
  kTls,
  kMessages,
};

constexpr Attribute kAttributes[] = {
    {"smtp.server", FieldType::kString, kServer, Keep::kFirst, "Name the server greets with.",
     Unit::kNone, true},
    {"smtp.greeting", FieldType::kString, kGreeting, Keep::kFirst,
     "Text of the server's greeting after its name."},
    {"smtp.helo", FieldType::kString, kHelo, Keep::kFirst,
     "Name the client gives in HELO, EHLO or LHLO."},
    {"smtp.command", FieldType::kString, kCommands, Keep::kList,
     "Commands the client used, in capitals."},
    {"smtp.mail_from", FieldType::kString, kMailFrom, Keep::kFirst,
     "Sender of the envelope (MAIL FROM)."},
    {"smtp.rcpt_to", FieldType::kString, kRecipients, Keep::kList,
     "Recipients of the envelope (RCPT TO)."},
    {"smtp.auth_mechanism", FieldType::kString, kAuthMechanism, Keep::kFirst,
     "How the client logs in (AUTH)."},
    {"smtp.user", FieldType::kString, kUser, Keep::kFirst, "User name of AUTH PLAIN or LOGIN."},
    {"smtp.from", FieldType::kString, kFrom, Keep::kFirst, "From field of the message."},
    {"smtp.to", FieldType::kString, kTo, Keep::kFirst, "To field of the message."},
    {"smtp.cc", FieldType::kString, kCc, Keep::kFirst, "Cc field of the message."},
    {"smtp.reply_to", FieldType::kString, kReplyTo, Keep::kFirst, "Reply-To field of the message."},
    {"smtp.subject", FieldType::kString, kSubject, Keep::kFirst,
     "Subject of the message, as it was sent."},
    {"smtp.message_id", FieldType::kString, kMessageId, Keep::kFirst, "Message-ID of the message."},
    {"smtp.in_reply_to", FieldType::kString, kInReplyTo, Keep::kFirst,
     "Message-ID that the message answers."},
    {"smtp.date", FieldType::kString, kDate, Keep::kFirst, "Date field of the message."},
    {"smtp.user_agent", FieldType::kString, kUserAgent, Keep::kFirst,
     "Program that wrote the message (User-Agent or X-Mailer)."},
    {"smtp.reply_code", FieldType::kU16, kReplyCode, Keep::kLast,
     "Code of the server's last reply."},
    {"smtp.reply", FieldType::kString, kReply, Keep::kLast, "Text of the server's last reply."},
    {"smtp.tls", FieldType::kBool, kTls, Keep::kFirst, "The session went on under TLS (STARTTLS)."},
    {"smtp.messages", FieldType::kU32, kMessages, Keep::kLast,
     "Messages sent: DATA or BDAT that came to an end."},
};

// What the client's next bytes are.
enum class Mode : uint8_t { kCommands, kAuth, kHead, kBody };
enum class Login : uint8_t { kPlain, kUserThenPassword, kOther };

struct State {
  uint64_t chunk_left;  // BDAT: bytes of the chunk to come
  std::array<LineSearch, 2> lines;
  uint32_t head_size;  // of the message's header so far
  uint32_t messages;
  uint16_t reply_code;
  Mode mode;
  Login login;
  Side server;
  uint8_t auth_lines;   // the client sent since AUTH
  uint8_t end_matched;  // bytes of "\r\n.\r\n" that the body ended with
  bool is_begun;
  bool is_data_asked;     // DATA, and its message has no end yet
  bool is_data_accepted;  // 354
  bool is_chunked;        // the message comes by BDAT
  bool is_last_chunk;
  bool is_tls_asked;
};

// Probe.

bool has_software_of_mail(WireText text) {
  constexpr std::string_view kWords[] = {"smtp", "lmtp", "postfix", "sendmail"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return contains_ignoring_case(text, word); });
}

bool is_extension(WireText text) {
  constexpr std::string_view kKeywords[] = {"pipelining", "8bitmime",  "enhancedstatuscodes",
                                            "starttls",   "chunking",  "smtputf8",
                                            "dsn",        "auth=login"};
  return begins_with_ignoring_case(text, "auth login") ||
         begins_with_ignoring_case(text, "auth plain") || equals_any_ignoring_case(text, kKeywords);
}

// RFC 5321, 4.2.3, and the RFCs of extensions.
bool is_code_of_mail(uint16_t code) {
  switch (code) {
    case 211:
    case 214:
    case 220:
    case 221:
    case 235:
    case 250:
    case 251:
    case 252:
    case 334:
    case 354:
      return true;
    default:
      return code >= 400 && code < 600;
  }
}

Evidence judge_reply(const ReplyLine& reply, bool is_greeting) {
  if (!is_code_of_mail(reply.code)) return Evidence::kAgainst;
  if (is_greeting && reply.code != 220 && reply.code < 400) return Evidence::kAgainst;
  if (has_enhanced_status(reply) || reply.code == 354) return Evidence::kFor;
  if (reply.code == 220 || is_greeting) {
    if (has_software_of_mail(reply.text)) return Evidence::kFor;
    if (contains_ignoring_case(reply.text, "ftp")) return Evidence::kAgainst;
  }
  if (reply.code == 250 && is_extension(reply.text)) return Evidence::kFor;
  return Evidence::kNeutral;
}

Evidence judge_command(WireText verb, WireText argument) {
  constexpr std::string_view kWithArgument[] = {"vrfy", "expn", "etrn", "xclient", "xforward"};
  constexpr std::string_view kAlone[] = {"ehlo", "helo", "lhlo"};
  constexpr std::string_view kShared[] = {"data", "quit",     "rset", "noop",
                                          "help", "starttls", "turn"};
  if (equals_any_ignoring_case(verb, kAlone)) return Evidence::kFor;
  if (equals_any_ignoring_case(verb, kWithArgument) && !argument.empty()) return Evidence::kFor;
  if (equals_ignoring_case(verb, "mail") && begins_with_ignoring_case(argument, "from:"))
    return Evidence::kFor;
  if (equals_ignoring_case(verb, "rcpt") && begins_with_ignoring_case(argument, "to:"))
    return Evidence::kFor;
  if (equals_ignoring_case(verb, "bdat") && !argument.empty() && is_digit(argument.front()))
    return Evidence::kFor;
  if (equals_ignoring_case(verb, "auth")) {
    const bool is_ftp = equals_ignoring_case(argument, "tls") ||
                        equals_ignoring_case(argument, "ssl") || argument.empty();
    return is_ftp ? Evidence::kAgainst : Evidence::kNeutral;
  }
  return equals_any_ignoring_case(verb, kShared) ? Evidence::kNeutral : Evidence::kAgainst;
}

constexpr LineEvidence kEvidence = {judge_reply, judge_command};

Probe probe(const Payload& payload) {
  return probe_lines(payload, kEvidence);
}

// Parse.

struct Command {
  std::string_view lower;
  std::string_view name;
};
constexpr Command kKnownCommands[] = {
    {"ehlo", "EHLO"}, {"helo", "HELO"},         {"lhlo", "LHLO"},         {"mail", "MAIL"},
    {"rcpt", "RCPT"}, {"data", "DATA"},         {"bdat", "BDAT"},         {"rset", "RSET"},
    {"quit", "QUIT"}, {"noop", "NOOP"},         {"vrfy", "VRFY"},         {"expn", "EXPN"},
    {"help", "HELP"}, {"starttls", "STARTTLS"}, {"auth", "AUTH"},         {"etrn", "ETRN"},
    {"turn", "TURN"}, {"xclient", "XCLIENT"},   {"xforward", "XFORWARD"},
};

const Command* find_command(WireText verb) {
  for (const Command& command : kKnownCommands) {
    if (equals_ignoring_case(verb, command.lower)) return &command;
  }
  return nullptr;
}

// "FROM:<ann@example.com> SIZE=5": the address; empty for the null sender "<>".
WireText envelope_address(WireText argument, std::string_view keyword) {
  WireText rest = trimmed(argument.subspan(keyword.size()));
  if (!rest.empty() && rest.front() == '<') {
    rest = rest.subspan(1);
    return trimmed(take_until(rest, '>'));
  }
  return take_word(rest);
}

void set_user_of_plain(Context& context, WireText response) {
  std::array<uint8_t, kAttributeSizeMax * 2> decoded;
  WireText rest = WireText(decoded).first(decode_base64(response, decoded));
  if (find_byte(rest, 0) == kNotFound) return;
  take_until(rest, 0);                          // on whose behalf (RFC 4616: authzid)
  if (find_byte(rest, 0) == kNotFound) return;  // no password follows: it is no PLAIN, or was cut
  const WireText user = take_until(rest, 0);
  if (!user.empty()) context.set(kUser, user);
}

void set_user_of_login(Context& context, WireText response) {
  std::array<uint8_t, kAttributeSizeMax> decoded;
  const WireText user = WireText(decoded).first(decode_base64(response, decoded));
  if (!user.empty() && is_text(user)) context.set(kUser, user);
}

// A line of the client's after AUTH. Only of the first the meaning is known to be no password.
void read_auth_line(Context& context, State& state, WireText line) {
  if (state.auth_lines++ == 0) {
    if (state.login == Login::kPlain) set_user_of_plain(context, line);
    if (state.login == Login::kUserThenPassword) set_user_of_login(context, line);
  }
  const uint8_t lines_max = state.login == Login::kPlain              ? 1
                            : state.login == Login::kUserThenPassword ? 2
                                                                      : UINT8_MAX;
  if (state.auth_lines >= lines_max || equals_ignoring_case(line, "*"))
    state.mode = Mode::kCommands;
}

void begin_auth(Context& context, State& state, WireText argument) {
  WireText rest = argument;
  const WireText mechanism = take_word(rest);
  context.set(kAuthMechanism, mechanism);
  state.auth_lines = 0;
  state.login = equals_ignoring_case(mechanism, "plain")   ? Login::kPlain
                : equals_ignoring_case(mechanism, "login") ? Login::kUserThenPassword
                                                           : Login::kOther;
  state.mode = Mode::kAuth;
  if (!rest.empty()) read_auth_line(context, state, rest);
}

void begin_message(State& state) {
  state.mode = Mode::kHead;
  state.head_size = 0;
  state.end_matched = 2;  // the line before, "DATA\r\n", is the begin of "\r\n.\r\n"
}

void end_of_message(Context& context, State& state) {
  state.mode = Mode::kCommands;
  state.is_data_asked = false;
  state.is_data_accepted = false;
  state.is_chunked = false;
  ++state.messages;
  context.set(kMessages, state.messages);
}

void begin_chunk(Context& context, State& state, WireText argument) {
  WireText rest = argument;
  uint64_t size = 0;
  if (!take_decimal(rest, kChunkSizeMax, size)) return;
  if (size == 0) {
    if (equals_ignoring_case(trimmed(rest), "last")) end_of_message(context, state);
    return;
  }
  if (!state.is_chunked) begin_message(state);
  if (state.mode == Mode::kCommands)
    state.mode = state.head_size < kHeadSizeMax ? Mode::kHead : Mode::kBody;
  state.is_chunked = true;
  state.is_last_chunk = equals_ignoring_case(trimmed(rest), "last");
  state.chunk_left = size;
}

void read_command(Context& context, State& state, WireText line) {
  WireText rest = line;
  const WireText verb = take_word(rest);
  const Command* command = find_command(verb);
  if (command == nullptr) return;
  context.set(kCommands, command->name);
  const std::string_view name = command->lower;
  if (name == "ehlo" || name == "helo" || name == "lhlo") {
    if (!rest.empty()) context.set(kHelo, trimmed(rest));
  } else if (name == "rset") {
    state.is_chunked = false;
  } else if (name == "mail" && begins_with_ignoring_case(rest, "from:")) {
    state.is_chunked = false;
    const WireText sender = envelope_address(rest, "from:");
    if (sender.empty()) {
      context.set(kMailFrom, "<>");
    } else {
      context.set(kMailFrom, sender);
    }
  } else if (name == "rcpt" && begins_with_ignoring_case(rest, "to:")) {
    context.set(kRecipients, envelope_address(rest, "to:"));
  } else if (name == "auth" && !rest.empty()) {
    begin_auth(context, state, rest);
  } else if (name == "data") {
    state.is_data_asked = true;
    state.is_data_accepted = false;
  } else if (name == "bdat") {
    begin_chunk(context, state, rest);
  } else if (name == "starttls") {
    state.is_tls_asked = true;
  }
}

struct HeadField {
  std::string_view name;
  uint8_t attribute;
};
constexpr HeadField kHeadFields[] = {
    {"from", kFrom},
    {"to", kTo},
    {"cc", kCc},
    {"reply-to", kReplyTo},
    {"subject", kSubject},
    {"message-id", kMessageId},
    {"in-reply-to", kInReplyTo},
    {"date", kDate},
    {"user-agent", kUserAgent},
    {"x-mailer", kUserAgent},
};

void set_unfolded(Context& context, uint8_t attribute, WireText value) {
  std::array<uint8_t, kAttributeSizeMax> unfolded;
  const WireText whole = unfold(value, unfolded);
  if (!whole.empty()) context.set(attribute, whole);
}

// The field with its continuation lines.
void read_head_field(Context& context, WireText field) {
  if (find_byte(field, ':') == kNotFound) return;
  const HeaderField parts = split_header_field(field);
  for (const HeadField& known : kHeadFields) {
    if (equals_ignoring_case(parts.name, known.name))
      set_unfolded(context, known.attribute, parts.value);
  }
}

// Fields until the header's end; then the body begins with these bytes. False: more are needed.
bool read_head(Context& context, State& state, LineSearch& search, WireText& rest) {
  while (!rest.empty()) {
    WireText field;
    const WireText window = rest.first(std::min(rest.size(), kFieldSizeMax));
    WireText behind = window;
    const MessageHead head = take_head_field(behind, search, field);
    if (head == MessageHead::kNeedsMore) {
      if (window.size() < kFieldSizeMax) return false;
      // Its begin is enough; what is left of it is taken for fields of no interest.
      field = window;
      behind = {};
      search = {};
    }
    const size_t taken = window.size() - behind.size();
    rest = rest.subspan(taken);
    if (head == MessageHead::kEnd) {
      state.mode = Mode::kBody;
      search = {};
      return true;
    }
    read_head_field(context, field);
    state.head_size += static_cast<uint32_t>(taken);
    if (state.head_size > kHeadSizeMax) {
      state.mode = Mode::kBody;
      return true;
    }
  }
  return false;
}

// Skips the body up to and with its end, "\r\n.\r\n", which may come in pieces: by the search for its
// dot, which is rarer than line ends (a segment of 64 KB of short lines: 2 µs instead of 100); byte by
// byte where the last piece ended inside the mark, or this one may.
bool skip_body(State& state, WireText& rest) {
  constexpr std::string_view kEnd = "\r\n.\r\n";
  constexpr size_t kDotAt = 2;
  while (!rest.empty()) {
    if (state.end_matched == 0 && rest.size() > kDotAt) {
      const size_t dot = find_byte(rest, '.');
      if (dot == kNotFound) {
        rest = rest.last(kDotAt);
      } else if (dot >= kDotAt && rest[dot - 2] == '\r' && rest[dot - 1] == '\n') {
        rest = rest.subspan(dot + 1);
        state.end_matched = kDotAt + 1;
        continue;
      } else {
        rest = rest.subspan(dot + 1);
        continue;
      }
    }
    if (state.end_matched == 0 && rest.front() != kEnd.front()) {
      rest = rest.subspan(1);
      continue;
    }
    const auto byte = rest.front();
    if (byte == static_cast<uint8_t>(kEnd[state.end_matched])) {
      rest = rest.subspan(1);
      if (++state.end_matched == kEnd.size()) return true;
    } else {
      // A '\r' begins anew; after ".\r" it may be followed by '\n' and so is not lost.
      state.end_matched = 0;
    }
  }
  return false;
}

// Bytes of a chunk: its header like that of a message, the rest unseen.
void read_chunk(Context& context, State& state, LineSearch& search, WireText& rest,
                size_t& skipped) {
  if (state.mode == Mode::kHead) {
    WireText chunk =
        rest.first(static_cast<size_t>(std::min<uint64_t>(rest.size(), state.chunk_left)));
    const size_t size = chunk.size();
    const bool is_whole = size == state.chunk_left;
    if (!read_head(context, state, search, chunk) && is_whole) {
      read_head_field(context, chunk);  // nothing follows it in this chunk
      chunk = {};
    }
    const size_t taken = size - chunk.size();
    rest = rest.subspan(taken);
    state.chunk_left -= taken;
    if (is_whole && chunk.empty()) search = {};
  }
  if (state.mode == Mode::kBody) {
    const size_t here = static_cast<size_t>(std::min<uint64_t>(rest.size(), state.chunk_left));
    skipped = static_cast<size_t>(state.chunk_left) - here;
    rest = rest.subspan(here);
    state.chunk_left = 0;
  }
  if (state.chunk_left > 0) return;
  if (state.is_last_chunk) {
    end_of_message(context, state);
  } else if (state.mode == Mode::kBody) {
    state.head_size = kHeadSizeMax;
    state.mode = Mode::kCommands;
  } else {
    state.mode = Mode::kCommands;
  }
}

// After DATA and before its reply was seen: is this the message, or was DATA refused?
bool is_message_begin(const State& state, WireText line) {
  WireText rest = line;
  return state.reply_code == 354 || find_command(take_word(rest)) == nullptr;
}

Parse parse_client(Context& context, State& state, const Payload& payload) {
  LineSearch& search = state.lines[static_cast<size_t>(payload.side)];
  WireText rest = payload.bytes;
  size_t skipped = 0;
  bool needs_more = false;
  while (!rest.empty() && skipped == 0 && !needs_more) {
    if (state.is_chunked && state.chunk_left > 0) {
      const size_t size = rest.size();
      read_chunk(context, state, search, rest, skipped);
      needs_more = rest.size() == size && state.chunk_left > 0;
    } else if (state.mode == Mode::kHead) {
      needs_more = !read_head(context, state, search, rest);
    } else if (state.mode == Mode::kBody) {
      if (skip_body(state, rest)) end_of_message(context, state);
    } else {
      WireText line;
      const WireText before = rest;
      if (!search.take_line(rest, kLineSizeMax, line)) {
        needs_more = true;
      } else if (state.mode == Mode::kAuth) {
        read_auth_line(context, state, line);
      } else if (state.is_data_asked && is_message_begin(state, line)) {
        rest = before;
        search = {};
        begin_message(state);
      } else {
        state.is_data_asked = false;
        read_command(context, state, line);
        context.end_message();
      }
    }
  }
  const size_t consumed = payload.bytes.size() - rest.size();
  if (consumed == 0) return Parse::need(rest.size() + 1);
  return Parse::next(consumed + skipped);
}

// The greeting: "mx.example.org ESMTP Postfix".
void read_greeting(Context& context, const ReplyLine& reply) {
  WireText rest = reply.text;
  const WireText server = take_word(rest);
  if (!server.empty() && find_byte(server, '.') != kNotFound) {
    context.set(kServer, server);
    if (!rest.empty()) context.set(kGreeting, rest);
  } else if (!reply.text.empty()) {
    context.set(kGreeting, reply.text);
  }
}

void read_reply(Context& context, State& state, const ReplyLine& reply) {
  if (reply.code == 220 && !state.is_tls_asked) read_greeting(context, reply);
  state.reply_code = reply.code;
  if (!reply.is_last) return;
  context.set(kReplyCode, reply.code);
  if (!reply.text.empty()) context.set(kReply, reply.text);
  if (state.mode == Mode::kAuth && reply.code != 334) state.mode = Mode::kCommands;
  if (reply.code == 354 && state.is_data_asked) {
    state.is_data_accepted = true;
  } else if (state.is_data_accepted && (state.mode == Mode::kHead || state.mode == Mode::kBody)) {
    end_of_message(context, state);  // its end was lost, or the server gave up
  }
}

Parse parse_server(Context& context, State& state, const Payload& payload) {
  LineSearch& search = state.lines[static_cast<size_t>(payload.side)];
  WireText rest = payload.bytes;
  WireText line;
  while (search.take_line(rest, kLineSizeMax, line)) {
    const ReplyLine reply = read_reply_line(line);
    if (reply.code == 0) continue;
    read_reply(context, state, reply);
    if (reply.is_last) context.end_message();
    if (state.is_tls_asked && reply.is_last && reply.code == 220) {
      context.set(kTls, true);
      return Parse::upgrade("tls", payload.bytes.size() - rest.size());
    }
  }
  const size_t consumed = payload.bytes.size() - rest.size();
  return consumed == 0 ? Parse::need(rest.size() + 1) : Parse::next(consumed);
}

// Bytes are missing: what is known of the line in them is gone, and so is the place in a header or
// chunk.
void forget_place(State& state, Side side) {
  LineSearch& search = state.lines[static_cast<size_t>(side)];
  search.skip_to_next();
  if (side == state.server) return;
  state.end_matched = 0;
  state.chunk_left = 0;
  if (state.is_chunked) {
    state.is_chunked = false;
    state.mode = Mode::kCommands;
  } else if (state.mode == Mode::kHead || state.mode == Mode::kBody) {
    state.mode = Mode::kBody;
    search = {};
  }
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  if (!state.is_begun) {
    state.is_begun = true;
    // A capture that begins in the middle may have taken the server for the initiator.
    state.server = begins_with_reply(payload.bytes) ? payload.side : other(payload.side);
  }
  if (payload.gap_before) forget_place(state, payload.side);
  return payload.side == state.server ? parse_server(context, state, payload)
                                      : parse_client(context, state, payload);
}

constexpr uint16_t kPorts[] = {25, 587, 465, 2525, 24};

}  // namespace

extern const Protocol kSmtp{
    .name = "smtp",
    .help =
        "Simple Mail Transfer Protocol, and LMTP: mail between servers, and from programs to "
        "servers.",
    .transports = kOverTcp,
    .ports = kPorts,
    .attributes = kAttributes,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(State),
    .every_message = true,
};

}  // namespace weir

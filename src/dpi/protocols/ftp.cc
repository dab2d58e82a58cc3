// SPDX-License-Identifier: Apache-2.0
//
// FTP's control connection (RFC 959), with the extensions of RFC 2228 and 4217 (TLS), 2428 (EPRT,
// EPSV), 2389 (FEAT) and 3659 (MLSD, SIZE, MDTM).
//
//   S: 220 (vsFTPd 3.0.3)                 C: USER ann
//   S: 331 Please specify the password.   C: PASS …
//   S: 230 Login successful.              C: PASV
//   S: 227 Entering Passive Mode (192,0,2,1,78,52).    -> ftp-data on port 78 · 256 + 52
//   C: RETR report.pdf                    S: 150 Opening … (1234 bytes).   S: 226 Transfer complete.
//
// Each command and each reply is one event. Every message is looked at, because a session may run
// for hours and announce hundreds of data connections, and there are few bytes in it. Passwords are
// never kept.
#include <algorithm>
#include <array>

#include "dpi/protocols/line_probe.h"
#include "dpi/protocols/text_lines.h"
#include "dpi/wire_text.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr size_t kLineSizeMax = 2048;  // a path of 1024 bytes, and an extension's words
constexpr size_t kPathSizeMax = 96;    // of a directory; longer ones are not known

enum : uint8_t {
  kGreeting,
  kUser,
  kCommands,
  kCommand,
  kArgument,
  kReplyCode,
  kReply,
  kFiles,
  kFileSize,
  kDirectory,
  kSystem,
  kMode,
  kDataAddress,
  kDataPort,
  kTransfers,
  kTls,
};

constexpr Attribute kAttributes[] = {
    {"ftp.greeting", FieldType::kString, kGreeting, Keep::kFirst,
     "First line the server greets with."},
    {"ftp.user", FieldType::kString, kUser, Keep::kFirst,
     "User name the client logs in with (USER)."},
    {"ftp.commands", FieldType::kString, kCommands, Keep::kList,
     "Different commands the client used, in capitals."},
    {"ftp.command", FieldType::kString, kCommand, Keep::kLast, "The last command, in capitals."},
    {"ftp.arg", FieldType::kString, kArgument, Keep::kLast,
     "Argument of the last command that had one; no password."},
    {"ftp.reply_code", FieldType::kU16, kReplyCode, Keep::kLast,
     "Code of the server's last reply."},
    {"ftp.reply", FieldType::kString, kReply, Keep::kLast, "Text of the server's last reply."},
    {"ftp.file", FieldType::kString, kFiles, Keep::kList,
     "Files asked for (RETR) and sent (STOR, APPE, STOU)."},
    {"ftp.file_size", FieldType::kU64, kFileSize, Keep::kLast,
     "Size of the last file whose size the server told.", Unit::kBytes},
    {"ftp.cwd", FieldType::kString, kDirectory, Keep::kLast,
     "Current directory on the server, as far as it was told."},
    {"ftp.system", FieldType::kString, kSystem, Keep::kFirst,
     "Kind of system the server says it is (SYST)."},
    {"ftp.mode", FieldType::kString, kMode, Keep::kLast,
     "Who opens data connections: \"passive\" the client, \"active\" the server."},
    {"ftp.data_address", FieldType::kAddress, kDataAddress, Keep::kLast,
     "Address of the last data connection that was announced."},
    {"ftp.data_port", FieldType::kU16, kDataPort, Keep::kLast,
     "Port of the last data connection that was announced."},
    {"ftp.transfers", FieldType::kU32, kTransfers, Keep::kLast,
     "Transfers of files and listings that were completed."},
    {"ftp.tls", FieldType::kBool, kTls, Keep::kFirst, "The session went on under TLS (AUTH TLS)."},
};

// Of commands, what their replies are read for.
enum class Topic : uint8_t {
  kOther,
  kUser,
  kPassword,
  kFile,
  kDirectory,
  kUp,
  kWhere,
  kSize,
  kSystem,
  kPort,
  kExtendedPort,
  kTls,
};

struct Path {
  uint8_t size;
  std::array<uint8_t, kPathSizeMax> bytes;

  WireText text() const { return WireText(bytes).first(size); }
  // False when it does not fit; then it is empty.
  bool append(WireText part) {
    if (part.size() > kPathSizeMax - size) {
      size = 0;
      return false;
    }
    std::ranges::copy(part, bytes.begin() + size);
    size = static_cast<uint8_t>(size + part.size());
    return true;
  }
};

struct State {
  std::array<LineSearch, 2> lines;
  uint32_t transfers;
  uint16_t continued;  // code of a reply whose last line is to come
  Topic topic;         // of the last command
  Side server;
  bool is_begun;
  bool is_greeted;
  Path directory;  // where the session is; empty: not known
  Path asked;      // where CWD would bring it
};

static_assert(sizeof(State) <= kProtocolStateSizeMax);

// Probe.

// RFC 959, 4.2; RFC 2228, 5; RFC 2428.
bool is_code_of_ftp(uint16_t code) {
  if (code < 200) return code == 110 || code == 120 || code == 125 || code == 150;
  if (code < 300) {
    return code == 200 || code == 202 || (code >= 211 && code <= 215) || code == 220 ||
           code == 221 || (code >= 225 && code <= 235) || code == 250 || code == 257;
  }
  if (code < 400) return (code >= 331 && code <= 336) || code == 350;
  return code < 600 || (code >= 631 && code <= 633);
}

Evidence judge_greeting(WireText text) {
  if (contains_ignoring_case(text, "smtp") || contains_ignoring_case(text, "lmtp"))
    return Evidence::kAgainst;
  const bool is_ftp =
      contains_ignoring_case(text, "ftp") || contains_ignoring_case(text, "filezilla");
  return is_ftp || contains_ignoring_case(text, "ready for new user") ? Evidence::kFor
                                                                      : Evidence::kNeutral;
}

Evidence judge_reply(const ReplyLine& reply, bool is_greeting) {
  if (!is_code_of_ftp(reply.code) || has_enhanced_status(reply)) return Evidence::kAgainst;
  if (is_greeting && reply.code != 120 && reply.code != 220 && reply.code != 230 &&
      reply.code < 400)
    return Evidence::kAgainst;
  const WireText text = reply.text;
  const auto if_so = [](bool is_proven) { return is_proven ? Evidence::kFor : Evidence::kNeutral; };
  switch (reply.code) {
    case 220:
      return judge_greeting(text);
    case 421:
    case 530:
      return is_greeting ? judge_greeting(text) : Evidence::kNeutral;
    case 125:
    case 150:
    case 226:
    case 331:
      return if_so(!is_greeting);
    case 211:
      return if_so(contains_ignoring_case(text, "features") ||
                   contains_ignoring_case(text, "extensions"));
    case 215:
      return if_so(contains_ignoring_case(text, "unix") || contains_ignoring_case(text, "windows"));
    case 227:
      return if_so(contains_ignoring_case(text, "passive"));
    case 229:
      return if_so(contains_ignoring_case(text, "|||"));
    case 230:
      return if_so(contains_ignoring_case(text, "log") || contains_ignoring_case(text, "user"));
    case 234:
      return if_so(contains_ignoring_case(text, "auth") || contains_ignoring_case(text, "tls") ||
                   contains_ignoring_case(text, "ssl"));
    case 257:
      return if_so(!text.empty() && text.front() == '"');
    default:
      return Evidence::kNeutral;
  }
}

bool is_number(WireText text) {
  uint64_t number = 0;
  return read_decimal(text, UINT32_MAX, number);
}

// "USER ann" is POP3's as well, and IRC's has four words.
Evidence judge_user(WireText argument) {
  if (equals_ignoring_case(argument, "anonymous") || equals_ignoring_case(argument, "ftp"))
    return Evidence::kFor;
  return argument.empty() || find_byte(argument, ':') != kNotFound ? Evidence::kAgainst
                                                                   : Evidence::kNeutral;
}

Evidence judge_command(WireText verb, WireText argument) {
  constexpr std::string_view kAlone[] = {"pasv", "cdup", "syst", "feat", "pwd",
                                         "xpwd", "stou", "mlsd", "nlst"};
  constexpr std::string_view kWithArgument[] = {
      "cwd",  "xcwd", "stor", "appe", "rnfr", "rnto", "mkd",  "xmkd", "rmd",  "xrmd", "mdtm",
      "mlst", "site", "opts", "clnt", "mlsd", "nlst", "mfmt", "eprt", "lprt", "size"};
  constexpr std::string_view kShared[] = {"pass", "acct", "quit", "noop", "help", "stat",
                                          "list", "dele", "rein", "host", "lang", "adat",
                                          "ccc",  "mic",  "enc",  "conf", "smnt", "stru",
                                          "lpsv", "retr", "rest", "allo", "abor"};
  if (argument.empty() ? equals_any_ignoring_case(verb, kAlone)
                       : equals_any_ignoring_case(verb, kWithArgument))
    return Evidence::kFor;
  if (equals_ignoring_case(verb, "user")) return judge_user(argument);
  if (equals_ignoring_case(verb, "epsv"))
    return argument.empty() || equals_ignoring_case(argument, "all") || is_number(argument)
               ? Evidence::kFor
               : Evidence::kAgainst;
  if (equals_ignoring_case(verb, "port"))
    return std::ranges::count(argument, ',') == 5 ? Evidence::kFor : Evidence::kAgainst;
  if (equals_ignoring_case(verb, "type") || equals_ignoring_case(verb, "mode") ||
      equals_ignoring_case(verb, "prot"))
    return argument.size() == 1 && is_letter(argument.front()) ? Evidence::kFor
                                                               : Evidence::kAgainst;
  if (equals_ignoring_case(verb, "pbsz"))
    return is_number(argument) ? Evidence::kFor : Evidence::kAgainst;
  if (equals_ignoring_case(verb, "auth")) {
    constexpr std::string_view kMechanisms[] = {"tls",   "ssl",    "tls-c",
                                                "tls-p", "gssapi", "kerberos_v4"};
    return equals_any_ignoring_case(argument, kMechanisms) ? Evidence::kFor : Evidence::kAgainst;
  }
  // POP3's argument of RETR is a number.
  if (equals_ignoring_case(verb, "retr") && !argument.empty() && !is_number(argument))
    return Evidence::kFor;
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
  Topic topic = Topic::kOther;
};
constexpr Command kKnownCommands[] = {
    {"user", "USER", Topic::kUser},
    {"pass", "PASS", Topic::kPassword},
    {"retr", "RETR", Topic::kFile},
    {"stor", "STOR", Topic::kFile},
    {"appe", "APPE", Topic::kFile},
    {"stou", "STOU", Topic::kFile},
    {"cwd", "CWD", Topic::kDirectory},
    {"xcwd", "XCWD", Topic::kDirectory},
    {"pwd", "PWD", Topic::kWhere},
    {"xpwd", "XPWD", Topic::kWhere},
    {"size", "SIZE", Topic::kSize},
    {"syst", "SYST", Topic::kSystem},
    {"port", "PORT", Topic::kPort},
    {"eprt", "EPRT", Topic::kExtendedPort},
    {"pasv", "PASV"},
    {"epsv", "EPSV"},
    {"auth", "AUTH", Topic::kTls},
    {"adat", "ADAT", Topic::kPassword},
    {"acct", "ACCT", Topic::kPassword},
    {"list", "LIST"},
    {"nlst", "NLST"},
    {"mlsd", "MLSD"},
    {"mlst", "MLST"},
    {"type", "TYPE"},
    {"quit", "QUIT"},
    {"cdup", "CDUP", Topic::kUp},
    {"xcup", "XCUP", Topic::kUp},
    {"dele", "DELE"},
    {"mkd", "MKD"},
    {"xmkd", "XMKD"},
    {"rmd", "RMD"},
    {"xrmd", "XRMD"},
    {"rnfr", "RNFR"},
    {"rnto", "RNTO"},
    {"rest", "REST"},
    {"mdtm", "MDTM"},
    {"feat", "FEAT"},
    {"opts", "OPTS"},
    {"site", "SITE"},
    {"stat", "STAT"},
    {"help", "HELP"},
    {"noop", "NOOP"},
    {"abor", "ABOR"},
    {"pbsz", "PBSZ"},
    {"prot", "PROT"},
    {"ccc", "CCC"},
    {"host", "HOST"},
    {"clnt", "CLNT"},
    {"allo", "ALLO"},
    {"mode", "MODE"},
    {"stru", "STRU"},
    {"rein", "REIN"},
    {"lang", "LANG"},
    {"mfmt", "MFMT"},
    {"lprt", "LPRT"},
    {"lpsv", "LPSV"},
    {"smnt", "SMNT"},
    {"xcrc", "XCRC"},
    {"xmd5", "XMD5"},
    {"mic", "MIC", Topic::kPassword},
    {"enc", "ENC", Topic::kPassword},
    {"conf", "CONF", Topic::kPassword},
};

const Command* find_command(WireText verb) {
  for (const Command& command : kKnownCommands) {
    if (equals_ignoring_case(verb, command.lower)) return &command;
  }
  return nullptr;
}

void announce(Context& context, std::string_view mode, std::span<const uint8_t> address,
              uint16_t port) {
  context.set(kMode, mode);
  if (!address.empty()) context.set(kDataAddress, address);
  context.set(kDataPort, port);
  context.expect({"ftp-data", kOverTcp, port});
}

// "192,0,2,1,78,52": an IPv4 address and a port, after whatever text is before the first digit.
bool announce_numbers(Context& context, std::string_view mode, WireText text) {
  std::array<uint8_t, 6> numbers{};
  WireText rest = text;
  while (!rest.empty() && !is_digit(rest.front())) rest = rest.subspan(1);
  for (size_t index = 0; index < numbers.size(); ++index) {
    uint64_t number = 0;
    if (index > 0) {
      if (rest.empty() || rest.front() != ',') return false;
      rest = trimmed(rest.subspan(1));
    }
    if (!take_decimal(rest, UINT8_MAX, number)) return false;
    numbers[index] = static_cast<uint8_t>(number);
  }
  const auto port = static_cast<uint16_t>(numbers[4] << 8 | numbers[5]);
  if (port == 0) return false;
  announce(context, mode, std::span(numbers).first(4), port);
  return true;
}

// RFC 2428: "|1|192.0.2.1|6275|", with the first two left out in replies. Any character may stand
// for '|'.
void announce_extended(Context& context, std::string_view mode, WireText text,
                       std::span<const uint8_t> sender) {
  if (text.empty()) return;
  const uint8_t mark = text.front();
  if (mark <= ' ' || mark > '~') return;
  WireText rest = text.subspan(1);
  take_until(rest, mark);
  std::array<uint8_t, 16> bytes{};
  const std::span<const uint8_t> address = read_address(take_until(rest, mark), bytes);
  uint64_t port = 0;
  if (!read_decimal(take_until(rest, mark), UINT16_MAX, port) || port == 0) return;
  announce(context, mode, address.empty() ? sender : address, static_cast<uint16_t>(port));
}

// The address of the payload's sender, as many bytes as its kind has.
std::span<const uint8_t> address_of_sender(const Payload& payload) {
  const std::span<const uint8_t> all(payload.sender);
  if (payload.address_kind == AddressKind::kIpv4) return all.first(4);
  return payload.address_kind == AddressKind::kIpv6 ? all : std::span<const uint8_t>();
}

// Telnet's interrupts before ABOR and STAT (RFC 959, 4.1.3): pairs of bytes from 0xf0 on.
WireText without_interrupts(WireText line) {
  while (!line.empty() && line.front() >= 0xf0) line = line.subspan(1);
  return line;
}

// Where CWD leads. ".." is the server's to resolve.
void ask_directory(State& state, WireText argument) {
  constexpr uint8_t kSlash[] = {'/'};
  state.asked = {};
  if (argument.front() == '/') {
    state.asked.append(argument);
    return;
  }
  const bool is_known = state.directory.size > 0;
  if (!is_known || begins_with(argument, "..") || find_byte(argument, '/') != kNotFound) return;
  state.asked = state.directory;
  const bool is_root = state.asked.bytes[state.asked.size - 1] == '/';
  if (is_root || state.asked.append(kSlash)) state.asked.append(argument);
}

void read_command(Context& context, State& state, const Payload& payload, WireText line) {
  WireText argument = without_interrupts(line);
  const WireText verb = take_word(argument);
  const Command* command = find_command(verb);
  if (command == nullptr) {
    state.topic = Topic::kOther;
    return;
  }
  state.topic = command->topic;
  context.set(kCommands, command->name);
  context.set(kCommand, command->name);
  if (state.topic == Topic::kPassword || argument.empty()) return;
  context.set(kArgument, argument);
  switch (state.topic) {
    case Topic::kUser:
      context.set(kUser, argument);
      break;
    case Topic::kFile:
      context.set(kFiles, argument);
      break;
    case Topic::kDirectory:
      ask_directory(state, argument);
      break;
    case Topic::kPort:
      announce_numbers(context, "active", argument);
      break;
    case Topic::kExtendedPort:
      announce_extended(context, "active", argument, address_of_sender(payload));
      break;
    default:
      break;
  }
}

// `257 "/home/ann" is the current directory`. False when the reply names none.
bool read_directory(Context& context, State& state, WireText text) {
  if (text.empty() || text.front() != '"') return false;
  WireText rest = text.subspan(1);
  const WireText directory = take_until(rest, '"');
  if (directory.empty()) return false;
  context.set(kDirectory, directory);
  state.directory = {};
  state.directory.append(directory);
  return true;
}

// CWD was done. Many servers say where to, like PWD.
void change_directory(Context& context, State& state, WireText text) {
  if (read_directory(context, state, text)) return;
  state.directory = state.asked;
  if (state.asked.size > 0) context.set(kDirectory, state.directory.text());
}

// "150 Opening BINARY mode data connection for report.pdf (1234 bytes)."
void read_size_in_text(Context& context, WireText text) {
  const size_t end = find_ignoring_case(text, " bytes)");
  const size_t begin = find_byte(text, '(');
  if (end == kNotFound || begin == kNotFound || begin > end) return;
  uint64_t size = 0;
  if (read_decimal(text.subspan(begin + 1, end - begin - 1), INT64_MAX, size))
    context.set(kFileSize, size);
}

void read_reply(Context& context, State& state, const Payload& payload, const ReplyLine& reply) {
  context.set(kReplyCode, reply.code);
  if (!reply.text.empty()) context.set(kReply, reply.text);
  uint64_t size = 0;
  switch (reply.code) {
    case 125:
    case 150:
      read_size_in_text(context, reply.text);
      break;
    case 213:
      if (state.topic == Topic::kSize && read_decimal(reply.text, INT64_MAX, size))
        context.set(kFileSize, size);
      break;
    case 215:
      if (state.topic == Topic::kSystem) context.set(kSystem, reply.text);
      break;
    case 226:
      context.set(kTransfers, ++state.transfers);
      break;
    case 227:
      // Some servers leave out the parentheses.
      announce_numbers(context, "passive", reply.text);
      break;
    case 229: {
      WireText rest = reply.text;
      take_until(rest, '(');
      announce_extended(context, "passive", rest, address_of_sender(payload));
      break;
    }
    case 250:
      if (state.topic == Topic::kUp) state.asked = {};
      if (state.topic == Topic::kDirectory || state.topic == Topic::kUp)
        change_directory(context, state, reply.text);
      if (state.topic == Topic::kFile) context.set(kTransfers, ++state.transfers);
      break;
    case 257:
      if (state.topic == Topic::kWhere) read_directory(context, state, reply.text);
      break;
    default:
      break;
  }
}

Parse parse_client(Context& context, State& state, const Payload& payload) {
  LineSearch& search = state.lines[static_cast<size_t>(payload.side)];
  WireText rest = payload.bytes;
  WireText line;
  while (search.take_line(rest, kLineSizeMax, line)) {
    read_command(context, state, payload, line);
    context.end_message();
  }
  const size_t consumed = payload.bytes.size() - rest.size();
  return consumed == 0 ? Parse::need(rest.size() + 1) : Parse::next(consumed);
}

// A reply of several lines ends with the line that has its code and a blank (RFC 959, 4.2).
Parse parse_server(Context& context, State& state, const Payload& payload) {
  LineSearch& search = state.lines[static_cast<size_t>(payload.side)];
  WireText rest = payload.bytes;
  WireText line;
  while (search.take_line(rest, kLineSizeMax, line)) {
    const ReplyLine reply = read_reply_line(line);
    if (reply.code == 220 && !state.is_greeted && !reply.text.empty()) {
      context.set(kGreeting, reply.text);
      state.is_greeted = true;
    }
    if (reply.code == 0 ||
        (state.continued != 0 && (reply.code != state.continued || !reply.is_last)))
      continue;
    state.continued = reply.is_last ? 0 : reply.code;
    if (!reply.is_last) continue;
    read_reply(context, state, payload, reply);
    context.end_message();
    if (state.topic == Topic::kTls && reply.code == 234) {
      context.set(kTls, true);
      return Parse::upgrade("tls", payload.bytes.size() - rest.size());
    }
  }
  const size_t consumed = payload.bytes.size() - rest.size();
  return consumed == 0 ? Parse::need(rest.size() + 1) : Parse::next(consumed);
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  if (!state.is_begun) {
    state.is_begun = true;
    // A capture that begins in the middle may have taken the server for the initiator.
    state.server = begins_with_reply(payload.bytes) ? payload.side : other(payload.side);
  }
  if (payload.gap_before) {
    state.lines[static_cast<size_t>(payload.side)].skip_to_next();
    if (payload.side == state.server) state.continued = 0;
  }
  return payload.side == state.server ? parse_server(context, state, payload)
                                      : parse_client(context, state, payload);
}

constexpr uint16_t kPorts[] = {21, 2121};

}  // namespace

extern const Protocol kFtp{
    .name = "ftp",
    .help = "File Transfer Protocol: the control connection, with commands and replies.",
    .transports = kOverTcp,
    .ports = kPorts,
    .attributes = kAttributes,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(State),
    .every_message = true,
};

}  // namespace weir

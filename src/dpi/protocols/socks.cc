// SPDX-License-Identifier: Apache-2.0
//
// SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): a client asks a proxy for a connection, and what it says on
// it afterwards is another protocol's: the flow is that one's, carried by SOCKS. A flow whose rider
// nobody knows stays SOCKS.
//
//   4    request    04 command port(2) address(4) user… 00 [4a, address 0.0.0.x: host… 00]
//        reply      00 status port(2) address(4)
//   5    greeting   05 count methods…                   choice   05 method
//        user       01 size name… size password…        answer   01 status
//        request    05 command 00 type address port(2)  reply    05 status 00 type address port(2)
//        address    type 1: 4 bytes; 3: size and name; 4: 16 bytes
//
// Few bytes and common ones: the probe wants the client's greeting with nothing wrong in it and then
// either the proxy's answer or the client's whole request. Passwords are skipped.

#include <algorithm>
#include <array>

#include "dpi/wire_text.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr std::array<uint16_t, 3> kPorts = {1080, 1081, 9050};
constexpr uint8_t kVersion4 = 4;
constexpr uint8_t kVersion5 = 5;
constexpr uint8_t kUserVersion = 1;  // of the user name sub-negotiation
constexpr size_t kNameSizeMax = 255;
constexpr size_t kMethodCountMax = 16;  // in a greeting that is believed; 10 are registered
constexpr size_t kReply4Size = 8;

constexpr uint8_t kMethodNone = 0;
constexpr uint8_t kMethodGssapi = 1;
constexpr uint8_t kMethodUser = 2;
constexpr uint8_t kMethodRefused = 0xff;

constexpr uint8_t kCommandBind = 2;
constexpr uint8_t kCommandAssociate = 3;
constexpr uint8_t kGranted4 = 90;

enum : uint8_t {
  kVersion,
  kAuthMethods,
  kAuthMethod,
  kAuthStatus,
  kUser,
  kCommand,
  kRequestName,
  kRequestAddress,
  kRequestPort,
  kStatus,
  kBoundName,
  kBoundAddress,
  kBoundPort,
};

constexpr Attribute kAttributes[] = {
    {"socks.version", FieldType::kU8, kVersion, Keep::kFirst, "Version: 4 or 5."},
    {"socks.auth_methods", FieldType::kString, kAuthMethods, Keep::kList,
     "Ways to prove who it is that the client offers."},
    {"socks.auth_method", FieldType::kString, kAuthMethod, Keep::kFirst, "Way the proxy chose."},
    {"socks.auth_success", FieldType::kBool, kAuthStatus, Keep::kFirst,
     "Whether the proxy accepted user name and password."},
    {"socks.user", FieldType::kString, kUser, Keep::kFirst, "User name; the password is not read."},
    {"socks.command", FieldType::kString, kCommand, Keep::kFirst,
     "What the client wants: connect, bind or udp_associate."},
    {"socks.request_name", FieldType::kString, kRequestName, Keep::kFirst,
     "Host the client wants to reach, by name.", Unit::kNone, true},
    {"socks.request_address", FieldType::kAddress, kRequestAddress, Keep::kFirst,
     "Host the client wants to reach, by address."},
    {"socks.request_port", FieldType::kU16, kRequestPort, Keep::kFirst,
     "Port the client wants to reach."},
    {"socks.status", FieldType::kString, kStatus, Keep::kFirst, "What the proxy answered."},
    {"socks.bound_name", FieldType::kString, kBoundName, Keep::kFirst,
     "Name the proxy uses for the connection."},
    {"socks.bound_address", FieldType::kAddress, kBoundAddress, Keep::kFirst,
     "Address the proxy uses for the connection."},
    {"socks.bound_port", FieldType::kU16, kBoundPort, Keep::kFirst,
     "Port the proxy uses for the connection."},
};

constexpr std::array<std::string_view, 3> kCommands = {"connect", "bind", "udp_associate"};
constexpr std::array<std::string_view, 10> kMethods = {"none",
                                                       "gssapi",
                                                       "username_password",
                                                       "chap",
                                                       "unassigned",
                                                       "challenge_response",
                                                       "ssl",
                                                       "nds",
                                                       "multi_authentication",
                                                       "json_parameter_block"};
constexpr std::array<std::string_view, 4> kStatuses4 = {"succeeded", "failed", "no_identd",
                                                        "identd_mismatch"};
constexpr std::array<std::string_view, 9> kStatuses5 = {
    "succeeded",           "general_failure",     "not_allowed",
    "network_unreachable", "host_unreachable",    "connection_refused",
    "ttl_expired",         "command_unsupported", "address_type_unsupported"};

template <size_t kSize>
std::string_view name_of(const std::array<std::string_view, kSize>& names, size_t index) {
  return index < kSize ? names[index] : std::string_view("unknown");
}

std::string_view method_name(uint8_t method) {
  if (method == kMethodRefused) return "refused";
  return method >= 0x80 ? std::string_view("private") : name_of(kMethods, method);
}

// --- Messages ---

// What reading a message gave. Only a complete one has a size.
enum class Reading : uint8_t { kWrong, kIncomplete, kComplete };

struct Address {
  std::span<const uint8_t> address;  // 4 or 16 bytes, or
  WireText name;
  uint16_t port = 0;
};

// Text up to a zero byte, which is skipped. False when there is no zero: `is_wrong` when there will be
// none.
bool read_text(ByteReader& reader, WireText& text, bool& is_wrong) {
  const WireText rest =
      reader.prefix(kNameSizeMax + 1).bytes(std::min(reader.remaining(), kNameSizeMax + 1));
  const size_t size = find_byte(rest, 0);
  const WireText shown = rest.first(size == kNotFound ? rest.size() : size);
  is_wrong =
      std::ranges::any_of(shown, is_control) || (size == kNotFound && rest.size() > kNameSizeMax);
  if (is_wrong || size == kNotFound) return false;
  text = reader.bytes(size);
  reader.skip(1);
  return true;
}

struct Request4 {
  uint8_t command = 0;
  Address address;
  WireText user;
};

Reading read_request4(ByteReader& reader, Request4& request) {
  const uint8_t version = reader.u8();
  request.command = reader.u8();
  request.address.port = reader.be16();
  request.address.address = reader.bytes(4);
  if (reader.ok() && (version != kVersion4 || request.command == 0 || request.command > 2))
    return Reading::kWrong;
  if (!reader.ok()) return Reading::kIncomplete;
  bool is_wrong = false;
  if (!read_text(reader, request.user, is_wrong))
    return is_wrong ? Reading::kWrong : Reading::kIncomplete;
  const std::span<const uint8_t> ip = request.address.address;
  const bool is_named = ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] != 0;
  if (is_named) {
    if (!read_text(reader, request.address.name, is_wrong))
      return is_wrong ? Reading::kWrong : Reading::kIncomplete;
    request.address.address = {};
  }
  return Reading::kComplete;
}

// A name in a request or reply of version 5: what a resolver would be asked for.
bool is_host_name(WireText name) {
  return !name.empty() &&
         std::ranges::none_of(name, [](uint8_t byte) { return byte <= ' ' || byte >= 0x7f; });
}

// Requests and replies of version 5 are alike; `code` is the command or the status.
Reading read_message5(ByteReader& reader, uint8_t& code, Address& address) {
  const uint8_t version = reader.u8();
  code = reader.u8();
  const uint8_t reserved = reader.u8();
  const uint8_t type = reader.u8();
  if (!reader.ok()) return Reading::kIncomplete;
  if (version != kVersion5 || reserved != 0) return Reading::kWrong;
  if (type == 1) {
    address.address = reader.bytes(4);
  } else if (type == 4) {
    address.address = reader.bytes(16);
  } else if (type == 3) {
    address.name = reader.bytes(reader.u8());
    if (reader.ok() && !address.name.empty() && !is_host_name(address.name)) return Reading::kWrong;
  } else {
    return Reading::kWrong;
  }
  address.port = reader.be16();
  return reader.ok() ? Reading::kComplete : Reading::kIncomplete;
}

Reading read_greeting(ByteReader& reader, std::span<const uint8_t>& methods) {
  const uint8_t version = reader.u8();
  const uint8_t count = reader.u8();
  if (!reader.ok()) return Reading::kIncomplete;
  if (version != kVersion5 || count == 0 || count > kMethodCountMax) return Reading::kWrong;
  methods = reader.bytes(count);
  return reader.ok() ? Reading::kComplete : Reading::kIncomplete;
}

// User name and password. The password is only skipped.
Reading read_user(ByteReader& reader, WireText& user) {
  const uint8_t version = reader.u8();
  if (!reader.ok()) return Reading::kIncomplete;
  if (version != kUserVersion) return Reading::kWrong;
  user = reader.bytes(reader.u8());
  reader.skip(reader.u8());
  return reader.ok() ? Reading::kComplete : Reading::kIncomplete;
}

// --- Probe ---

// No method twice: six random bytes are seldom so.
bool are_different(std::span<const uint8_t> methods) {
  for (size_t index = 0; index < methods.size(); ++index)
    if (std::ranges::count(methods, methods[index]) > 1) return false;
  return true;
}

Probe probe_client4(const Payload& payload) {
  ByteReader reader(payload.bytes);
  Request4 request;
  const Reading reading = read_request4(reader, request);
  if (reading == Reading::kWrong) return Probe::no();
  if (reading == Reading::kIncomplete)
    return Probe::more(static_cast<uint32_t>(payload.bytes.size()) + 1);
  if (request.address.port == 0 && request.command == 1) return Probe::no();
  if (!request.address.name.empty() && !is_host_name(request.address.name)) return Probe::no();
  // Named hosts are convincing. Else the proxy has to agree.
  return request.address.name.empty() ? Probe::maybe() : Probe::likely();
}

Probe probe_client5(const Payload& payload) {
  ByteReader reader(payload.bytes);
  const auto answer_incomplete = [&] {
    return Probe::more(static_cast<uint32_t>(payload.bytes.size()) + 1);
  };
  std::span<const uint8_t> methods;
  const Reading greeting = read_greeting(reader, methods);
  if (greeting == Reading::kIncomplete) return answer_incomplete();
  if (greeting == Reading::kWrong || !are_different(methods)) return Probe::no();
  if (std::ranges::any_of(methods, [](uint8_t method) { return method == kMethodRefused; }))
    return Probe::no();
  if (reader.remaining() == 0) return Probe::maybe();

  const uint8_t next = ByteReader(reader).u8();
  if (next == kUserVersion) {
    if (std::ranges::find(methods, kMethodGssapi) != methods.end() &&
        std::ranges::find(methods, kMethodUser) == methods.end())
      return Probe::maybe();  // tokens: the proxy's choice decides
    WireText user;
    if (read_user(reader, user) == Reading::kIncomplete) return answer_incomplete();
    if (reader.remaining() == 0) return Probe::maybe();
  }
  uint8_t command = 0;
  Address address;
  switch (read_message5(reader, command, address)) {
    case Reading::kWrong:
      return Probe::no();
    case Reading::kIncomplete:
      return answer_incomplete();
    case Reading::kComplete:
      break;
  }
  return command >= 1 && command <= kCommands.size() ? Probe::yes() : Probe::no();
}

// Who answers was asked: a flow whose client said anything else has been refused before, and what the
// client's version was is in the notes.
Probe probe_proxy(const Payload& payload) {
  ByteReader reader(payload.bytes);
  const uint8_t version = reader.u8();
  const uint8_t code = reader.u8();
  if (!reader.ok()) return version == kVersion5 || version == 0 ? Probe::more(2) : Probe::no();
  if (version == kVersion5) {
    if (reader.remaining() == 0)
      return code < kMethods.size() || code == kMethodRefused ? Probe::yes() : Probe::no();
    // The choice and what follows it, in one segment.
    if (ByteReader(reader).u8() == kUserVersion) return Probe::maybe();
    uint8_t status = 0;
    Address address;
    const Reading reading = read_message5(reader, status, address);
    if (reading == Reading::kWrong || status >= kStatuses5.size()) return Probe::no();
    return code == kMethodNone && reading == Reading::kComplete ? Probe::yes() : Probe::maybe();
  }
  const bool is_reply4 = version == 0 && code >= kGranted4 && code < kGranted4 + kStatuses4.size();
  if (!is_reply4) return Probe::no();
  if (payload.bytes.size() < kReply4Size) return Probe::more(kReply4Size);
  return payload.bytes.size() == kReply4Size ? Probe::yes() : Probe::maybe();
}

// In the middle of a stream only a request for a named host is more than a few bytes of anything.
Probe probe_midstream(const Payload& payload) {
  ByteReader reader(payload.bytes);
  uint8_t command = 0;
  Address address;
  const bool is_request = read_message5(reader, command, address) == Reading::kComplete &&
                          reader.remaining() == 0 && command == 1 && address.port != 0;
  const bool has_dot = find_byte(address.name, '.') != kNotFound;
  return is_request && has_dot ? Probe::likely() : Probe::no();
}

Probe probe(const Payload& payload) {
  if (payload.bytes.empty()) return Probe::maybe();
  if (payload.is_midstream) return probe_midstream(payload);
  const uint8_t first = payload.bytes.front();
  const bool has_notes = !payload.notes.empty();
  if (!payload.from_initiator()) {
    const Probe answer = probe_proxy(payload);
    const uint8_t version = first == kVersion5 ? kVersion5 : kVersion4;
    const bool is_unasked = has_notes && payload.notes.front() != version;
    return answer.answer == Probe::Answer::kYes && is_unasked ? Probe::maybe() : answer;
  }
  if (first != kVersion4 && first != kVersion5) return Probe::no();
  if (has_notes) payload.notes.front() = first;
  return first == kVersion4 ? probe_client4(payload) : probe_client5(payload);
}

// --- Parse ---

enum class Phase : uint8_t {
  kBegin,    // greeting or choice; a message of version 4
  kMessage,  // user name or request, or the answers to them
  kRider,    // what is carried
};

struct State {
  std::array<Phase, 2> phases;
  uint8_t version;
  uint8_t method;
  uint8_t command;
  bool has_reply;  // the first of two, of bind
};

void set_address(Context& context, const Address& address, uint8_t name_index,
                 uint8_t address_index, uint8_t port_index) {
  if (!address.address.empty()) context.set(address_index, address.address);
  if (!address.name.empty()) context.set(name_index, address.name);
  context.set(port_index, address.port);
}

Parse wait(const Payload& payload) {
  return payload.bytes.size() < kAssemblySizeMax ? Parse::need(payload.bytes.size() + 1)
                                                 : Parse::error("no_reply");
}

Parse unfinished(Reading reading, const Payload& payload) {
  return reading == Reading::kIncomplete ? wait(payload) : Parse::error("bad_message");
}

size_t consumed(const Payload& payload, const ByteReader& reader) {
  return payload.bytes.size() - reader.remaining();
}

void set_request(Context& context, State& state, uint8_t command, const Address& address) {
  state.command = command;
  context.set(kCommand, name_of(kCommands, command - 1u));
  set_address(context, address, kRequestName, kRequestAddress, kRequestPort);
}

Parse parse_greeting(Context& context, State& state, const Payload& payload) {
  ByteReader reader(payload.bytes);
  std::span<const uint8_t> methods;
  const Reading reading = read_greeting(reader, methods);
  if (reading != Reading::kComplete) return unfinished(reading, payload);
  state.version = kVersion5;
  context.set(kVersion, kVersion5);
  for (const uint8_t method : methods) context.set(kAuthMethods, method_name(method));
  context.end_message();
  state.phases[0] = Phase::kMessage;
  return Parse::next(consumed(payload, reader));
}

Parse parse_client4(Context& context, State& state, const Payload& payload) {
  ByteReader reader(payload.bytes);
  Request4 request;
  const Reading reading = read_request4(reader, request);
  if (reading != Reading::kComplete) return unfinished(reading, payload);
  state.version = kVersion4;
  context.set(kVersion, kVersion4);
  if (!request.user.empty()) context.set(kUser, request.user);
  set_request(context, state, request.command, request.address);
  context.end_message();
  state.phases[0] = Phase::kRider;
  return Parse::next(consumed(payload, reader));
}

Parse parse_client5(Context& context, State& state, const Payload& payload) {
  ByteReader reader(payload.bytes);
  if (payload.bytes.front() == kUserVersion) {
    // Tokens of GSSAPI begin like a user name, and what follows them may be encrypted.
    if (state.method == kMethodGssapi) return Parse::done();
    WireText user;
    const Reading reading = read_user(reader, user);
    if (reading != Reading::kComplete) return unfinished(reading, payload);
    context.set(kUser, user);
    context.end_message();
    return Parse::next(consumed(payload, reader));
  }
  uint8_t command = 0;
  Address address;
  const Reading reading = read_message5(reader, command, address);
  if (reading != Reading::kComplete) return unfinished(reading, payload);
  context.set(kVersion, kVersion5);
  if (command == 0) return Parse::error("bad_command");
  set_request(context, state, command, address);
  context.end_message();
  state.phases[0] = Phase::kRider;
  return Parse::next(consumed(payload, reader));
}

// What follows an answer of success is the rider's, but for the first of the two of bind.
Parse after_reply(Context& context, State& state, bool is_granted, size_t size) {
  context.end_message();
  if (!is_granted || state.command == kCommandAssociate) return Parse::done();
  if (state.command == kCommandBind && !state.has_reply) {
    state.has_reply = true;
    return Parse::next(size);
  }
  return Parse::carry("", size);
}

Parse parse_proxy4(Context& context, State& state, const Payload& payload) {
  ByteReader reader(payload.bytes);
  Address address;
  const uint8_t version = reader.u8();
  const uint8_t status = reader.u8();
  address.port = reader.be16();
  address.address = reader.bytes(4);
  if (!reader.ok()) return wait(payload);
  if (version != 0 || status < kGranted4) return Parse::error("bad_message");
  context.set(kVersion, kVersion4);
  context.set(kStatus, name_of(kStatuses4, status - size_t{kGranted4}));
  set_address(context, address, kBoundName, kBoundAddress, kBoundPort);
  return after_reply(context, state, status == kGranted4, consumed(payload, reader));
}

Parse parse_choice(Context& context, State& state, const Payload& payload) {
  ByteReader reader(payload.bytes);
  reader.skip(1);
  state.method = reader.u8();
  if (!reader.ok()) return wait(payload);
  context.set(kVersion, kVersion5);
  context.set(kAuthMethod, method_name(state.method));
  context.end_message();
  if (state.method == kMethodRefused || state.method == kMethodGssapi) return Parse::done();
  state.phases[1] = Phase::kMessage;
  return Parse::next(consumed(payload, reader));
}

Parse parse_proxy5(Context& context, State& state, const Payload& payload) {
  ByteReader reader(payload.bytes);
  if (payload.bytes.front() == kUserVersion) {
    reader.skip(1);
    const uint8_t status = reader.u8();
    if (!reader.ok()) return wait(payload);
    context.set(kAuthStatus, status == 0);
    context.end_message();
    return status == 0 ? Parse::next(consumed(payload, reader)) : Parse::done();
  }
  uint8_t status = 0;
  Address address;
  const Reading reading = read_message5(reader, status, address);
  if (reading != Reading::kComplete) return unfinished(reading, payload);
  context.set(kStatus, name_of(kStatuses5, status));
  set_address(context, address, kBoundName, kBoundAddress, kBoundPort);
  return after_reply(context, state, status == 0, consumed(payload, reader));
}

Parse parse(Context& context, const Payload& payload) {
  State& state = context.state<State>();
  if (payload.bytes.empty()) return Parse::need(1);
  if (payload.gap_before && payload.offset > 0) return Parse::done();
  const Phase phase = state.phases[static_cast<size_t>(payload.side)];
  const uint8_t first = payload.bytes.front();
  if (payload.from_initiator()) {
    if (phase == Phase::kRider) return wait(payload);  // the proxy's answer comes first
    if (phase == Phase::kMessage || payload.is_midstream)
      return parse_client5(context, state, payload);
    return first == kVersion4 ? parse_client4(context, state, payload)
                              : parse_greeting(context, state, payload);
  }
  if (phase == Phase::kMessage || payload.is_midstream)
    return parse_proxy5(context, state, payload);
  return first == kVersion5 ? parse_choice(context, state, payload)
                            : parse_proxy4(context, state, payload);
}

}  // namespace

extern const Protocol kSocks{
    .name = "socks",
    .help = "SOCKS 4, 4a and 5: connections through a proxy.",
    .transports = kOverTcp,
    .ports = kPorts,
    .attributes = kAttributes,
    .size_min = 2,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(State),
    .keeps_notes = true,
};

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Traffic for tests of the library: packets of DNS and TLS that say something, and how to feed them.
//
// Threads: pure functions, but for the handler that is fed.
#pragma once

#include <cstdint>
#include <string_view>

#include "dpi/protocols/hello_samples.h"
#include "tests/support/packet_builder.h"
#include "weir/handler.h"

namespace weir::test {

inline constexpr int64_t kFeedStartNs = 1'700'000'000'000'000'000;
inline constexpr const char* kClientAddress = "192.0.2.1";
inline constexpr const char* kServerAddress = "192.0.2.53";

inline Verdict feed(Handler& handler, double second, const PacketBuilder& builder) {
  const Bytes bytes = builder.bytes();
  Frame frame;
  frame.data = bytes.data();
  frame.captured_size = frame.wire_size = static_cast<uint32_t>(bytes.size());
  frame.link_type = builder.link_type();
  frame.ts_ns = kFeedStartNs + static_cast<int64_t>(second * 1e9);
  return handler.process(frame);
}

inline PacketBuilder from_client(uint16_t client_port = 40000, uint16_t server_port = 53) {
  return ethernet().ipv4(kClientAddress, kServerAddress).udp(client_port, server_port);
}
inline PacketBuilder from_server(uint16_t client_port = 40000, uint16_t server_port = 53) {
  return ethernet().ipv4(kServerAddress, kClientAddress, {.ttl = 55}).udp(server_port, client_port);
}

// A DNS message with one question of type A (RFC 1035, section 4).
inline PayloadBytes dns_message(std::string_view name, uint16_t flags, uint16_t answer_count) {
  PayloadBytes bytes = numbers({0x1234, flags, 1, answer_count, 0, 0});
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    bytes = bytes + sized(1, payload_of(label));
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return bytes + PayloadBytes{0} + numbers({1, 1});
}
inline PayloadBytes dns_query(std::string_view name) {
  return dns_message(name, 0x0100, 0);
}
// With `answer_count` addresses 192.0.2.80, .81, …
inline PayloadBytes dns_answer(std::string_view name, uint8_t answer_count = 1) {
  PayloadBytes bytes = dns_message(name, 0x8180, answer_count);
  for (uint8_t answer = 0; answer < answer_count; ++answer) {
    bytes = bytes + numbers({0xc00c, 1, 1, 0, 300}) +
            sized(2, PayloadBytes{192, 0, 2, static_cast<uint8_t>(80 + answer)});
  }
  return bytes;
}
inline PayloadBytes dns_refusal(std::string_view name) {
  return dns_message(name, 0x8183, 0);  // NXDOMAIN
}

// A ClientHello with this server name, or without one.
inline PayloadBytes hello_for(std::string_view server_name) {
  HelloOptions options;
  if (!server_name.empty()) options.extensions = server_name_extension(server_name);
  return record(22, client_hello(options));
}
inline PacketBuilder hello_packet(std::string_view server_name, uint16_t client_port = 41000,
                                  uint32_t seq = 1) {
  return ethernet()
      .ipv4(kClientAddress, kServerAddress)
      .tcp(client_port, 443, {.flags = 0x18, .seq = seq, .window = 4242})
      .payload(hello_for(server_name));
}

}  // namespace weir::test

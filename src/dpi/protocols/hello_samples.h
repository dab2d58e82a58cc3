// SPDX-License-Identifier: Apache-2.0
//
// Hellos, records and a certificate for the tests of TLS and QUIC.
//
// Threads: pure functions.
#pragma once

#include <initializer_list>
#include <string_view>

#include "dpi/protocol_run.h"

namespace weir::test {

inline PayloadBytes operator+(PayloadBytes first, const PayloadBytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}
inline PayloadBytes big_endian(size_t value, size_t size) {
  PayloadBytes bytes;
  while (size > 0) bytes.push_back(static_cast<uint8_t>(value >> (8 * --size)));
  return bytes;
}
// `content` with its size in `size` bytes in front.
inline PayloadBytes sized(size_t size, const PayloadBytes& content) {
  return big_endian(content.size(), size) + content;
}
inline PayloadBytes numbers(std::initializer_list<uint16_t> list) {
  PayloadBytes bytes;
  for (const uint16_t number : list) bytes = bytes + big_endian(number, 2);
  return bytes;
}
inline PayloadBytes extension(uint16_t type, const PayloadBytes& content) {
  return big_endian(type, 2) + sized(2, content);
}
inline PayloadBytes server_name_extension(std::string_view name) {
  return extension(0, sized(2, PayloadBytes{0} + sized(2, payload_of(name))));
}
inline PayloadBytes alpn_extension(std::initializer_list<std::string_view> names) {
  PayloadBytes list;
  for (const std::string_view name : names) list = list + sized(1, payload_of(name));
  return extension(16, sized(2, list));
}

inline PayloadBytes handshake(uint8_t type, const PayloadBytes& body) {
  return PayloadBytes{type} + sized(3, body);
}
inline PayloadBytes record(uint8_t type, const PayloadBytes& content, uint16_t version = 0x0301) {
  return PayloadBytes{type} + big_endian(version, 2) + sized(2, content);
}

struct HelloOptions {
  uint16_t version = 0x0303;
  PayloadBytes session_id = PayloadBytes(32, 0x77);
  PayloadBytes ciphers = numbers({0x1a1a, 0x1301, 0x1302, 0xc02b, 0x009c});
  PayloadBytes extensions = {};
};
inline PayloadBytes client_hello(const HelloOptions& options) {
  return handshake(1, big_endian(options.version, 2) + PayloadBytes(32, 0x11) +
                          sized(1, options.session_id) + sized(2, options.ciphers) +
                          PayloadBytes{1, 0} + sized(2, options.extensions));
}
// What a browser would send: with GREASE, and a post-quantum group.
inline PayloadBytes browser_extensions() {
  return extension(0x2a2a, {}) + server_name_extension("www.server.example") + extension(23, {}) +
         extension(10, sized(2, numbers({0x3a3a, 0x11ec, 0x001d, 0x0017, 0x0018}))) +
         extension(11, {1, 0}) + alpn_extension({"h2", "http/1.1"}) +
         extension(13, sized(2, numbers({0x0403, 0x0804, 0x0401}))) +
         extension(43, sized(1, numbers({0x5a5a, 0x0304, 0x0303}))) + extension(0xfe0d, {0, 1});
}

inline PayloadBytes server_hello(uint16_t cipher, const PayloadBytes& extensions,
                                 const PayloadBytes& session_id = {}, uint16_t version = 0x0303) {
  return handshake(2, big_endian(version, 2) + PayloadBytes(32, 0x22) + sized(1, session_id) +
                          big_endian(cipher, 2) + PayloadBytes{0} + sized(2, extensions));
}

// CN=server.example,O=Example\, Inc.,C=DE, self-signed, with five alternative names.
inline PayloadBytes certificate() {
  return from_hex(
      "30820219308201bfa00302010202080123456789abcdef300a06082a8648ce3d040302303e310b3009060355"
      "04061302444531163014060355040a0c0d4578616d706c652c20496e632e3117301506035504030c0e736572"
      "7665722e6578616d706c65301e170d3236313132303136303535325a170d3336313131373136303535325a30"
      "3e310b300906035504061302444531163014060355040a0c0d4578616d706c652c20496e632e311730150603"
      "5504030c0e7365727665722e6578616d706c653059301306072a8648ce3d020106082a8648ce3d0301070342"
      "00042aad321d64fc634dc0822c7bb3e616e5acc981ae9ec3fd69d07b4ca84279f71e85bb82a52465d8c30dae"
      "2c09662b62ce6b2659a0b559124a85ea07a34875661ca381a63081a3301d0603551d0e0416041469212f2f20"
      "7ed78b4ea41fd242613c427ac4c7c5301f0603551d2304183016801469212f2f207ed78b4ea41fd242613c42"
      "7ac4c7c5300f0603551d130101ff040530030101ff30500603551d1104493047820e7365727665722e657861"
      "6d706c6582102a2e7365727665722e6578616d706c658704c0000201871020010db800000000000000000000"
      "0001810b6140622e6578616d706c65300a06082a8648ce3d040302034800304502210091ef6bc2b6288237fe"
      "03ab4424ff7fc6be38aabfa2ff5e5e3ae2108744096e9c0220754415f6037c988ec8c9bf867efc2f78bfa322"
      "1c461a2e95c978c2a11bd4402b");
}
inline PayloadBytes certificate_message() {
  // A second one behind it, which nobody looks at.
  return handshake(11, sized(3, sized(3, certificate()) + sized(3, PayloadBytes(900, 0x30))));
}

}  // namespace weir::test

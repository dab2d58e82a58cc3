// SPDX-License-Identifier: Apache-2.0
//
// QUIC: keys by the vectors of RFC 9001 and 9369; hellos in one packet and in many; Retry, version
// negotiation, connections whose begin is missing; and Google's older versions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>

#include "dpi/protocols/hello_samples.h"
#include "dpi/protocols/quic_initial.h"

namespace weir {
namespace {

using namespace test;  // the builders of hello_samples.h

constexpr Side kClient = Side::kInitiator;
constexpr Side kServer = Side::kResponder;
constexpr uint32_t kVersion1 = 1;
constexpr uint32_t kVersion2 = 0x6b3343cf;

const PayloadBytes kDcid = from_hex("8394c8f03e515708");
const PayloadBytes kServerId = from_hex("f067a5502a4262b5");

std::string hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

PayloadBytes varint(size_t value) {
  return value < 64 ? PayloadBytes{static_cast<uint8_t>(value)} : big_endian(0x4000 | value, 2);
}
PayloadBytes crypto(size_t offset, const PayloadBytes& bytes) {
  return PayloadBytes{6} + varint(offset) + varint(bytes.size()) + bytes;
}

struct Sealing {
  uint32_t version = kVersion1;
  PayloadBytes key_id = kDcid;  // what the keys follow from
  PayloadBytes dcid = kDcid;
  PayloadBytes scid = {};
  bool is_server = false;
  PayloadBytes token = {};
  uint8_t number = 0;
  size_t padded_size = 1200;  // of the datagram
};

// An Initial packet, sealed by OpenSSL; the keys have tests of their own.
PayloadBytes initial(const Sealing& sealing, PayloadBytes frames) {
  const bool is_2 = sealing.version == kVersion2;
  PayloadBytes header{static_cast<uint8_t>(is_2 ? 0xd0 : 0xc0)};
  header = header + big_endian(sealing.version, 4) + sized(1, sealing.dcid) +
           sized(1, sealing.scid) + varint(sealing.token.size()) + sealing.token;
  const size_t overhead = header.size() + 2 + 1 + kQuicTagSize;
  if (frames.size() + overhead < sealing.padded_size) frames.resize(sealing.padded_size - overhead);
  header = header + big_endian(0x4000 | (1 + frames.size() + kQuicTagSize), 2);
  const size_t number_offset = header.size();
  header.push_back(sealing.number);

  QuicKeys keys;
  // Reserved versions have no keys of their own.
  QuicVersion version = quic_version(sealing.version);
  EXPECT_TRUE(derive_quic_keys(version, sealing.key_id, sealing.is_server, keys));
  auto nonce = keys.iv;
  nonce.back() ^= sealing.number;
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free);
  PayloadBytes sealed(frames.size() + kQuicTagSize);
  int size = 0;
  EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, keys.key.data(), nonce.data());
  EVP_EncryptUpdate(context.get(), nullptr, &size, header.data(), static_cast<int>(header.size()));
  EVP_EncryptUpdate(context.get(), sealed.data(), &size, frames.data(),
                    static_cast<int>(frames.size()));
  EVP_EncryptFinal_ex(context.get(), sealed.data() + size, &size);
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kQuicTagSize,
                      sealed.data() + frames.size());
  std::array<uint8_t, 32> mask;
  EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, keys.header_key.data(), nullptr);
  EVP_EncryptUpdate(context.get(), mask.data(), &size, sealed.data() + 3, 16);
  header[0] = static_cast<uint8_t>(header[0] ^ (mask[0] & 0x0f));
  header[number_offset] = static_cast<uint8_t>(header[number_offset] ^ mask[1]);
  return header + sealed;
}

PayloadBytes browser_hello() {
  const PayloadBytes user_agent = payload_of("Chrome/118");
  return client_hello(
      {.session_id = {},
       .extensions =
           browser_extensions() + extension(57, PayloadBytes{1, 1, 30} + PayloadBytes{0x71, 0x29} +
                                                    sized(1, user_agent))});
}
PayloadBytes answer() {
  return server_hello(0x1301, extension(43, big_endian(0x0304, 2)) +
                                  extension(51, big_endian(29, 2) + PayloadBytes(36, 1)));
}
PayloadBytes piece(const PayloadBytes& bytes, size_t begin, size_t end) {
  return PayloadBytes(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                      bytes.begin() + static_cast<std::ptrdiff_t>(std::min(end, bytes.size())));
}

TEST(QuicInitial, KeysOfRfc9001AppendixA) {
  QuicKeys keys;
  ASSERT_TRUE(derive_quic_keys(quic_version(kVersion1), kDcid, false, keys));
  EXPECT_EQ(hex(keys.key), "1f369613dd76d5467730efcbe3b1a22d");
  EXPECT_EQ(hex(keys.iv), "fa044b2f42a3fd3b46fb255c");
  EXPECT_EQ(hex(keys.header_key), "9f50449e04a0e810283a1e9933adedd2");
  ASSERT_TRUE(derive_quic_keys(quic_version(kVersion1), kDcid, true, keys));
  EXPECT_EQ(hex(keys.key), "cf3a5331653c364c88f0f379b6067e37");
  EXPECT_EQ(hex(keys.iv), "0ac1493ca1905853b0bba03e");
  EXPECT_EQ(hex(keys.header_key), "c206b8d9b9f0f37644430b490eeaa314");
}

TEST(QuicInitial, KeysOfRfc9369AppendixA) {
  QuicKeys keys;
  ASSERT_TRUE(derive_quic_keys(quic_version(kVersion2), kDcid, false, keys));
  EXPECT_EQ(hex(keys.key), "8b1a0bc121284290a29e0971b5cd045d");
  EXPECT_EQ(hex(keys.iv), "91f73e2351d8fa91660e909f");
  EXPECT_EQ(hex(keys.header_key), "45b95e15235d6f45a6b19cbcb0294ba9");
}

// The server's Initial packet of RFC 9001, appendix A.3.
TEST(QuicInitial, OpensThePacketOfRfc9001) {
  const PayloadBytes packet = from_hex(
      "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c6979755478"
      "0b"
      "b38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb"
      "19"
      "fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee");
  QuicKeys keys;
  ASSERT_TRUE(derive_quic_keys(quic_version(kVersion1), kDcid, true, keys));
  std::array<uint8_t, 200> out;
  const std::span<const uint8_t> frames = open_quic_packet(keys, packet, 18, false, out);
  EXPECT_TRUE(
      hex(frames).starts_with("02000000000600405a020000560303eefce7f7b37ba1d1632e96677825dd"))
      << hex(frames);
  PayloadBytes damaged = packet;
  damaged.back() ^= 1;
  EXPECT_TRUE(open_quic_packet(keys, damaged, 18, false, out).empty());
  for (size_t size = 0; size < packet.size(); ++size)
    EXPECT_TRUE(open_quic_packet(keys, piece(packet, 0, size), 18, false, out).empty()) << size;
}

TEST(QuicInitial, Versions) {
  const auto name = [](uint32_t number) {
    return std::string(quic_version_name(quic_version(number)).view());
  };
  EXPECT_EQ(name(1), "1");
  EXPECT_EQ(name(kVersion2), "2");
  EXPECT_EQ(name(0xff00001d), "draft-29");
  EXPECT_EQ(name(0xfaceb002), "mvfst-faceb002");
  EXPECT_EQ(name(0x51303530), "Q050");
  EXPECT_EQ(name(0x54303531), "T051");
  EXPECT_EQ(name(0x1a2a3a4a), "0x1a2a3a4a");
  EXPECT_EQ(quic_version(0xff000015).kind, QuicVersion::Kind::kUnknown) << "draft 21";
  EXPECT_EQ(quic_version(0xff000023).kind, QuicVersion::Kind::kUnknown) << "draft 35";
}

TEST(Quic, HandshakeOfBothVersions) {
  for (const uint32_t version : {kVersion1, kVersion2}) {
    ProtocolRun run({.transport = kOverUdp});
    const PayloadBytes scid = from_hex("c0ffee");
    EXPECT_TRUE(
        run.send(kClient, initial({.version = version, .scid = scid}, crypto(0, browser_hello()))));
    EXPECT_EQ(run.app(), "quic");
    EXPECT_EQ(run.confidence(), AppConfidence::kCertain);
    EXPECT_FALSE(run.send(
        kServer, initial({.version = version, .dcid = scid, .scid = kServerId, .is_server = true},
                         from_hex("02 00 00 00 00") + crypto(0, answer()))));
    run.finish();
    EXPECT_EQ(run.attribute("quic.version"), version == kVersion1 ? "1" : "2");
    EXPECT_EQ(run.attribute("quic.sni"), "www.server.example");
    EXPECT_EQ(run.attribute("quic.client_alpns"), "h2 http/1.1");
    EXPECT_EQ(run.attribute("quic.client_version"), "TLSv1.3");
    EXPECT_EQ(run.attribute("quic.user_agent"), "Chrome/118");
    EXPECT_EQ(run.attribute("quic.dcid"), "8394c8f03e515708");
    EXPECT_EQ(run.attribute("quic.scid"), "c0ffee");
    EXPECT_EQ(run.attribute("quic.server_scid"), "f067a5502a4262b5");
    EXPECT_EQ(run.attribute("quic.cipher"), "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(run.attribute("quic.curve"), "x25519");
    EXPECT_TRUE(run.attribute("quic.ja4").starts_with("q13d0409h2_"));
    EXPECT_EQ(run.attribute("quic.ja3").size(), 32u);
    EXPECT_EQ(run.attribute("quic.ja3s").size(), 32u);
  }
}

TEST(Quic, HelloInShuffledPiecesOfTwoPackets) {
  PayloadBytes hello = browser_hello();
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::pair<size_t, size_t>> pieces;
    for (size_t at = 0; at < hello.size();) {
      const size_t end = std::min(hello.size(), at + 8 + random() % 40);
      pieces.emplace_back(at, end);
      at = end;
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    PayloadBytes first, second;
    for (size_t i = 0; i < pieces.size(); ++i) {
      PayloadBytes& packet = i % 2 == 0 ? first : second;
      packet = packet + crypto(pieces[i].first, piece(hello, pieces[i].first, pieces[i].second)) +
               PayloadBytes(random() % 3, random() % 2);
    }
    ProtocolRun run({.transport = kOverUdp});
    run.send(kClient, initial({}, first));
    run.send(kClient, initial({.number = 1}, second));
    run.finish();
    EXPECT_EQ(run.attribute("quic.sni"), "www.server.example");
  }
}

TEST(Quic, PacketsOfOneDatagram) {
  const PayloadBytes hello = browser_hello();
  ProtocolRun run({.transport = kOverUdp});
  run.send(kClient, initial({.padded_size = 0}, crypto(100, piece(hello, 100, hello.size()))) +
                        initial({.number = 1}, crypto(0, piece(hello, 0, 100))));
  run.finish();
  EXPECT_EQ(run.attribute("quic.sni"), "www.server.example");
}

TEST(Quic, AfterARetryTheKeysFollowFromTheServersId) {
  ProtocolRun run({.transport = kOverUdp});
  const PayloadBytes hello = browser_hello();
  run.send(kClient, initial({}, crypto(0, piece(hello, 0, 50))));
  PayloadBytes retry = PayloadBytes{0xf0} + big_endian(kVersion1, 4) + sized(1, {}) +
                       sized(1, kServerId) + PayloadBytes(30, 0x33);
  run.send(kServer, retry);
  run.send(kServer, PayloadBytes{0xf0} + big_endian(kVersion1, 4) + sized(1, {}) + sized(1, kDcid) +
                        PayloadBytes(30, 0x33));
  run.send(kClient,
           initial({.key_id = kServerId, .dcid = kServerId, .token = {1, 2, 3}, .number = 1},
                   crypto(0, hello)));
  run.send(kServer, initial({.key_id = kServerId, .dcid = {}, .scid = kDcid, .is_server = true},
                            crypto(0, answer())));
  run.finish();
  EXPECT_EQ(run.attribute("quic.retry"), "true");
  EXPECT_EQ(run.attribute("quic.sni"), "www.server.example");
  EXPECT_EQ(run.attribute("quic.cipher"), "TLS_AES_128_GCM_SHA256");
}

TEST(Quic, VersionNegotiation) {
  ProtocolRun run({.transport = kOverUdp});
  run.send(kClient, initial({.version = 0x1a2a3a4a}, crypto(0, piece(browser_hello(), 0, 90))));
  EXPECT_EQ(run.app(), "quic");
  EXPECT_EQ(run.confidence(), AppConfidence::kCertain) << "it could be opened";
  run.send(kServer, PayloadBytes{0x80} + big_endian(0, 4) + sized(1, {}) + sized(1, kDcid) +
                        big_endian(kVersion1, 4) + big_endian(0x4a5a6a7a, 4));
  const PayloadBytes again = from_hex("0102030405060708");
  run.send(kClient, initial({.key_id = again, .dcid = again}, crypto(0, browser_hello())));
  run.finish();
  EXPECT_EQ(run.attribute("quic.version_negotiation"), "true");
  EXPECT_EQ(run.attribute("quic.version"), "1");
  EXPECT_EQ(run.attribute("quic.sni"), "www.server.example");
}

TEST(Quic, ServerFirstAndEarlyData) {
  ProtocolRun run({.transport = kOverUdp});
  // The capture has missed the client's first packet; it sends another.
  run.send(kClient,
           initial({.dcid = {}, .scid = kServerId, .is_server = true}, crypto(0, answer())));
  EXPECT_EQ(run.app(), "quic");
  run.send(kServer, initial({}, crypto(0, browser_hello())));
  run.finish();
  EXPECT_EQ(run.attribute("quic.sni"), "www.server.example");

  ProtocolRun early({.transport = kOverUdp});
  early.send(kClient, PayloadBytes{0xd3} + big_endian(kVersion1, 4) + sized(1, kDcid) +
                          sized(1, {}) + sized(2, PayloadBytes(100, 9)));
  EXPECT_EQ(early.app(), "unknown") << "the size is no varint of two bytes";
  early.send(kClient, PayloadBytes{0xd3} + big_endian(kVersion1, 4) + sized(1, kDcid) +
                          sized(1, {}) + varint(100) + PayloadBytes(100, 9));
  early.finish();
  EXPECT_EQ(early.app(), "quic");
  EXPECT_EQ(early.attribute("quic.early_data"), "true");
}

TEST(Quic, CutBySnapLengthStillGivesTheName) {
  const PayloadBytes datagram = initial({}, crypto(0, browser_hello()));
  for (const size_t size : {50u, 150u, 250u, 400u, 1000u}) {
    SCOPED_TRACE(size);
    ProtocolRun run({.transport = kOverUdp});
    run.send(kClient, piece(datagram, 0, size), static_cast<uint32_t>(datagram.size()));
    run.finish();
    EXPECT_EQ(run.app(), "quic");
    EXPECT_EQ(run.attribute("quic.sni"), size >= 250 ? "www.server.example" : "");
  }
}

TEST(Quic, EveryTruncationAndDamageIsSurvived) {
  const PayloadBytes datagram = initial({.scid = {1, 2}}, crypto(0, browser_hello()));
  for (size_t size = 1; size < datagram.size(); ++size) {
    ProtocolRun run({.transport = kOverUdp});
    run.send(kClient, piece(datagram, 0, size));
    run.finish();
    EXPECT_EQ(run.attribute("quic.sni"), "") << size;
  }
  for (size_t at = 0; at < 60; ++at) {
    PayloadBytes damaged = datagram;
    damaged[at] ^= 0x55;
    ProtocolRun run({.transport = kOverUdp});
    run.send(kClient, damaged);
    run.finish();
    EXPECT_EQ(run.attribute("quic.sni"), "") << at;
  }
}

// What only decryption can tell from garbage is given up after four packets.
TEST(Quic, GivesUpWhatItCannotOpen) {
  ProtocolRun run({.transport = kOverUdp});
  PayloadBytes datagram = initial({}, crypto(0, browser_hello()));
  datagram.back() ^= 1;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(run.send(kClient, datagram));
  EXPECT_FALSE(run.send(kClient, datagram));
}

PayloadBytes short_packet(std::mt19937& random, const PayloadBytes& id, size_t size = 60) {
  PayloadBytes bytes{static_cast<uint8_t>(0x40 | (random() & 0x1f))};
  bytes = bytes + id;
  while (bytes.size() < size) bytes.push_back(static_cast<uint8_t>(random()));
  return bytes;
}

TEST(Quic, BegunBeforeTheCapture) {
  const PayloadBytes id = from_hex("510d65988ac69844");
  for (const bool server_first : {false, true}) {
    std::mt19937 random(11);
    ProtocolRun run({.transport = kOverUdp});
    for (int i = 0; i < 4; ++i) {
      // The client has no id of its own.
      if (server_first) run.send(kServer, short_packet(random, {}));
      run.send(kClient, short_packet(random, id));
      if (!server_first) run.send(kServer, short_packet(random, {}));
    }
    run.finish();
    EXPECT_EQ(run.app(), "quic");
    EXPECT_EQ(run.confidence(), AppConfidence::kLikely);
  }
}

TEST(Quic, RefusesOthers) {
  std::mt19937 random(13);
  const auto app_of = [&](auto make) {
    ProtocolRun run({.transport = kOverUdp, .dst_port = 443});
    for (int i = 0; i < 8; ++i) run.send(i % 2 == 0 ? kClient : kServer, make(i));
    run.finish();
    return std::string(run.app());
  };
  EXPECT_NE(app_of([&](int) { return short_packet(random, {}); }), "quic") << "no id stays";
  EXPECT_NE(app_of([&](int) { return short_packet(random, PayloadBytes(8, 7)); }), "quic");
  EXPECT_NE(app_of([&](int) { return short_packet(random, payload_of("ABCDEFGH")); }), "quic");
  EXPECT_NE(app_of([&](int i) {
              // A counter and a session.
              return PayloadBytes{static_cast<uint8_t>(0x41 + i / 2)} +
                     from_hex("510d65988ac69844") + PayloadBytes(40, static_cast<uint8_t>(i));
            }),
            "quic");
  EXPECT_NE(app_of([&](int) { return from_hex("c000000001"); }), "quic");
  EXPECT_NE(app_of([&](int) { return PayloadBytes{0xc0} + PayloadBytes(1250, 0); }), "quic");
  // RTP, a size beyond the datagram, ids too long, what follows is no packet.
  EXPECT_NE(app_of([&](int) { return from_hex("80000000") + PayloadBytes(160, 0xd5); }), "quic");
  EXPECT_NE(app_of([&](int) {
              return PayloadBytes{0xe0} + big_endian(kVersion1, 4) + sized(1, kDcid) +
                     sized(1, kDcid) + varint(200) + PayloadBytes(100, 9);
            }),
            "quic");
  EXPECT_NE(app_of([&](int) {
              return PayloadBytes{0xe0} + big_endian(kVersion1, 4) + sized(1, PayloadBytes(21, 3)) +
                     sized(1, kDcid) + varint(100) + PayloadBytes(100, 9);
            }),
            "quic");
  EXPECT_NE(app_of([&](int) {
              return PayloadBytes{0xe0} + big_endian(kVersion1, 4) + sized(1, kDcid) +
                     sized(1, kDcid) + varint(50) + PayloadBytes(50, 9) + PayloadBytes(20, 9);
            }),
            "quic");
}

TEST(Gquic, ClientHello) {
  PayloadBytes tags = from_hex("534e4900 0b000000 55414944 16000000");
  const PayloadBytes chlo = payload_of("CHLO") + from_hex("0200 0000") + tags +
                            payload_of("www.example") + payload_of("Chrome/43.0");
  const PayloadBytes frame =
      PayloadBytes{1} + PayloadBytes(12, 0xaa) + from_hex("a0 01 0400") + chlo;
  ProtocolRun old({.transport = kOverUdp});
  old.send(kClient, PayloadBytes{0x09} + kDcid + payload_of("Q039") + frame);
  old.finish();
  EXPECT_EQ(old.json(),
            R"({"gquic":{"version":"Q039","sni":"www.example","user_agent":"Chrome/43.0",)"
            R"("connection_id":"8394c8f03e515708"}})");
  ProtocolRun newer({.transport = kOverUdp});
  newer.send(kClient, PayloadBytes{0xc3} + payload_of("Q046") + PayloadBytes{0x50} + kDcid +
                          PayloadBytes{0, 0, 0} + frame);
  newer.finish();
  EXPECT_EQ(newer.app(), "gquic");
  EXPECT_EQ(newer.attribute("gquic.sni"), "www.example");

  ProtocolRun other_kind({.transport = kOverUdp});
  other_kind.send(kClient, PayloadBytes{0x09} + kDcid + payload_of("R039") + frame);
  other_kind.finish();
  EXPECT_NE(other_kind.app(), "gquic");
}

}  // namespace
}  // namespace weir

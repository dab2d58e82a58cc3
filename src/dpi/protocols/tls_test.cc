// SPDX-License-Identifier: Apache-2.0
//
// TLS: hellos, certificates, alerts, fingerprints; how records cut messages; what a flow may begin
// with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "dpi/protocols/hello_samples.h"

namespace weir {
namespace {

using namespace test;  // the builders of hello_samples.h
using testing::HasSubstr;
using testing::SizeIs;

constexpr Side kClient = Side::kInitiator;
constexpr Side kServer = Side::kResponder;
constexpr uint8_t kCcs = 20, kAlert = 21, kHandshake = 22, kData = 23;

PayloadBytes browser_hello() {
  return record(kHandshake, client_hello({.extensions = browser_extensions()}));
}
PayloadBytes data_record(size_t size) {
  return record(kData, PayloadBytes(size, 0xd7), 0x0303);
}

// The server's part of a handshake of 1.2.
PayloadBytes server_flight_12() {
  return server_hello(0xc02b, alpn_extension({"h2"})) + certificate_message() +
         handshake(12, PayloadBytes{3, 0, 29} + sized(1, PayloadBytes(32, 1))) + handshake(14, {});
}

std::string attributes_of(const PayloadBytes& client, const PayloadBytes& server,
                          size_t piece_size) {
  ProtocolRun run({.dst_port = 443});
  run.send_in_pieces(kClient, client, piece_size);
  run.send_in_pieces(kServer, server, piece_size);
  run.finish();
  return run.json();
}

TEST(Tls, HandshakeOf13) {
  ProtocolRun run({.dst_port = 50001});
  run.send(kClient, browser_hello());
  EXPECT_EQ(run.app(), "tls");
  EXPECT_EQ(run.confidence(), AppConfidence::kCertain);
  EXPECT_FALSE(run.send(
      kServer, record(kHandshake,
                      server_hello(0x1301,
                                   extension(43, big_endian(0x0304, 2)) +
                                       extension(51, big_endian(0x11ec, 2) + PayloadBytes(40, 1)),
                                   PayloadBytes(32, 0x77)))))
      << "nothing more is in the clear";
  run.finish();
  EXPECT_EQ(run.attribute("tls.version"), "TLSv1.3");
  EXPECT_EQ(run.attribute("tls.client_version"), "TLSv1.3");
  EXPECT_EQ(run.attribute("tls.record_version"), "TLSv1.0");
  EXPECT_EQ(run.attribute("tls.sni"), "www.server.example");
  EXPECT_EQ(run.attribute("tls.client_alpns"), "h2 http/1.1");
  EXPECT_EQ(run.attribute("tls.client_groups"), "X25519MLKEM768 x25519 secp256r1 secp384r1");
  EXPECT_EQ(run.attribute("tls.client_ciphers"), "4865-4866-49195-156");
  EXPECT_EQ(run.attribute("tls.client_extensions"), "0-23-10-11-16-13-43-65037");
  EXPECT_EQ(run.attribute("tls.cipher"), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(run.attribute("tls.cipher_number"), "4865");
  EXPECT_EQ(run.attribute("tls.curve"), "X25519MLKEM768");
  EXPECT_EQ(run.attribute("tls.ech"), "true");
  EXPECT_EQ(run.attribute("tls.resumed"), "false");
  EXPECT_EQ(run.attribute("tls.alpn"), "");
  EXPECT_THAT(run.events(), SizeIs(2));
}

// Computed apart from weir, with Python's hashlib, from the lists above.
TEST(Tls, Fingerprints) {
  ProtocolRun run({.dst_port = 443});
  run.send(kClient, browser_hello());
  run.send(kServer, record(kHandshake, server_flight_12()));
  run.finish();
  EXPECT_EQ(run.attribute("tls.ja3"), "c6bb8a5252e7bec58055d5f2f17a12a8");
  EXPECT_EQ(run.attribute("tls.ja3s"), "73c5401bc2544038f608637524b63c6a");
  EXPECT_EQ(run.attribute("tls.ja4"), "t13d0408h2_1284d2914849_37da85588ee0");
}

// The example of https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md.
TEST(Tls, Ja4OfItsDocumentation) {
  const PayloadBytes extensions =
      extension(0x001b, {2, 0, 2}) + server_name_extension("x.example") + extension(0x0033, {}) +
      alpn_extension({"h2"}) + extension(0x4469, {}) + extension(0x0017, {}) +
      extension(0x002d, {}) +
      extension(
          0x000d,
          sized(2, numbers({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}))) +
      extension(0x0005, {}) + extension(0x0023, {}) + extension(0x0012, {}) +
      extension(0x002b, sized(1, numbers({0x0a0a, 0x0304, 0x0303}))) + extension(0xff01, {0}) +
      extension(0x000b, {1, 0}) + extension(0x000a, sized(2, numbers({0x001d}))) +
      extension(0x0015, {});
  const PayloadBytes ciphers =
      numbers({0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
               0xc014, 0x009c, 0x009d, 0x002f, 0x0035});
  ProtocolRun run({.dst_port = 443});
  run.send(kClient,
           record(kHandshake, client_hello({.ciphers = ciphers, .extensions = extensions})));
  run.finish();
  EXPECT_EQ(run.attribute("tls.ja4"), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

TEST(Tls, HandshakeOf12WithCertificate) {
  ProtocolRun run({.dst_port = 443});
  run.send(kClient, browser_hello());
  EXPECT_TRUE(run.send(kServer, record(kHandshake, server_flight_12())));
  EXPECT_TRUE(run.send(kClient, record(kHandshake, handshake(16, PayloadBytes(33, 1))) +
                                    record(kCcs, {1}) + record(kHandshake, PayloadBytes(40, 9))));
  EXPECT_FALSE(run.send(kServer, record(kCcs, {1}) + record(kHandshake, PayloadBytes(40, 9))))
      << "nothing more is in the clear";
  run.finish();
  EXPECT_EQ(run.attribute("tls.version"), "TLSv1.2");
  EXPECT_EQ(run.attribute("tls.alpn"), "h2");
  EXPECT_EQ(run.attribute("tls.cipher"), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(run.attribute("tls.curve"), "x25519");
  EXPECT_EQ(run.attribute("tls.resumed"), "false");
  EXPECT_EQ(run.attribute("tls.subject"), "CN=server.example,O=Example\\, Inc.,C=DE");
  EXPECT_EQ(run.attribute("tls.issuer"), "CN=server.example,O=Example\\, Inc.,C=DE");
  EXPECT_EQ(run.attribute("tls.serial"), "0123456789abcdef");
  EXPECT_EQ(run.attribute("tls.not_before"), "2026-11-20T16:05:52.000000000Z");
  EXPECT_EQ(run.attribute("tls.not_after"), "2036-11-17T16:05:52.000000000Z");
  EXPECT_EQ(run.attribute("tls.fingerprint_sha256"),
            "36baff3c8cbc13908e84a508a202bb9682125cc4a23d27b679ea9205f747437f");
  EXPECT_EQ(run.attribute("tls.self_signed"), "true");
  EXPECT_EQ(run.attribute("tls.san"),
            "server.example *.server.example 192.0.2.1 2001:db8:0:0:0:0:0:1 a@b.example");
  EXPECT_THAT(run.events(), SizeIs(testing::Ge(3u)));
}

TEST(Tls, ClientCertificate) {
  ProtocolRun run({.dst_port = 443});
  run.send(kClient, browser_hello());
  EXPECT_TRUE(run.send(
      kServer, record(kHandshake, server_hello(0xc02b, {}) + handshake(13, {1, 64, 0, 0, 0, 0}) +
                                      handshake(14, {}))));
  EXPECT_TRUE(run.send(
      kClient, record(kHandshake, certificate_message() + handshake(16, PayloadBytes(33, 1))) +
                   record(kCcs, {1})));
  EXPECT_FALSE(run.send(kServer, record(kAlert, {2, 42})));
  run.finish();
  EXPECT_EQ(run.attribute("tls.alert"), "bad_certificate");
  EXPECT_EQ(run.attribute("tls.client_subject"), "CN=server.example,O=Example\\, Inc.,C=DE");
  EXPECT_EQ(run.attribute("tls.subject"), "");
}

TEST(Tls, ResumptionBySessionId) {
  ProtocolRun run({.dst_port = 443});
  run.send(kClient, browser_hello());
  EXPECT_TRUE(run.send(
      kServer, record(kHandshake, server_hello(0xc02b, {}, PayloadBytes(32, 0x77)), 0x0303) +
                   record(kCcs, {1}, 0x0303) + record(kHandshake, PayloadBytes(40, 0xee), 0x0303)));
  EXPECT_FALSE(run.send(kClient, record(kCcs, {1}, 0x0303)));
  run.finish();
  EXPECT_EQ(run.attribute("tls.resumed"), "true");
}

TEST(Tls, ResumptionByTicketIsSeenByWhatIsMissing) {
  ProtocolRun run({.dst_port = 443});
  run.send(kClient, record(kHandshake, client_hello({.session_id = {}})));
  run.send(kServer, record(kHandshake, server_hello(0xc02b, {}), 0x0303) + record(kCcs, {1}));
  run.finish();
  EXPECT_EQ(run.attribute("tls.resumed"), "true");
}

TEST(Tls, AlertInsteadOfAnAnswer) {
  ProtocolRun run({.dst_port = 443});
  run.send(kClient, browser_hello());
  EXPECT_TRUE(run.send(kServer, record(kAlert, {1, 112})));
  EXPECT_FALSE(run.send(kServer, record(kAlert, {2, 40})));
  run.finish();
  EXPECT_EQ(run.attribute("tls.alert"), "unrecognized_name handshake_failure");
}

TEST(Tls, HelloRetryRequest) {
  PayloadBytes retry = server_hello(0x1301, extension(43, big_endian(0x0304, 2)));
  const PayloadBytes random =
      from_hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
  std::ranges::copy(random, retry.begin() + 6);
  ProtocolRun run({.dst_port = 443});
  run.send(kClient, browser_hello());
  EXPECT_TRUE(run.send(kServer, record(kHandshake, retry) + record(kCcs, {1})));
  EXPECT_TRUE(run.send(kClient, record(kCcs, {1}) + browser_hello()));
  EXPECT_FALSE(run.send(
      kServer, record(kHandshake, server_hello(0x1302, extension(43, big_endian(0x0304, 2))))));
  run.finish();
  EXPECT_EQ(run.attribute("tls.hello_retry"), "true");
  EXPECT_EQ(run.attribute("tls.cipher"), "TLS_AES_256_GCM_SHA384");
}

TEST(Tls, EarlyDataDoesNotEndTheHandshake) {
  ProtocolRun run({.dst_port = 443});
  EXPECT_TRUE(run.send(kClient, browser_hello() + record(kCcs, {1}) + data_record(500)));
  run.send(kServer, record(kHandshake, server_hello(0x1301, extension(43, big_endian(0x0304, 2)) +
                                                                extension(41, {0, 0}))));
  run.finish();
  EXPECT_EQ(run.attribute("tls.resumed"), "true");
}

TEST(Tls, AnyCutOfTheStreamGivesTheSame) {
  const PayloadBytes client = browser_hello();
  const PayloadBytes server = record(kHandshake, server_flight_12());
  const std::string whole = attributes_of(client, server, 100'000);
  EXPECT_THAT(whole, HasSubstr("server.example"));
  for (const size_t size : {600u, 97u, 13u, 5u}) {
    SCOPED_TRACE(size);
    // In pieces this small the budget of packets would end it.
    ProtocolRun run({.dst_port = 443});
    run.send_in_pieces(kClient, client, size < 97 ? 97 : size);
    run.send_in_pieces(kServer, server, size < 97 ? 97 : size);
    run.finish();
    EXPECT_EQ(run.json(), whole);
  }
}

TEST(Tls, ByteByByteGivesTheName) {
  // As many bytes as the budget has packets, then the rest.
  const PayloadBytes client = browser_hello();
  for (size_t count = 1; count <= 7; ++count) {
    SCOPED_TRACE(count);
    ProtocolRun run({.dst_port = 443});
    const auto cut = client.begin() + static_cast<std::ptrdiff_t>(count);
    run.send_in_pieces(kClient, PayloadBytes(client.begin(), cut), 1);
    run.send(kClient, PayloadBytes(cut, client.end()));
    run.finish();
    EXPECT_EQ(run.attribute("tls.sni"), "www.server.example");
  }
}

TEST(Tls, MessagesInRecordsOfAnySizeGiveTheSame) {
  const PayloadBytes hello = client_hello({.extensions = browser_extensions()});
  const PayloadBytes flight = server_flight_12();
  const auto in_records = [](const PayloadBytes& messages, size_t size) {
    PayloadBytes bytes;
    for (size_t at = 0; at < messages.size(); at += size) {
      const size_t end = std::min(at + size, messages.size());
      bytes = bytes +
              record(kHandshake, PayloadBytes(messages.begin() + static_cast<std::ptrdiff_t>(at),
                                              messages.begin() + static_cast<std::ptrdiff_t>(end)));
    }
    return bytes;
  };
  const std::string whole =
      attributes_of(in_records(hello, 16'384), in_records(flight, 16'384), 100'000);
  for (const size_t size : {1u, 2u, 3u, 4u, 5u, 11u, 64u, 500u, 1000u}) {
    SCOPED_TRACE(size);
    EXPECT_EQ(attributes_of(in_records(hello, size), in_records(flight, size), 1400), whole);
  }
}

TEST(Tls, EveryTruncationIsTlsAndHasNoFalseName) {
  const PayloadBytes client = browser_hello();
  for (size_t size = 11; size < client.size(); ++size) {
    SCOPED_TRACE(size);
    ProtocolRun run({.dst_port = 443});
    run.send(kClient,
             PayloadBytes(client.begin(), client.begin() + static_cast<std::ptrdiff_t>(size)));
    run.finish();
    EXPECT_EQ(run.app(), "tls");
    const std::string name = run.attribute("tls.sni");
    EXPECT_TRUE(name.empty() || name == "www.server.example") << name;
  }
}

TEST(Tls, NameOfAHelloThatIsCutForGood) {
  const PayloadBytes client = browser_hello();
  ProtocolRun run({.dst_port = 443});
  run.send(kClient, PayloadBytes(client.begin(), client.begin() + 160),
           static_cast<uint32_t>(client.size()));
  run.finish();
  EXPECT_EQ(run.attribute("tls.sni"), "www.server.example");
  EXPECT_EQ(run.attribute("tls.ja3"), "");
}

TEST(Tls, BytesLostInARecordAreSkipped) {
  const PayloadBytes flight = server_flight_12();
  const PayloadBytes first = record(kHandshake, server_hello(0xc02b, {}));
  const PayloadBytes lost = record(kHandshake, certificate_message());
  const PayloadBytes last =
      record(kHandshake, handshake(12, PayloadBytes{3, 0, 29, 1, 1}) + handshake(14, {}));
  ProtocolRun run({.dst_port = 443});
  run.send(kClient, browser_hello());
  run.send(kServer, first + PayloadBytes(lost.begin(), lost.begin() + 100));
  run.lose(kServer, static_cast<uint32_t>(lost.size() - 200));
  run.send(kServer, PayloadBytes(lost.end() - 100, lost.end()) + last);
  for (int i = 0; i < 17; ++i) run.send(kServer, PayloadBytes{});
  run.finish();
  EXPECT_EQ(run.attribute("tls.cipher"), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(run.attribute("tls.subject"), "");
}

TEST(Tls, HelloOfSsl2) {
  const PayloadBytes hello =
      from_hex("80 2e 01 03 01 00 15 00 00 00 10") +
      from_hex("00 00 39 00 00 38 00 00 35 00 00 16 00 00 13 00 00 0a 01 00 80") +
      PayloadBytes(16, 0x42);
  ProtocolRun run({.dst_port = 50001});
  run.send(kClient, hello);
  run.send(kServer, record(kHandshake, server_hello(0x0035, {}, {}, 0x0301)));
  run.finish();
  EXPECT_EQ(run.app(), "tls");
  EXPECT_EQ(run.attribute("tls.client_version"), "TLSv1.0");
  EXPECT_EQ(run.attribute("tls.version"), "TLSv1.0");
  EXPECT_EQ(run.attribute("tls.client_ciphers"), "57-56-53-22-19-10-65664");
  EXPECT_EQ(run.attribute("tls.cipher"), "TLS_RSA_WITH_AES_256_CBC_SHA");
}

TEST(Tls, BegunBeforeTheCapture) {
  const auto app_of = [](const PayloadBytes& bytes) {
    ProtocolRun run({.dst_port = 50001, .is_midstream = true});
    run.send(kServer, bytes);
    run.finish();
    return std::string(run.app());
  };
  EXPECT_EQ(app_of(data_record(100) + data_record(1000)), "tls");
  EXPECT_EQ(app_of(data_record(100)), "tls") << "one that ends the segment";
  PayloadBytes cut = data_record(100) + data_record(1000);
  cut.resize(600);
  EXPECT_EQ(app_of(cut), "tls");
  cut.resize(60);
  EXPECT_EQ(app_of(cut), "unknown") << "nothing but one header speaks for it";
  EXPECT_EQ(app_of(data_record(100) + payload_of("\x17\x03\x09 and more")), "unknown");

  // Segments in the middle of a record, then the next one.
  ProtocolRun run({.dst_port = 50001, .is_midstream = true});
  run.send(kServer, PayloadBytes(700, 0x9c));
  run.send(kServer, data_record(100) + data_record(40));
  run.finish();
  EXPECT_EQ(run.app(), "tls");
  EXPECT_EQ(run.confidence(), AppConfidence::kLikely);
}

TEST(Tls, RefusesOthers) {
  for (const std::string_view text :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "EHLO me\r\n",
        "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03"}) {
    ProtocolRun run({.dst_port = 443});
    run.send(kClient, text);
    run.finish();
    EXPECT_NE(run.app(), "tls") << text;
  }
  for (const std::string_view hex :
       {"16 03 01 00 50 05 00 00 4c 03 03", "16 02 01 00 50 01 00 00 4c 03 03",
        "16 03 01 ff ff 01 00 00 4c 03 03 00", "15 03 01 00 02 03 28", "15 03 01 00 02 02 09",
        "14 03 01 00 02 01 01", "80 2e 01 03 01 00 16 00 00 00 10 00 00 39", "16 03 01",
        "80 2e 02 03 01 00 15 00 00 00 10 00 00 39"}) {
    ProtocolRun run({.dst_port = 443});
    run.send(kClient, from_hex(hex));
    run.finish();
    EXPECT_NE(run.app(), "tls") << hex;
  }
}

TEST(Tls, DamagedCertificatesGiveWhatIsSound) {
  const PayloadBytes good = certificate();
  for (size_t at = 0; at < good.size(); ++at) {
    PayloadBytes bad = good;
    bad[at] = static_cast<uint8_t>(bad[at] ^ 0xff);
    ProtocolRun run({.dst_port = 443});
    run.send(kClient, browser_hello());
    run.send(kServer,
             record(kHandshake, server_hello(0xc02b, {}) + handshake(11, sized(3, sized(3, bad))) +
                                    handshake(14, {})));
    run.finish();
    EXPECT_EQ(run.attribute("tls.version"), "TLSv1.2");
  }
}

}  // namespace
}  // namespace weir

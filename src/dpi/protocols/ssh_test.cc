// SPDX-License-Identifier: Apache-2.0
//
// SSH: version lines, what is agreed upon, and HASSH.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "dpi/protocol_run.h"

namespace weir {
namespace {

using test::from_hex;
using test::payload_of;
using test::PayloadBytes;
using test::ProtocolRun;

constexpr Side kClient = Side::kInitiator;
constexpr Side kServer = Side::kResponder;

void append32(PayloadBytes& bytes, size_t value) {
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<uint8_t>(value >> shift));
}

struct Lists {
  std::string_view kex = "curve25519-sha256,ecdh-sha2-nistp256";
  std::string_view host_key = "ssh-ed25519,rsa-sha2-512";
  std::string_view cipher = "aes128-ctr,aes256-ctr";
  std::string_view mac = "hmac-sha2-256,hmac-sha1";
  std::string_view compression = "none,zlib@openssh.com";
  std::string_view cipher_to_client = {};  // as cipher
};

PayloadBytes kexinit(const Lists& lists) {
  PayloadBytes payload(17, 0x55);
  payload[0] = 20;
  const std::string_view back =
      lists.cipher_to_client.empty() ? lists.cipher : lists.cipher_to_client;
  for (const std::string_view list :
       {lists.kex, lists.host_key, lists.cipher, back, lists.mac, lists.mac, lists.compression,
        lists.compression, std::string_view(), std::string_view()}) {
    append32(payload, list.size());
    payload.insert(payload.end(), list.begin(), list.end());
  }
  payload.insert(payload.end(), 5, 0);
  constexpr uint8_t kPadding = 6;
  PayloadBytes packet;
  append32(packet, 1 + payload.size() + kPadding);
  packet.push_back(kPadding);
  packet.insert(packet.end(), payload.begin(), payload.end());
  packet.insert(packet.end(), kPadding, 0);
  return packet;
}

PayloadBytes operator+(PayloadBytes first, const PayloadBytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

const Lists kClientLists = {};
const Lists kServerLists = {.kex = "diffie-hellman-group14-sha256,ecdh-sha2-nistp256",
                            .host_key = "rsa-sha2-512,ssh-ed25519",
                            .cipher = "aes256-ctr",
                            .mac = "hmac-sha1"};

const PayloadBytes& client_bytes() {
  static const PayloadBytes bytes =
      payload_of("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n") + kexinit(kClientLists);
  return bytes;
}
const PayloadBytes& server_bytes() {
  static const PayloadBytes bytes =
      payload_of("SSH-2.0-dropbear_2022.83\r\n") + kexinit(kServerLists);
  return bytes;
}

constexpr std::string_view kAll =
    R"({"ssh":{"version":2,"client":"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",)"
    R"("server":"SSH-2.0-dropbear_2022.83","client_software":"OpenSSH_9.2p1",)"
    R"("server_software":"dropbear_2022.83","hassh":"23a0dcefdc519f754a930bbfc6cf762f",)"
    R"("hassh_server":"1616909dfd17796a950b8fcb52deb059","kex_alg":"ecdh-sha2-nistp256",)"
    R"("host_key_alg":"ssh-ed25519","cipher_alg":"aes256-ctr","mac_alg":"hmac-sha1",)"
    R"("compression_alg":"none"}})";

TEST(Ssh, SaysWhatIsAgreedUpon) {
  for (const bool is_server_first : {false, true}) {
    ProtocolRun run;
    run.send(is_server_first ? kServer : kClient,
             is_server_first ? server_bytes() : client_bytes());
    EXPECT_TRUE(run.is_inspected());
    run.send(is_server_first ? kClient : kServer,
             is_server_first ? client_bytes() : server_bytes());
    EXPECT_FALSE(run.is_inspected());
    EXPECT_EQ(run.app(), "ssh");
    EXPECT_EQ(run.json(), kAll);
  }
}

TEST(Ssh, PiecesOfAnySizeSayTheSame) {
  for (size_t size = 28; size < client_bytes().size() + 2; ++size) {
    ProtocolRun run;
    run.send_in_pieces(kClient, client_bytes(), size);
    run.send_in_pieces(kServer, server_bytes(), size);
    run.finish();
    EXPECT_EQ(run.json(), kAll) << size;
  }
  for (size_t at = 1; at < server_bytes().size(); ++at) {
    ProtocolRun run;
    const auto middle = server_bytes().begin() + static_cast<std::ptrdiff_t>(at);
    run.send(kServer, PayloadBytes(server_bytes().begin(), middle));
    run.send(kClient, client_bytes());
    run.send(kServer, PayloadBytes(middle, server_bytes().end()));
    run.finish();
    EXPECT_EQ(run.json(), kAll) << at;
  }
}

TEST(Ssh, CiphersWithTheirOwnMac) {
  for (const std::string_view cipher :
       {"chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "AEAD_AES_256_GCM"}) {
    ProtocolRun run;
    const Lists lists = {.cipher = cipher};
    run.send(kClient, payload_of("SSH-2.0-a\r\n") + kexinit(lists));
    run.send(kServer, payload_of("SSH-2.0-b\r\n") + kexinit(lists));
    run.finish();
    EXPECT_EQ(run.attribute("ssh.cipher_alg"), cipher);
    EXPECT_EQ(run.attribute("ssh.mac_alg"), "implicit");
  }
}

TEST(Ssh, LinesBeforeTheVersion) {
  ProtocolRun run;
  run.send(kServer, "Welcome.\r\nNo trespassing.\r\n");
  run.send(kServer, "SSH-2.0-a\r\n");
  run.send(kClient, client_bytes());
  run.finish();
  EXPECT_EQ(run.app(), "ssh");
  EXPECT_EQ(run.attribute("ssh.server"), "SSH-2.0-a");
  EXPECT_EQ(run.attribute("ssh.client_software"), "OpenSSH_9.2p1");
}

TEST(Ssh, Versions) {
  const std::map<std::pair<std::string, std::string>, std::string> versions = {
      {{"SSH-2.0-a", "SSH-1.99-b"}, "2"},  {{"SSH-1.5-a", "SSH-1.99-b"}, "1"},
      {{"SSH-1.99-a", "SSH-1.99-b"}, "2"}, {{"SSH-1.5-a", "SSH-1.5-b"}, "1"},
      {{"SSH-1.5-a", "SSH-2.0-b"}, ""},
  };
  for (const auto& [lines, version] : versions) {
    ProtocolRun run;
    run.send(kServer, lines.second + "\n");
    run.send(kClient, lines.first + "\n");
    run.finish();
    EXPECT_EQ(run.app(), "ssh");
    EXPECT_EQ(run.attribute("ssh.version"), version) << lines.first << " " << lines.second;
  }
}

TEST(Ssh, OffersInTheMiddleOfAStream) {
  ProtocolRun run({.is_midstream = true});
  run.send(kClient, kexinit(kClientLists));
  run.send(kServer, kexinit(kServerLists));
  run.finish();
  EXPECT_EQ(run.app(), "ssh");
  EXPECT_EQ(run.attribute("ssh.hassh"), "23a0dcefdc519f754a930bbfc6cf762f");
  EXPECT_EQ(run.attribute("ssh.cipher_alg"), "aes256-ctr");
}

// More names than are kept: an answer that may be wrong is none.
TEST(Ssh, ListsLongerThanWhatIsKept) {
  std::string many;
  for (int number = 0; number < 60; ++number) many += "kex" + std::to_string(number) + ",";
  const Lists server = {.kex = many};
  for (const bool is_server_first : {false, true}) {
    const auto chosen = [&](std::string_view client_kex) {
      ProtocolRun run;
      const Lists client = {.kex = client_kex};
      const PayloadBytes from_client = payload_of("SSH-2.0-a\r\n") + kexinit(client);
      const PayloadBytes from_server = payload_of("SSH-2.0-b\r\n") + kexinit(server);
      if (is_server_first) run.send(kServer, from_server);
      run.send(kClient, from_client);
      if (!is_server_first) run.send(kServer, from_server);
      run.finish();
      return run.attribute("ssh.kex_alg");
    };
    EXPECT_EQ(chosen("kex7"), "kex7");
    EXPECT_EQ(chosen("kex50,kex7"), is_server_first ? "" : "kex50");
    EXPECT_EQ(chosen("nothing"), "");
  }
}

TEST(Ssh, DamagedPacketsAreErrors) {
  for (const std::string_view packet :
       {"00000000 0614", "ffffffff 0614", "00000001 0014", "0000000c 0614 ffffffffffffffffffff"}) {
    ProtocolRun run;
    run.send(kClient, payload_of("SSH-2.0-a\r\n") + from_hex(packet));
    EXPECT_FALSE(run.is_inspected()) << packet;
    EXPECT_EQ(run.app(), "ssh");
  }
  PayloadBytes offer = kexinit(kClientLists);
  for (size_t at = 4; at < offer.size(); ++at) {
    offer[at] ^= 0xff;
    ProtocolRun run;
    run.send(kClient, payload_of("SSH-2.0-a\r\n") + offer);
    run.finish();
    EXPECT_EQ(run.app(), "ssh");
    offer[at] ^= 0xff;
  }
}

TEST(Ssh, RefusesWhatIsAnotherProtocols) {
  for (const std::string_view begin : {"SSH-3.0-a\r\n", "ssh-2.0-a\r\n", "220 mail ESMTP\r\n",
                                       "SSHD\r\n", "RFB 003.008\n", "* OK IMAP4rev1\r\n"}) {
    for (const Side side : {kClient, kServer}) {
      ProtocolRun run;
      run.send(side, begin);
      run.finish();
      EXPECT_NE(run.app(), "ssh") << begin;
    }
  }
}

// State keeps names as hashes of 16 bits: those in use must not be taken for each other.
TEST(Ssh, NamesInUseAreDifferentByTheirHash) {
  const std::vector<std::vector<std::string_view>> kinds = {
      {"curve25519-sha256",
       "curve25519-sha256@libssh.org",
       "curve448-sha512",
       "ecdh-sha2-nistp256",
       "ecdh-sha2-nistp384",
       "ecdh-sha2-nistp521",
       "sntrup761x25519-sha512",
       "sntrup761x25519-sha512@openssh.com",
       "sntrup4591761x25519-sha512@tinyssh.org",
       "mlkem768x25519-sha256",
       "mlkem768nistp256-sha256",
       "mlkem1024nistp384-sha384",
       "diffie-hellman-group1-sha1",
       "diffie-hellman-group14-sha1",
       "diffie-hellman-group14-sha256",
       "diffie-hellman-group15-sha512",
       "diffie-hellman-group16-sha512",
       "diffie-hellman-group17-sha512",
       "diffie-hellman-group18-sha512",
       "diffie-hellman-group-exchange-sha1",
       "diffie-hellman-group-exchange-sha256",
       "rsa1024-sha1",
       "rsa2048-sha256",
       "ext-info-c",
       "ext-info-s",
       "kex-strict-c-v00@openssh.com",
       "kex-strict-s-v00@openssh.com"},
      {"ssh-rsa",
       "ssh-dss",
       "rsa-sha2-256",
       "rsa-sha2-512",
       "ssh-ed25519",
       "ssh-ed448",
       "ecdsa-sha2-nistp256",
       "ecdsa-sha2-nistp384",
       "ecdsa-sha2-nistp521",
       "sk-ssh-ed25519@openssh.com",
       "sk-ecdsa-sha2-nistp256@openssh.com",
       "ssh-rsa-cert-v01@openssh.com",
       "rsa-sha2-256-cert-v01@openssh.com",
       "rsa-sha2-512-cert-v01@openssh.com",
       "ssh-dss-cert-v01@openssh.com",
       "ssh-ed25519-cert-v01@openssh.com",
       "ecdsa-sha2-nistp256-cert-v01@openssh.com",
       "ecdsa-sha2-nistp384-cert-v01@openssh.com",
       "ecdsa-sha2-nistp521-cert-v01@openssh.com",
       "sk-ssh-ed25519-cert-v01@openssh.com",
       "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
       "x509v3-sign-rsa",
       "x509v3-sign-dss",
       "x509v3-ssh-rsa",
       "x509v3-rsa2048-sha256",
       "x509v3-ecdsa-sha2-nistp256"},
      {"chacha20-poly1305@openssh.com",
       "chacha20-poly1305",
       "aes128-ctr",
       "aes192-ctr",
       "aes256-ctr",
       "aes128-gcm@openssh.com",
       "aes256-gcm@openssh.com",
       "aes128-cbc",
       "aes192-cbc",
       "aes256-cbc",
       "3des-cbc",
       "3des-ctr",
       "blowfish-cbc",
       "blowfish-ctr",
       "cast128-cbc",
       "cast128-ctr",
       "arcfour",
       "arcfour128",
       "arcfour256",
       "des-cbc",
       "twofish-cbc",
       "twofish128-cbc",
       "twofish192-cbc",
       "twofish256-cbc",
       "twofish256-ctr",
       "serpent128-cbc",
       "serpent256-cbc",
       "serpent256-ctr",
       "rijndael-cbc@lysator.liu.se",
       "camellia128-ctr",
       "camellia256-ctr",
       "idea-cbc",
       "none",
       "AEAD_AES_128_GCM",
       "AEAD_AES_256_GCM",
       "seed-cbc@ssh.com"},
      {"hmac-sha1",
       "hmac-sha1-96",
       "hmac-md5",
       "hmac-md5-96",
       "hmac-sha2-256",
       "hmac-sha2-512",
       "hmac-sha2-224",
       "hmac-sha2-384",
       "hmac-ripemd160",
       "hmac-ripemd",
       "hmac-ripemd160@openssh.com",
       "umac-64@openssh.com",
       "umac-128@openssh.com",
       "hmac-sha1-etm@openssh.com",
       "hmac-sha1-96-etm@openssh.com",
       "hmac-sha2-256-etm@openssh.com",
       "hmac-sha2-512-etm@openssh.com",
       "hmac-md5-etm@openssh.com",
       "hmac-md5-96-etm@openssh.com",
       "hmac-ripemd160-etm@openssh.com",
       "umac-64-etm@openssh.com",
       "umac-128-etm@openssh.com",
       "hmac-sha256@ssh.com",
       "hmac-sha2-256-96",
       "none",
       "hmac-sha256-96@ssh.com",
       "hmac-sha256",
       "hmac-sha512"},
      {"none", "zlib", "zlib@openssh.com"},
  };
  for (const std::vector<std::string_view>& names : kinds) {
    // A client that wants one name and a server that has another never agree.
    for (const std::string_view wanted : names) {
      for (const std::string_view offered : names) {
        ProtocolRun run;
        const Lists client = {.kex = wanted};
        const Lists server = {.kex = offered};
        run.send(kClient, payload_of("SSH-2.0-a\r\n") + kexinit(client));
        run.send(kServer, payload_of("SSH-2.0-b\r\n") + kexinit(server));
        EXPECT_EQ(run.attribute("ssh.kex_alg"), wanted == offered ? wanted : "") << offered;
      }
    }
  }
}

}  // namespace
}  // namespace weir

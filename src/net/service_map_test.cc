// SPDX-License-Identifier: Apache-2.0
//
// The table against the lists a machine has: netbase's /etc/services and /etc/protocols, and IANA's
// own list where Wireshark's copy of it is installed. A row those lists do not have is not looked
// at; a row they name otherwise has to be in the list of meant differences, and a difference that
// no longer exists has to leave it.
#include "net/service_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace weir {
namespace {

constexpr uint16_t kTcp = 6;
constexpr uint16_t kUdp = 17;
constexpr uint16_t kSctp = 132;

using ServiceNames = std::map<std::pair<uint16_t, uint16_t>, std::string>;  // by protocol, port

std::string lower(std::string text) {
  for (char& letter : text)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return text;
}

// services(5): "name port/protocol aliases # comment"; Wireshark's has ranges and "port/tcp/udp".
// The first name wins.
ServiceNames read_services(const char* path) {
  ServiceNames names;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name, number;
    if (!(words >> name >> number)) continue;
    std::istringstream parts(number);
    std::string ports, protocol;
    std::getline(parts, ports, '/');
    const size_t dash = ports.find('-');
    const int first = std::stoi(ports);
    const int last = dash == std::string::npos ? first : std::stoi(ports.substr(dash + 1));
    while (std::getline(parts, protocol, '/')) {
      const uint16_t proto = protocol == "tcp"    ? kTcp
                             : protocol == "udp"  ? kUdp
                             : protocol == "sctp" ? kSctp
                                                  : 0;
      if (proto == 0) continue;
      for (int port = first; port <= last; ++port)
        names.try_emplace({proto, static_cast<uint16_t>(port)}, lower(name));
    }
  }
  return names;
}

struct Difference {
  uint16_t proto;
  uint16_t port;
  const char* theirs;
  const char* ours;
};

// Ports where the map has the word of industrial networks and the lists have another registration.
const std::vector<Difference> kIndustrialDifferences = {
    {kTcp, 1217, "hpss-ndapi", "codesys"},
    {kUdp, 1740, "encore", "codesys"},
    {kUdp, 1741, "cisco-net-mgmt", "codesys"},
    {kUdp, 1742, "3com-nsd", "codesys"},
    {kUdp, 1743, "cinegrfx-lm", "codesys"},
    {kTcp, 1911, "mtp", "niagara-fox"},
    {kTcp, 1962, "biap-mp", "pcworx"},
    {kTcp, 5006, "wsm-server", "melsec"},
    {kUdp, 5006, "wsm-server", "melsec"},
    {kTcp, 5007, "wsm-server-ssl", "melsec"},
    {kTcp, 9600, "micromuse-ncpw", "omron-fins"},
    {kUdp, 9600, "micromuse-ncpw", "omron-fins"},
    {kTcp, 10001, "scp-config", "atg"},
};

// netbase has its own words, older or shorter than IANA's.
const std::vector<Difference> kNetbaseDifferences = {
    {kTcp, 143, "imap2", "imap"},
    {kTcp, 162, "snmp-trap", "snmptrap"},
    {kUdp, 162, "snmp-trap", "snmptrap"},
    {kTcp, 210, "z3950", "z39-50"},
    {kUdp, 512, "biff", "comsat"},
    {kUdp, 520, "route", "router"},
    {kTcp, 1645, "datametrics", "sightline"},
    {kUdp, 1645, "datametrics", "sightline"},
    {kTcp, 5061, "sip-tls", "sips"},
    {kUdp, 5061, "sip-tls", "sips"},
    {kTcp, 6001, "x11-1", "x11"},
    {kTcp, 6002, "x11-2", "x11"},
    {kTcp, 6003, "x11-3", "x11"},
    {kTcp, 6004, "x11-4", "x11"},
    {kTcp, 6005, "x11-5", "x11"},
    {kTcp, 6006, "x11-6", "x11"},
    {kTcp, 6007, "x11-7", "x11"},
    {kTcp, 10000, "webmin", "ndmp"},
};

// IANA lists two names for these; the list's first is the one nobody says.
const std::vector<Difference> kIanaDifferences = {
    {kTcp, 43, "nicname", "whois"},
    {kTcp, 113, "ident", "auth"},
    {kTcp, 465, "urd", "submissions"},
};

void expect_equal_but_for(const ServiceNames& theirs,
                          const std::vector<Difference>& own_differences) {
  std::map<std::pair<uint16_t, uint16_t>, const Difference*> meant;
  for (const auto* list : {&kIndustrialDifferences, &own_differences}) {
    for (const Difference& one : *list) meant[{one.proto, one.port}] = &one;
  }
  size_t compared = 0;
  for (const auto& [service, name] : theirs) {
    const std::string ours(service_name(service.first, service.second));
    if (ours.empty()) continue;
    ++compared;
    const auto difference = meant.find(service);
    if (difference == meant.end()) {
      EXPECT_EQ(ours, name) << service.first << "/" << service.second;
    } else {
      EXPECT_EQ(ours, difference->second->ours) << service.first << "/" << service.second;
      EXPECT_EQ(name, difference->second->theirs) << service.first << "/" << service.second;
    }
  }
  EXPECT_GT(compared, 200u);
}

TEST(ServiceMap, NamesAreThoseOfNetbase) {
  const ServiceNames theirs = read_services("/etc/services");
  if (theirs.size() < 250) GTEST_SKIP() << "no /etc/services of netbase here";
  expect_equal_but_for(theirs, kNetbaseDifferences);
}

TEST(ServiceMap, NamesAreThoseOfIana) {
  const ServiceNames theirs = read_services("/usr/share/wireshark/services");
  if (theirs.empty()) GTEST_SKIP() << "no copy of IANA's list here (wireshark-common has one)";
  expect_equal_but_for(theirs, kIanaDifferences);
}

TEST(ServiceMap, KnowsTheIndustrialPorts) {
  const struct {
    uint16_t proto;
    std::vector<uint16_t> ports;
  } groups[] = {
      {kTcp, {502,  802,   102,   2404,  20000, 19999, 44818, 4840, 4843, 18245, 18246, 9600,
              5006, 5007,  1962,  20547, 1217,  2455,  11740, 1911, 4911, 5094,  4712,  4713,
              4059, 48898, 20256, 10001, 1089,  1090,  1091,  1883, 8883, 5671,  5672}},
      {kUdp, {20000, 44818, 2222, 9600, 1740, 1741, 1742, 1743, 47808, 34962, 34963,
              34964, 34980, 3671, 5683, 5684, 7400, 319,  320,  1089,  1090,  1091}}};
  for (const auto& group : groups) {
    for (const uint16_t port : group.ports) {
      EXPECT_NE(service_name(group.proto, port), "") << group.proto << "/" << port;
      EXPECT_EQ(service_rank(group.proto, port), port < 1024 ? 2 : 1) << group.proto << "/" << port;
    }
  }
  EXPECT_EQ(service_name(kTcp, 502), "mbap");
  EXPECT_EQ(service_name(kTcp, 2404), "iec-104");
  EXPECT_EQ(service_name(kUdp, 47808), "bacnet");
}

TEST(ServiceMap, RanksPorts) {
  EXPECT_EQ(service_rank(kTcp, 443), 2);
  EXPECT_EQ(service_rank(kTcp, 8080), 1);
  EXPECT_EQ(service_rank(kTcp, 40000), 0);
  EXPECT_EQ(service_rank(kTcp, 4), 0) << "a system port nobody has";
  EXPECT_EQ(service_rank(47, 443), 0) << "GRE has no ports";
  for (uint32_t port = 49152; port <= 65535; ++port) {
    for (const uint16_t proto : {kTcp, kUdp, kSctp}) {
      ASSERT_EQ(service_rank(proto, static_cast<uint16_t>(port)), 0) << "a dynamic port: " << port;
    }
  }
}

TEST(ServiceMap, NamesAreWordsForMachines) {
  const auto check = [](std::string_view name) {
    for (const char letter : name) {
      ASSERT_TRUE(std::islower(static_cast<unsigned char>(letter)) ||
                  std::isdigit(static_cast<unsigned char>(letter)) ||
                  std::string_view("-.+/_").find(letter) != std::string_view::npos)
          << name;
    }
  };
  for (uint32_t number = 0; number <= 65535; ++number) {
    const auto value = static_cast<uint16_t>(number);
    for (const uint16_t proto : {kTcp, kUdp, kSctp}) check(service_name(proto, value));
    check(ethertype_name(value));
    if (number <= 255) check(ip_protocol_name(static_cast<uint8_t>(number)));
  }
}

TEST(IpProtocols, KeywordsAreThoseOfTheMachine) {
  std::ifstream file("/etc/protocols");
  if (!file) GTEST_SKIP() << "no /etc/protocols here";
  // netbase names the pseudo protocol of sockets first; the others are IANA's keywords where
  // netbase has its own.
  const std::map<int, std::pair<std::string, std::string>> meant = {
      {4, {"ipencap", "ipv4"}}, {73, {"rspf", "cphb"}}, {89, {"ospf", "ospfigp"}}};
  size_t compared = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    int number = 0;
    if (!(words >> name >> number) || number > 142 || (number == 0 && name == "ip")) continue;
    ++compared;
    const std::string_view ours = ip_protocol_name(static_cast<uint8_t>(number));
    const auto difference = meant.find(number);
    if (difference == meant.end()) {
      EXPECT_EQ(ours, lower(name)) << number;
    } else {
      EXPECT_EQ(lower(name), difference->second.first);
      EXPECT_EQ(ours, difference->second.second);
    }
  }
  EXPECT_GT(compared, 40u);
}

TEST(IpProtocols, EveryAssignedNumberHasAKeyword) {
  const std::set<int> without = {61, 63, 68, 99, 114};  // "any host internal protocol" and the like
  for (int number = 0; number <= 142; ++number) {
    EXPECT_EQ(ip_protocol_name(static_cast<uint8_t>(number)).empty(), without.count(number) == 1)
        << number;
  }
}

TEST(Ethertypes, HaveTheWordsOfTheField) {
  const std::vector<std::pair<uint16_t, const char*>> words = {
      {0x0800, "ip"},       {0x0806, "arp"},       {0x86dd, "ipv6"},  {0x8892, "profinet"},
      {0x88a4, "ethercat"}, {0x88ab, "powerlink"}, {0x88b8, "goose"}, {0x88b9, "gse"},
      {0x88ba, "sv"},       {0x88cd, "sercos"},    {0x88cc, "lldp"},  {0x88e3, "mrp"},
      {0x88f7, "ptp"},      {0x88fb, "prp"},       {0x892f, "hsr"},   {0x890f, "cclink-ie"}};
  for (const auto& [number, word] : words) EXPECT_EQ(ethertype_name(number), word);
  EXPECT_EQ(ethertype_name(0x1234), "");
}

TEST(ProtoText, IsAKeywordOrANumber) {
  EXPECT_EQ(proto_text(false, 6), "tcp");
  EXPECT_EQ(proto_text(false, 58), "ipv6-icmp");
  EXPECT_EQ(proto_text(false, 253), "ip-proto-253");
  EXPECT_EQ(proto_text(false, 61), "ip-proto-61");
  EXPECT_EQ(proto_text(true, 0x88b8), "goose");
  EXPECT_EQ(proto_text(true, 0x1234), "ethertype-0x1234");
  EXPECT_EQ(proto_text(true, 0x0600), "ethertype-0x0600");
  EXPECT_EQ(proto_text(true, 0x0042), "stp");
  EXPECT_EQ(proto_text(true, 0x0006), "llc-0x06");
  EXPECT_EQ(proto_text(true, 0x809a), "ieee802154");
}

}  // namespace
}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// Look-ups in the service map: a table sorted while compiling, and a binary search. Asked once per
// flow, not per packet.
#include "net/service_map.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace weir {
namespace {

constexpr uint32_t kTcp = 6;
constexpr uint32_t kUdp = 17;
constexpr uint32_t kSctp = 132;
constexpr uint16_t kSystemPortEnd = 1024;

struct NamedNumber {
  uint32_t number;  // a service: IP protocol in the upper half, port in the lower
  std::string_view name;
};

template <size_t kCount>
constexpr std::array<NamedNumber, kCount> sorted(std::array<NamedNumber, kCount> rows) {
  std::sort(rows.begin(), rows.end(),
            [](const NamedNumber& x, const NamedNumber& y) { return x.number < y.number; });
  return rows;
}

template <size_t kCount>
constexpr bool is_unique(const std::array<NamedNumber, kCount>& rows) {
  for (size_t index = 1; index < kCount; ++index) {
    if (rows[index - 1].number == rows[index].number) return false;
  }
  return true;
}

constexpr std::array kServices = sorted(std::to_array<NamedNumber>({
#define SERVICE(protocol, port, name) {protocol << 16 | port, name},
#include "net/service_map.inc"
}));
static_assert(is_unique(kServices));

constexpr std::array kEthertypes = sorted(std::to_array<NamedNumber>({
#define ETHERTYPE(number, name) {number, name},
#include "net/service_map.inc"
}));
static_assert(is_unique(kEthertypes));

constexpr std::array kIpProtocols = sorted(std::to_array<NamedNumber>({
#define IP_PROTOCOL(number, name) {number, name},
#include "net/service_map.inc"
}));
static_assert(is_unique(kIpProtocols) && kIpProtocols.back().number <= 255);

template <size_t kCount>
std::string_view name_of(const std::array<NamedNumber, kCount>& rows, uint32_t number) noexcept {
  const auto row = std::lower_bound(
      rows.begin(), rows.end(), number,
      [](const NamedNumber& candidate, uint32_t wanted) { return candidate.number < wanted; });
  return row != rows.end() && row->number == number ? row->name : std::string_view();
}

}  // namespace

std::string_view service_name(uint16_t proto_number, uint16_t port) noexcept {
  return name_of(kServices, static_cast<uint32_t>(proto_number) << 16 | port);
}

int service_rank(uint16_t proto_number, uint16_t port) noexcept {
  if (service_name(proto_number, port).empty()) return 0;
  return port < kSystemPortEnd ? 2 : 1;
}

std::string_view ip_protocol_name(uint8_t number) noexcept {
  return name_of(kIpProtocols, number);
}

std::string_view ethertype_name(uint16_t ethertype) noexcept {
  return name_of(kEthertypes, ethertype);
}

std::string proto_text(bool is_layer2, uint16_t proto_number) {
  const std::string_view name = is_layer2 ? ethertype_name(proto_number)
                                : proto_number <= 255
                                    ? ip_protocol_name(static_cast<uint8_t>(proto_number))
                                    : std::string_view();
  if (!name.empty()) return std::string(name);
  char text[32];
  const char* format = !is_layer2            ? "ip-proto-%u"
                       : proto_number <= 255 ? "llc-0x%02x"
                                             : "ethertype-0x%04x";
  std::snprintf(text, sizeof text, format, static_cast<unsigned>(proto_number));
  return text;
}

}  // namespace weir

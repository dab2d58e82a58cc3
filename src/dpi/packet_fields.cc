// SPDX-License-Identifier: Apache-2.0
#include "dpi/packet_fields.h"

#include <algorithm>

#include "dpi/packet_field_emitter.h"

namespace weir {

PacketFields::PacketFields(const Catalog& catalog, std::span<const uint16_t> wanted) {
  for (const uint16_t number : wanted) {
    WantedField field;
    if (find(catalog, number, field)) wanted_.push_back(field);
  }
  std::ranges::sort(wanted_, {}, [](const WantedField& field) {
    return static_cast<uint32_t>(field.header) << 8 | field.row;
  });
  // std::ranges::unique of GCC 12 is more than clang 14 reads.
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  for (const WantedField& field : wanted_) ++begins_[static_cast<size_t>(field.header) + 1];
  for (size_t header = 0; header < kPacketHeaderCount; ++header)
    begins_[header + 1] = static_cast<uint16_t>(begins_[header + 1] + begins_[header]);
}

// By address: another protocol of the catalogue may have the name.
bool PacketFields::find(const Catalog& catalog, uint16_t number, WantedField& wanted) noexcept {
  const std::span<const Protocol* const> known = packet_protocols();
  for (size_t app = 1; app <= catalog.protocols().size(); ++app) {
    const Protocol* const protocol = catalog.protocols()[app - 1];
    const auto found = std::ranges::find(known, protocol);
    if (found == known.end()) continue;
    const uint16_t first = catalog.first_attribute(static_cast<uint8_t>(app));
    if (number < first || number - first >= static_cast<int>(protocol->attributes.size())) continue;
    wanted.number = number;
    wanted.header = static_cast<PacketHeader>(found - known.begin());
    wanted.row = static_cast<uint8_t>(number - first);
    return true;
  }
  return false;
}

bool PacketFields::is_packet_field(const Catalog& catalog, uint16_t number) noexcept {
  WantedField wanted;
  return find(catalog, number, wanted);
}

WantedFields PacketFields::of(PacketHeader header) const noexcept {
  const auto index = static_cast<size_t>(header);
  return WantedFields(wanted_).subspan(begins_[index],
                                       static_cast<size_t>(begins_[index + 1] - begins_[index]));
}

void PacketFields::extract(const Packet& packet, std::string_view interface,
                           const PacketFieldVisitor& visitor) const noexcept {
  if (wanted_.empty()) return;
  const PacketFieldEmitter emitter(packet, visitor);
  emitter.frame(of(PacketHeader::kFrame), interface);
  if (begins_[1] == wanted_.size()) return;

  const HeaderPlaces places = header_places(packet);
  const auto read = [&](PacketHeader header, auto emit, uint8_t place) {
    const WantedFields wanteds = of(header);
    if (!wanteds.empty() && place != kNowhere) (emitter.*emit)(wanteds, place);
  };
  read(PacketHeader::kEthernet, &PacketFieldEmitter::ethernet, places.ethernet);
  read(PacketHeader::kVlan, &PacketFieldEmitter::vlan, places.vlan);
  read(PacketHeader::kMpls, &PacketFieldEmitter::mpls, places.mpls);
  read(PacketHeader::kPppoe, &PacketFieldEmitter::pppoe, places.pppoe);
  const WantedFields ip = of(PacketHeader::kIp);
  const WantedFields ipv6 = of(PacketHeader::kIpv6);
  if (!ip.empty() || !ipv6.empty()) {
    const IpHeader header = emitter.read_ip(places.ip);
    emitter.ip(ip, header);
    emitter.ipv6(ipv6, header);
  }
  read(PacketHeader::kTcp, &PacketFieldEmitter::tcp, places.tcp);
  read(PacketHeader::kUdp, &PacketFieldEmitter::udp, places.udp);
  read(PacketHeader::kSctp, &PacketFieldEmitter::sctp, places.sctp);
  read(PacketHeader::kGre, &PacketFieldEmitter::gre, places.gre);
  read(PacketHeader::kVxlan, &PacketFieldEmitter::vxlan, places.vxlan);
  read(PacketHeader::kGeneve, &PacketFieldEmitter::geneve, places.geneve);
  read(PacketHeader::kGtp, &PacketFieldEmitter::gtp, places.gtp);
  const WantedFields outer = of(PacketHeader::kOuter);
  if (!outer.empty()) emitter.outer(outer, places);
}

}  // namespace weir

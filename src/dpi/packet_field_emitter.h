// SPDX-License-Identifier: Apache-2.0
//
// PacketFieldEmitter: the fields of one packet on their way to the visitor, one function per header.
// What PacketFields::extract() is made of.
//
// Errors: a header that is not all there has no fields.
// Threads: lives on the stack of one extract() call.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "dpi/packet_fields.h"
#include "dpi/packet_headers.h"

namespace weir {

class PacketFieldEmitter {
 public:
  PacketFieldEmitter(const Packet& packet, const PacketFieldVisitor& visitor)
      : packet_(packet), visitor_(visitor) {}

  void frame(WantedFields wanteds, std::string_view interface) const;
  // The fields of a header that is at `place` of the path.
  void ethernet(WantedFields wanteds, uint8_t place) const;
  void vlan(WantedFields wanteds, uint8_t place) const;
  void mpls(WantedFields wanteds, uint8_t place) const;
  void pppoe(WantedFields wanteds, uint8_t place) const;
  void ip(WantedFields wanteds, const IpHeader& header) const;
  void ipv6(WantedFields wanteds, const IpHeader& header) const;
  void tcp(WantedFields wanteds, uint8_t place) const;
  void udp(WantedFields wanteds, uint8_t place) const;
  void sctp(WantedFields wanteds, uint8_t place) const;
  void gre(WantedFields wanteds, uint8_t place) const;
  void vxlan(WantedFields wanteds, uint8_t place) const;
  void geneve(WantedFields wanteds, uint8_t place) const;
  void gtp(WantedFields wanteds, uint8_t place) const;
  void outer(WantedFields wanteds, const HeaderPlaces& places) const;

  IpHeader read_ip(uint8_t place) const {
    if (place == kNowhere) return {};
    return packet_.path.layers[place] == Layer::kIpv4 ? read_ipv4(reader_at(place))
                                                      : read_ipv6(reader_at(place));
  }

 private:
  // What was captured from the header on; nothing, without ok(), when it is nowhere.
  ByteReader reader_at(uint8_t place) const {
    ByteReader reader(packet_.frame->data, packet_.frame->captured_size);
    if (place == kNowhere) return ByteReader();
    reader.skip(packet_.layer_offsets[place]);
    return reader;
  }

  void put(const WantedField& wanted, std::span<const uint8_t> value) const {
    visitor_(wanted.number, value);
  }
  // Without leading zero bytes, but at least one byte.
  void put(const WantedField& wanted, uint64_t number) const {
    std::array<uint8_t, 8> bytes;
    size_t size = 0;
    do {
      bytes[size++] = static_cast<uint8_t>(number);
      number >>= 8;
    } while (number != 0);
    visitor_(wanted.number, std::span<const uint8_t>(bytes).first(size));
  }
  void put_if(bool is_there, const WantedField& wanted, uint64_t number) const {
    if (is_there) put(wanted, number);
  }
  void put_text(const WantedField& wanted, std::string_view text) const;
  void put_link_type(const WantedField& wanted) const;
  void put_protocols(const WantedField& wanted) const;
  void put_tcp_flags(const WantedField& wanted, uint8_t flags) const;
  void put_tcp_option(const WantedField& wanted, const TcpOptions& options) const;

  const Packet& packet_;
  const PacketFieldVisitor& visitor_;
};

}  // namespace weir

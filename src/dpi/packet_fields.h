// SPDX-License-Identifier: Apache-2.0
//
// PacketFields: the header fields of one packet, from the frame itself up to the transport, as
// attributes of the catalogue. They are made when somebody asked for them and not otherwise.
//
// Each header is a protocol of the catalogue that no payload is probed for (packet_protocols()), so
// that `ip.ttl` is subscribed to, stored and filtered as `tls.sni` is. What a flow keeps is as the
// rows say: of most, that of its first packet that had one.
//
// Which header, when there are several:
//   ip, ipv6, tcp, udp, sctp   those of the flow's own packet, the innermost. A flow of layer 2 has
//                              none, also when a tunnel between IP addresses carries it. A later
//                              piece of a datagram has ip fields and no transport's.
//   eth, vlan, mpls, gre, …    the innermost of their kind in the frame. Lists (vlan.id) name all.
//   outer                      the outermost packet's, when it carries another: an Ethernet frame or
//                              an IP packet, inside an IP packet or an Ethernet frame.
// Numbers are as on the wire: a length an offloading host left 0 is 0, a checksum is not checked.
//
// Of a packet that was not decoded (Packet::verdict), the header where decoding ended and what would
// follow have no fields. A header that is cut has none either; of TCP options, those that are there.
//
// Not here: ICMP, ARP and whatever else a protocol of dpi/protocols/ parses.
//
// Cost: linear in the fields asked for, plus one look at the packet's path; a header is read only if
// one of its fields is wanted. Nothing is allocated.
// Errors: none; what is not there is not visited.
// Threads: immutable after construction; any number of threads may extract.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "dpi/packet_field_rows.h"
#include "net/packet.h"
#include "weir/catalog.h"
#include "weir/protocol.h"

namespace weir {

// frame, eth, vlan, …, outer: without probe and parse. They live as long as the program.
std::span<const Protocol* const> packet_protocols();

// Whom extract() tells the fields: any object that can be called with a number and a value's bytes,
// by reference, which it must outlive. Two words, as std::function on the packet path would be more.
class PacketFieldVisitor {
 public:
  template <typename Function>
  requires(!std::is_const_v<Function> && !std::is_same_v<Function, PacketFieldVisitor>)
      PacketFieldVisitor(Function& function)
  noexcept  // implicit: a lambda is given as it is
      : function_(&function),
        call_([](void* called, uint16_t number, std::span<const uint8_t> value) {
          (*static_cast<Function*>(called))(number, value);
        }) {}

  void operator()(uint16_t number, std::span<const uint8_t> value) const {
    call_(function_, number, value);
  }

 private:
  void* function_;
  void (*call_)(void*, uint16_t, std::span<const uint8_t>);
};

class PacketFields {
 public:
  PacketFields() = default;  // nobody asked for anything
  // `wanted`: numbers of attributes of the catalogue. Those that are no packet fields are somebody
  // else's and are passed over; the catalogue need not have packet fields.
  PacketFields(const Catalog& catalog, std::span<const uint16_t> wanted);

  bool is_empty() const noexcept { return wanted_.empty(); }

  // Visits each wanted field the packet has, encoded as weir/attribute_block.h says (so that
  // AttributeStore::put() takes it), header by header in the order of packet_protocols(), the fields
  // of one in that of its rows: by rising numbers, when the catalogue has the protocols in that
  // order. The values of a list follow each other with the same number. A value's bytes are valid
  // during the call.
  // `interface` is the name behind Frame::interface where the caller knows it, else empty.
  void extract(const Packet& packet, std::string_view interface,
               const PacketFieldVisitor& visitor) const noexcept;

  // Whether the attribute with this number is one of a packet's headers. For the start of a run: it
  // searches.
  static bool is_packet_field(const Catalog& catalog, uint16_t number) noexcept;

 private:
  static bool find(const Catalog& catalog, uint16_t number, WantedField& wanted) noexcept;
  WantedFields of(PacketHeader header) const noexcept;

  std::vector<WantedField> wanted_;  // by header, then row
  // Of each header, the first of its fields in wanted_; and the end.
  std::array<uint16_t, kPacketHeaderCount + 1> begins_{};
};

}  // namespace weir

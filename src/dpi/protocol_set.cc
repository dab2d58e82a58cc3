// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocol_set.h"

namespace weir {

ProtocolTable::ProtocolTable(const Catalog& catalog) : catalog_(catalog) {
  for (size_t index = 0; index < catalog.protocols().size(); ++index) {
    const Protocol& protocol = *catalog.protocols()[index];
    const auto number = static_cast<uint8_t>(index + 1);
    for (size_t transport = 0; transport < kTransportCount; ++transport) {
      if ((protocol.transports >> transport & 1) == 0) continue;
      if (protocol.probe != nullptr) by_transport_[transport].insert(number);
      // EtherTypes and IP protocols are ports of who runs over nothing else.
      const bool is_numbered = ((kOverEthernet | kOverIp) >> transport & 1) != 0;
      if (is_numbered != ((protocol.transports & ~(kOverEthernet | kOverIp)) == 0)) continue;
      for (const uint16_t port : protocol.ports)
        by_port_[static_cast<uint32_t>(transport << 16 | port)].insert(number);
    }
    if (protocol.first_bytes.empty()) {
      for (ProtocolSet& set : by_first_byte_) set.insert(number);
    }
    for (const char byte : protocol.first_bytes)
      by_first_byte_[static_cast<uint8_t>(byte)].insert(number);
    for (size_t size = 0; size < kSizeClassCount; ++size) {
      // Whoever some size of the class is enough for.
      if (size + 1 == kSizeClassCount || protocol.size_min < uint32_t{2} << size)
        by_size_[size].insert(number);
    }
  }
}

ProtocolSet ProtocolTable::candidates(Transport transport, std::span<const uint8_t> bytes,
                                      uint32_t wire_size) const noexcept {
  ProtocolSet set = by_transport_[index_of(transport)];
  set &= by_first_byte_[bytes.front()];
  // A stream's first segment may be as short as its sender likes.
  if ((transport & (kOverTcp | kOverSctp)) == 0) set &= by_size_[size_class(wire_size)];
  return set;
}

const ProtocolSet& ProtocolTable::over(Transport transport) const noexcept {
  return by_transport_[index_of(transport)];
}

ProtocolSet ProtocolTable::hinted(Transport transport, uint16_t port) const noexcept {
  const auto found = by_port_.find(static_cast<uint32_t>(index_of(transport) << 16 | port));
  return found == by_port_.end() ? ProtocolSet() : found->second;
}

}  // namespace weir

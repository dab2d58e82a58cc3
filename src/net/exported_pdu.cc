// SPDX-License-Identifier: Apache-2.0
//
// LINKTYPE_WIRESHARK_UPPER_PDU: what Wireshark exported of some layer, behind a list of tags that
// name its dissector. Ethernet frames and IP packets go on as such; whatever else it may be is
// ignored{exported_pdu}: addresses some exports have beside it are not those of a packet.
//
//   tags: type 2 | length 2 | value, until type 0; type 12 is the dissector's name, padded with 0
#include <algorithm>
#include <string_view>

#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint16_t kTagEnd = 0;
constexpr uint16_t kTagDissector = 12;
constexpr uint32_t kTagHeaderSize = 4;

struct NamedLayer {
  std::string_view name;
  Layer layer;
};
constexpr NamedLayer kDissectors[] = {{"eth", Layer::kEthernet},
                                      {"eth_withoutfcs", Layer::kEthernet},
                                      {"eth_withfcs", Layer::kEthernet},
                                      {"eth_maybefcs", Layer::kEthernet},
                                      {"ip", Layer::kIpv4},
                                      {"ipv6", Layer::kIpv6}};

bool is_name(ByteReader value, std::string_view name) noexcept {
  for (const char letter : name) {
    if (value.u8() != static_cast<uint8_t>(letter)) return false;
  }
  return value.ok() && value.u8() == 0;  // the end reads as 0
}

Layer layer_of_dissector(ByteReader value) noexcept {
  for (const NamedLayer& dissector : kDissectors) {
    if (is_name(value, dissector.name)) return dissector.layer;
  }
  return Layer::kNone;
}

}  // namespace

Step decode_exported_pdu(LayerContext& context) noexcept {
  Layer next = Layer::kNone;
  while (context.reader.remaining() >= kTagHeaderSize) {
    ByteReader tag = context.reader;
    const uint16_t type = tag.be16();
    const uint16_t length = tag.be16();
    if (type == kTagDissector) next = layer_of_dissector(tag.prefix(length));
    context.advance(std::min(kTagHeaderSize + length, context.size));
    if (type != kTagEnd) continue;
    return next != Layer::kNone ? Step::to(next) : Step::end(Verdict::kIgnoredExportedPdu);
  }
  return Step::end(Verdict::kErrorTruncated);
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// LINKTYPE_ETHERNET_MPACKET (IEEE 802.3br, 99.3): up to seven bytes of preamble, a byte that says
// what follows, the frame and its checksum. 0xd5 starts a whole Ethernet frame; the pieces of a
// preempted one are not put together and are ignored{link_type}.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint8_t kPreamble = 0x55;
constexpr uint32_t kPreambleSizeMax = 7;
constexpr uint8_t kStartOfWholeFrame = 0xd5;
constexpr uint32_t kFcsSize = 4;

}  // namespace

Step decode_mpacket(LayerContext& context) noexcept {
  ByteReader header = context.reader;
  uint8_t byte = header.u8();
  for (uint32_t count = 0; byte == kPreamble && count < kPreambleSizeMax; ++count)
    byte = header.u8();
  if (!header.ok()) return Step::end(Verdict::kErrorTruncated);
  if (byte != kStartOfWholeFrame) return Step::end(Verdict::kIgnoredLinkType);
  context.advance(static_cast<uint32_t>(context.reader.remaining() - header.remaining()));
  if (context.size < kFcsSize) return Step::end(Verdict::kErrorTruncated);
  context.limit(context.size - kFcsSize);
  return Step::to(Layer::kEthernet);
}

}  // namespace weir

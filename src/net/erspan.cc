// SPDX-License-Identifier: Apache-2.0
//
// ERSPAN types II and III (draft-foschiano-erspan-03, sections 4.2 and 4.3): a mirrored frame
// behind a header in GRE. Type I has no header; GRE knows it by its missing sequence number.
//
//   II   version 4b = 1 | VLAN 12b | class, encapsulation, truncated 6b | session 10b |
//        reserved 12b | index 20b
//   III  version 4b = 2 | VLAN 12b | class, bad, truncated 6b | session 10b | timestamp 4 |
//        group tag 2 | is frame 1b | frame type 5b | hardware 6b | direction 1b | granularity 2b |
//        has subheader 1b, then 8 bytes
//
// A frame of another type stays payload of the GRE flow.
// The VLAN is what the switch knows about the frame, not a tag of it, so it is no part of `vlan`.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kTypeTwoSize = 8;
constexpr uint32_t kTypeThreeSize = 12;
constexpr uint32_t kSubheaderSize = 8;
constexpr uint16_t kHasSubheader = 0x0001;
constexpr uint16_t kFrameType = 0x7c00;
constexpr uint16_t kFrameTypeEthernet = 0;
constexpr uint16_t kFrameTypeIp = 2 << 10;

}  // namespace

Step decode_erspan(LayerContext& context) noexcept {
  if (context.reader.remaining() < kTypeTwoSize) return Step::end(Verdict::kErrorTruncated);
  const int version = context.reader.prefix(1).u8() >> 4;
  if (version == 1) {
    context.advance(kTypeTwoSize);
    return Step::to(Layer::kEthernet);
  }
  if (version != 2) return Step::end(Verdict::kErrorBadVersion);

  if (context.reader.remaining() < kTypeThreeSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kTypeThreeSize);
  header.skip(10);
  const uint16_t flags = header.be16();
  const uint32_t size = kTypeThreeSize + ((flags & kHasSubheader) != 0 ? kSubheaderSize : 0);
  if (context.reader.remaining() < size) return Step::end(Verdict::kErrorTruncated);
  context.advance(size);
  switch (flags & kFrameType) {
    case kFrameTypeEthernet:
      return Step::to(Layer::kEthernet);
    case kFrameTypeIp:
      return Step::to(Layer::kRaw);
    default:
      return context.finish_with_payload();
  }
}

}  // namespace weir

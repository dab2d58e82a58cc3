// SPDX-License-Identifier: Apache-2.0
//
// The headers capturing software puts before an IEEE 802.11 frame: what the radio knew. weir wants
// to know from them where the frame begins and ends.
//
//   radiotap  version 1 | pad 1 | length 2 | present 4 (more while bit 31 is set) | fields
//   Prism     message 4 | length 4 | device 16 | …
//   AVS       version 4 | length 4 | …
//   PPI       version 1 | flags 1 | length 2 | link type 4 | fields: type 2 | length 2 | …
//
// radiotap and PPI are little-endian, AVS big-endian, Prism in the order of the machine that
// captured. Where the header says that the frame's checksum (FCS) was captured, it is left out.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kFcsSize = 4;

constexpr uint32_t kRadiotapSizeMin = 8;
constexpr uint32_t kHasTime = 1u << 0;  // bits of radiotap's present word
constexpr uint32_t kHasFlags = 1u << 1;
constexpr uint32_t kHasMore = 1u << 31;
constexpr uint8_t kFlagFcs = 0x10;  // bits of radiotap's flags
constexpr uint8_t kFlagPadded = 0x20;

constexpr uint32_t kPrismSizeMin = 24;
constexpr uint32_t kAvsSizeMin = 8;
constexpr uint32_t kAvsMagic = 0x80211000;  // the lowest byte is the version

constexpr uint32_t kPpiSize = 8;
constexpr uint16_t kPpiWlanCommon = 2;  // field type "802.11-Common"
constexpr uint32_t kPpiWlanTimeSize = 8;
constexpr uint16_t kPpiFlagFcs = 0x0001;

void drop_fcs(LayerContext& context) noexcept {
  if (context.size >= kFcsSize) context.limit(context.size - kFcsSize);
}

// radiotap's flags, 0 without them. The time before them is aligned to its size.
uint8_t radiotap_flags(ByteReader header) noexcept {
  const size_t size = header.remaining();
  header.skip(4);
  const uint32_t present = header.le32();
  uint32_t more = present;
  while ((more & kHasMore) != 0 && header.ok()) more = header.le32();
  if ((present & kHasFlags) == 0) return 0;
  if ((present & kHasTime) != 0) {
    const size_t offset = size - header.remaining();
    header.skip((8 - offset % 8) % 8 + 8);
  }
  return header.u8();
}

// The flags of PPI's first 802.11 field, 0 without one.
uint16_t ppi_wlan_flags(ByteReader fields) noexcept {
  while (fields.remaining() > 0) {
    const uint16_t type = fields.le16();
    const uint16_t length = fields.le16();
    if (!fields.ok()) return 0;
    if (type == kPpiWlanCommon) {
      fields.skip(kPpiWlanTimeSize);
      return fields.le16();
    }
    fields.skip(length);
  }
  return 0;
}

// Goes behind a header whose length field is `size`.
Step after_capture_header(LayerContext& context, uint32_t size, uint32_t size_min) noexcept {
  if (size < size_min || size > context.size) return Step::end(Verdict::kErrorBadHeaderLength);
  if (size > context.reader.remaining()) return Step::end(Verdict::kErrorTruncated);
  context.advance(size);
  return Step::to(Layer::kWlan);
}

}  // namespace

Step decode_radiotap(LayerContext& context) noexcept {
  if (context.reader.remaining() < kRadiotapSizeMin) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader;
  header.skip(2);
  const uint16_t size = header.le16();
  const uint8_t flags = radiotap_flags(context.reader.prefix(size));
  const Step next = after_capture_header(context, size, kRadiotapSizeMin);
  if (next.next == Layer::kNone) return next;
  context.is_wlan_padded = (flags & kFlagPadded) != 0;
  if ((flags & kFlagFcs) != 0) drop_fcs(context);
  return next;
}

// Some drivers write AVS headers under Prism's link type.
Step decode_prism(LayerContext& context) noexcept {
  if (context.reader.remaining() < kPrismSizeMin) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kPrismSizeMin);
  const uint32_t message = header.be32();
  if ((message & 0xffffff00) == kAvsMagic) return Step::to(Layer::kAvs);
  const uint32_t length = header.le32();
  const uint32_t size = length > 0xffff ? __builtin_bswap32(length) : length;
  return after_capture_header(context, size, kPrismSizeMin);
}

Step decode_avs(LayerContext& context) noexcept {
  if (context.reader.remaining() < kAvsSizeMin) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kAvsSizeMin);
  header.skip(4);
  return after_capture_header(context, header.be32(), kAvsSizeMin);
}

Step decode_ppi(LayerContext& context) noexcept {
  if (context.reader.remaining() < kPpiSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kPpiSize);
  header.skip(2);
  const uint16_t size = header.le16();
  const uint32_t link_type = header.le32();
  ByteReader fields = context.reader.prefix(size);
  fields.skip(kPpiSize);
  const Step next = after_capture_header(context, size, kPpiSize);
  if (next.next == Layer::kNone) return next;
  const Layer layer =
      link_type <= 0xffff ? layer_of_link_type(static_cast<uint16_t>(link_type)) : Layer::kNone;
  if (layer == Layer::kNone) return Step::end(Verdict::kIgnoredLinkType);
  if (layer == Layer::kWlan && (ppi_wlan_flags(fields) & kPpiFlagFcs) != 0) drop_fcs(context);
  return Step::to(layer);
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// MPLS (RFC 3032, section 2.1): a stack of entries, the last one marked, then a packet of a kind
// that only the routers know.
//
//   label 20b | traffic class 3b | bottom of stack 1b | time to live 1
//
// The first four bits behind the stack say what they can (RFC 4928): 4 and 6 are IP, 0 is the
// control word of a pseudo-wire (RFC 4385), 1 an associated channel. A pseudo-wire without a
// control word begins with the destination address of its Ethernet frame, which may begin with any
// of them, so what does not look like the one is tried as the other. What looks like neither is a
// layer-2 flow.
#include "net/plausible.h"

namespace weir {
namespace {

constexpr uint32_t kEntrySize = 4;
constexpr uint32_t kBottomOfStack = 0x100;
constexpr uint32_t kControlWordSize = 4;

// The control word of Ethernet (RFC 4448, section 4.6): zeros and a sequence number.
bool has_control_word(Glimpse inner) noexcept {
  ByteReader word = inner.reader;
  if (word.be16() != 0) return false;
  return inner.skip(kControlWordSize) && looks_like_ethernet(inner);
}

// Whether what begins like IP is a frame whose destination does: IP has the last word if its length
// is right to the byte, and the frame if there is IP in it.
bool is_ethernet_after_all(const Glimpse& inner) noexcept {
  if (is_filled_by_ip(inner)) return false;
  return looks_like_ip(inner) ? looks_like_ip_in_ethernet(inner) : looks_like_ethernet(inner);
}

Step next_of_stack(LayerContext& context) noexcept {
  const uint8_t first = context.reader.prefix(1).u8() >> 4;
  if (context.reader.remaining() == 0 && context.size > 0) {
    return Step::end(Verdict::kErrorTruncated);
  }
  const Glimpse inner(context);
  if (first == 4 || first == 6) {
    const Layer ip = first == 4 ? Layer::kIpv4 : Layer::kIpv6;
    return Step::to(is_ethernet_after_all(inner) ? Layer::kEthernet : ip);
  }
  if (has_control_word(inner)) {
    context.advance(kControlWordSize);
    return Step::to(Layer::kEthernet);
  }
  return looks_like_ethernet(inner) ? Step::to(Layer::kEthernet) : finish_layer2(context);
}

}  // namespace

Step decode_mpls(LayerContext& context) noexcept {
  for (uint8_t count = 0; count < kLabelCountMax; ++count) {
    if (context.reader.remaining() < kEntrySize) return Step::end(Verdict::kErrorTruncated);
    const uint32_t entry = context.reader.prefix(kEntrySize).be32();
    context.advance(kEntrySize);
    if ((entry & kBottomOfStack) != 0) return next_of_stack(context);
  }
  return Step::end(Verdict::kErrorTooManyLabels);
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// VXLAN (RFC 7348, section 5), with the group policy of draft-smith-vxlan-group-policy, and
// VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe, section 3).
//
//   flags 1 | reserved 3; policy: flags 1, group 2; GPE: reserved 2, next protocol 1 |
//   network identifier 3 | reserved 1
//
// Without a next protocol the content is Ethernet. Reserved bits are 0, which tells VXLAN from
// anything else on its port; but a receiver ignores them, and there are senders that fill them, so
// with a network identifier and IP in the frame anything goes. Operations messages of GPE stay UDP.
#include "net/plausible.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 8;
constexpr uint8_t kHasPolicy = 0x80;
constexpr uint8_t kHasNetwork = 0x08;
constexpr uint8_t kHasProtocol = 0x04;
constexpr uint8_t kBroadcast = 0x02;    // GPE: unknown or multicast
constexpr uint8_t kPolicyFlags = 0x48;  // don't learn, applied
constexpr uint8_t kNextIpv4 = 1;
constexpr uint8_t kNextIpv6 = 2;
constexpr uint8_t kNextEthernet = 3;

struct VxlanHeader {
  uint8_t flags = 0;
  uint8_t policy_flags = 0;
  uint8_t group_high = 0;
  uint8_t group_low = 0;  // GPE: next protocol
  uint32_t network_and_reserved = 0;

  explicit VxlanHeader(ByteReader header) noexcept
      : flags(header.u8()),
        policy_flags(header.u8()),
        group_high(header.u8()),
        group_low(header.u8()),
        network_and_reserved(header.be32()) {}

  bool is_gpe() const noexcept { return (flags & kHasProtocol) != 0; }

  bool is_valid() const noexcept {
    if ((network_and_reserved & 0xff) != 0) return false;
    if (is_gpe()) {
      return (flags & ~kBroadcast) == (kHasNetwork | kHasProtocol) && policy_flags == 0 &&
             group_high == 0;
    }
    if (flags == (kHasPolicy | kHasNetwork)) return (policy_flags & ~kPolicyFlags) == 0;
    return flags == kHasNetwork && policy_flags == 0 && group_high == 0 && group_low == 0;
  }

  // kNone for a content that is not decoded.
  Layer next() const noexcept {
    if (!is_gpe() || !is_valid() || group_low == kNextEthernet) return Layer::kEthernet;
    if (group_low == kNextIpv4) return Layer::kIpv4;
    return group_low == kNextIpv6 ? Layer::kIpv6 : Layer::kNone;
  }
};

}  // namespace

bool looks_like_vxlan(const LayerContext& context) noexcept {
  Glimpse inner(context);
  if (!inner.skip(kHeaderSize)) return false;
  if (context.reader.remaining() < kHeaderSize) return true;
  const VxlanHeader header(context.reader.prefix(kHeaderSize));
  if (header.is_valid()) return looks_like(header.next(), inner);
  return (header.flags & kHasNetwork) != 0 && looks_like_ip_in_ethernet(inner);
}

Step decode_vxlan(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  const VxlanHeader header(context.reader.prefix(kHeaderSize));
  context.set_vni(header.network_and_reserved >> 8);
  context.advance(kHeaderSize);
  return Step::to(header.next());
}

}  // namespace weir

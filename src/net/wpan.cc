// SPDX-License-Identifier: Apache-2.0
//
// IEEE 802.15.4 (clause 7): a flow of layer 2 between the addresses of the frame, whatever the
// network above is. Little-endian.
//
//   TAP only:  version 1 | reserved 1 | length 2 | fields: type 2 | length 2 | value, padded to 4
//   PHY only:  preamble 4 | start of frame 1 | length 1
//   frame control 2 | [sequence 1] | [PAN 2 | receiver 2 or 8] | [PAN 2] | [sender 2 or 8] | …
//
// An extended address is an EUI-64. A short one is unique within its network (PAN): its flow's
// address is the PAN's id in bytes 4 and 5 and the address in bytes 6 and 7. Frames have one
// address or none where the other end is understood (acknowledgements, beacons, frames to the
// coordinator): what is missing is zero. So are both of the types beyond data, beacon,
// acknowledgement and command, whose headers have other forms.
#include <algorithm>

#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint16_t kLinkTypeWithFcs = 195;
constexpr uint16_t kLinkTypePhy = 215;
constexpr uint16_t kLinkTypeTap = 283;

constexpr uint16_t kEthertype = 0x809a;
constexpr uint32_t kPhySize = 6;
constexpr uint32_t kTapSize = 4;
constexpr uint16_t kTapFcsType = 0;  // TAP field: 0 none, 1 two bytes, 2 four bytes

constexpr uint16_t kTypeCommand = 3;
constexpr uint16_t kHasOnePan = 1u << 6;
constexpr uint16_t kHasNoSequence = 1u << 8;  // version 2
constexpr uint16_t kModeNone = 0;
constexpr uint16_t kModeReserved = 1;
constexpr uint16_t kModeExtended = 3;

struct PanFields {
  bool has_receiver = false;
  bool has_sender = false;
};

// Which PAN ids are there. Up to version 1 (2006): one per address, the sender's left out when it
// would repeat the receiver's. In version 2 (2015) as table 7-2 says.
PanFields pan_fields(uint16_t control) noexcept {
  const int version = control >> 12 & 3;
  const uint16_t receiver = control >> 10 & 3;
  const uint16_t sender = control >> 14 & 3;
  const bool has_one = (control & kHasOnePan) != 0;
  if (version < 2) return {receiver != kModeNone, sender != kModeNone && !has_one};
  if (receiver == kModeNone && sender == kModeNone) return {has_one, false};
  if (sender == kModeNone) return {!has_one, false};
  if (receiver == kModeNone) return {false, !has_one};
  if (receiver == kModeExtended && sender == kModeExtended) return {!has_one, false};
  return {true, !has_one};
}

void read_address(ByteReader& header, uint16_t mode, uint16_t pan, AddressBytes& out) noexcept {
  if (mode == kModeNone) return;
  if (mode == kModeExtended) {
    header.copy(out.data(), 8);
    std::reverse(out.begin(), out.begin() + 8);
    return;
  }
  const uint16_t address = header.le16();
  out[4] = static_cast<uint8_t>(pan >> 8);
  out[5] = static_cast<uint8_t>(pan);
  out[6] = static_cast<uint8_t>(address >> 8);
  out[7] = static_cast<uint8_t>(address);
}

// The size of the frame's checksum, by a TAP header's fields.
uint32_t tap_fcs_size(ByteReader fields) noexcept {
  while (fields.remaining() > 0) {
    const uint16_t type = fields.le16();
    const uint16_t length = fields.le16();
    if (!fields.ok()) return 0;
    if (type == kTapFcsType) return std::min<uint32_t>(fields.u8(), 2) * 2;
    fields.skip((length + 3u) / 4 * 4);
  }
  return 0;
}

Verdict skip_tap(LayerContext& context, uint32_t& fcs_size) noexcept {
  if (context.reader.remaining() < kTapSize) return Verdict::kErrorTruncated;
  ByteReader header = context.reader.prefix(kTapSize);
  header.skip(2);
  const uint16_t size = header.le16();
  if (size < kTapSize || size > context.size) return Verdict::kErrorBadHeaderLength;
  if (size > context.reader.remaining()) return Verdict::kErrorTruncated;
  ByteReader fields = context.reader.prefix(size);
  fields.skip(kTapSize);
  fcs_size = tap_fcs_size(fields);
  context.advance(size);
  return Verdict::kDecoded;
}

// Goes to frame control and leaves the checksum out.
Verdict enter_frame(LayerContext& context) noexcept {
  const uint16_t link_type = context.frame.link_type;
  uint32_t fcs_size = link_type == kLinkTypeWithFcs || link_type == kLinkTypePhy ? 2 : 0;
  if (link_type == kLinkTypeTap) {
    const Verdict verdict = skip_tap(context, fcs_size);
    if (verdict != Verdict::kDecoded) return verdict;
  }
  if (link_type == kLinkTypePhy) {
    if (context.reader.remaining() < kPhySize) return Verdict::kErrorTruncated;
    context.advance(kPhySize);
  }
  if (context.size < fcs_size) return Verdict::kErrorTruncated;
  context.limit(context.size - fcs_size);
  return Verdict::kDecoded;
}

}  // namespace

Step decode_wpan(LayerContext& context) noexcept {
  const Verdict verdict = enter_frame(context);
  if (verdict != Verdict::kDecoded) return Step::end(verdict);
  ByteReader header = context.reader;
  const uint16_t control = header.le16();
  if (!header.ok()) return Step::end(Verdict::kErrorTruncated);
  const int version = control >> 12 & 3;

  context.ethertype = kEthertype;
  context.endpoints = Endpoints::kLink;
  AddressBytes receiver{}, sender{};
  if ((control & 7) <= kTypeCommand) {
    if (version == 3) return Step::end(Verdict::kErrorBadVersion);
    const uint16_t receiver_mode = control >> 10 & 3;
    const uint16_t sender_mode = control >> 14 & 3;
    if (receiver_mode == kModeReserved || sender_mode == kModeReserved)
      return Step::end(Verdict::kErrorBadHeaderLength);
    if (version < 2 || (control & kHasNoSequence) == 0) header.skip(1);
    const PanFields pans = pan_fields(control);
    uint16_t pan = pans.has_receiver ? header.le16() : 0;
    read_address(header, receiver_mode, pan, receiver);
    if (pans.has_sender) pan = header.le16();
    read_address(header, sender_mode, pan, sender);
    if (!header.ok()) return Step::end(Verdict::kErrorTruncated);
  }
  context.advance(static_cast<uint32_t>(context.reader.remaining() - header.remaining()));
  const Step end = finish_layer2(context);
  FlowKey& key = context.packet.key;
  key.kind = AddressKind::kEui64;
  key.a = sender;
  key.b = receiver;
  return end;
}

}  // namespace weir

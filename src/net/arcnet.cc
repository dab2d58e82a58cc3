// SPDX-License-Identifier: Apache-2.0
//
// ARCNET: addresses of one byte, which stand in the last byte of a flow's MAC addresses, and a type
// of its own. Linux captures have two bytes more.
//
//   sender 1 | receiver 1 | Linux: offset 2 | type 1
//   RFC 1201 only: split flag 1 | sequence 2; with the flag 0xff: type 1 | split flag 1 | sequence
//   2
//
// RFC 1051 has other type numbers and nothing behind them. A split flag that is even and not 0 is a
// later piece of a datagram: it has no header and belongs to the flow of its type.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint16_t kLinkTypeLinux = 129;
constexpr uint8_t kBacnet = 0xcd;

struct ArcnetType {
  uint8_t number;
  uint16_t ethertype;
  bool has_split_flag;
};
constexpr ArcnetType kTypes[] = {{212, 0x0800, true},  {213, 0x0806, true}, {214, 0x8035, true},
                                 {196, 0x86dd, true},  {221, 0x809b, true}, {250, 0x8137, true},
                                 {240, 0x0800, false}, {241, 0x0806, false}};

const ArcnetType* find_type(uint8_t number) noexcept {
  for (const ArcnetType& type : kTypes) {
    if (type.number == number) return &type;
  }
  return nullptr;
}

}  // namespace

Step decode_arcnet(LayerContext& context) noexcept {
  ByteReader header = context.reader;
  const uint8_t sender = header.u8();
  const uint8_t receiver = header.u8();
  if (context.frame.link_type == kLinkTypeLinux) header.skip(2);
  const uint8_t number = header.u8();
  const ArcnetType* type = find_type(number);
  uint8_t split_flag = 0;
  if (type != nullptr && type->has_split_flag) {
    split_flag = header.u8();
    header.skip(2);
    if (split_flag == 0xff) {
      header.skip(1);
      split_flag = header.u8();
      header.skip(2);
    }
  }
  if (!header.ok()) return Step::end(Verdict::kErrorTruncated);

  context.packet.src_mac[5] = sender;
  context.packet.dst_mac[5] = receiver;
  context.packet.has_macs = true;
  context.endpoints = Endpoints::kLink;
  context.advance(static_cast<uint32_t>(context.reader.remaining() - header.remaining()));
  if (number == kBacnet) return Step::to(Layer::kLlc);
  if (type == nullptr) return Step::end(Verdict::kIgnoredFamily);
  if (split_flag != 0 && split_flag % 2 == 0) {
    context.ethertype = type->ethertype;
    return finish_layer2(context);
  }
  return next_of_ethertype(context, type->ethertype);
}

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// The input is a frame behind a header of four bytes: link type, zone, what the source knew (bit 0
// a stripped tag, bit 1 a longer frame on the wire, bit 2 a shorter one; bit 3: tunnels are not
// entered), and the tag. Whatever the bytes are, the invariants hold, the same bytes get the same
// answer from a packet that held another one before, and digests say the same as packets, whichever
// loop makes them.
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <vector>

#include "base/cpu_features.h"
#include "net/decode.h"
#include "tests/support/digest_check.h"
#include "tests/support/packet_invariants.h"

namespace {

// One without a decoder, then every one with a decoder.
constexpr uint16_t kLinkTypes[] = {
    147,
#define ANNOUNCED_BY_LINK_TYPE(number, layer) number,
#include "net/layer_steps.inc"
};

void require(const char* broken) {
  if (broken == nullptr) return;
  std::fprintf(stderr, "decode_fuzz: %s\n", broken);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kHeaderSize = 4;
  if (size < kHeaderSize || size - kHeaderSize > weir::kFrameSizeMax) return 0;
  const std::vector<uint8_t> bytes(data + kHeaderSize, data + size);
  weir::Frame frame;
  frame.data = bytes.data();
  frame.captured_size = static_cast<uint32_t>(bytes.size());
  frame.wire_size = frame.captured_size;
  if ((data[2] & 2) != 0) frame.wire_size += 1000;
  if ((data[2] & 4) != 0) frame.wire_size /= 2;
  frame.link_type = kLinkTypes[data[0] % std::size(kLinkTypes)];
  frame.has_vlan = (data[2] & 1) != 0;
  frame.vlan_tci = data[3];
  frame.interface = data[3];

  const weir::DecodeOptions options{static_cast<weir::ZoneKind>(data[1] % 4), (data[2] & 8) == 0};
  const weir::Decoder decoder(options, {1, 2});
  static weir::Packet reused;
  decoder.decode(frame, reused);
  require(weir::test::broken_invariant(reused));
  weir::Packet fresh;
  decoder.decode(frame, fresh);
  if (!weir::test::is_same_answer(reused, fresh))
    require("the answer depends on the packet before");

  const weir::HashSecret secret{1, 2};
  for (const auto algorithm : {weir::HashAlgorithm::kSipHash, weir::HashAlgorithm::kAes}) {
    if (algorithm == weir::HashAlgorithm::kAes && !weir::has_aes()) continue;
    const weir::Decoder digester(options, weir::KeyedHasher(secret, algorithm));
    require(weir::test::broken_digests(digester, {&frame, 1}, data[3] + 1u));
  }
  return 0;
}

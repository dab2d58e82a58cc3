// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the pcapng reader. The first two bytes choose byte order, batch and read size and whether
// a section header and an interface are put in front; the others are blocks.
#include "tests/support/capture_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::test;
  const std::span<const uint8_t> input(data, size);
  if (input.size() < 2) return 0;
  PcapngWriter front((input[0] & 1) != 0 ? std::endian::big : std::endian::little);
  if ((input[0] & 2) != 0) {
    front.section();
    front.interface(1, {{9, {input[1]}}});
  }
  ByteWriter file(std::endian::big);
  file.raw(front.bytes());
  if ((input[0] & 2) == 0) file.u32(0x0a0d0d0a);
  file.raw(input.subspan(2));
  check_capture(file.bytes(), 1u + (input[0] >> 3), 1u + input[1]);
  return 0;
}

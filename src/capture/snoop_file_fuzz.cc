// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the snoop reader. The first two bytes choose batch and read size; the others are what
// follows the magic and the version.
#include "tests/support/capture_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::test;
  const std::span<const uint8_t> input(data, size);
  if (input.size() < 2) return 0;
  ByteWriter file(std::endian::big);
  file.u64(0x736e6f6f70000000);
  file.u32(2);
  file.raw(input.subspan(2));
  check_capture(file.bytes(), 1u + input[0], 1u + input[1]);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the pcap reader. The first two bytes choose magic, byte order, batch and read size; the
// others are what follows the magic, so that no time is spent on files that are not captures.
#include "tests/support/capture_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::test;
  constexpr uint32_t kMagics[] = {PcapWriter::kMicroseconds, PcapWriter::kNanoseconds,
                                  PcapWriter::kKuznetzov, 0x12345678};
  const std::span<const uint8_t> input(data, size);
  if (input.size() < 2) return 0;
  ByteWriter file((input[0] & 1) != 0 ? std::endian::big : std::endian::little);
  file.u32(kMagics[(input[0] >> 1) & 3]);
  file.raw(input.subspan(2));
  check_capture(file.bytes(), 1u + (input[0] >> 3), 1u + input[1]);
  return 0;
}

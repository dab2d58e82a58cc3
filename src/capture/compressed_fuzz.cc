// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the decompressors and what follows them. The first byte chooses the compression, the
// second what is done:
//
//   even: the input itself is put behind the compression's magic
//   odd:  a capture made of the input is compressed, and the bytes the input's end names are
//         changed, so that the damage is behind headers and checksums that are right
//
// Both ways of reading it (large and small pieces) must bring the same frames as far as both go:
// liblzma notices a wrong chunk length only after the piece it was given, so how far it gets in a
// damaged stream depends on the pieces.
#include <algorithm>

#include "tests/support/capture_fuzz.h"
#include "tests/support/compress.h"

namespace {

using namespace weir;
using namespace weir::test;

void check_decompressed(const Bytes& bytes, size_t small_read) {
  const Seen seen = collect_bytes(bytes);
  const Seen again = collect_bytes(bytes, 3, small_read);
  ASSERT(seen.outcome == Next::kEnd || seen.outcome == Next::kError);
  ASSERT((seen.outcome == Next::kError) == !seen.error.empty());
  ASSERT(seen.error.find('\n') == std::string::npos);
  ASSERT(again.outcome == seen.outcome);
  const size_t common = std::min(seen.frames.size(), again.frames.size());
  ASSERT(std::equal(seen.frames.begin(), seen.frames.begin() + static_cast<std::ptrdiff_t>(common),
                    again.frames.begin()));
  if (seen.outcome == Next::kEnd) ASSERT(again.frames.size() == seen.frames.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> input(data, size);
  if (input.size() < 6) return 0;
  const Codec codec = kCodecs[input[0] % std::size(kCodecs)];
  const size_t small_read = 1u + input[1];
  const std::span<const uint8_t> rest = input.subspan(2);
  if (input[1] % 2 == 0) {
    Bytes bytes = compress(codec, {});
    bytes.resize(std::min<size_t>(bytes.size(), 4));  // the magic
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    check_decompressed(bytes, small_read);
    return 0;
  }
  PcapWriter file(std::endian::little);
  file.record(1, 0, rest);
  file.record(2, 0, rest.first(rest.size() / 2));
  const Seen whole = collect_bytes(file.bytes());
  Bytes bytes = compress(codec, file.bytes());
  const size_t position = (size_t{rest[0]} << 8 | rest[1]) % bytes.size();
  bytes[position] = static_cast<uint8_t>(bytes[position] ^ rest[2]);
  check_decompressed(bytes, small_read);
  if (rest[2] != 0) return 0;
  ASSERT(collect_bytes(bytes).frames == whole.frames);
  return 0;
}

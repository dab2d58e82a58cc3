// SPDX-License-Identifier: Apache-2.0
//
// Any bytes: decoding stays within them, and what decodes has exactly one encoding.
#include <string>

#include "base/assert.h"
#include "export/record_codec.h"

using namespace weir;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteReader reader(data, size);
  FlowRecord record;
  while (reader.remaining() > 0) {
    const uint8_t* start = reader.position();
    if (!decode_record(reader, record)) break;
    std::string bytes;
    append_encoded(bytes, record);
    const auto consumed = static_cast<size_t>(reader.position() - start);
    ASSERT(bytes == std::string(start, start + consumed));
  }
  return 0;
}

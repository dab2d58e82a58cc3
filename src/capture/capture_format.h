// SPDX-License-Identifier: Apache-2.0
//
// What kind of capture a stream of bytes is, by its first bytes. Names of files say nothing.
//
// A file may be compressed once: then the stream is made to decompress itself, and the decompressed
// bytes are looked at. A compression inside a compression is not a capture.
//
// Threads: one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "capture/byte_stream.h"
#include "capture/interface_names.h"
#include "capture/record_parser.h"

namespace weir {

struct CaptureFormat {
  const char* name;
  // True if these first bytes, as many as there are up to kFormatMagicSizeMax, begin such a file.
  bool (*knows)(std::span<const uint8_t> start);
  // Bytes that must be available for make().
  size_t (*header_size)(std::span<const uint8_t> start);
  std::unique_ptr<RecordParser> (*make)(ByteStream& stream, const std::string& file_name,
                                        InterfaceNames& names);
};

inline constexpr size_t kFormatMagicSizeMax = 8;

struct Recognition {
  // kStopped and kFailed: it could not be found out. Else `format` or `reason` says what it is.
  ByteStream::Fill fill = ByteStream::Fill::kFilled;
  const CaptureFormat* format = nullptr;
  std::string reason;  // "is empty, not a capture file"
};

// Waits for the first bytes; consumes nothing. May be called once, before anything is consumed.
Recognition recognize_capture(ByteStream& stream);

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
//
// CaptureFile: a capture file, FIFO or standard input as a source. It puts together a ByteStream
// (reading and decompressing), a RecordParser (the format, chosen by the first bytes, see
// capture_format.h) and batches. It copies no frame.
//
// Errors are one line: "x.pcap: is a directory, not a capture file" when it cannot be opened,
// "x.pcap: byte 4096: record cut short: 60 bytes announced, 12 present" when it breaks,
// "x.pcap.gz: compressed byte 512: gzip: invalid block type" when its compression does. A FIFO or
// standard input is looked at only in next(), because the first byte may be long in coming and
// stop() must be able to end the wait; what is wrong with its beginning is therefore reported by
// next().
//
// A batch ends where the memory block of its frames ends, so batches may be smaller than their
// limit.
//
// Threads: as CaptureSource.
#pragma once

#include <memory>
#include <string>

#include "capture/byte_stream.h"
#include "capture/capture_source.h"
#include "capture/interface_names.h"

namespace weir {

// Opens a capture file by its content, whatever it is called; "-" is standard input. Returns null
// and one line in `error` when that cannot work. `names` must outlive the source.
std::unique_ptr<CaptureSource> open_capture_file(const std::string& path, InterfaceNames& names,
                                                 std::string& error);

// The same for bytes from elsewhere; never fails, next() does. `name` stands for the path in
// messages.
std::unique_ptr<CaptureSource> open_capture_stream(std::unique_ptr<ByteStream> stream,
                                                   const std::string& name, InterfaceNames& names);

}  // namespace weir

// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_format.h"

#include <algorithm>

#include "capture/pcap_file.h"
#include "capture/pcapng_file.h"
#include "capture/snoop_file.h"

namespace weir {

namespace {

constexpr size_t kShownSizeMax = 4;
static_assert(kCompressionMagicSizeMax <= kFormatMagicSizeMax);

constexpr CaptureFormat kFormats[] = {
    {"pcap", PcapParser::knows, PcapParser::header_size,
     [](ByteStream& stream, const std::string& file_name,
        InterfaceNames& names) -> std::unique_ptr<RecordParser> {
       return std::make_unique<PcapParser>(stream, names.intern(file_name));
     }},
    {"pcapng", PcapngParser::knows, [](std::span<const uint8_t>) -> size_t { return 0; },
     [](ByteStream&, const std::string& file_name,
        InterfaceNames& names) -> std::unique_ptr<RecordParser> {
       return std::make_unique<PcapngParser>(file_name, names);
     }},
    {"snoop", SnoopParser::knows,
     [](std::span<const uint8_t>) -> size_t { return kSnoopFileHeaderSize; },
     [](ByteStream& stream, const std::string& file_name,
        InterfaceNames& names) -> std::unique_ptr<RecordParser> {
       return std::make_unique<SnoopParser>(stream, names.intern(file_name));
     }},
};

const CaptureFormat* find_format(std::span<const uint8_t> start) {
  for (const CaptureFormat& format : kFormats) {
    if (format.knows(start)) return &format;
  }
  return nullptr;
}

// What is wrong with bytes that begin no capture we read; `outer` is the compression they came in.
std::string describe_unknown(std::span<const uint8_t> start, const Compression* inner,
                             const Compression* outer) {
  const std::string outer_name(outer == nullptr ? "" : outer->name);
  if (start.empty()) {
    return outer == nullptr ? "is empty, not a capture file"
                            : "is empty inside " + outer_name + ", not a capture file";
  }
  if (inner != nullptr) {
    return "not a capture: compressed with " + std::string(inner->name) +
           (outer == nullptr ? "" : " inside " + outer_name) + "; decompress it first";
  }
  std::string text = "not a pcap, pcapng or snoop capture: ";
  if (outer != nullptr) text += "inside " + outer_name + ", ";
  text += "it begins with";
  for (const uint8_t byte : start.first(std::min(start.size(), kShownSizeMax))) {
    text += ' ';
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 0xf];
  }
  return text;
}

}  // namespace

Recognition recognize_capture(ByteStream& stream) {
  for (;;) {
    Recognition recognition;
    recognition.fill = stream.fill(kFormatMagicSizeMax);
    if (recognition.fill == ByteStream::Fill::kStopped) return recognition;
    const size_t size = std::min(stream.available().size(), kFormatMagicSizeMax);
    const std::span<const uint8_t> start = stream.available().first(size);
    recognition.format = find_format(start);
    if (recognition.format != nullptr) {
      recognition.fill = ByteStream::Fill::kFilled;
      return recognition;
    }
    if (recognition.fill == ByteStream::Fill::kFailed) return recognition;
    recognition.fill = ByteStream::Fill::kFilled;
    const Compression* outer = stream.compression();
    const Compression* inner = find_compression(start);
    if (outer == nullptr && inner != nullptr && inner->make != nullptr) {
      stream.decompress(*inner);
      continue;
    }
    recognition.reason = describe_unknown(start, inner, outer);
    return recognition;
  }
}

}  // namespace weir

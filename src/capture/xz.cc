// SPDX-License-Identifier: Apache-2.0
//
// xz (The .xz File Format 1.1) with liblzma: streams one after another, zeros between and behind
// them in fours.
#include <lzma.h>

#include "capture/decompressor.h"

namespace weir {

namespace {

const char* reason(lzma_ret result) {
  switch (result) {
    case LZMA_DATA_ERROR:
      return "corrupt data";
    case LZMA_FORMAT_ERROR:
      return "no xz stream where one should begin";
    case LZMA_OPTIONS_ERROR:
      return "unknown options";
    case LZMA_MEM_ERROR:
      return "out of memory";
    default:
      return "the decoder failed";
  }
}

class XzDecompressor final : public Decompressor {
 public:
  XzDecompressor() {
    if (lzma_stream_decoder(&stream_, kDecompressionMemoryMax, LZMA_CONCATENATED) != LZMA_OK) {
      failure_ = "out of memory";
    }
  }
  ~XzDecompressor() override { lzma_end(&stream_); }

  Decompressed decompress(std::span<const uint8_t> in, std::span<uint8_t> out) override {
    Decompressed step;
    step.is_damaged = !failure_.empty();
    if (step.is_damaged) return step;
    stream_.next_in = in.data();
    stream_.avail_in = in.size();
    stream_.next_out = out.data();
    stream_.avail_out = out.size();
    const lzma_ret result = lzma_code(&stream_, LZMA_RUN);
    step.consumed = in.size() - stream_.avail_in;
    step.produced = out.size() - stream_.avail_out;
    // LZMA_BUF_ERROR: nothing to do without more input.
    if (result == LZMA_OK || result == LZMA_BUF_ERROR) return step;
    failure_ = result == LZMA_MEMLIMIT_ERROR
                   ? "needs " + std::to_string(lzma_memusage(&stream_)) +
                         " bytes of memory: at most " + std::to_string(kDecompressionMemoryMax) +
                         " allowed"
                   : reason(result);
    step.is_damaged = true;
    return step;
  }

  bool may_end() override {
    if (!failure_.empty()) return false;
    stream_.avail_in = 0;
    stream_.avail_out = 0;
    return lzma_code(&stream_, LZMA_FINISH) == LZMA_STREAM_END;
  }
  const std::string& failure() const override { return failure_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  std::string failure_;
};

}  // namespace

std::unique_ptr<Decompressor> make_xz_decompressor() {
  return std::make_unique<XzDecompressor>();
}

}  // namespace weir

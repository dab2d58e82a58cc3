// SPDX-License-Identifier: Apache-2.0
//
// zstd (RFC 8878) with libzstd: frames one after another, skippable ones among them.
//
// The library forgets what a call has produced when the same call meets damage, so it is given the
// rest of one block at a time, without the header of the next (which its own reading hint
// includes). That costs nothing: blocks have up to 128 KiB.
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "capture/decompressor.h"

namespace weir {

namespace {

constexpr size_t kBlockHeaderSize = 3;
// What ZSTD_decompressStream() needs to begin a frame.
constexpr size_t kFrameStartSize = 5;

class ZstdDecompressor final : public Decompressor {
 public:
  ZstdDecompressor() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) {
      failure_ = "out of memory";
      return;
    }
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax,
                           static_cast<int>(kDecompressionWindowLogMax));
  }
  ~ZstdDecompressor() override { ZSTD_freeDStream(stream_); }

  Decompressed decompress(std::span<const uint8_t> in, std::span<uint8_t> out) override {
    Decompressed step;
    step.is_damaged = !failure_.empty();
    if (step.is_damaged) return step;
    const size_t wanted = hint_ > kBlockHeaderSize ? hint_ - kBlockHeaderSize : hint_;
    ZSTD_inBuffer input{in.data(), std::min(in.size(), wanted), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const size_t result = ZSTD_decompressStream(stream_, &output, &input);
    step.consumed = input.pos;
    step.produced = output.pos;
    if (ZSTD_isError(result) != 0) {
      failure_ = ZSTD_getErrorName(result);
      if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
        failure_ = "the window is larger than " + std::to_string(kDecompressionMemoryMax) +
                   " bytes (made with --long)";
      }
      step.is_damaged = true;
      return step;
    }
    if (step.consumed > 0 || step.produced > 0) is_between_frames_ = result == 0;
    hint_ = result == 0 ? kFrameStartSize : result;
    return step;
  }

  bool may_end() override { return is_between_frames_; }
  const std::string& failure() const override { return failure_; }

 private:
  ZSTD_DStream* stream_;
  size_t hint_ = kFrameStartSize;  // bytes the library asks for
  bool is_between_frames_ = false;
  std::string failure_;
};

}  // namespace

std::unique_ptr<Decompressor> make_zstd_decompressor() {
  return std::make_unique<ZstdDecompressor>();
}

}  // namespace weir

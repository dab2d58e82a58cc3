// SPDX-License-Identifier: Apache-2.0
//
// lz4 in its frame format (lz4_Frame_format.md 1.6) with liblz4: frames one after another,
// skippable ones among them. Blocks have up to 4 MiB, which bounds the memory.
//
// As with zstd, the library forgets what a call has produced when the same call meets damage, so it
// is given the rest of one block at a time, without the header of the next.
#include <lz4frame.h>

#include <algorithm>

#include "capture/decompressor.h"

namespace weir {

namespace {

constexpr size_t kBlockHeaderSize = 4;

class Lz4Decompressor final : public Decompressor {
 public:
  Lz4Decompressor() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) != 0) {
      failure_ = "out of memory";
    }
  }
  ~Lz4Decompressor() override { LZ4F_freeDecompressionContext(context_); }

  Decompressed decompress(std::span<const uint8_t> in, std::span<uint8_t> out) override {
    Decompressed step;
    step.is_damaged = !failure_.empty();
    if (step.is_damaged) return step;
    const size_t wanted = hint_ > kBlockHeaderSize ? hint_ - kBlockHeaderSize : hint_;
    step.consumed = std::min(in.size(), wanted);
    step.produced = out.size();
    const size_t result =
        LZ4F_decompress(context_, out.data(), &step.produced, in.data(), &step.consumed, nullptr);
    if (LZ4F_isError(result) != 0) {
      failure_ = LZ4F_getErrorName(result);
      return {0, 0, true};
    }
    if (step.consumed > 0 || step.produced > 0) is_between_frames_ = result == 0;
    hint_ = result == 0 ? LZ4F_MIN_SIZE_TO_KNOW_HEADER_LENGTH : result;
    return step;
  }

  bool may_end() override { return is_between_frames_; }
  const std::string& failure() const override { return failure_; }

 private:
  LZ4F_dctx* context_ = nullptr;
  size_t hint_ = LZ4F_MIN_SIZE_TO_KNOW_HEADER_LENGTH;  // bytes the library asks for
  bool is_between_frames_ = false;
  std::string failure_;
};

}  // namespace

std::unique_ptr<Decompressor> make_lz4_decompressor() {
  return std::make_unique<Lz4Decompressor>();
}

}  // namespace weir

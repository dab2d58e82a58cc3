// SPDX-License-Identifier: Apache-2.0
//
// gzip (RFC 1952) with zlib: members one after another, zeros between and behind them as tapes
// leave them. Its window has 32 KiB.
#define ZLIB_CONST  // what inflate() reads is const

#include <zlib.h>

#include <algorithm>

#include "capture/decompressor.h"

namespace weir {

namespace {

constexpr int kWindowBits = 15;
constexpr int kGzipOnly = 16;

class GzipDecompressor final : public Decompressor {
 public:
  GzipDecompressor() {
    if (inflateInit2(&stream_, kWindowBits + kGzipOnly) != Z_OK) failure_ = "out of memory";
  }
  ~GzipDecompressor() override { inflateEnd(&stream_); }

  Decompressed decompress(std::span<const uint8_t> in, std::span<uint8_t> out) override {
    Decompressed step;
    step.is_damaged = !failure_.empty();
    if (step.is_damaged) return step;
    if (is_between_members_) {
      const auto member =
          std::find_if(in.begin(), in.end(), [](uint8_t byte) { return byte != 0; });
      step.consumed = static_cast<size_t>(member - in.begin());
      if (member == in.end()) return step;
      in = in.subspan(step.consumed);
      inflateReset(&stream_);
      is_between_members_ = false;
    }
    stream_.next_in = in.data();
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    step.consumed += in.size() - stream_.avail_in;
    step.produced = out.size() - stream_.avail_out;
    is_between_members_ = result == Z_STREAM_END;
    // Z_BUF_ERROR: nothing to do without more input.
    if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) return step;
    failure_ = stream_.msg != nullptr ? stream_.msg : zError(result);
    step.is_damaged = true;
    return step;
  }

  bool may_end() override { return is_between_members_; }
  const std::string& failure() const override { return failure_; }

 private:
  z_stream stream_{};
  bool is_between_members_ = false;
  std::string failure_;
};

}  // namespace

std::unique_ptr<Decompressor> make_gzip_decompressor() {
  return std::make_unique<GzipDecompressor>();
}

}  // namespace weir

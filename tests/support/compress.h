// SPDX-License-Identifier: Apache-2.0
//
// Compresses bytes in memory with the libraries themselves, for tests and fuzzers.
#pragma once

#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdint>

#include "base/assert.h"
#include "tests/support/capture_writer.h"

namespace weir::test {

enum class Codec : uint8_t { kGzip, kZstd, kLz4, kXz };
inline constexpr Codec kCodecs[] = {Codec::kGzip, Codec::kZstd, Codec::kLz4, Codec::kXz};

inline const char* codec_name(Codec codec) {
  constexpr const char* kNames[] = {"gzip", "zstd", "lz4", "xz"};
  return kNames[static_cast<size_t>(codec)];
}

inline Bytes compress_gzip(Bytes bytes) {
  z_stream stream{};
  ASSERT(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(deflateBound(&stream, bytes.size()) + 64);
  stream.next_in = bytes.data();
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

inline Bytes compress_zstd(const Bytes& bytes, int window_log = 0) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  if (window_log > 0) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  }
  Bytes out(ZSTD_compressBound(bytes.size()));
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  // In two calls, so that the size is not known and does not cap the window.
  ASSERT(ZSTD_isError(ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue)) == 0);
  ASSERT(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end) == 0);
  out.resize(output.pos);
  ZSTD_freeCCtx(context);
  return out;
}

inline Bytes compress_lz4(const Bytes& bytes) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  Bytes out(LZ4F_compressFrameBound(bytes.size(), &preferences));
  const size_t size =
      LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  ASSERT(LZ4F_isError(size) == 0);
  out.resize(size);
  return out;
}

inline Bytes compress_xz(const Bytes& bytes, uint32_t preset = 1) {
  Bytes out(lzma_stream_buffer_bound(bytes.size()));
  size_t size = 0;
  ASSERT(lzma_easy_buffer_encode(preset, LZMA_CHECK_CRC64, nullptr, bytes.data(), bytes.size(),
                                 out.data(), &size, out.size()) == LZMA_OK);
  out.resize(size);
  return out;
}

inline Bytes compress(Codec codec, const Bytes& bytes) {
  switch (codec) {
    case Codec::kGzip:
      return compress_gzip(bytes);
    case Codec::kZstd:
      return compress_zstd(bytes);
    case Codec::kLz4:
      return compress_lz4(bytes);
    case Codec::kXz:
      return compress_xz(bytes);
  }
  return {};
}

}  // namespace weir::test

// SPDX-License-Identifier: Apache-2.0
//
// Digest: MD5, SHA-1 and SHA-256 of bytes that come in pieces, for fingerprints and for the keys of
// QUIC's first packets. None of them protects anything here.
//
// OpenSSL's algorithms are fetched once per process, its contexts made once per thread; after that
// nothing is allocated.
//
// Errors: an OpenSSL without the algorithm (FIPS has no MD5) gives an empty digest.
// Threads: any; one Digest at a time on each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

struct evp_md_ctx_st;

namespace weir {

inline constexpr size_t kDigestSizeMax = 32;
using DigestBytes = std::array<uint8_t, kDigestSizeMax>;

class Digest {
 public:
  enum class Algorithm : uint8_t { kMd5, kSha1, kSha256 };

  explicit Digest(Algorithm algorithm) noexcept;
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(std::span<const uint8_t> bytes) noexcept;
  void add(std::string_view text) noexcept;
  // The digest, in `out`; 16, 20 or 32 bytes, or none.
  std::span<const uint8_t> finish(DigestBytes& out) noexcept;

 private:
  evp_md_ctx_st* context_ = nullptr;  // null: not available
};

// HMAC-SHA-256 (RFC 2104); `key` has at most 64 bytes. False when the
// algorithm is not available.
bool hmac_sha256(std::span<const uint8_t> key, std::span<const uint8_t> message, DigestBytes& out);

}  // namespace weir

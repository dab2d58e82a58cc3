// SPDX-License-Identifier: Apache-2.0
#include "dpi/digest.h"

#include <openssl/evp.h>

#include <memory>

#include "base/assert.h"

namespace weir {
namespace {

constexpr size_t kHmacBlockSize = 64;  // of SHA-256

struct Algorithms {
  std::array<EVP_MD*, 3> fetched = {EVP_MD_fetch(nullptr, "MD5", nullptr),
                                    EVP_MD_fetch(nullptr, "SHA1", nullptr),
                                    EVP_MD_fetch(nullptr, "SHA256", nullptr)};
};

const EVP_MD* fetched(Digest::Algorithm algorithm) {
  static const Algorithms algorithms;  // for the life of the process
  return algorithms.fetched[static_cast<size_t>(algorithm)];
}

// One context per thread and algorithm: a context that changes its algorithm allocates.
EVP_MD_CTX* thread_context(Digest::Algorithm algorithm) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  static thread_local const std::array<std::unique_ptr<EVP_MD_CTX, Free>, 3> contexts = {
      std::unique_ptr<EVP_MD_CTX, Free>(EVP_MD_CTX_new()),
      std::unique_ptr<EVP_MD_CTX, Free>(EVP_MD_CTX_new()),
      std::unique_ptr<EVP_MD_CTX, Free>(EVP_MD_CTX_new())};
  return contexts[static_cast<size_t>(algorithm)].get();
}

}  // namespace

Digest::Digest(Algorithm algorithm) noexcept {
  const EVP_MD* const type = fetched(algorithm);
  EVP_MD_CTX* const context = thread_context(algorithm);
  if (type == nullptr || context == nullptr) return;
  if (EVP_DigestInit_ex2(context, type, nullptr) == 1) context_ = context;
}

void Digest::add(std::span<const uint8_t> bytes) noexcept {
  if (context_ == nullptr || bytes.empty()) return;
  if (EVP_DigestUpdate(context_, bytes.data(), bytes.size()) != 1) context_ = nullptr;
}

void Digest::add(std::string_view text) noexcept {
  if (context_ == nullptr || text.empty()) return;
  if (EVP_DigestUpdate(context_, text.data(), text.size()) != 1) context_ = nullptr;
}

std::span<const uint8_t> Digest::finish(DigestBytes& out) noexcept {
  unsigned size = 0;
  if (context_ == nullptr || EVP_DigestFinal_ex(context_, out.data(), &size) != 1) return {};
  ASSERT(size <= out.size());
  return std::span(out).first(size);
}

bool hmac_sha256(std::span<const uint8_t> key, std::span<const uint8_t> message, DigestBytes& out) {
  ASSERT(key.size() <= kHmacBlockSize);
  std::array<uint8_t, kHmacBlockSize> block{};
  for (size_t i = 0; i < block.size(); ++i)
    block[i] = static_cast<uint8_t>((i < key.size() ? key[i] : 0) ^ 0x36);
  DigestBytes inner;
  {
    Digest digest(Digest::Algorithm::kSha256);
    digest.add(block);
    digest.add(message);
    if (digest.finish(inner).empty()) return false;
  }
  for (uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  Digest digest(Digest::Algorithm::kSha256);
  digest.add(block);
  digest.add(inner);
  return !digest.finish(out).empty();
}

}  // namespace weir

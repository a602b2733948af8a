#include "core/base/hash.h"

#define XXH_INLINE_ALL
#include <openssl/evp.h>
#include <xxhash.h>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {

namespace {

void Check(bool ok, const char* what) {
  if (!ok) {
    throw Error(ErrorCode::kInternal, what);
  }
}

}  // namespace

uint64_t Hash64(std::span<const std::byte> data) {
  return XXH3_64bits(data.data(), data.size());
}

std::string Hash128::Hex() const {
  return Format("{:016x}{:016x}", high, low);
}

struct Hasher128::State {
  XXH3_state_t xxh;
};

Hasher128::Hasher128() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh);
}

Hasher128::~Hasher128() = default;

void Hasher128::Update(std::span<const std::byte> data) {
  XXH3_128bits_update(&state_->xxh, data.data(), data.size());
}

void Hasher128::Update(std::string_view text) {
  XXH3_128bits_update(&state_->xxh, text.data(), text.size());
}

Hash128 Hasher128::Finish() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return {.low = hash.low64, .high = hash.high64};
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  Check(
      state_->context != nullptr && EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1,
      "cannot start SHA-256");
}

Sha256::~Sha256() = default;

void Sha256::Update(std::span<const std::byte> data) {
  Check(EVP_DigestUpdate(state_->context, data.data(), data.size()) == 1, "SHA-256 failed");
}

std::string Sha256::FinishHex() {
  std::array<unsigned char, 32> digest{};
  unsigned int length = 0;
  Check(EVP_DigestFinal_ex(state_->context, digest.data(), &length) == 1 && length == digest.size(),
        "SHA-256 failed");
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += Format("{:02x}", byte);
  }
  return hex;
}

}  // namespace lbrx

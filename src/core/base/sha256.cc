// SHA-256 by libcrypto, which uses what the CPU has for it.
#include <openssl/evp.h>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/hash.h"

namespace lbrx {
namespace {

void Check(bool ok, const char* what) {
  if (!ok) {
    throw Error(ErrorCode::kInternal, what);
  }
}

}  // namespace

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

#include "core/base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/format.h"

namespace lbrx {

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

}  // namespace lbrx

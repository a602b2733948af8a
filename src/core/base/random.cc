#include "core/base/random.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>

#include "core/base/hash.h"

namespace lbrx {
namespace {

PhiloxKey KeyOf(uint64_t seed, std::string_view name) {
  std::string text;
  for (int byte = 0; byte < 8; ++byte) {
    text += static_cast<char>(seed >> (8 * byte) & 0xFF);
  }
  text += name;
  const uint64_t hash = Hash64(std::as_bytes(std::span(text.data(), text.size())));
  return {static_cast<uint32_t>(hash), static_cast<uint32_t>(hash >> 32)};
}

}  // namespace

CounterRandom::CounterRandom(uint64_t seed, std::string_view name, uint32_t stream)
    : key_(KeyOf(seed, name)), stream_(stream) {}

void CounterRandom::Fill(uint64_t first, size_t count, uint32_t* out) const {
  std::array<uint32_t, kPhiloxGroup> words;
  while (count > 0) {
    const size_t skip = first % kPhiloxGroup;
    if (skip == 0 && count >= kPhiloxGroup) {
      const size_t groups = count / kPhiloxGroup;
      FillPhilox(key_, stream_, first / kPhiloxGroup, groups, out);
      first += groups * kPhiloxGroup;
      count -= groups * kPhiloxGroup;
      out += groups * kPhiloxGroup;
      continue;
    }
    FillPhilox(key_, stream_, first / kPhiloxGroup, 1, words.data());
    const size_t n = std::min(kPhiloxGroup - skip, count);
    std::memcpy(out, words.data() + skip, n * sizeof(uint32_t));
    first += n;
    count -= n;
    out += n;
  }
}

}  // namespace lbrx

#include "core/base/random.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "core/base/hash.h"

namespace lbrx {
namespace {

constexpr size_t kGroup = 32;  // words

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

PhiloxCounter Philox(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53} * counter[0];
    const uint64_t second = uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
        static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

void FillPhiloxReference(PhiloxKey key, uint32_t stream, uint64_t group, size_t groups,
                         uint32_t* out) {
  for (size_t g = 0; g < groups; ++g) {
    for (size_t lane = 0; lane < 8; ++lane) {
      const uint64_t block = 8 * (group + g) + lane;
      const PhiloxCounter words = Philox(
          {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), stream, 0}, key);
      for (size_t j = 0; j < words.size(); ++j) {
        out[kGroup * g + 8 * j + lane] = words[j];
      }
    }
  }
}

CounterRandom::CounterRandom(uint64_t seed, std::string_view name, uint32_t stream)
    : key_(KeyOf(seed, name)), stream_(stream) {}

void CounterRandom::Fill(uint64_t first, size_t count, uint32_t* out) const {
  std::array<uint32_t, kGroup> words;
  while (count > 0) {
    const size_t skip = first % kGroup;
    if (skip == 0 && count >= kGroup) {
      const size_t groups = count / kGroup;
      FillPhilox(key_, stream_, first / kGroup, groups, out);
      first += groups * kGroup;
      count -= groups * kGroup;
      out += groups * kGroup;
      continue;
    }
    FillPhilox(key_, stream_, first / kGroup, 1, words.data());
    const size_t n = std::min(kGroup - skip, count);
    std::memcpy(out, words.data() + skip, n * sizeof(uint32_t));
    first += n;
    count -= n;
    out += n;
  }
}

}  // namespace lbrx

#include "core/base/philox.h"

namespace lbrx {

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
        out[kPhiloxGroup * g + 8 * j + lane] = words[j];
      }
    }
  }
}

}  // namespace lbrx

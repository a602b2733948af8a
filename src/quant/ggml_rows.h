// For tests: the rows and blocks of tests/data/make_ggml.py, which says what they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lbrx {

inline constexpr size_t kGgmlRows = 8;
inline constexpr size_t kGgmlColumns = 512;
inline constexpr size_t kGgmlDecodedBlocks = 40;

// The script's generator.
class GgmlRandom {
 public:
  explicit GgmlRandom(uint64_t seed) : state_(seed) {}

  uint32_t Bits(int count) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<uint32_t>(state_ >> (64 - count));
  }

  int Bell();

 private:
  uint64_t state_;
};

const std::vector<std::string>& GgmlRowKinds();
std::vector<float> GgmlRows(const std::string& kind);
std::vector<float> GgmlImportance(bool with_zeros);
// `bytes` of random blocks of the type with this number.
std::vector<std::byte> GgmlRandomBlocks(uint32_t id, size_t bytes);

}  // namespace lbrx

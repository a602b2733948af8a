#include "merge/methods/fusion_sample.h"

#include <algorithm>
#include <array>

#include "core/base/mersenne.h"

namespace lbrx {
namespace {

constexpr uint64_t kTwoWords = uint64_t{1} << 28;  // elements that take two words for an index

}  // namespace

FusionSample::FusionSample(const MergeTensor& tensor)
    : elements_(tensor.shape.elements()), seed_(tensor.seed), position_(tensor.stream_position) {}

uint64_t FusionSample::Words(uint64_t elements) {
  if (!Wanted(elements)) {
    return 0;
  }
  return elements < kTwoWords ? kSize : 2 * kSize;
}

void FusionSample::Draw() {
  constexpr size_t kRun = 2000;
  const auto stream = MersenneStream::Shared(static_cast<uint32_t>(seed_));
  const size_t width = Words(elements_) / kSize;
  std::array<uint32_t, 2 * kRun> words;
  indices_.reserve(kSize);
  for (size_t begin = 0; begin < kSize; begin += kRun) {
    stream->Fill(position_ + begin * width, kRun * width, words.data());
    for (size_t i = 0; i < kRun; ++i) {
      const uint64_t word = width == 1 ? words[i] : uint64_t{words[2 * i]} << 32 | words[2 * i + 1];
      indices_.push_back(word % elements_);
    }
  }
  std::sort(indices_.begin(), indices_.end());
  values_.resize(kSize);
}

void FusionSample::See(uint64_t first, const float* values, size_t count) {
  std::call_once(drawn_, [this] { Draw(); });
  auto index = std::lower_bound(indices_.begin(), indices_.end(), first);
  for (; index != indices_.end() && *index < first + count; ++index) {
    values_[index - indices_.begin()] = values[*index - first];
  }
}

float FusionSample::AtRank(size_t position) {
  std::nth_element(values_.begin() + static_cast<std::ptrdiff_t>(sorted_),
                   values_.begin() + static_cast<std::ptrdiff_t>(position), values_.end());
  sorted_ = position;
  return values_[position];
}

void FusionSample::Free() {
  indices_ = {};
  values_ = {};
}

}  // namespace lbrx

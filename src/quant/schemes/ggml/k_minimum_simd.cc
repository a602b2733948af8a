// Encoding of the K formats with minima on vectors: a super-block in each lane.
#include "core/base/simd.h"
#include "quant/schemes/ggml/k_minimum.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/k_minimum_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "quant/schemes/ggml/affine_lanes-inl.h"
#include "quant/schemes/ggml/lanes-inl.h"
#include "quant/schemes/ggml/pack_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

// FoundAffine of all lanes.
struct FoundLanes {
  HWY_ALIGN float scales[16 * kLanes];
  HWY_ALIGN float minima[16 * kLanes];
  HWY_ALIGN float weights[16 * kLanes];
  HWY_ALIGN float inverses[16 * kLanes];
  HWY_ALIGN float bases[16 * kLanes];
};

// A sub-block's scale and minimum as stored.
struct StoredLanes {
  HWY_ALIGN float scales[16 * kLanes];
  HWY_ALIGN float minima[16 * kLanes];
};

template <typename Format>
class BatchEncoder {
 public:
  HWY_INLINE explicit BatchEncoder(const Batch& batch) : batch_(batch) {
    ToLanes(batch.values, 256, x_);
    odd_ = NoLanes();
  }

  HWY_INLINE void Run() {
    if (batch_.weighted) {
      ToLanes(batch_.importance, 256, importance_);
      const LaneVec sum = SumOfSquaresLanes(x_, 256);
      const LaneVec twice = hn::Mul(hn::Set(LaneTag(), Format::kSpread), sum);
      const LaneVec spread = hn::Div(twice, hn::Set(LaneTag(), 256.0F));
      ForEachPair<false>(ggml::kImportanceTrials,
                         [&](size_t s) HWY_ATTR { WeighByImportance(s, spread); });
    } else {
      ForEachPair<Format::kTrials.absolute>(Format::kTrials,
                                            [&](size_t s) HWY_ATTR { WeighPlainly(s); });
    }
    for (size_t b = 0; b < batch_.count; ++b) {
      CodeScales(b);
    }
    CodeAgain();
    const PackedLanes<Format> packed(codes_);
    WriteBatch<Format>(batch_, odd_, [&](size_t b, Block& block) HWY_ATTR {
      block = blocks_[b];
      packed.Fill(b, block);
    });
  }

 private:
  using Block = typename Format::Block;
  static constexpr size_t kSize = Format::kSubBlock;
  static constexpr size_t kCount = 256 / kSize;

  // weigh(s) fills the weights of sub-block s.
  template <bool kAbsolute, typename Weigh>
  HWY_INLINE void ForEachPair(const ggml::AffineTrials& trials, const Weigh& weigh) {
    using Search = AffineLanes<kSize, Format::kTop, kAbsolute>;
    for (size_t s = 0; s < kCount; s += 2) {
      weigh(s);
      weigh(s + 1);
      Search a(X(s), Weights(s), codes_);
      Search b(X(s + 1), Weights(s + 1), codes_ + kSize * kLanes);
      SearchTogether<kSize>(trials, Format::kTop, a, b);
      Store(a, s);
      Store(b, s + 1);
    }
  }

  template <typename Search>
  HWY_INLINE void Store(const Search& search, size_t s) {
    StoreLanes(search.Scale(), found_.scales, s);
    StoreLanes(search.Minimum(), found_.minima, s);
    StoreLanes(search.Inverse(), found_.inverses, s);
    StoreLanes(search.Base(), found_.bases, s);
    odd_ = hn::Or(odd_, search.Odd());
  }

  HWY_INLINE void WeighByImportance(size_t s, LaneVec spread) {
    ImportanceLanes(X(s), importance_ + s * kSize * kLanes, spread, kSize, Weights(s));
    StoreLanes(SumLanes(Weights(s), kSize), found_.weights, s);
  }

  HWY_INLINE void WeighPlainly(size_t s) {
    LaneVec level = hn::Zero(LaneTag());
    if constexpr (Format::kWeightsHaveLevel) {
      const LaneVec size = hn::Set(LaneTag(), static_cast<float>(kSize));
      level = hn::Sqrt(hn::Div(SumOfSquaresLanes(X(s), kSize), size));
    }
    for (size_t i = 0; i < kSize; ++i) {
      StoreLanes(hn::Add(level, hn::Abs(LoadLanes(X(s), i))), Weights(s), i);
    }
  }

  // Of block b.
  HWY_INLINE void CodeScales(size_t b) {
    float scales[16];
    float minima[16];
    float weights[16];
    for (size_t s = 0; s < kCount; ++s) {
      scales[s] = found_.scales[s * kLanes + b];
      minima[s] = found_.minima[s * kLanes + b];
      weights[s] = found_.weights[s * kLanes + b];
    }
    Block& block = blocks_[b];
    ggml::CodeScales<Format>(scales, minima, batch_.weighted ? weights : nullptr, block);
    const float d = block.d.Get();
    const float dmin = block.dmin.Get();
    for (size_t s = 0; s < kCount; ++s) {
      stored_.scales[s * kLanes + b] = d * static_cast<float>(Format::Scale(block, s));
      stored_.minima[s * kLanes + b] = dmin * static_cast<float>(Format::Minimum(block, s));
    }
  }

  // ggml::CodeAgain.
  HWY_INLINE void CodeAgain() {
    for (size_t s = 0; s < kCount; ++s) {
      const LaneVec scale = LoadLanes(stored_.scales, s);
      const LaneVec minimum = LoadLanes(stored_.minima, s);
      const auto stays = hn::Eq(scale, hn::Zero(LaneTag()));
      const bool some_stay = !hn::AllFalse(LaneTag(), stays);
      for (size_t i = 0; i < kSize; ++i) {
        const LaneVec x = LoadLanes(X(s), i);
        LaneVec real = hn::Div(hn::Add(x, minimum), scale);
        if (some_stay) {
          const LaneVec before =
              hn::Mul(LoadLanes(found_.inverses, s), hn::Sub(x, LoadLanes(found_.bases, s)));
          real = hn::IfThenElse(stays, before, real);
        }
        StoreLanes(NearestWithinLanes(real, 0, Format::kTop), codes_, s * kSize + i);
      }
    }
  }

  HWY_INLINE const float* X(size_t s) const { return x_ + s * kSize * kLanes; }

  HWY_INLINE float* Weights(size_t s) { return weights_ + s % 2 * kSize * kLanes; }

  const Batch& batch_;
  LaneMask odd_;
  HWY_ALIGN float x_[256 * kLanes];
  HWY_ALIGN float importance_[256 * kLanes];
  HWY_ALIGN float weights_[2 * kSize * kLanes];
  HWY_ALIGN float codes_[256 * kLanes];
  FoundLanes found_{};
  StoredLanes stored_{};
  Block blocks_[kLanes] = {};
};

template <typename Format>
void Encode(const EncodeJob& job) {
  EncodeInBatches<Format::kElements, sizeof(typename Format::Block)>(
      job, nullptr, [](const Batch& batch) HWY_ATTR { BatchEncoder<Format>(batch).Run(); });
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx::ggml {

template <>
void EncodeBlocks<Q2K>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Q2K>, Encode<ggml::Q2K>);
  kTable.Get()(job);
}

template <>
void EncodeBlocks<Q4K>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Q4K>, Encode<ggml::Q4K>);
  kTable.Get()(job);
}

template <>
void EncodeBlocks<Q5K>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Q5K>, Encode<ggml::Q5K>);
  kTable.Get()(job);
}

}  // namespace lbrx::ggml
#endif

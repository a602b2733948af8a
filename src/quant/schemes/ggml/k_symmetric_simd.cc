// Encoding of the K formats without minima on vectors: a super-block in each lane.
#include "core/base/simd.h"
#include "quant/schemes/ggml/k_symmetric.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/k_symmetric_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "quant/schemes/ggml/descent_lanes-inl.h"
#include "quant/schemes/ggml/lanes-inl.h"
#include "quant/schemes/ggml/pack_lanes-inl.h"
#include "quant/schemes/ggml/symmetric_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

// A batch's values and what was found for them.
struct SuperBlocks {
  HWY_ALIGN float x[256 * kLanes];
  HWY_ALIGN float codes[256 * kLanes];
  HWY_ALIGN float scales[16 * kLanes];
  HWY_ALIGN float weights[16 * kLanes] = {};  // sums
  LaneMask odd;

  HWY_INLINE explicit SuperBlocks(const Batch& batch) : odd(NoLanes()) {
    ToLanes(batch.values, 256, x);
  }

  HWY_INLINE const float* X(size_t s) const { return x + s * 16 * kLanes; }

  template <int kTop>
  HWY_INLINE void Search(size_t s, const float* weights_of_values) {
    const SymmetricFit fit = SymmetricLanes<16, kTop>(X(s), weights_of_values).Search();
    StoreLanes(fit.scale, scales, s);
    odd = hn::Or(odd, fit.odd);
    const LaneTag d;
    for (size_t i = 16 * s; i < 16 * (s + 1); ++i) {
      const LaneVec real = hn::Round(hn::Mul(fit.inverse, LoadLanes(x, i)));
      const LaneVec code = hn::Min(hn::Max(real, hn::Set(d, -kTop)), hn::Set(d, kTop - 1));
      StoreLanes(hn::Add(code, fit.offset), codes, i);
    }
  }

  // ggml::CodeAgainSymmetric for the scales of sub-blocks as stored.
  template <int kTop>
  HWY_INLINE void CodeAgain(const float* stored) {
    const LaneTag d;
    for (size_t i = 0; i < 256; ++i) {
      const LaneVec scale = LoadLanes(stored, i / 16);
      const auto stays = hn::Eq(scale, hn::Zero(d));
      const LaneVec real = hn::Div(LoadLanes(x, i), scale);
      const LaneVec code = hn::Add(NearestWithinLanes(real, -kTop, kTop - 1), hn::Set(d, kTop));
      StoreLanes(hn::IfThenElse(stays, LoadLanes(codes, i), code), codes, i);
    }
  }

  HWY_INLINE void GatherScales(size_t b, float* of_scales, float* of_weights) const {
    for (size_t s = 0; s < 16; ++s) {
      of_scales[s] = scales[s * kLanes + b];
      of_weights[s] = weights[s * kLanes + b];
    }
  }
};

template <typename Format>
HWY_INLINE void StoreScales(const typename Format::Block& block, size_t b, float* stored) {
  const float d = block.d.Get();
  for (size_t s = 0; s < 16; ++s) {
    stored[s * kLanes + b] = d * static_cast<float>(Format::Scale(block, s));
  }
}

HWY_INLINE void SearchWithImportance(const Batch& batch, SuperBlocks& all) {
  HWY_ALIGN float importance[256 * kLanes];
  HWY_ALIGN float weights[16 * kLanes];
  ToLanes(batch.importance, 256, importance);
  const LaneVec sum = SumOfSquaresLanes(all.x, 256);
  const LaneVec spread = hn::Div(hn::Add(sum, sum), hn::Set(LaneTag(), 256.0F));
  for (size_t s = 0; s < 16; ++s) {
    ImportanceLanes(all.X(s), importance + s * 16 * kLanes, spread, 16, weights);
    StoreLanes(SumLanes(weights, 16), all.weights, s);
    all.Search<4>(s, weights);
  }
}

void EncodeQ3K(const EncodeJob& job) {
  using ggml::Q3K;
  EncodeInBatches<256, sizeof(Q3K::Block)>(job, nullptr, [](const Batch& batch) HWY_ATTR {
    SuperBlocks all(batch);
    if (batch.weighted) {
      SearchWithImportance(batch, all);
    } else {
      DescentOfBatch<4>(all.x, all.codes).Run(all.scales);
    }
    Q3K::Block blocks[kLanes] = {};
    HWY_ALIGN float stored[16 * kLanes] = {};
    for (size_t b = 0; b < batch.count; ++b) {
      float scales[16];
      float weights[16];
      all.GatherScales(b, scales, weights);
      Q3K::CodeScales(scales, batch.weighted ? weights : nullptr, blocks[b]);
      StoreScales<Q3K>(blocks[b], b, stored);
    }
    all.CodeAgain<4>(stored);
    const PackedLanes<Q3K> packed(all.codes);
    WriteBatch<Q3K>(batch, all.odd, [&](size_t b, Q3K::Block& block) HWY_ATTR {
      block = blocks[b];
      packed.Fill(b, block);
    });
  });
}

HWY_INLINE void SearchQ6K(const Batch& batch, SuperBlocks& all) {
  HWY_ALIGN float weights[256 * kLanes];
  if (batch.weighted) {
    ToLanes(batch.importance, 256, weights);
  } else {
    for (size_t i = 0; i < 256; ++i) {
      const LaneVec x = LoadLanes(all.x, i);
      StoreLanes(hn::Mul(x, x), weights, i);
    }
  }
  for (size_t s = 0; s < 16; ++s) {
    all.Search<32>(s, weights + s * 16 * kLanes);
  }
}

void EncodeQ6K(const EncodeJob& job) {
  using ggml::Q6K;
  EncodeInBatches<256, sizeof(Q6K::Block)>(job, nullptr, [](const Batch& batch) HWY_ATTR {
    SuperBlocks all(batch);
    SearchQ6K(batch, all);
    Q6K::Block blocks[kLanes] = {};
    HWY_ALIGN float stored[16 * kLanes] = {};
    bool zeros[kLanes] = {};
    for (size_t b = 0; b < batch.count; ++b) {
      float scales[16];
      float weights[16];
      all.GatherScales(b, scales, weights);
      zeros[b] = !Q6K::CodeScales(scales, blocks[b]);
      StoreScales<Q6K>(blocks[b], b, stored);
    }
    all.CodeAgain<32>(stored);
    const PackedLanes<Q6K> packed(all.codes);
    WriteBatch<Q6K>(batch, all.odd, [&](size_t b, Q6K::Block& block) HWY_ATTR {
      block = blocks[b];
      if (!zeros[b]) {
        packed.Fill(b, block);
      }
    });
  });
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx::ggml {

template <>
void EncodeBlocks<Q3K>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Q3K>, EncodeQ3K);
  kTable.Get()(job);
}

template <>
void EncodeBlocks<Q6K>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Q6K>, EncodeQ6K);
  kTable.Get()(job);
}

}  // namespace lbrx::ggml
#endif

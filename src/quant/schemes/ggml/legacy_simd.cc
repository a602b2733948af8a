// Encoding of the formats with blocks of 32 on vectors: without importance a block after another,
// with it a block in each lane.
#include "core/base/simd.h"
#include "quant/schemes/ggml/legacy.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/legacy_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "quant/schemes/ggml/affine_lanes-inl.h"
#include "quant/schemes/ggml/lanes-inl.h"
#include "quant/schemes/ggml/legacy_rows-inl.h"
#include "quant/schemes/ggml/symmetric_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

// Of a batch of blocks: the weights of their values.
struct Weighted {
  HWY_ALIGN float x[32 * kLanes];
  HWY_ALIGN float importance[32 * kLanes];
  HWY_ALIGN float weights[32 * kLanes];

  HWY_INLINE explicit Weighted(const Batch& batch) {
    ToLanes(batch.values, 32, x);
    ToLanes(batch.importance, 32, importance);
    ImportanceLanes(x, importance, hn::Load(LaneTag(), batch.row_square), 32, weights);
  }
};

// Codes that were found, and what they mean.
struct FoundBlocks {
  ggml::Half d[kLanes];
  ggml::Half m[kLanes];
  HWY_ALIGN float codes[32 * kLanes];
  LaneMask odd;

  // Written out, so that the vectors are made by code for this target.
  HWY_INLINE FoundBlocks() : odd(NoLanes()) {}

  // code(x) gives a value's code.
  template <typename Code>
  HWY_INLINE void Set(const float* x, LaneVec scale, LaneVec low, LaneMask is_odd,
                      const Code& code) {
    StoreHalves(scale, d);
    StoreHalves(low, m);
    odd = is_odd;
    for (size_t i = 0; i < 32; ++i) {
      StoreLanes(code(LoadLanes(x, i)), codes, i);
    }
  }
};

// Codes are real numbers that are cut, and at most `top`.
HWY_INLINE LaneVec Cut(LaneVec real, int top) {
  return hn::Min(hn::Trunc(real), hn::Set(LaneTag(), static_cast<float>(top)));
}

// ggml::EncodeAffine32 without importance.
template <int kTop>
HWY_INLINE void CutAffine(const float* x, FoundBlocks& found) {
  const LaneTag tag;
  const LaneVec low =
      FirstBeyond<32>(x, [](LaneVec a, LaneVec b) HWY_ATTR { return hn::Lt(a, b); });
  const LaneVec high =
      FirstBeyond<32>(x, [](LaneVec a, LaneVec b) HWY_ATTR { return hn::Gt(a, b); });
  const LaneVec range = hn::Sub(high, low);
  const LaneVec d = hn::Div(range, hn::Set(tag, kTop));
  const LaneVec inverse = InverseOrZeroLanes(d);
  found.Set(x, d, low, hn::Not(UsualScales(d)), [&](LaneVec value) HWY_ATTR {
    const LaneVec scaled = hn::Mul(hn::Sub(value, low), inverse);
    return Cut(hn::Add(scaled, hn::Set(tag, 0.5F)), kTop);
  });
}

template <int kTop>
HWY_INLINE void FindSymmetric(const Weighted& in, FoundBlocks& found) {
  const SymmetricFit fit = SymmetricLanes<32, kTop>(in.x, in.weights).Search();
  found.Set(in.x, fit.scale, hn::Zero(LaneTag()), fit.odd, [&](LaneVec x) HWY_ATTR {
    const LaneTag d;
    const LaneVec real = hn::Round(hn::Mul(fit.inverse, x));
    const LaneVec code = hn::Min(hn::Max(real, hn::Set(d, -kTop)), hn::Set(d, kTop - 1));
    return hn::Add(code, fit.offset);
  });
}

template <int kTop>
HWY_INLINE void FindAffine(const Weighted& in, FoundBlocks& found) {
  HWY_ALIGN float codes[32 * kLanes];
  AffineLanes<32, kTop, false> search(in.x, in.weights, codes);
  SearchTogether<32>(ggml::kImportanceTrials, kTop, search);
  found.Set(in.x, search.Scale(), hn::Neg(search.Minimum()), search.Odd(), [&](LaneVec x) HWY_ATTR {
    const LaneVec real = hn::Mul(search.Inverse(), hn::Sub(x, search.Base()));
    return NearestWithinLanes(real, 0, kTop);
  });
}

template <typename Format>
HWY_INLINE void WriteFound(const Batch& batch, const FoundBlocks& found) {
  const SplitCodes split{found.codes, 16.0F};
  CodeWords<4> low;
  SetBytes(low, [&](size_t i) HWY_ATTR {
    if constexpr (Format::kHasFifthBit) {
      return PlusTimes(split.Lower(i), 16, split.Lower(i + 16));
    } else {
      return PlusTimes(LoadLanes(found.codes, i), 16, LoadLanes(found.codes, i + 16));
    }
  });
  CodeWords<4> high;  // one word is used
  if constexpr (Format::kHasFifthBit) {
    const auto byte = [&](size_t k) HWY_ATTR {
      LaneVec bits = split.Upper(8 * k);
      for (size_t i = 1; i < 8; ++i) {
        bits = PlusTimes(bits, static_cast<float>(1 << i), split.Upper(8 * k + i));
      }
      return bits;
    };
    high.Set(0, byte(0), byte(1), byte(2), byte(3));
  }
  WriteBatch<Format>(batch, found.odd, [&](size_t b, typename Format::Block& block) HWY_ATTR {
    low.Copy(b, block.codes);
    block.d = found.d[b];
    if constexpr (Format::kHasMinimum) {
      block.m = found.m[b];
    }
    if constexpr (Format::kHasFifthBit) {
      std::memcpy(&block.high, high.words + b, sizeof(block.high));
    }
  });
}

// The mean squares of as many rows as there are lanes, of which `count` are wanted.
HWY_INLINE void RowSquares(const float* values, size_t count, uint64_t columns, float* squares) {
  const float* rows[kLanes];
  for (size_t r = 0; r < kLanes; ++r) {
    rows[r] = values + (r < count ? r : count - 1) * columns;
  }
  LaneVec sum = hn::Zero(LaneTag());
  for (uint64_t i = 0; i < columns; i += 32) {
    HWY_ALIGN float x[32 * kLanes];
    ToLanes(rows, 32, x);
    for (size_t k = 0; k < 32; ++k) {
      const LaneVec value = LoadLanes(x, k);
      sum = hn::Add(sum, hn::Mul(value, value));
    }
    for (const float*& row : rows) {
      row += 32;
    }
  }
  StoreLanes(hn::Div(sum, hn::Set(LaneTag(), static_cast<float>(columns))), squares, 0);
}

template <typename Format>
HWY_INLINE void EncodeRows(const EncodeJob& job, const float* squares) {
  EncodeInBatches<32, sizeof(typename Format::Block)>(
      job, squares, [](const Batch& batch) HWY_ATTR {
        FoundBlocks found;
        if constexpr (Format::kHasMinimum) {
          FindAffine<Format::kTop>(Weighted(batch), found);
        } else {
          FindSymmetric<Format::kTop>(Weighted(batch), found);
        }
        WriteFound<Format>(batch, found);
      });
}

template <typename Format>
HWY_INLINE void EncodePlainly(const EncodeJob& job) {
  if constexpr (Format::kHasMinimum) {
    EncodeInBatches<32, sizeof(typename Format::Block)>(job, nullptr,
                                                        [](const Batch& batch) HWY_ATTR {
                                                          HWY_ALIGN float x[32 * kLanes];
                                                          ToLanes(batch.values, 32, x);
                                                          FoundBlocks found;
                                                          CutAffine<Format::kTop>(x, found);
                                                          WriteFound<Format>(batch, found);
                                                        });
  } else {
    EncodeScaled<Format>(
        job, -Format::kTop,
        [](const float* const* blocks) HWY_ATTR { return SignedMaximaOf(blocks); },
        CutCodes<Format>());
  }
}

template <typename Format>
void Encode(const EncodeJob& job) {
  if (job.importance == nullptr) {
    return EncodePlainly<Format>(job);
  }
  const uint64_t rows = job.elements / job.columns;
  for (uint64_t r = 0; r < rows; r += kLanes) {
    EncodeJob part = job;
    const uint64_t count = rows - r < kLanes ? rows - r : kLanes;
    std::byte* out = job.planes[0] + r * job.columns / 32 * sizeof(typename Format::Block);
    part.values = job.values + r * job.columns * sizeof(float);
    part.elements = count * job.columns;
    part.planes = {&out, 1};
    HWY_ALIGN float squares[kLanes];
    RowSquares(reinterpret_cast<const float*>(part.values), count, job.columns, squares);
    EncodeRows<Format>(part, squares);
  }
}

void EncodeQ80(const EncodeJob& job) {
  EncodeScaled<ggml::Q80>(
      job, 127, [](const float* const* blocks) HWY_ATTR { return MagnitudesOf(blocks); },
      RoundCodes());
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx::ggml {

template <typename Format>
void EncodeBlocks(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Format>, Encode<Format>);
  kTable.Get()(job);
}

template <>
void EncodeBlocks<Q80>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Q80>, EncodeQ80);
  kTable.Get()(job);
}

template void EncodeBlocks<Q40>(const EncodeJob&);
template void EncodeBlocks<Q41>(const EncodeJob&);
template void EncodeBlocks<Q50>(const EncodeJob&);
template void EncodeBlocks<Q51>(const EncodeJob&);

}  // namespace lbrx::ggml
#endif

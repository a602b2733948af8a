// The error of MLX's affine codes without planes: fits of a chunk of groups, then the codes of each
// group, its decoded values and the squared differences. Bit for bit what encoding to planes and
// decoding them gives.
#include <algorithm>
#include <cstring>

#include "core/base/simd.h"
#include "core/tensor/convert.h"
#include "quant/error_sums.h"
#include "quant/schemes/with_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/affine_error_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"
#include "quant/error_lanes-inl.h"
#include "quant/schemes/affine_fit-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

// The weights of a run's groups, one after another.
class WeightCursor {
 public:
  explicit WeightCursor(const ColumnWeights& columns) : columns_(columns), at_(columns.first) {}

  const float* Next(size_t group) {
    if (columns_.weights == nullptr) {
      return nullptr;
    }
    const float* weights = columns_.weights + at_;
    at_ = at_ + group == columns_.columns ? 0 : at_ + group;
    return weights;
  }

 private:
  const ColumnWeights& columns_;
  uint64_t at_;
};

// The steps for a group are loops of their own: in one, the chain of operations for a value would
// be longer than CPUs look ahead.
template <DType kType, MlxRule kRule>
HWY_INLINE void CodesOf(const std::byte* values, const Encoding& encoding, const AffineFit& fit,
                        int32_t* codes) {
  const IntTag d;
  const FloatVec scale = hn::Set(FloatTag(), fit.scale);
  const FloatVec bias = hn::Set(FloatTag(), fit.bias);
  const IntVec top = hn::Set(d, (1 << encoding.bits) - 1);
  for (size_t i = 0; i < encoding.group; i += kFloatLanes) {
    const IntVec code = CodeLanes<kRule>(ReadLanes<kType>(values, i), scale, bias);
    hn::Store(hn::Min(hn::Max(code, hn::Zero(d)), top), d, codes + i);
  }
}

// kNan: scale or bias may not be finite once they are rounded.
template <DType kType, bool kNan>
HWY_INLINE void DifferencesOf(const std::byte* values, const Encoding& encoding,
                              const AffineFit& fit, const int32_t* codes, float* differences) {
  const FloatTag d;
  const FloatVec scale = RoundLanes<kType>(hn::Set(d, fit.scale));
  const FloatVec bias = RoundLanes<kType>(hn::Set(d, fit.bias));
  for (size_t i = 0; i < encoding.group; i += kFloatLanes) {
    const FloatVec sum = DecodeLanes<kType, kNan>(hn::Load(IntTag(), codes + i), scale, bias);
    const FloatVec decoded = RoundLanes<kType, kNan>(sum);
    hn::Store(hn::Sub(decoded, ReadLanes<kType>(values, i)), d, differences + i);
  }
}

template <DType kType, MlxRule kRule, bool kNan, bool kWeighted>
HWY_INLINE void AddGroup(const std::byte* values, const Encoding& encoding, const AffineFit& fit,
                         const float* weights, ErrorTotals& totals) {
  const FloatTag d;
  alignas(32) int32_t codes[kMaxAffineGroup];
  alignas(32) float differences[kMaxAffineGroup];
  CodesOf<kType, kRule>(values, encoding, fit, codes);
  DifferencesOf<kType, kNan>(values, encoding, fit, codes, differences);
  for (size_t i = 0; i < encoding.group; i += kErrorSums) {
    HWY_UNROLL(8)
    for (size_t v = 0; v < kErrorVectors; ++v) {
      const size_t at = i + v * kFloatLanes;
      const FloatVec difference = hn::Load(d, differences + at);
      const FloatVec weight = kWeighted ? hn::LoadU(d, weights + at) : difference;
      totals.Add<kWeighted>(v, difference, weight);
    }
  }
}

template <DType kType, MlxRule kRule, bool kNan, bool kWeighted>
void AddGroups(const Encoding& encoding, const std::byte* values, size_t groups,
               const AffineFits& fits, WeightCursor& weights, ErrorLanes& sums) {
  ErrorTotals totals(sums);
  for (size_t g = 0; g < groups; ++g) {
    AddGroup<kType, kRule, kNan, kWeighted>(values + g * encoding.group * kValueBytes<kType>,
                                            encoding, {fits.scale[g], fits.bias[g]},
                                            weights.Next(encoding.group), totals);
  }
  totals.Store(sums);
}

// `groups` of the kAffineChunk that can be read at `values`.
template <DType kType, MlxRule kRule, bool kWeighted>
void AddChunk(const Encoding& encoding, const std::byte* values, size_t groups,
              WeightCursor& weights, ErrorLanes& sums) {
  AffineFits fits;
  FitChunk<kType, kRule>(encoding, values, fits);
  alignas(32) std::byte stored[2 * kAffineChunk * sizeof(float)];
  for (size_t g = 0; g < kAffineChunk; g += kFloatLanes) {
    WriteLanes<kType>(hn::Load(FloatTag(), fits.scale + g), stored, g);
    WriteLanes<kType>(hn::Load(FloatTag(), fits.bias + g), stored, kAffineChunk + g);
  }
  if (HasNonFinite(kType, stored, 2 * kAffineChunk)) {
    AddGroups<kType, kRule, true, kWeighted>(encoding, values, groups, fits, weights, sums);
  } else {
    AddGroups<kType, kRule, false, kWeighted>(encoding, values, groups, fits, weights, sums);
  }
}

template <DType kType, MlxRule kRule, bool kWeighted>
void AddAs(const EncodeJob& job, const ColumnWeights& columns, ErrorLanes& sums) {
  const Encoding& encoding = job.encoding;
  const size_t groups = job.elements / encoding.group;
  const size_t group_bytes = encoding.group * kValueBytes<kType>;
  WeightCursor weights(columns);
  size_t g = 0;
  for (; g + kAffineChunk <= groups; g += kAffineChunk) {
    AddChunk<kType, kRule, kWeighted>(encoding, job.values + g * group_bytes, kAffineChunk, weights,
                                      sums);
  }
  if (g < groups) {
    alignas(32) std::byte padded[kAffineChunk * kMaxAffineGroup * sizeof(float)] = {};
    std::memcpy(padded, job.values + g * group_bytes, (groups - g) * group_bytes);
    AddChunk<kType, kRule, kWeighted>(encoding, padded, groups - g, weights, sums);
  }
}

void Add(const EncodeJob& job, const ColumnWeights& columns, ErrorLanes& sums) {
  WithTypeAndRule(job, [&](auto type, auto rule) {
    if (columns.weights == nullptr) {
      AddAs<type, rule, false>(job, columns, sums);
    } else {
      AddAs<type, rule, true>(job, columns, sums);
    }
  });
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void AddAffineErrors(const EncodeJob& job, const ColumnWeights& columns, ErrorLanes& sums) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(AddEncodeErrorsReference, Add);
  kTable.Get()(job, columns, sums);
}

}  // namespace lbrx
#endif

// The affine search on vectors. A lane holds a group: values are transposed first, so that sums,
// refits and the choice of the best need no work across lanes, and each lane does exactly what
// affine_search.cc does.
#include "core/base/simd.h"
#include "quant/schemes/affine_search.h"
#include "quant/schemes/with_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/affine_search_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"
#include "quant/schemes/affine_fit-inl.h"
#include "quant/schemes/codes-inl.h"
#include "quant/schemes/transpose-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

struct Fit {
  FloatVec scale;
  FloatVec bias;

  // Written out, so that the vectors are made by code for this target.
  HWY_INLINE Fit() : scale(hn::Zero(FloatTag())), bias(scale) {}

  HWY_INLINE Fit(FloatVec s, FloatVec b) : scale(s), bias(b) {}
};

// What a trial divides by and subtracts; see affine_search.h.
struct Coder {
  FloatVec inverse;
  FloatVec offset;
  FloatVec top;

  HWY_INLINE Coder(const Fit& fit, FloatVec most) : top(most) {
    inverse = hn::Div(hn::Set(FloatTag(), 1.0F), fit.scale);
    offset = hn::Mul(hn::Neg(fit.bias), inverse);
  }

  HWY_INLINE FloatVec Real(FloatVec value) const { return hn::MulAdd(value, inverse, offset); }

  HWY_INLINE FloatVec Code(FloatVec real) const {
    return hn::Min(hn::Max(hn::Round(real), hn::Zero(FloatTag())), top);
  }

  // 0 for what is no number.
  HWY_INLINE IntVec Integer(FloatVec value) const {
    const FloatVec real = hn::Round(Real(value));
    const auto positive = hn::Gt(real, hn::Zero(FloatTag()));
    return NearestEvenInt(hn::IfThenElseZero(positive, hn::Min(real, top)));
  }
};

// Sums over r = t - q.
struct Residual {
  Coder coder;
  FloatVec squares;

  HWY_INLINE Residual(const Fit& fit, FloatVec top)
      : coder(fit, top), squares(hn::Zero(FloatTag())) {}

  HWY_INLINE void Add(FloatVec value) {
    const FloatVec real = coder.Real(value);
    const FloatVec r = hn::Sub(real, coder.Code(real));
    squares = hn::MulAdd(r, r, squares);
  }
};

struct RefitSums {
  FloatVec q;
  FloatVec qq;
  FloatVec r;
  FloatVec qr;
};

// The search in as many groups as a vector has lanes. `values` has value i of all of them side by
// side.
class LaneSearch {
 public:
  LaneSearch(const float* values, const Encoding& encoding)
      : values_(values),
        group_(encoding.group),
        bits_(encoding.bits),
        top_(hn::Set(FloatTag(), static_cast<float>((1 << encoding.bits) - 1))),
        count_(hn::Set(FloatTag(), static_cast<float>(encoding.group))) {}

  template <DType kType, MlxRule kRule>
  HWY_INLINE Fit Find(const AffineGrid& grid) {
    const FloatTag d;
    FloatVec mn = hn::Load(d, values_);
    FloatVec mx = mn;
    for (size_t i = 1; i < group_; ++i) {
      mn = hn::Min(mn, Values(i));
      mx = hn::Max(mx, Values(i));
    }
    mn = hn::Add(mn, hn::Zero(d));
    mx = hn::Add(mx, hn::Zero(d));
    FitLanes<kRule>(mn, mx, bits_, best_.scale, best_.bias);
    best_ = Stored<kType>(best_);
    least_ = Error(best_);
    const FloatVec range = hn::Sub(mx, mn);
    const FloatVec half = hn::Set(d, 0.5F);
    const FloatVec middle = hn::Add(hn::Mul(half, mn), hn::Mul(half, mx));
    for (size_t i = 0; i < grid.size(); i += 2) {
      TryTwo(Stored<kType>(At(grid[i], range, middle)),
             Stored<kType>(At(grid[i + 1], range, middle)));
    }
    Fit fit = best_;
    for (int i = 0; i < kAffineRefits; ++i) {
      fit = Stored<kType>(Refit(fit));
      Keep(fit, Error(fit));
    }
    return best_;
  }

 private:
  HWY_INLINE FloatVec Values(size_t i) const {
    return hn::Load(FloatTag(), values_ + i * kFloatLanes);
  }

  template <DType kType>
  static HWY_INLINE Fit Stored(const Fit& fit) {
    return {RoundLanes<kType>(fit.scale), RoundLanes<kType>(fit.bias)};
  }

  static HWY_INLINE Fit At(const AffinePoint& point, FloatVec range, FloatVec middle) {
    const FloatTag d;
    return {hn::Mul(range, hn::Set(d, point.scale)),
            hn::MulAdd(range, hn::Set(d, point.bias), middle)};
  }

  HWY_INLINE FloatVec Error(const Fit& fit) const {
    Residual sum(fit, top_);
    for (size_t i = 0; i < group_; ++i) {
      sum.Add(Values(i));
    }
    return InUnits(fit, sum.squares);
  }

  HWY_INLINE void TryTwo(const Fit& first, const Fit& second) {
    Residual a(first, top_);
    Residual b(second, top_);
    for (size_t i = 0; i < group_; ++i) {
      const FloatVec value = Values(i);
      a.Add(value);
      b.Add(value);
    }
    Keep(first, InUnits(first, a.squares));
    Keep(second, InUnits(second, b.squares));
  }

  // The error of values from the sum of squares in steps of a code.
  static HWY_INLINE FloatVec InUnits(const Fit& fit, FloatVec squares) {
    const FloatTag d;
    const auto usable = hn::Ge(hn::Abs(fit.scale), hn::Set(d, kLeastAffineScale));
    const FloatVec error = hn::Mul(squares, hn::Mul(fit.scale, fit.scale));
    return hn::IfThenElse(usable, error, hn::Inf(d));
  }

  HWY_INLINE void Keep(const Fit& fit, FloatVec error) {
    const auto better = hn::Lt(error, least_);
    least_ = hn::IfThenElse(better, error, least_);
    best_.scale = hn::IfThenElse(better, fit.scale, best_.scale);
    best_.bias = hn::IfThenElse(better, fit.bias, best_.bias);
  }

  HWY_INLINE RefitSums SumsOf(const Fit& fit) const {
    const Coder coder(fit, top_);
    const FloatVec zero = hn::Zero(FloatTag());
    RefitSums sums{zero, zero, zero, zero};
    for (size_t i = 0; i < group_; ++i) {
      const FloatVec real = coder.Real(Values(i));
      const FloatVec q = coder.Code(real);
      const FloatVec r = hn::Sub(real, q);
      sums.q = hn::Add(sums.q, q);
      sums.qq = hn::MulAdd(q, q, sums.qq);
      sums.r = hn::Add(sums.r, r);
      sums.qr = hn::MulAdd(q, r, sums.qr);
    }
    return sums;
  }

  HWY_INLINE Fit Refit(const Fit& fit) const {
    const RefitSums s = SumsOf(fit);
    const FloatVec determinant = hn::Sub(hn::Mul(count_, s.qq), hn::Mul(s.q, s.q));
    const FloatVec covariance = hn::Sub(hn::Mul(count_, s.qr), hn::Mul(s.q, s.r));
    const FloatVec slope = hn::Div(covariance, determinant);
    const FloatVec shift = hn::Div(hn::Sub(s.r, hn::Mul(slope, s.q)), count_);
    return {hn::MulAdd(fit.scale, slope, fit.scale), hn::MulAdd(fit.scale, shift, fit.bias)};
  }

  const float* values_;
  size_t group_;
  int bits_;
  FloatVec top_;
  FloatVec count_;
  Fit best_;
  FloatVec least_;
};

// From groups one after another to value i of all of them side by side.
template <DType kType>
HWY_INLINE void Transpose(const std::byte* values, size_t group, float* lanes) {
  const FloatTag d;
  for (size_t i = 0; i < group; i += kFloatLanes) {
    FloatVec rows[kFloatLanes];
    FloatVec columns[kFloatLanes];
    for (size_t g = 0; g < kFloatLanes; ++g) {
      rows[g] = ReadLanes<kType>(values, g * group + i);
    }
    TransposeSquare(rows, columns);
    for (size_t k = 0; k < kFloatLanes; ++k) {
      hn::Store(columns[k], d, lanes + (i + k) * kFloatLanes);
    }
  }
}

template <DType kType>
HWY_INLINE void GroupCodes(const std::byte* values, size_t group, const Coder& coder,
                           uint8_t* codes) {
  for (size_t i = 0; i < group; i += 2 * kFloatLanes) {
    FloatVec even;
    FloatVec odd;
    ReadLanePair<kType>(values, i, even, odd);
    StoreBytes(coder.Integer(even), coder.Integer(odd), codes + i);
  }
}

// kAffineChunk groups. Writes kPackSlack bytes beyond the codes.
template <DType kType, MlxRule kRule>
void EncodeChunk(const Encoding& encoding, const AffineGrid& grid, const std::byte* values,
                 const PlanePointers<3>& planes) {
  const FloatTag d;
  const size_t group = encoding.group;
  const FloatVec top = hn::Set(d, static_cast<float>((1 << encoding.bits) - 1));
  alignas(32) float lanes[kMaxAffineGroup * kFloatLanes];
  alignas(32) float scales[kFloatLanes];
  alignas(32) float biases[kFloatLanes];
  alignas(32) uint8_t codes[kAffineChunk * kMaxAffineGroup];
  for (size_t g = 0; g < kAffineChunk; g += kFloatLanes) {
    const std::byte* in = values + g * group * kValueBytes<kType>;
    Transpose<kType>(in, group, lanes);
    const Fit fit = LaneSearch(lanes, encoding).Find<kType, kRule>(grid);
    WriteLanes<kType>(fit.scale, planes[1], g);
    WriteLanes<kType>(fit.bias, planes[2], g);
    hn::Store(fit.scale, d, scales);
    hn::Store(fit.bias, d, biases);
    for (size_t k = 0; k < kFloatLanes; ++k) {
      const Fit one{hn::Set(d, scales[k]), hn::Set(d, biases[k])};
      GroupCodes<kType>(in + k * group * kValueBytes<kType>, group, Coder(one, top),
                        codes + (g + k) * group);
    }
  }
  Pack(encoding.bits, codes, kAffineChunk * group, planes[0]);
}

void Encode(const EncodeJob& job) {
  const AffineGrid grid = AffineSearchGrid(job.encoding.bits);
  WithTypeAndRule(job, [&](auto type, auto rule) {
    EncodeChunks<kAffineChunk, kMaxAffineGroup, 3>(
        job, [&](const std::byte* values, const PlanePointers<3>& planes) {
          EncodeChunk<type, rule>(job.encoding, grid, values, planes);
        });
  });
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void EncodeAffineSearch(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeAffineReference, Encode);
  kTable.Get()(job);
}

}  // namespace lbrx
#endif

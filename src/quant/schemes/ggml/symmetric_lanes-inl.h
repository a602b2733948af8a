// ggml::SearchSymmetric with a sub-block in each lane: the same operations in the same order, with
// masks for its branches. For files compiled per target (core/base/simd.h).
#if defined(LBRX_GGML_SYMMETRIC_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_GGML_SYMMETRIC_LANES_INL_H
#undef LBRX_GGML_SYMMETRIC_LANES_INL_H
#else
#define LBRX_GGML_SYMMETRIC_LANES_INL_H
#endif

#include <cstddef>

#include "core/base/simd.h"
#include "hwy/highway.h"
#include "quant/schemes/ggml/lanes-inl.h"
#include "quant/schemes/ggml/searches.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

// The first values that are beyond all others: `beyond(a, b)` says whether a is beyond b. In four
// parts that need not wait for each other.
template <size_t kSize, typename Beyond>
HWY_INLINE LaneVec FirstBeyond(const float* x, const Beyond& beyond) {
  constexpr size_t kPart = kSize / 4;
  const auto better = [&](LaneVec old, LaneVec value)
                          HWY_ATTR { return hn::IfThenElse(beyond(value, old), value, old); };
  LaneVec a = LoadLanes(x, 0);
  LaneVec b = LoadLanes(x, kPart);
  LaneVec c = LoadLanes(x, 2 * kPart);
  LaneVec d = LoadLanes(x, 3 * kPart);
  for (size_t i = 1; i < kPart; ++i) {
    a = better(a, LoadLanes(x, i));
    b = better(b, LoadLanes(x, kPart + i));
    c = better(c, LoadLanes(x, 2 * kPart + i));
    d = better(d, LoadLanes(x, 3 * kPart + i));
  }
  return better(better(better(a, b), c), d);
}

// The first values of largest magnitude; +0 for zeros.
template <size_t kSize>
HWY_INLINE LaneVec SignedMaximumLanes(const float* x) {
  const LaneVec most = FirstBeyond<kSize>(
      x, [](LaneVec a, LaneVec b) HWY_ATTR { return hn::Gt(hn::Abs(a), hn::Abs(b)); });
  return hn::IfThenZeroElse(hn::Eq(most, hn::Zero(LaneTag())), most);
}

struct ProductLanes {
  LaneVec xl;
  LaneVec ll;

  HWY_INLINE ProductLanes() : xl(hn::Zero(LaneTag())), ll(xl) {}

  HWY_INLINE ProductLanes(LaneVec x, LaneVec l) : xl(x), ll(l) {}

  // `wx`: weight times x.
  HWY_INLINE void Add(LaneVec wx, LaneVec w, LaneVec code) {
    xl = hn::Add(xl, hn::Mul(wx, code));
    ll = hn::Add(ll, hn::Mul(hn::Mul(w, code), code));
  }

  HWY_INLINE ProductLanes Without(LaneVec wx, LaneVec w, LaneVec code) const {
    return {hn::Sub(xl, hn::Mul(wx, code)), hn::Sub(ll, hn::Mul(hn::Mul(w, code), code))};
  }

  HWY_INLINE LaneMask BetterThan(const ProductLanes& other) const {
    return hn::Gt(hn::Mul(hn::Mul(xl, xl), other.ll), hn::Mul(hn::Mul(other.xl, other.xl), ll));
  }

  HWY_INLINE LaneMask Positive() const { return hn::Gt(ll, hn::Zero(LaneTag())); }

  HWY_INLINE LaneVec Scale() const { return hn::IfThenElseZero(Positive(), hn::Div(xl, ll)); }
};

// What was found: codes are the rounded x * inverse, plus `offset`.
struct SymmetricFit {
  LaneVec scale;
  LaneVec inverse;
  LaneVec offset;
  LaneMask odd;  // the result is void: values that are no usual numbers
};

// All trials but that of 0, in their order.
inline constexpr int kTrialPairs[9][2] = {{-9, -8}, {-7, -6}, {-5, -4}, {-3, -2}, {-1, 1},
                                          {2, 3},   {4, 5},   {6, 7},   {8, 9}};

template <size_t kSize, int kTop>
class SymmetricLanes {
 public:
  HWY_INLINE SymmetricLanes(const float* x, const float* weights) : x_(x), weights_(weights) {
    for (size_t i = 0; i < kSize; ++i) {
      StoreLanes(hn::Mul(LoadLanes(weights, i), LoadLanes(x, i)), products_, i);
    }
  }

  HWY_INLINE SymmetricFit Search() {
    const LaneTag d;
    const LaneVec zero = hn::Zero(d);
    const LaneVec most = SignedMaximumLanes<kSize>(x_);
    const auto zeros = hn::Lt(hn::Abs(most), hn::Set(d, ggml::kLeastMaximum));
    inverse_ = hn::Div(hn::Set(d, -kTop), most);
    const ProductLanes first = Sums(inverse_);
    const LaneVec size = hn::Add(hn::Abs(first.xl), hn::Add(first.ll, hn::Abs(most)));
    const auto usual = hn::Lt(size, hn::Set(d, 0x1p100F));
    const auto has_scale = hn::Ne(first.ll, zero);
    scale_ = hn::IfThenElseZero(has_scale, hn::Div(first.xl, first.ll));
    best_ = hn::Mul(scale_, first.xl);
    for (const auto& pair : kTrialPairs) {
      TryTwo(Inverse(pair[0], most), Inverse(pair[1], most));
    }
    const LaneVec top = hn::Set(d, kTop);
    return {hn::IfThenZeroElse(zeros, scale_), hn::IfThenZeroElse(zeros, inverse_),
            hn::IfThenZeroElse(zeros, top), hn::AndNot(zeros, hn::Not(usual))};
  }

 private:
  static HWY_INLINE LaneVec Inverse(int t, LaneVec most) {
    const float steps = -(static_cast<float>(kTop) + 0.1F * static_cast<float>(t));
    return hn::Div(hn::Set(LaneTag(), steps), most);
  }

  HWY_INLINE ProductLanes Sums(LaneVec inverse) const {
    ProductLanes sums;
    for (size_t i = 0; i < kSize; ++i) {
      sums.Add(LoadLanes(products_, i), LoadLanes(weights_, i), Code(inverse, LoadLanes(x_, i)));
    }
    return sums;
  }

  HWY_INLINE void TryTwo(LaneVec first, LaneVec second) {
    ProductLanes a;
    ProductLanes b;
    for (size_t i = 0; i < kSize; ++i) {
      const LaneVec x = LoadLanes(x_, i);
      const LaneVec w = LoadLanes(weights_, i);
      const LaneVec wx = LoadLanes(products_, i);
      a.Add(wx, w, Code(first, x));
      b.Add(wx, w, Code(second, x));
    }
    Keep(first, a);
    Keep(second, b);
  }

  HWY_INLINE void Keep(LaneVec inverse, const ProductLanes& sums) {
    const auto larger = hn::Gt(hn::Mul(sums.xl, sums.xl), hn::Mul(best_, sums.ll));
    const auto better = hn::And(sums.Positive(), larger);
    inverse_ = hn::IfThenElse(better, inverse, inverse_);
    scale_ = hn::IfThenElse(better, hn::Div(sums.xl, sums.ll), scale_);
    best_ = hn::IfThenElse(better, hn::Mul(scale_, sums.xl), best_);
  }

  static HWY_INLINE LaneVec Code(LaneVec inverse, LaneVec x) {
    const LaneTag d;
    const LaneVec real = hn::Round(hn::Mul(inverse, x));
    return hn::Min(hn::Max(real, hn::Set(d, -kTop)), hn::Set(d, kTop - 1));
  }

  const float* x_;
  const float* weights_;
  LaneVec scale_;
  LaneVec inverse_;
  LaneVec best_;
  HWY_ALIGN float products_[kSize * kLanes];
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard

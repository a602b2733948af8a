// ggml::SearchAffine with a sub-block in each lane: the same operations in the same order, with
// masks for its branches. For files compiled per target (core/base/simd.h).
#if defined(LBRX_GGML_AFFINE_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_GGML_AFFINE_LANES_INL_H
#undef LBRX_GGML_AFFINE_LANES_INL_H
#else
#define LBRX_GGML_AFFINE_LANES_INL_H
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

// The lanes of a vector. Where the reference's rounding would leave its range a lane is marked as
// odd, and its result is void.
template <size_t kSize, int kTop, bool kAbsolute>
class AffineLanes {
 public:
  HWY_INLINE AffineLanes(const float* x, const float* weights, float* codes)
      : x_(x), weights_(weights), codes_(codes), top_(hn::Set(LaneTag(), kTop)) {
    const LaneTag d;
    least_ = X(0);
    high_ = least_;
    sum_w_ = W(0);
    sum_x_ = hn::Mul(sum_w_, least_);
    for (size_t i = 1; i < kSize; ++i) {
      const LaneVec value = X(i);
      least_ = hn::Min(least_, value);
      high_ = hn::Max(high_, value);
      sum_w_ = hn::Add(sum_w_, W(i));
      sum_x_ = hn::Add(sum_x_, hn::Mul(W(i), value));
    }
    low_ = hn::Min(least_, hn::Zero(d));
    least_ = low_;
    const LaneVec range = hn::Sub(high_, low_);
    flat_ = hn::Eq(range, hn::Zero(d));
    const auto usual =
        hn::And(hn::Gt(range, hn::Set(d, 0x1p-100F)), hn::Lt(range, hn::Set(d, 0x1p100F)));
    const auto sums_usual = hn::Lt(hn::Add(hn::Abs(sum_x_), sum_w_), hn::Set(d, 0x1p100F));
    odd_ = hn::Not(hn::And(hn::Or(usual, flat_), sums_usual));
    error_ = hn::Zero(d);
    scale_ = inverse_ = base_ = error_;
    trial_scale_ = trial_low_ = trial_error_ = error_;
    sum_l_ = sum_ll_ = sum_xl_ = error_;
    trial_inverse_ = error_;
    solvable_ = flat_;
  }

  // The first trial has the range in kTop steps and is not solved for.
  HWY_INLINE void BeginFirst() {
    const LaneTag d;
    trial_inverse_ = hn::Div(top_, hn::Sub(high_, low_));
    trial_scale_ = hn::Div(hn::Set(d, 1.0F), trial_inverse_);
    trial_low_ = low_;
    trial_error_ = hn::Zero(d);
  }

  HWY_INLINE void AddFirst(size_t i) {
    StoreLanes(Code(X(i)), codes_, i);
    AddError(i);
  }

  HWY_INLINE void KeepFirst() {
    scale_ = trial_scale_;
    error_ = trial_error_;
    inverse_ = trial_inverse_;
    base_ = low_;
  }

  HWY_INLINE void Begin(float steps) {
    const LaneTag d;
    trial_inverse_ = hn::Div(hn::Set(d, steps), hn::Sub(high_, low_));
    const LaneVec most = hn::Set(d, 0x1p21F);
    const LaneVec lowest = hn::Abs(hn::Mul(trial_inverse_, hn::Sub(least_, low_)));
    const LaneVec highest = hn::Abs(hn::Mul(trial_inverse_, hn::Sub(high_, low_)));
    odd_ = hn::Or(odd_, hn::AndNot(flat_, hn::Not(hn::Lt(hn::Max(lowest, highest), most))));
    sum_l_ = sum_ll_ = sum_xl_ = hn::Zero(d);
  }

  HWY_INLINE void Add(size_t i) {
    const LaneVec value = X(i);
    const LaneVec code = Code(value);
    StoreLanes(code, codes_, i);
    const LaneVec weighted = hn::Mul(W(i), code);
    sum_l_ = hn::Add(sum_l_, weighted);
    sum_ll_ = hn::Add(sum_ll_, hn::Mul(weighted, code));
    sum_xl_ = hn::Add(sum_xl_, hn::Mul(weighted, value));
  }

  HWY_INLINE void Solve() {
    const LaneTag d;
    const LaneVec zero = hn::Zero(d);
    const LaneVec determinant = hn::Sub(hn::Mul(sum_w_, sum_ll_), hn::Mul(sum_l_, sum_l_));
    solvable_ = hn::Gt(determinant, zero);
    trial_scale_ = hn::Div(hn::Sub(hn::Mul(sum_w_, sum_xl_), hn::Mul(sum_x_, sum_l_)), determinant);
    trial_low_ = hn::Div(hn::Sub(hn::Mul(sum_ll_, sum_x_), hn::Mul(sum_l_, sum_xl_)), determinant);
    const auto positive = hn::Gt(trial_low_, zero);
    trial_low_ = hn::IfThenElse(positive, zero, trial_low_);
    trial_scale_ = hn::IfThenElse(positive, hn::Div(sum_xl_, sum_ll_), trial_scale_);
    trial_error_ = zero;
  }

  HWY_INLINE void AddError(size_t i) {
    const LaneVec code = LoadLanes(codes_, i);
    const LaneVec e = hn::Sub(hn::Add(hn::Mul(trial_scale_, code), trial_low_), X(i));
    const LaneVec size = kAbsolute ? hn::Abs(e) : hn::Mul(e, e);
    trial_error_ = hn::Add(trial_error_, hn::Mul(W(i), size));
  }

  HWY_INLINE void Keep() {
    const auto better = hn::And(solvable_, hn::Lt(trial_error_, error_));
    error_ = hn::IfThenElse(better, trial_error_, error_);
    scale_ = hn::IfThenElse(better, trial_scale_, scale_);
    inverse_ = hn::IfThenElse(better, trial_inverse_, inverse_);
    base_ = hn::IfThenElse(better, low_, base_);
    low_ = hn::IfThenElse(better, trial_low_, low_);
  }

  HWY_INLINE LaneVec Scale() const { return hn::IfThenZeroElse(flat_, scale_); }

  HWY_INLINE LaneVec Minimum() const { return hn::Neg(low_); }

  // The codes are the rounded (x - Base) * Inverse.
  HWY_INLINE LaneVec Inverse() const { return hn::IfThenZeroElse(flat_, inverse_); }

  HWY_INLINE LaneVec Base() const { return base_; }

  HWY_INLINE LaneMask Odd() const { return odd_; }

 private:
  HWY_INLINE LaneVec X(size_t i) const { return LoadLanes(x_, i); }

  HWY_INLINE LaneVec W(size_t i) const { return LoadLanes(weights_, i); }

  HWY_INLINE LaneVec Code(LaneVec value) const {
    const LaneVec real = hn::Mul(trial_inverse_, hn::Sub(value, low_));
    return hn::Min(hn::Max(hn::Round(real), hn::Zero(LaneTag())), top_);
  }

  const float* x_;
  const float* weights_;
  float* codes_;
  LaneVec top_;
  LaneVec least_;
  LaneVec high_;
  LaneVec sum_w_;
  LaneVec sum_x_;
  LaneMask flat_;
  LaneMask odd_;
  // The best trial so far.
  LaneVec low_;
  LaneVec scale_;
  LaneVec error_;
  LaneVec inverse_;
  LaneVec base_;
  // The one that is tried.
  LaneVec trial_inverse_;
  LaneVec sum_l_;
  LaneVec sum_ll_;
  LaneVec sum_xl_;
  LaneMask solvable_;
  LaneVec trial_scale_;
  LaneVec trial_low_;
  LaneVec trial_error_;
};

// Several of them (AffineLanes) at once, so that one's additions fill the other's waiting time.
template <size_t kSize, typename... Lanes>
HWY_INLINE void SearchTogether(const ggml::AffineTrials& trials, int top, Lanes&... lanes) {
  (lanes.BeginFirst(), ...);
  for (size_t i = 0; i < kSize; ++i) {
    (lanes.AddFirst(i), ...);
  }
  (lanes.KeepFirst(), ...);
  for (int t = 0; t <= trials.last; ++t) {
    const float steps =
        trials.first + trials.step * static_cast<float>(t) + static_cast<float>(top);
    (lanes.Begin(steps), ...);
    for (size_t i = 0; i < kSize; ++i) {
      (lanes.Add(i), ...);
    }
    (lanes.Solve(), ...);
    for (size_t i = 0; i < kSize; ++i) {
      (lanes.AddError(i), ...);
    }
    (lanes.Keep(), ...);
  }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard

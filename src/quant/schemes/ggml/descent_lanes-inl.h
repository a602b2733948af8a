// ggml::DescendSymmetric with a sub-block in each lane: the same operations in the same order, with
// masks for its branches. Most sub-blocks are done after one sweep: the others are gathered for
// those that follow. For files compiled per target (core/base/simd.h).
#if defined(LBRX_GGML_DESCENT_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_GGML_DESCENT_LANES_INL_H
#undef LBRX_GGML_DESCENT_LANES_INL_H
#else
#define LBRX_GGML_DESCENT_LANES_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "core/base/simd.h"
#include "hwy/highway.h"
#include "quant/schemes/ggml/lanes-inl.h"
#include "quant/schemes/ggml/searches.h"
#include "quant/schemes/ggml/symmetric_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

inline constexpr size_t kDescentSize = 16;  // elements of a sub-block
inline constexpr size_t kDescentStride = kDescentSize * kLanes;

// A sub-block in each lane, in the middle of its descent. `codes` are around 0.
template <int kTop>
class DescentLanes {
 public:
  HWY_INLINE DescentLanes(const float* x, float* codes, float* xl, float* ll)
      : x_(x), codes_(codes), xl_(xl), ll_(ll), sums_(LoadLanes(xl, 0), LoadLanes(ll, 0)) {
    changed_ = NoLanes();
  }

  HWY_INLINE void Visit(size_t i) {
    const LaneVec x = LoadLanes(x_, i);
    const LaneVec w = hn::Mul(x, x);
    const LaneVec wx = hn::Mul(w, x);
    const LaneVec old = LoadLanes(codes_, i);
    ProductLanes trial = sums_.Without(wx, w, old);
    const auto usable = hn::Gt(trial.xl, hn::Zero(LaneTag()));
    const LaneVec best = hn::Div(hn::Mul(x, trial.ll), trial.xl);
    const LaneVec code = NearestWithinLanes(best, -kTop, kTop - 1);
    const auto other = hn::And(usable, hn::Ne(code, old));
    if (hn::AllFalse(LaneTag(), other)) {  // mostly, and the next visit need not wait
      return;
    }
    trial.Add(wx, w, code);
    const auto better = hn::And(hn::And(other, trial.Positive()), trial.BetterThan(sums_));
    StoreLanes(hn::IfThenElse(better, code, old), codes_, i);
    sums_.xl = hn::IfThenElse(better, trial.xl, sums_.xl);
    sums_.ll = hn::IfThenElse(better, trial.ll, sums_.ll);
    changed_ = hn::Or(changed_, better);
  }

  HWY_INLINE LaneMask Finish() const {
    StoreLanes(sums_.xl, xl_, 0);
    StoreLanes(sums_.ll, ll_, 0);
    return changed_;
  }

 private:
  const float* x_;
  float* codes_;
  float* xl_;
  float* ll_;
  ProductLanes sums_;
  LaneMask changed_;
};

// One sweep in several at once, so that one's divisions fill the other's waiting time.
template <typename... Lanes>
HWY_INLINE void SweepTogether(Lanes&... lanes) {
  for (size_t i = 0; i < kDescentSize; ++i) {
    (lanes.Visit(i), ...);
  }
}

// Four vectors of sub-blocks, one after another.
struct FourDescents {
  const float* x;
  float* codes;
  float* xl;
  float* ll;

  // Returns whether any changed; `changed` has ones where.
  template <int kTop>
  HWY_INLINE bool Sweep(float* changed) const {
    const auto at = [&](size_t k) HWY_ATTR {
      return DescentLanes<kTop>(x + k * kDescentStride, codes + k * kDescentStride, xl + k * kLanes,
                                ll + k * kLanes);
    };
    DescentLanes<kTop> a = at(0);
    DescentLanes<kTop> b = at(1);
    DescentLanes<kTop> c = at(2);
    DescentLanes<kTop> d = at(3);
    SweepTogether(a, b, c, d);
    LaneMask any = NoLanes();
    const auto finish = [&](const DescentLanes<kTop>& lanes, size_t k) HWY_ATTR {
      const LaneMask of_lanes = lanes.Finish();
      any = hn::Or(any, of_lanes);
      StoreLanes(hn::IfThenElseZero(of_lanes, hn::Set(LaneTag(), 1.0F)), changed, k);
    };
    finish(a, 0);
    finish(b, 1);
    finish(c, 2);
    finish(d, 3);
    return !hn::AllFalse(LaneTag(), any);
  }
};

// The 16 sub-blocks of a batch of super-blocks.
template <int kTop>
class DescentOfBatch {
 public:
  HWY_INLINE DescentOfBatch(const float* x, float* codes) : x_(x), codes_(codes) {}

  HWY_INLINE void Run(float* scales) {
    for (size_t s = 0; s < 16; ++s) {
      Begin(s);
    }
    HWY_ALIGN float changed[16 * kLanes];
    for (size_t s = 0; s < 16; s += 4) {
      FourDescents{x_ + s * kDescentStride, codes_ + s * kDescentStride, xl_ + s * kLanes,
                   ll_ + s * kLanes}
          .template Sweep<kTop>(changed + s * kLanes);
    }
    uint32_t waiting[16 * kLanes];
    size_t count = 0;
    for (uint32_t at = 0; at < 16 * kLanes; ++at) {
      waiting[count] = at;
      count += changed[at] != 0 ? 1 : 0;
    }
    for (size_t first = 0; first < count; first += 4 * kLanes) {
      SweepOn(waiting + first, count - first < 4 * kLanes ? count - first : 4 * kLanes);
    }
    for (size_t s = 0; s < 16; ++s) {
      Finish(s, scales);
    }
  }

 private:
  HWY_INLINE LaneMask Zeros(LaneVec most) const {
    return hn::Lt(hn::Abs(most), hn::Set(LaneTag(), ggml::kLeastMaximum));
  }

  HWY_INLINE void Begin(size_t s) {
    const LaneTag d;
    const float* x = x_ + s * kDescentStride;
    const LaneVec most = SignedMaximumLanes<kDescentSize>(x);
    StoreLanes(most, most_, s);
    const LaneVec inverse = hn::Div(hn::Set(d, -kTop), most);
    ProductLanes sums;
    for (size_t i = 0; i < kDescentSize; ++i) {
      const LaneVec value = LoadLanes(x, i);
      const LaneVec code = NearestWithinLanes(hn::Mul(inverse, value), -kTop, kTop - 1);
      const LaneVec w = hn::Mul(value, value);
      sums.Add(hn::Mul(w, value), w, code);
      StoreLanes(code, codes_ + s * kDescentStride, i);
    }
    // Nothing changes where there are only zeros.
    StoreLanes(hn::IfThenZeroElse(Zeros(most), sums.xl), xl_, s);
    StoreLanes(hn::IfThenZeroElse(Zeros(most), sums.ll), ll_, s);
  }

  // Where element 0 of the sub-block stands that is number `at`, counted by lanes.
  static HWY_INLINE size_t Place(uint32_t at) { return at / kLanes * kDescentStride + at % kLanes; }

  // The remaining sweeps for some sub-blocks, as many as there is room for.
  HWY_INLINE void SweepOn(const uint32_t* which, size_t count) {
    HWY_ALIGN float x[4 * kDescentStride] = {};
    HWY_ALIGN float codes[4 * kDescentStride] = {};
    HWY_ALIGN float xl[4 * kLanes] = {};
    HWY_ALIGN float ll[4 * kLanes] = {};
    for (uint32_t k = 0; k < count; ++k) {
      const size_t from = Place(which[k]);
      for (size_t i = 0; i < kDescentSize; ++i) {
        x[Place(k) + i * kLanes] = x_[from + i * kLanes];
        codes[Place(k) + i * kLanes] = codes_[from + i * kLanes];
      }
      xl[k] = xl_[which[k]];
      ll[k] = ll_[which[k]];
    }
    const FourDescents four{x, codes, xl, ll};
    HWY_ALIGN float changed[4 * kLanes];
    for (int sweep = 1; sweep < 5 && four.Sweep<kTop>(changed); ++sweep) {
    }
    for (uint32_t k = 0; k < count; ++k) {
      const size_t to = Place(which[k]);
      for (size_t i = 0; i < kDescentSize; ++i) {
        codes_[to + i * kLanes] = codes[Place(k) + i * kLanes];
      }
      xl_[which[k]] = xl[k];
      ll_[which[k]] = ll[k];
    }
  }

  // To codes from 0 on.
  HWY_INLINE void Finish(size_t s, float* scales) {
    const auto zeros = Zeros(LoadLanes(most_, s));
    const LaneVec top = hn::Set(LaneTag(), kTop);
    float* codes = codes_ + s * kDescentStride;
    for (size_t i = 0; i < kDescentSize; ++i) {
      StoreLanes(hn::IfThenZeroElse(zeros, hn::Add(LoadLanes(codes, i), top)), codes, i);
    }
    StoreLanes(ProductLanes(LoadLanes(xl_, s), LoadLanes(ll_, s)).Scale(), scales, s);
  }

  const float* x_;
  float* codes_;
  HWY_ALIGN float most_[16 * kLanes];
  HWY_ALIGN float xl_[16 * kLanes];
  HWY_ALIGN float ll_[16 * kLanes];
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard

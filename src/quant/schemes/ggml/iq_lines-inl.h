// Which point of several is the nearest, for many scales at once. For files compiled per target
// (core/base/simd.h).
#if defined(LBRX_IQ_LINES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_IQ_LINES_INL_H
#undef LBRX_IQ_LINES_INL_H
#else
#define LBRX_IQ_LINES_INL_H
#endif

#include <cfloat>
#include <cstdint>
#include <span>

#include "core/base/simd.h"
#include "core/tensor/float_lanes-inl.h"
#include "hwy/highway.h"
#include "quant/schemes/ggml/iq_tables-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

// Digits stand for odd numbers while scales are sought.
inline constexpr float kOdd[8] = {1, 3, 5, 7, 9, 11, 13, 15};
inline constexpr float kOddTwice[8] = {1, 3, 5, 7, 1, 3, 5, 7};
inline constexpr float kOddSquares[8] = {1, 9, 25, 49, 81, 121, 169, 225};

// Three sums over the digits of points: the error at a scale, exactly as the reference computes it;
// and two that say how it depends on the scale, up to a constant and a factor:
// error / scale = scale * Squares - Products + constant / scale.
template <int kBits>
struct PointSums;

template <>
struct PointSums<3> {
  using Sums = ThreeBitSums;

  static HWY_INLINE Sums Errors(const float* x, const float* root, float scale) {
    const FloatTag d;
    return Sums([&](size_t i) HWY_ATTR {
      const auto part = [&](size_t digit) HWY_ATTR {
        return ErrorOf(hn::Mul(hn::Set(d, scale), hn::LoadU(d, kOdd + digit)), hn::Set(d, x[i]),
                       hn::Set(d, root[i]));
      };
      return EightNumbers(part(0), part(8 - kFloatLanes));
    });
  }

  static HWY_INLINE Sums Squares(const float* root) { return Scaled(root, kOddSquares); }

  static HWY_INLINE Sums Products(const float* twice_rx) { return Scaled(twice_rx, kOdd); }

 private:
  static HWY_INLINE Sums Scaled(const float* factors, const float* numbers) {
    const FloatTag d;
    return Sums([&](size_t i) HWY_ATTR {
      const FloatVec factor = hn::Set(d, factors[i]);
      return EightNumbers(hn::Mul(factor, hn::LoadU(d, numbers)),
                          hn::Mul(factor, hn::LoadU(d, numbers + 8 - kFloatLanes)));
    });
  }
};

template <>
struct PointSums<2> {
  using Sums = TwoBitSums;

  static HWY_INLINE Sums Errors(const float* x, const float* root, float scale) {
    const FloatTag d;
    return Sums([&](size_t i) HWY_ATTR {
      const FloatVec values = hn::LoadU(d, x + i);
      const FloatVec roots = hn::LoadU(d, root + i);
      return FourColumns(ErrorOf(hn::Set(d, scale), values, roots),
                         ErrorOf(hn::Set(d, scale * 3), values, roots),
                         ErrorOf(hn::Set(d, scale * 5), values, roots));
    });
  }

  static HWY_INLINE Sums Squares(const float* root) { return Scaled(root, kOddSquares); }

  static HWY_INLINE Sums Products(const float* twice_rx) { return Scaled(twice_rx, kOdd); }

 private:
  static HWY_INLINE Sums Scaled(const float* factors, const float* numbers) {
    const FloatTag d;
    return Sums([&](size_t i) HWY_ATTR {
      const FloatVec factor = hn::LoadU(d, factors + i);
      return FourColumns(factor, hn::Mul(factor, hn::Set(d, numbers[1])),
                         hn::Mul(factor, hn::Set(d, numbers[2])));
    });
  }
};

// The points near a string, as errors / scale up to what is the same for all.
struct Lines {
  static constexpr size_t kMost = 300;  // points near a string are fewer
  alignas(32) float squares[kMost + kFloatLanes];
  alignas(32) float products[kMost + kFloatLanes];
  alignas(32) int32_t words[kMost + kFloatLanes];
  size_t count;

  template <typename Sums>
  HWY_INLINE void Fill(const Sums& squares_of, const Sums& products_of,
                       std::span<const uint16_t> near) {
    const FloatTag d;
    count = near.size();
    for (size_t i = 0; i < count; i += kFloatLanes) {
      const IntVec lanes = LoadWords(near.data() + i);
      hn::Store(squares_of.Of(lanes), d, squares + i);
      hn::Store(products_of.Of(lanes), d, products + i);
      hn::Store(lanes, IntTag(), words + i);
    }
  }

  // The words of the least lines at scales, a lane each. Bit i of `unsure`: another line is within
  // the margin.
  HWY_INLINE IntVec Lowest(FloatVec scale, FloatVec margin, uint32_t& unsure) const {
    const FloatTag d;
    const IntTag di;
    FloatVec least = hn::Set(d, FLT_MAX);
    FloatVec second = least;
    IntVec word = hn::Zero(di);
    for (size_t j = 0; j < count; ++j) {
      const FloatVec line = hn::MulSub(scale, hn::Set(d, squares[j]), hn::Set(d, products[j]));
      const auto better = hn::Lt(line, least);
      second = hn::Min(second, hn::Max(least, line));
      least = hn::Min(least, line);
      word = hn::IfThenElse(hn::RebindMask(di, better), hn::Set(di, words[j]), word);
    }
    unsure = MaskBits(d, hn::Not(hn::Gt(hn::Sub(second, least), margin)));
    return word;
  }
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard

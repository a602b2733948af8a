// The definition of the searched bytes; affine_search_simd.cc does the same to several groups.
#include "quant/schemes/affine_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/schemes/rounding.h"

namespace lbrx {
namespace {

// The widest and the narrowest range tried, as parts of the group's own. Few bits gain from
// clipping more. Found on normal weights.
struct Ranges {
  float widest;
  float narrowest;
};

constexpr std::array<Ranges, 9> kRanges = {{{},
                                            {0.6F, 0.25F},
                                            {0.85F, 0.55F},
                                            {0.96F, 0.74F},
                                            {1.0F, 0.84F},
                                            {1.01F, 0.92F},
                                            {1.01F, 0.97F},
                                            {1.01F, 0.98F},
                                            {1.01F, 0.988F}}};

class GroupSearch {
 public:
  GroupSearch(const float* values, const Encoding& encoding)
      : values_(values),
        encoding_(encoding),
        top_(static_cast<float>((1 << encoding.bits) - 1)),
        count_(encoding.group) {}

  AffineFit Find(MlxRule rule) {
    const auto extremes = std::minmax_element(values_, values_ + encoding_.group);
    const float mn = *extremes.first + 0.0F;  // which of equal zeros it is must not matter
    const float mx = *extremes.second + 0.0F;
    best_ = Stored(FitAffine(mn, mx, encoding_.bits, rule));
    least_ = Try(best_).error;
    const float range = mx - mn;
    const float middle = 0.5F * mn + 0.5F * mx;
    for (const AffinePoint& point : AffineSearchGrid(encoding_.bits)) {
      const AffineFit fit = Stored({range * point.scale, std::fma(range, point.bias, middle)});
      Keep(fit, Try(fit).error);
    }
    AffineFit fit = best_;
    for (int i = 0; i < kAffineRefits; ++i) {
      fit = Refit(fit, Try(fit));
      Keep(fit, Try(fit).error);
    }
    return best_;
  }

  float Code(float value, const AffineFit& fit) const {
    const float inverse = 1.0F / fit.scale;
    return CodeOf(std::fma(value, inverse, -fit.bias * inverse));
  }

 private:
  struct Trial {
    float error = 0;  // of the values themselves
    float q = 0;      // sums
    float qq = 0;
    float r = 0;
    float qr = 0;
  };

  float CodeOf(float t) const { return std::clamp(std::nearbyint(t), 0.0F, top_); }

  Trial Try(const AffineFit& fit) const {
    const float inverse = 1.0F / fit.scale;
    const float offset = -fit.bias * inverse;
    Trial sums;
    for (size_t i = 0; i < encoding_.group; ++i) {
      const float t = std::fma(values_[i], inverse, offset);
      const float q = CodeOf(t);
      const float r = t - q;
      sums.error = std::fma(r, r, sums.error);
      sums.q += q;
      sums.qq = std::fma(q, q, sums.qq);
      sums.r += r;
      sums.qr = std::fma(q, r, sums.qr);
    }
    sums.error *= fit.scale * fit.scale;
    if (!(std::fabs(fit.scale) >= kLeastAffineScale)) {
      sums.error = std::numeric_limits<float>::infinity();
    }
    return sums;
  }

  // The line through (q, t) of least squared error. Where all codes are the same or the fit was no
  // number, the result is none either, and its error is never the least.
  AffineFit Refit(const AffineFit& fit, const Trial& sums) const {
    const float determinant = count_ * sums.qq - sums.q * sums.q;
    const float slope = (count_ * sums.qr - sums.q * sums.r) / determinant;
    const float shift = (sums.r - slope * sums.q) / count_;
    return Stored({std::fma(fit.scale, slope, fit.scale), std::fma(fit.scale, shift, fit.bias)});
  }

  AffineFit Stored(const AffineFit& fit) const {
    return {RoundToDType(encoding_.dtype, fit.scale), RoundToDType(encoding_.dtype, fit.bias)};
  }

  void Keep(const AffineFit& fit, float error) {
    if (error < least_) {
      least_ = error;
      best_ = fit;
    }
  }

  const float* values_;
  const Encoding& encoding_;
  float top_;
  float count_;
  AffineFit best_{};
  float least_ = 0;
};

}  // namespace

AffineGrid AffineSearchGrid(int bits) {
  constexpr size_t kPhases = 6;  // biases within one step
  constexpr size_t kScales = kAffinePoints / kPhases;
  const Ranges ranges = kRanges[static_cast<size_t>(bits)];
  const auto top = static_cast<float>((1 << bits) - 1);
  const float narrower = (ranges.widest - ranges.narrowest) / static_cast<float>(kScales - 1);
  AffineGrid grid{};
  for (size_t i = 0; i < kAffinePoints; ++i) {
    const size_t narrowed = i / kPhases;
    const float part = ranges.widest - static_cast<float>(narrowed) * narrower;
    const float phase = (static_cast<float>(i % kPhases) + 0.5F) / kPhases - 0.5F;
    grid[i] = {part / top, part / top * phase - 0.5F * part};
  }
  return grid;
}

AffineFit SearchAffineGroup(const float* values, const Encoding& encoding, MlxRule rule,
                            uint8_t* codes) {
  GroupSearch search(values, encoding);
  const AffineFit fit = search.Find(rule);
  for (size_t i = 0; i < encoding.group; ++i) {
    const float code = search.Code(values[i], fit);
    codes[i] = code > 0.0F ? static_cast<uint8_t>(code) : uint8_t{0};  // NaN of 0 * inf too
  }
  return fit;
}

}  // namespace lbrx

#include "cli/formatters/look_scales.h"

#include <algorithm>
#include <cmath>

namespace lbrx {
namespace {

// A scale over the values that `add` was given.
class Range {
 public:
  void Add(double value) {
    if (std::isfinite(value)) {
      low_ = any_ ? std::min(low_, value) : value;
      high_ = any_ ? std::max(high_, value) : value;
      any_ = true;
    }
  }

  HeatScale Scale(bool logarithmic, ColorMap map) const { return {low_, high_, logarithmic, map}; }

 private:
  bool any_ = false;
  double low_ = 0;
  double high_ = 0;
};

}  // namespace

HeatScale BitsScale(const Look& look) {
  Range range;
  for (const LookRow& row : look.rows) {
    for (size_t side = 0; side < look.sides; ++side) {
      if (row.sides[side].elements != 0) {
        range.Add(row.sides[side].Bits());
      }
    }
  }
  return range.Scale(/*logarithmic=*/true, ColorMap::kViridis);
}

HeatScale ErrorScale(const Look& look) {
  Range range;
  for (const LookRow& row : look.rows) {
    if (row.Measured()) {
      range.Add(row.error.RelativeError());
    }
  }
  return range.Scale(/*logarithmic=*/false, ColorMap::kPlasma);
}

HeatScale SnrScale(const Look& look) {
  Range range;
  for (const LookRow& row : look.rows) {
    if (row.Measured()) {
      range.Add(row.error.SnrDecibel());
    }
  }
  return range.Scale(/*logarithmic=*/false, ColorMap::kViridis);
}

}  // namespace lbrx

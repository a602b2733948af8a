#include "cli/formatters/figures.h"

#include <cmath>

#include "core/base/format.h"

namespace lbrx {

std::string PercentText(double ratio) {
  if (!std::isfinite(ratio)) {
    return "not finite";
  }
  const double percent = ratio * 100;
  if (percent == 0) {
    return "none";
  }
  return percent >= 10 ? Format("{:.1f}%", percent) : Format("{:.2g}%", percent);
}

std::string DecibelText(double decibel) {
  if (std::isnan(decibel)) {
    return "not finite";
  }
  return std::isinf(decibel) ? (decibel > 0 ? "exact" : "not finite")
                             : Format("{:.1f} dB", decibel);
}

std::string RealText(double value) {
  return std::isfinite(value) ? Format("{:.3g}", value) : "not finite";
}

std::string BitsText(double bits) {
  std::string text = Format("{:.2f}", bits);
  while (text.back() == '0') {
    text.pop_back();
  }
  if (text.back() == '.') {
    text.pop_back();
  }
  return text;
}

Json FiniteJson(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

}  // namespace lbrx

// Histograms as SVG.
#pragma once

#include <string>
#include <vector>

#include "check/histogram.h"

namespace lbrx {

struct HistogramLayer {
  const Histogram* histogram;
  std::string style;   // a class of the style sheet: "b" (before), "a" (after), "one", "e" (error)
  bool filled = true;  // else a line
};

// The layers on one axis, each as high as its fullest bin. Empty text where there are no values.
std::string HistogramSvg(const std::vector<HistogramLayer>& layers, int width, int height,
                         const std::string& summary);

// The same without axis and figures: for a cell of a table.
std::string SparkSvg(const Histogram& histogram, const std::string& style);

}  // namespace lbrx

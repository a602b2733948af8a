// A heat map: layers across, kinds of tensor down, a coloured cell for each figure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/formatters/color_map.h"

namespace lbrx {

struct HeatScale {
  double low = 0;
  double high = 1;
  bool logarithmic = false;  // equal ratios, not equal steps, get equal steps of colour
  ColorMap map = ColorMap::kViridis;

  Color ColorOf(double value) const;
};

struct HeatCell {
  double value = 0;
  std::string text;  // in the cell, where it is wide enough
  std::string tip;   // what a pointer resting on it shows
};

struct HeatMap {
  struct Line {
    std::string label;
    std::vector<std::optional<HeatCell>> cells;  // one for each column, or one for all of them
  };

  std::vector<std::string> columns;
  std::vector<Line> lines;
  HeatScale scale;
  std::string low_text;  // what the ends of the scale are called
  std::string high_text;
  std::string summary;  // for readers that cannot see it
};

// As SVG, with its legend. Wide ones (IsWide) want a page's width, others half of it. Columns
// beyond 160 are drawn in groups, each with its cell of largest value.
std::string HeatMapSvg(const HeatMap& map);
bool IsWide(size_t columns);

}  // namespace lbrx

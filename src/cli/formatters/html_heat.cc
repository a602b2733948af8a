#include <functional>

#include "cli/formatters/figures.h"
#include "cli/formatters/html.h"
#include "cli/formatters/html_sections.h"
#include "cli/formatters/look_scales.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// One figure of a row; nullopt where it has none.
using CellOf = std::function<std::optional<HeatCell>(const LookRow&)>;

struct Picture {
  std::string title;
  std::string caption;
  HeatScale scale;
  std::string low_text;
  std::string high_text;
  CellOf cell;
};

std::string Tip(const LookRow& row, const std::string& figure) {
  return row.name + ": " + figure;
}

Picture BitsPicture(const Look& look, size_t side) {
  Picture picture;
  picture.title = look.sides == 1 ? "Bits per weight" : "Bits per weight, " + look.names[side];
  picture.caption = "Stored bits for each weight, scales and biases counted.";
  picture.scale = BitsScale(look);
  picture.low_text = BitsText(picture.scale.low) + " bits";
  picture.high_text = BitsText(picture.scale.high) + " bits";
  picture.cell = [side](const LookRow& row) -> std::optional<HeatCell> {
    const LookSide& part = row.sides[side];
    if (part.elements == 0) {
      return std::nullopt;
    }
    const std::string text = BitsText(part.Bits());
    return HeatCell{
        part.Bits(), text,
        Tip(row, Format("{} bits, {}, {}", text, part.scheme, FormatBytes(part.bytes)))};
  };
  return picture;
}

std::string ErrorTip(const LookRow& row) {
  return Tip(row, Format("relative error {}, SNR {}, largest error {}",
                         PercentText(row.error.RelativeError()),
                         DecibelText(row.error.SnrDecibel()), RealText(row.error.max_error)));
}

Picture ErrorPicture(const Look& look) {
  Picture picture;
  picture.title = "Relative error";
  picture.caption =
      "Root of the sum of squared errors over that of squared values; lower is better.";
  picture.scale = ErrorScale(look);
  picture.low_text = PercentText(picture.scale.low);
  picture.high_text = PercentText(picture.scale.high);
  picture.cell = [](const LookRow& row) -> std::optional<HeatCell> {
    if (!row.Measured()) {
      return std::nullopt;
    }
    const double error = row.error.RelativeError();
    return HeatCell{error, PercentText(error), ErrorTip(row)};
  };
  return picture;
}

Picture SnrPicture(const Look& look) {
  Picture picture;
  picture.title = "Signal to noise";
  picture.caption = "The same in decibel; higher is better, one more bit gives about six.";
  picture.scale = SnrScale(look);
  picture.low_text = DecibelText(picture.scale.low);
  picture.high_text = DecibelText(picture.scale.high);
  picture.cell = [](const LookRow& row) -> std::optional<HeatCell> {
    if (!row.Measured() || row.error.squared_error == 0) {
      return std::nullopt;
    }
    const double decibel = row.error.SnrDecibel();
    return HeatCell{decibel, Format("{:.1f}", decibel), ErrorTip(row)};
  };
  return picture;
}

HeatMap MapOf(const Look& look, const LookGrid& grid, const std::vector<size_t>& alone,
              const Picture& picture) {
  HeatMap map;
  for (const uint64_t layer : grid.layers) {
    map.columns.push_back(std::to_string(layer));
  }
  for (const size_t row : alone) {
    if (auto cell = picture.cell(look.rows[row])) {
      map.lines.push_back({look.rows[row].place.kind, {std::move(cell)}});
    }
  }
  for (const LookGrid::Line& line : grid.lines) {
    HeatMap::Line out{line.kind, {}};
    bool any = false;
    for (const std::optional<size_t>& row : line.rows) {
      out.cells.push_back(row ? picture.cell(look.rows[*row]) : std::nullopt);
      any = any || out.cells.back();
    }
    if (any) {
      map.lines.push_back(std::move(out));
    }
  }
  map.scale = picture.scale;
  map.low_text = picture.low_text;
  map.high_text = picture.high_text;
  map.summary = picture.title + " by layer and kind of tensor";
  return map;
}

std::string Card(const Look& look, const LookGrid& grid, const std::vector<size_t>& alone,
                 const Picture& picture, bool named) {
  const HeatMap map = MapOf(look, grid, alone, picture);
  if (map.lines.empty()) {
    return "";
  }
  const std::string stack = named ? " (" + EscapeHtml(grid.stack) + ")" : "";
  return Format("<figure class=\"card{}\"><h3>{}{}</h3>\n{}<figcaption>{}</figcaption></figure>\n",
                IsWide(map.columns.size()) ? " wide" : "", EscapeHtml(picture.title), stack,
                HeatMapSvg(map), picture.caption);
}

}  // namespace

std::string HeatMapsSection(const Look& look) {
  std::vector<Picture> pictures;
  for (size_t side = 0; side < look.sides; ++side) {
    pictures.push_back(BitsPicture(look, side));
  }
  if (look.TotalError().squared_error > 0) {
    pictures.push_back(ErrorPicture(look));
    pictures.push_back(SnrPicture(look));
  }
  LookLayers layers = ByLayer(look);
  if (layers.grids.empty()) {
    layers.grids.emplace_back();
    layers.grids.back().layers.push_back(0);
  }
  std::string cards;
  for (size_t i = 0; i < layers.grids.size(); ++i) {
    for (const Picture& picture : pictures) {
      cards += Card(look, layers.grids[i], i == 0 ? layers.alone : std::vector<size_t>{}, picture,
                    layers.grids.size() > 1);
    }
  }
  return "<h2>By layer and kind of tensor</h2>\n<p class=\"soft\">Layers from left to right; "
         "tensors of no layer have one cell over all of them. Rest the pointer on a cell for its "
         "figures.</p>\n<div class=\"cards\">\n" +
         cards + "</div>\n";
}

}  // namespace lbrx

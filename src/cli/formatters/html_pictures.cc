#include "cli/formatters/html_pictures.h"

#include "cli/formatters/html.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

HeatMap MapOf(const Look& look, const LookGrid& grid, const std::vector<size_t>& alone,
              const Picture& picture) {
  HeatMap map;
  for (const uint64_t layer : grid.layers) {
    map.columns.push_back(std::to_string(layer));
  }
  for (const size_t row : alone) {
    if (auto cell = picture.cell(row)) {
      map.lines.push_back({look.rows[row].place.kind, {std::move(cell)}});
    }
  }
  for (const LookGrid::Line& line : grid.lines) {
    HeatMap::Line out{line.kind, {}};
    bool any = false;
    for (const std::optional<size_t>& row : line.rows) {
      out.cells.push_back(row ? picture.cell(*row) : std::nullopt);
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

std::string PictureCards(const Look& look, const std::vector<Picture>& pictures) {
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
  return "<div class=\"cards\">\n" + cards + "</div>\n";
}

}  // namespace lbrx

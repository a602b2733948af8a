#include "cli/formatters/picture.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/formatters/figures.h"
#include "cli/formatters/table.h"
#include "cli/formatters/text.h"
#include "cli/term/terminal.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr int kLongestKind = 30;
constexpr int kNarrowest = 10;  // a picture with fewer columns shows nothing
constexpr int kWidest = 48;

std::string LayerText(const TensorPlace& place) {
  return place.layer ? std::to_string(*place.layer) : "";
}

std::string KindText(const TensorPlace& place) {
  return Elide(Printable(place.kind), kLongestKind);
}

std::string NonFiniteText(const Moments& moments) {
  std::string text;
  if (moments.nan != 0) {
    text = FormatCount(moments.nan) + " NaN";
  }
  if (moments.infinite != 0) {
    text += (text.empty() ? "" : ", ") + FormatCount(moments.infinite) + " infinite";
  }
  return text;
}

std::string Sparkline(const Histogram& histogram, size_t width, bool utf8) {
  const Histogram* const only[] = {&histogram};
  const HistogramView view = ViewTogether(only, width);
  if (view.counts.empty()) {
    return "";
  }
  const std::vector<double> counts(view.counts[0].begin(), view.counts[0].end());
  return Bars(counts, *std::max_element(counts.begin(), counts.end()), utf8);
}

// The rows in the order of pictures: those of no layer, then layer by layer.
std::vector<size_t> InOrder(const Look& look) {
  const LookLayers layers = ByLayer(look);
  std::vector<size_t> order = layers.alone;
  for (const LookGrid& grid : layers.grids) {
    for (size_t column = 0; column < grid.layers.size(); ++column) {
      for (const LookGrid::Line& line : grid.lines) {
        if (line.rows[column]) {
          order.push_back(*line.rows[column]);
        }
      }
    }
  }
  return order;
}

std::string Drawn(const Look& look, const std::vector<Distribution>& of_row,
                  const PictureStyle& style) {
  const auto right = Table::Align::kRight;
  Table::Column picture{"distribution"};
  const std::vector<size_t> order = InOrder(look);
  std::vector<std::vector<std::string>> rows;
  std::array<int, 5> widths = {5, 6, 5, 4, 9};
  for (const size_t i : order) {
    const Moments& moments = of_row[i].moments;
    const bool any = moments.count != 0;
    rows.push_back({LayerText(look.rows[i].place), KindText(look.rows[i].place),
                    any ? RealText(moments.min) : "", any ? RealText(moments.max) : "",
                    any ? RealText(moments.Deviation()) : ""});
    for (size_t c = 0; c < widths.size(); ++c) {
      widths[c] = std::max(widths[c], DisplayWidth(rows.back()[c]));
    }
  }
  int used = 0;
  for (const int width : widths) {
    used += width + 2;
  }
  const int room = std::clamp(style.width - used, kNarrowest, kWidest);
  Table table({{"layer", right},
               {"tensor"},
               {"least", right},
               {"most", right},
               {"deviation", right},
               {"distribution"}});
  for (size_t k = 0; k < order.size(); ++k) {
    const Distribution& distribution = of_row[order[k]];
    std::string cell = Sparkline(distribution.histogram, static_cast<size_t>(room), style.utf8);
    const std::string odd = NonFiniteText(distribution.moments);
    cell += odd.empty() ? "" : (cell.empty() ? "" : " ") + odd;
    rows[k].push_back(std::move(cell));
    table.AddRow(std::move(rows[k]));
  }
  return table.ToString(style.width, style.color);
}

std::string Figures(const Look& look, const std::vector<Distribution>& of_row) {
  const auto right = Table::Align::kRight;
  Table table({{"layer", right},
               {"tensor"},
               {"values", right},
               {"least", right},
               {"1%", right},
               {"50%", right},
               {"99%", right},
               {"most", right},
               {"mean", right},
               {"deviation", right},
               {"not finite"}});
  for (const size_t i : InOrder(look)) {
    const Distribution& distribution = of_row[i];
    const Moments& moments = distribution.moments;
    std::vector<std::string> cells{LayerText(look.rows[i].place),
                                   Printable(look.rows[i].place.kind), FormatCount(moments.count)};
    if (moments.count != 0) {
      const Histogram& histogram = distribution.histogram;
      for (const double figure :
           {moments.min, histogram.Quantile(0.01), histogram.Quantile(0.5),
            histogram.Quantile(0.99), moments.max, moments.mean, moments.Deviation()}) {
        cells.push_back(RealText(figure));
      }
    }
    cells.resize(10);
    cells.push_back(NonFiniteText(moments));
    table.AddRow(std::move(cells));
  }
  return table.ToString(0, false);
}

Json DistributionJson(const Distribution& distribution) {
  const Moments& moments = distribution.moments;
  const bool any = moments.count != 0;
  Json out = Json::MakeObject();
  out.Set("count", moments.count);
  out.Set("nan", moments.nan);
  out.Set("infinite", moments.infinite);
  out.Set("min", any ? FiniteJson(moments.min) : Json());
  out.Set("max", any ? FiniteJson(moments.max) : Json());
  out.Set("mean", any ? FiniteJson(moments.mean) : Json());
  out.Set("deviation", any ? FiniteJson(moments.Deviation()) : Json());
  const Histogram* const only[] = {&distribution.histogram};
  const HistogramView view = ViewTogether(only, 64);
  Json counts = Json::MakeArray();
  for (const uint64_t count : view.counts.empty() ? std::vector<uint64_t>{} : view.counts[0]) {
    counts.Append(count);
  }
  Json histogram = Json::MakeObject();
  histogram.Set("low", FiniteJson(view.low));
  histogram.Set("high", FiniteJson(view.high));
  histogram.Set("below", view.below);
  histogram.Set("above", view.above);
  histogram.Set("counts", std::move(counts));
  out.Set("histogram", std::move(histogram));
  return out;
}

// The largest relative error of each of at most `columns` runs of layers; 0 where nothing is.
std::vector<double> ErrorsOver(const Look& look, const LookGrid::Line& line, size_t columns) {
  const size_t each = (line.rows.size() + columns - 1) / columns;
  std::vector<double> errors((line.rows.size() + each - 1) / each);
  for (size_t i = 0; i < line.rows.size(); ++i) {
    if (line.rows[i] && look.rows[*line.rows[i]].Measured()) {
      errors[i / each] = std::max(errors[i / each], look.rows[*line.rows[i]].error.RelativeError());
    }
  }
  return errors;
}

struct Strip {
  std::string kind;
  std::vector<double> errors;
  double least;
  double most;
};

std::vector<Strip> StripsOf(const Look& look, size_t columns) {
  std::vector<Strip> strips;
  const auto add = [&](const std::string& kind, std::vector<double> errors) {
    const auto [least, most] = std::minmax_element(errors.begin(), errors.end());
    const Strip strip{kind, errors, *least, *most};
    if (strip.most > 0 && std::isfinite(strip.most)) {
      strips.push_back(strip);
    }
  };
  const LookLayers layers = ByLayer(look);
  for (const size_t row : layers.alone) {
    add(KindText(look.rows[row].place),
        {look.rows[row].Measured() ? look.rows[row].error.RelativeError() : 0});
  }
  for (const LookGrid& grid : layers.grids) {
    for (const LookGrid::Line& line : grid.lines) {
      add(Elide(Printable(line.kind), kLongestKind), ErrorsOver(look, line, columns));
    }
  }
  return strips;
}

}  // namespace

std::string Bars(std::span<const double> values, double most, bool utf8) {
  constexpr std::array<std::string_view, 9> kBlocks = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::string_view kAscii = " .:-=+*#@";
  std::string out;
  for (const double value : values) {
    const double share = most > 0 ? value / most : 0;
    const size_t level =
        value > 0 ? static_cast<size_t>(std::clamp(std::ceil(share * 8), 1.0, 8.0)) : 0;
    out += utf8 ? kBlocks[level] : kAscii.substr(level, 1);
  }
  return out;
}

std::string DistributionText(const Look& look, const PictureStyle& style) {
  return style.width == 0 ? Figures(look, look.values[0]) : Drawn(look, look.values[0], style);
}

std::string ErrorDistributionText(const Look& look, const PictureStyle& style) {
  return style.width == 0 ? Figures(look, look.errors) : Drawn(look, look.errors, style);
}

std::string ErrorStrips(const Look& look, const PictureStyle& style) {
  if (style.width == 0) {
    return "";
  }
  const int room = std::max(style.width - kLongestKind - 20, kNarrowest);
  const std::vector<Strip> strips = StripsOf(look, static_cast<size_t>(room));
  if (strips.empty()) {
    return "";
  }
  double most = 0;
  for (const Strip& strip : strips) {
    most = std::max(most, strip.most);
  }
  Table table({{"relative error, first layer to last"},
               {"least", Table::Align::kRight},
               {"most", Table::Align::kRight},
               {""}});
  for (const Strip& strip : strips) {
    table.AddRow({strip.kind, PercentText(strip.least), PercentText(strip.most),
                  Bars(strip.errors, most, style.utf8)});
  }
  return table.ToString(style.width, style.color);
}

Json DistributionsJson(const Look& look) {
  Json out = Json::MakeArray();
  for (size_t i = 0; i < look.rows.size(); ++i) {
    const TensorPlace& place = look.rows[i].place;
    Json row = Json::MakeObject();
    row.Set("stack", place.stack);
    row.Set("layer", place.layer ? Json(*place.layer) : Json());
    row.Set("kind", place.kind);
    for (size_t side = 0; side < look.sides; ++side) {
      if (!look.values[side].empty()) {
        row.Set(look.sides == 1 ? "values" : look.names[side],
                DistributionJson(look.values[side][i]));
      }
    }
    if (!look.errors.empty()) {
      row.Set("error", DistributionJson(look.errors[i]));
    }
    out.Append(std::move(row));
  }
  return out;
}

}  // namespace lbrx

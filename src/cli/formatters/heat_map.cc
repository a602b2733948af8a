#include "cli/formatters/heat_map.h"

#include <algorithm>
#include <cmath>

#include "cli/formatters/html.h"
#include "cli/formatters/text.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr double kLineHeight = 26;
constexpr double kTop = 22;      // the columns' numbers
constexpr double kLegend = 44;   // the legend below
constexpr double kLetter = 7.3;  // width of one at 12 px
constexpr int kLongestLabel = 30;
constexpr size_t kMostColumns = 160;
constexpr size_t kNarrow = 12;  // columns that half a page holds with their figures
constexpr double kWide = 1120;  // inside of a card
constexpr double kHalf = 520;
constexpr double kWidestCell = 54;
constexpr double kLeastWidth = 200;  // of all cells; holds the legend
constexpr double kTextCell = 34;     // a cell needs that for a figure

struct Frame {
  double left;  // of the cells
  double cell;  // width of one
  double right;
  double bottom;
};

Frame FrameOf(const HeatMap& map) {
  int letters = 0;
  for (const HeatMap::Line& line : map.lines) {
    letters = std::max(letters, std::min(DisplayWidth(line.label), kLongestLabel));
  }
  Frame frame{};
  frame.left = letters * kLetter + 12;
  const double room = (IsWide(map.columns.size()) ? kWide : kHalf) - frame.left - 2;
  const auto columns = static_cast<double>(std::max<size_t>(map.columns.size(), 1));
  frame.cell = std::min(room / columns, kWidestCell);
  frame.right = frame.left + std::max(frame.cell * columns, kLeastWidth);
  frame.cell = (frame.right - frame.left) / columns;
  frame.bottom = kTop + kLineHeight * static_cast<double>(map.lines.size());
  return frame;
}

// Of neighbouring columns the cell that stands out most.
std::vector<std::optional<HeatCell>> Grouped(const std::vector<std::optional<HeatCell>>& cells,
                                             size_t each) {
  std::vector<std::optional<HeatCell>> out;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i % each == 0) {
      out.emplace_back();
    }
    if (cells[i] && (!out.back() || out.back()->value < cells[i]->value)) {
      out.back() = cells[i];
    }
  }
  return out;
}

HeatMap WithFewColumns(const HeatMap& map) {
  const size_t each = (map.columns.size() + kMostColumns - 1) / kMostColumns;
  if (each <= 1) {
    return map;
  }
  HeatMap out = map;
  out.columns.clear();
  for (size_t i = 0; i < map.columns.size(); i += each) {
    out.columns.push_back(map.columns[i]);
  }
  for (HeatMap::Line& line : out.lines) {
    line.cells = line.cells.size() == 1 ? line.cells : Grouped(line.cells, each);
  }
  return out;
}

std::string CellSvg(const std::optional<HeatCell>& cell, const HeatScale& scale, double x, double y,
                    double width) {
  const double gap = width > 12 ? 2 : 0.6;
  const std::string box =
      Format(R"(<rect x="{}" y="{}" width="{}" height="{}" rx="{}")", SvgNumber(x), SvgNumber(y),
             SvgNumber(width - gap), SvgNumber(kLineHeight - 2), width > 12 ? 3 : 0);
  if (!cell) {
    return box + " class=\"empty\"/>\n";
  }
  const Color color = scale.ColorOf(cell->value);
  std::string out =
      box + Format(R"( fill="{}"><title>{}</title></rect>)", color.Hex(), EscapeHtml(cell->tip));
  if (width >= kTextCell && !cell->text.empty()) {
    out +=
        Format(R"(<text class="in" x="{}" y="{}" text-anchor="middle" style="fill:{}">{}</text>)",
               SvgNumber(x + (width - gap) / 2), SvgNumber(y + kLineHeight / 2 + 3),
               color.TextOn().Hex(), EscapeHtml(cell->text));
  }
  return out + "\n";
}

std::string LineSvg(const HeatMap& map, const HeatMap::Line& line, const Frame& frame, double y) {
  std::string out =
      Format(R"(<text x="{}" y="{}" text-anchor="end">{}<title>{}</title></text>)",
             SvgNumber(frame.left - 8), SvgNumber(y + kLineHeight / 2 + 3),
             EscapeHtml(Elide(Printable(line.label), kLongestLabel)), EscapeHtml(line.label));
  out += "\n";
  if (line.cells.size() == 1 && map.columns.size() != 1) {
    return out + CellSvg(line.cells[0], map.scale, frame.left, y, frame.right - frame.left);
  }
  for (size_t i = 0; i < line.cells.size(); ++i) {
    out += CellSvg(line.cells[i], map.scale, frame.left + frame.cell * static_cast<double>(i), y,
                   frame.cell);
  }
  return out;
}

// Numbers over the columns, as many as there is room for.
std::string ColumnsSvg(const HeatMap& map, const Frame& frame) {
  size_t longest = 1;
  for (const std::string& column : map.columns) {
    longest = std::max(longest, column.size());
  }
  const double needed = static_cast<double>(longest) * kLetter + 8;
  size_t step = 1;
  for (const size_t candidate : {1, 2, 4, 5, 8, 10, 16, 20, 40}) {
    step = candidate;
    if (frame.cell * static_cast<double>(candidate) >= needed) {
      break;
    }
  }
  std::string out;
  for (size_t i = 0; i < map.columns.size(); i += step) {
    out += Format(R"(<text x="{}" y="14" text-anchor="middle">{}</text>)",
                  SvgNumber(frame.left + frame.cell * (static_cast<double>(i) + 0.5) - 1),
                  EscapeHtml(map.columns[i]));
  }
  return out + "\n";
}

std::string LegendSvg(const HeatMap& map, const Frame& frame) {
  constexpr int kSteps = 32;
  const double width = std::clamp(frame.right - frame.left, kLeastWidth, 240.0);
  const double y = frame.bottom + 14;
  std::string out;
  for (int i = 0; i < kSteps; ++i) {
    // A little overlap keeps the page from showing between the steps.
    out += Format(R"(<rect x="{}" y="{}" width="{}" height="8" fill="{}"/>)",
                  SvgNumber(frame.left + width * i / kSteps), SvgNumber(y),
                  SvgNumber(width / kSteps + (i + 1 < kSteps ? 0.6 : 0)),
                  ColorAt(map.scale.map, i / (kSteps - 1.0)).Hex());
  }
  out += Format(R"(<text x="{}" y="{}">{}</text>)", SvgNumber(frame.left), SvgNumber(y + 23),
                EscapeHtml(map.low_text));
  out += Format(R"(<text x="{}" y="{}" text-anchor="end">{}</text>)", SvgNumber(frame.left + width),
                SvgNumber(y + 23), EscapeHtml(map.high_text));
  return out + "\n";
}

}  // namespace

Color HeatScale::ColorOf(double value) const {
  if (!(high > low)) {
    return ColorAt(map, 0.5);
  }
  return ColorAt(map, logarithmic && low > 0
                          ? std::log(std::max(value, low) / low) / std::log(high / low)
                          : (value - low) / (high - low));
}

bool IsWide(size_t columns) {
  return columns > kNarrow;
}

std::string HeatMapSvg(const HeatMap& full) {
  const HeatMap map = WithFewColumns(full);
  const Frame frame = FrameOf(map);
  const double height = frame.bottom + kLegend;
  std::string out = Format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img"><title>{2}</title>)",
      SvgNumber(frame.right), SvgNumber(height), EscapeHtml(map.summary));
  out += "\n" + ColumnsSvg(map, frame);
  for (size_t i = 0; i < map.lines.size(); ++i) {
    out += LineSvg(map, map.lines[i], frame, kTop + kLineHeight * static_cast<double>(i));
  }
  return out + LegendSvg(map, frame) + "</svg>\n";
}

}  // namespace lbrx

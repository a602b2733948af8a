#include "cli/formatters/histogram_svg.h"

#include <algorithm>
#include <cmath>

#include "cli/formatters/html.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr int kAxis = 18;  // height of the figures below

// Nothing to draw: no values, or nothing but zeros.
bool IsFlat(const HistogramView& view) {
  return view.counts.empty() || view.high - view.low < 0x1p-900;
}

// The outline of the bins, from the left end of the axis to the right.
std::string Outline(const std::vector<uint64_t>& counts, double width, double height) {
  const uint64_t most = std::max<uint64_t>(*std::max_element(counts.begin(), counts.end()), 1);
  const double step = width / static_cast<double>(counts.size());
  std::string path = Format("M0 {}", SvgNumber(height));
  std::string last;
  for (size_t i = 0; i < counts.size(); ++i) {
    // A bin with anything in it shows.
    const double share = static_cast<double>(counts[i]) / static_cast<double>(most);
    const double bar = counts[i] == 0 ? 0 : std::max(share * (height - 2), 0.6);
    const std::string y = SvgNumber(height - bar);
    if (y != last) {
      path += "V" + y;
      last = y;
    }
    path += "H" + SvgNumber(step * static_cast<double>(i + 1));
  }
  return path + "V" + SvgNumber(height);
}

std::string Tick(double x, std::string_view anchor, double value, int y) {
  return Format(R"(<text x="{}" y="{}" text-anchor="{}">{:.3g}</text>)", SvgNumber(x), y, anchor,
                value);
}

std::string Axis(const HistogramView& view, int width, int height) {
  std::string out = Format(R"(<path class="axis" d="M0 {}.5H{}"/>)", height, width);
  out += Tick(0, "start", view.low, height + 14);
  out += Tick(width, "end", view.high, height + 14);
  const double zero = width * (0 - view.low) / (view.high - view.low);
  if (zero > width * 0.2 && zero < width * 0.8) {
    out += Tick(zero, "middle", 0, height + 14);
  }
  return out;
}

}  // namespace

std::string HistogramSvg(const std::vector<HistogramLayer>& layers, int width, int height,
                         const std::string& summary) {
  std::vector<const Histogram*> histograms;
  for (const HistogramLayer& layer : layers) {
    histograms.push_back(layer.histogram);
  }
  const HistogramView view = ViewTogether(histograms, 96);
  if (IsFlat(view)) {
    return "";
  }
  std::string out = Format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img"><title>{2}</title>)",
      width, height + kAxis, EscapeHtml(summary));
  for (size_t i = 0; i < layers.size(); ++i) {
    out += Format(R"(<path class="{}" d="{}{}"/>)", layers[i].style,
                  Outline(view.counts[i], width, height), layers[i].filled ? "Z" : "");
  }
  return out + Axis(view, width, height) + "</svg>\n";
}

std::string SparkSvg(const Histogram& histogram, const std::string& style) {
  constexpr int kWidth = 96;
  constexpr int kHeight = 20;
  const Histogram* const only[] = {&histogram};
  const HistogramView view = ViewTogether(only, 32);
  if (IsFlat(view)) {
    return "";
  }
  return Format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}"><title>{2:.3g} to {3:.3g}</title><path class="{4}" d="{5}Z"/></svg>)",
      kWidth, kHeight, view.low, view.high, style, Outline(view.counts[0], kWidth, kHeight));
}

}  // namespace lbrx

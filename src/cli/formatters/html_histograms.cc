#include <map>

#include "cli/formatters/figures.h"
#include "cli/formatters/histogram_svg.h"
#include "cli/formatters/html.h"
#include "cli/formatters/html_sections.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr size_t kMostKinds = 200;
constexpr int kWidth = 320;

// The rows of one kind, of all layers of a stack, put together.
struct Kind {
  std::string name;
  uint64_t tensors = 0;
  std::array<Histogram, 2> values;
  Histogram errors;
};

std::vector<Kind> KindsOf(const Look& look) {
  std::vector<Kind> kinds;
  std::map<std::pair<std::string, std::string>, size_t> index;
  for (size_t i = 0; i < look.rows.size(); ++i) {
    const TensorPlace& place = look.rows[i].place;
    const auto [found, added] = index.emplace(std::pair(place.stack, place.kind), kinds.size());
    if (added) {
      kinds.push_back({place.kind, 0, {}, {}});
    }
    Kind& kind = kinds[found->second];
    kind.tensors += std::max(look.rows[i].sides[0].tensors, look.rows[i].sides[1].tensors);
    for (size_t side = 0; side < 2; ++side) {
      if (!look.values[side].empty()) {
        kind.values[side].Add(look.values[side][i].histogram);
      }
    }
    if (!look.errors.empty()) {
      kind.errors.Add(look.errors[i].histogram);
    }
  }
  return kinds;
}

// One place above, the second side as a line over the first.
std::string ValuesSvg(const Kind& kind) {
  if (kind.values[1].total() == 0) {
    return HistogramSvg({{&kind.values[0], "one"}}, kWidth, 110, "values of " + kind.name);
  }
  return HistogramSvg({{&kind.values[0], "b"}, {&kind.values[1], "a", /*filled=*/false}}, kWidth,
                      110, "values of " + kind.name);
}

std::string Card(const Kind& kind) {
  const std::string values = ValuesSvg(kind);
  if (values.empty()) {
    return "";
  }
  std::string out = Format("<figure class=\"card\"><h3 class=\"kind\">{}</h3>\n{}",
                           EscapeHtml(kind.name), values);
  if (kind.errors.total() != 0) {
    out += HistogramSvg({{&kind.errors, "e"}}, kWidth, 46, "errors of " + kind.name);
  }
  return out + Format("<figcaption>{} values of {} tensor{}</figcaption></figure>\n",
                      FormatCount(kind.values[0].total()), FormatCount(kind.tensors),
                      kind.tensors == 1 ? "" : "s");
}

std::string KeyOf(const Look& look, const std::vector<Kind>& kinds) {
  bool two = false;
  bool errors = false;
  for (const Kind& kind : kinds) {
    two = two || kind.values[1].total() != 0;
    errors = errors || kind.errors.total() != 0;
  }
  if (!two) {
    return "";
  }
  std::string out = Format(
      "<div class=\"key\"><span><i style=\"background:var(--before);opacity:.6\"></i>values {}"
      "</span><span><i style=\"background:var(--after)\"></i>values {}</span>",
      EscapeHtml(look.names[0]), EscapeHtml(look.names[1]));
  if (errors) {
    out += Format("<span><i style=\"background:var(--error)\"></i>error ({} less {})</span>",
                  EscapeHtml(look.names[1]), EscapeHtml(look.names[0]));
  }
  return out + "</div>\n";
}

}  // namespace

std::string HistogramsSection(const Look& look) {
  if (look.values[0].empty()) {
    return "";
  }
  const std::vector<Kind> kinds = KindsOf(look);
  std::string cards;
  for (size_t i = 0; i < std::min(kinds.size(), kMostKinds); ++i) {
    cards += Card(kinds[i]);
  }
  if (cards.empty()) {
    return "";
  }
  return "<h2>Values</h2>\n<p class=\"soft\">How the values of each kind of tensor are spread, all "
         "layers together, each curve as high as its fullest bin. A thousandth at either end may "
         "lie outside.</p>\n" +
         KeyOf(look, kinds) + "<div class=\"small\">\n" + cards + "</div>\n";
}

}  // namespace lbrx

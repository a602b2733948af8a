#include "cli/formatters/html_merge.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "cli/formatters/figures.h"
#include "cli/formatters/html.h"
#include "cli/formatters/html_pictures.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr size_t kMostModels = 6;  // that have pictures of their own

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

using FigureOf = std::function<double(const MergeSums&)>;
using TextOf = std::string (*)(double);

// "none" where nothing can be told, not where a share is 0.
std::string ShareText(double share) {
  return share == 0 ? "0%" : std::isnan(share) ? "\u2013" : PercentText(share);
}

std::string CosineText(double cosine) {
  return std::isnan(cosine) ? "\u2013" : Format("{:.2f}", cosine == 0 ? 0.0 : cosine);
}

std::string NormText(double norm) {
  return std::isnan(norm) ? "\u2013" : RealText(norm);
}

// The figure of one model; unknown where it has no part.
FigureOf OfModel(const std::string& model, double (*figure)(const MergeSums&, size_t)) {
  return [model, figure](const MergeSums& sums) {
    const std::optional<size_t> member = MemberOf(sums, model);
    return member ? figure(sums, *member) : kUnknown;
  };
}

double RelativeNormOf(const MergeSums& sums, size_t member) {
  return sums.RelativeNorm(member);
}

double CosineToResult(const MergeSums& sums, size_t member) {
  return sums.Cosine(member, sums.result());
}

// Pictures of one kind share a scale, so that models can be compared.
class Pictures {
 public:
  explicit Pictures(const MergeLook& look) : look_(look) {}

  struct Kind {
    TextOf text;
    ColorMap map = ColorMap::kViridis;
    std::string caption;
  };

  void Add(const Kind& kind, const std::vector<std::pair<std::string, FigureOf>>& figures) {
    const HeatScale scale = ScaleOf(figures, kind.map);
    for (const auto& [title, figure] : figures) {
      Picture picture;
      picture.title = title;
      picture.caption = kind.caption;
      picture.scale = scale;
      picture.low_text = kind.text(scale.low);
      picture.high_text = kind.text(scale.high);
      picture.cell = [this, text = kind.text, figure](size_t row) {
        return Cell(row, text, figure);
      };
      pictures_.push_back(std::move(picture));
    }
  }

  const std::vector<Picture>& all() const { return pictures_; }

 private:
  HeatScale ScaleOf(const std::vector<std::pair<std::string, FigureOf>>& figures,
                    ColorMap map) const {
    double low = kUnknown;
    double high = kUnknown;
    for (const std::vector<MergeSums>& sets : look_.sums) {
      for (const auto& [title, figure] : figures) {
        const double value = figure(sets.front());
        if (std::isfinite(value)) {
          low = std::fmin(low, value);
          high = std::fmax(high, value);
        }
      }
    }
    return {low, high, /*logarithmic=*/false, map};
  }

  std::optional<HeatCell> Cell(size_t row, TextOf text, const FigureOf& figure) const {
    const MergeSums& sums = look_.sums[row].front();
    const double value = figure(sums);
    if (!std::isfinite(value)) {
      return std::nullopt;
    }
    return HeatCell{value, text(value), look_.places.rows[row].name + ": " + Everything(sums)};
  }

  // All figures of a place, for the pointer that rests on it.
  static std::string Everything(const MergeSums& sums) {
    std::string out;
    for (size_t m = 0; m < std::min(sums.models.size(), kMostModels); ++m) {
      out += Format("{}{}: norm {} ({}), to the result {}", out.empty() ? "" : "; ", sums.models[m],
                    NormText(sums.Norm(m)), ShareText(sums.RelativeNorm(m)),
                    CosineText(CosineToResult(sums, m)));
      out += sums.has_base ? ", trimmed " + ShareText(sums.TrimmedShare(m)) : "";
    }
    return out + Format("; between the models {}, signs agree in {}; the result: norm {} ({})",
                        CosineText(sums.MeanCosine()), ShareText(sums.SignAgreement()),
                        NormText(sums.Norm(sums.result())),
                        ShareText(sums.RelativeNorm(sums.result())));
  }

  const MergeLook& look_;
  std::vector<Picture> pictures_;
};

std::string Cards(const MergeLook& look) {
  using Named = std::vector<std::pair<std::string, FigureOf>>;
  Named norms;
  Named cosines;
  for (size_t m = 0; m < std::min(look.models.size(), kMostModels); ++m) {
    const std::string& model = look.models[m];
    norms.emplace_back("Length of the task vector, " + model, OfModel(model, RelativeNormOf));
    cosines.emplace_back("Cosine to the result, " + model, OfModel(model, CosineToResult));
  }
  norms.emplace_back("Length of what the merge changed",
                     [](const MergeSums& sums) { return sums.RelativeNorm(sums.result()); });
  Pictures pictures(look);
  pictures.Add({ShareText, ColorMap::kPlasma, "In units of the length of the tensor itself."},
               norms);
  pictures.Add(
      {CosineText, ColorMap::kViridis,
       "Of each two task vectors, the mean: 1 where they say the same, 0 where they have "
       "nothing to do with each other, below 0 where they are against each other."},
      {{"Cosine between task vectors", [](const MergeSums& sums) { return sums.MeanCosine(); }}});
  pictures.Add(
      {ShareText, ColorMap::kViridis,
       "Of the elements that two models or more changed, those that all of them moved the "
       "same way."},
      {{"Agreement of signs", [](const MergeSums& sums) { return sums.SignAgreement(); }}});
  pictures.Add({ShareText, ColorMap::kPlasma,
                "Of the elements that the models changed, those that are the base's again in the "
                "result."},
               {{"Trimmed", [](const MergeSums& sums) { return sums.TrimmedShare(); }}});
  pictures.Add({CosineText, ColorMap::kViridis,
                "How much what the merge changed points where the model does."},
               cosines);
  return PictureCards(look.places, pictures.all());
}

std::string TotalsRows(const MergeSums& sums) {
  std::string out;
  for (size_t m = 0; m < sums.models.size(); ++m) {
    out += Format(
        "<tr><td class=\"n\">{}</td><td class=\"r\">{}</td><td class=\"r\">{}</td>"
        "<td class=\"r\">{}</td><td class=\"r\">{}</td></tr>\n",
        EscapeHtml(sums.models[m]), NormText(sums.Norm(m)), ShareText(sums.RelativeNorm(m)),
        CosineText(CosineToResult(sums, m)), ShareText(sums.TrimmedShare(m)));
  }
  return out + Format(
                   "<tr><td class=\"n\">the result</td><td class=\"r\">{}</td>"
                   "<td class=\"r\">{}</td><td class=\"r\"></td><td class=\"r\"></td></tr>\n",
                   NormText(sums.Norm(sums.result())), ShareText(sums.RelativeNorm(sums.result())));
}

std::string TotalsTable(const MergeSums& sums) {
  return Format(
             "<div class=\"card scroll\"><table>\n<thead><tr><th>Task vector of</th>"
             "<th class=\"r\">Length</th><th class=\"r\">Relative</th>"
             "<th class=\"r\">Cosine to the result</th><th class=\"r\">Trimmed</th></tr></thead>\n"
             "<tbody>{}</tbody></table>\n",
             TotalsRows(sums)) +
         Format(
             "<p class=\"soft\">{} tensor{}, {} values; reference: {}. Mean cosine between the "
             "models {}; signs agree in {}.</p></div>\n",
             FormatCount(sums.tensors), sums.tensors == 1 ? "" : "s", FormatCount(sums.elements),
             sums.has_base ? "the base" : "the mean of the models", CosineText(sums.MeanCosine()),
             ShareText(sums.SignAgreement()));
}

}  // namespace

std::string MergeSection(const MergeLook& look) {
  if (look.totals.empty()) {
    return "";
  }
  std::string out =
      "<h2>What the merge did</h2>\n<p class=\"soft\">A task vector is a model's tensor less the "
      "base's, or less the mean of the models where the method has no base.</p>\n";
  for (const MergeSums& sums : look.totals) {
    out += TotalsTable(sums);
  }
  out += Format("<p class=\"soft\">{}</p>\n", kPictureHint);
  if (look.models.size() > kMostModels) {
    out += Format("<p class=\"soft\">The first {} of {} models have pictures.</p>\n", kMostModels,
                  look.models.size());
  }
  return out + Cards(look);
}

}  // namespace lbrx

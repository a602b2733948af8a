#include "cli/formatters/merge_look.h"

#include <algorithm>

#include "cli/formatters/figures.h"

namespace lbrx {
namespace {

void AddTo(std::vector<MergeSums>& sets, const MergeSums& sums) {
  for (MergeSums& known : sets) {
    if (known.SameModels(sums)) {
      known.Add(sums);
      return;
    }
  }
  sets.push_back(sums);
}

Json ModelsJson(const MergeSums& sums) {
  Json models = Json::MakeArray();
  for (size_t m = 0; m < sums.models.size(); ++m) {
    Json model = Json::MakeObject();
    model.Set("model", sums.models[m]);
    model.Set("norm", FiniteJson(sums.Norm(m)));
    model.Set("relative_norm", FiniteJson(sums.RelativeNorm(m)));
    model.Set("changed", sums.has_base ? Json(sums.changed[m]) : Json());
    model.Set("trimmed", FiniteJson(sums.TrimmedShare(m)));
    model.Set("cosine_to_result", FiniteJson(sums.Cosine(m, sums.result())));
    models.Append(std::move(model));
  }
  return models;
}

// Of each model to each, in their order.
Json CosinesJson(const MergeSums& sums) {
  Json rows = Json::MakeArray();
  for (size_t a = 0; a < sums.models.size(); ++a) {
    Json row = Json::MakeArray();
    for (size_t b = 0; b < sums.models.size(); ++b) {
      row.Append(FiniteJson(sums.Cosine(a, b)));
    }
    rows.Append(std::move(row));
  }
  return rows;
}

void SetFigures(const MergeSums& sums, Json& json) {
  json.Set("tensors", sums.tensors);
  json.Set("elements", sums.elements);
  json.Set("reference", sums.has_base ? "base" : "mean");
  json.Set("models", ModelsJson(sums));
  json.Set("cosines", CosinesJson(sums));
  json.Set("sign_agreement", FiniteJson(sums.SignAgreement()));
  json.Set("trimmed", FiniteJson(sums.TrimmedShare()));
  json.Set("result_norm", FiniteJson(sums.Norm(sums.result())));
  json.Set("result_relative_norm", FiniteJson(sums.RelativeNorm(sums.result())));
}

}  // namespace

MergeLook LookOfMerge(const std::vector<MergeParts>& parts, const std::vector<MergeSums>& sums) {
  MergeLook look;
  for (size_t i = 0; i < parts.size(); ++i) {
    const LookRow& row = look.places.RowOf(parts[i].name, parts[i].merged->shape());
    const auto index = static_cast<size_t>(&row - look.places.rows.data());
    look.sums.resize(look.places.rows.size());
    AddTo(look.sums[index], sums[i]);
    AddTo(look.totals, sums[i]);
    for (const std::string& model : sums[i].models) {
      if (std::find(look.models.begin(), look.models.end(), model) == look.models.end()) {
        look.models.push_back(model);
      }
    }
  }
  return look;
}

std::optional<size_t> MemberOf(const MergeSums& sums, const std::string& model) {
  const auto found = std::find(sums.models.begin(), sums.models.end(), model);
  return found == sums.models.end() ? std::nullopt
                                    : std::optional<size_t>(found - sums.models.begin());
}

Json MergeJson(const MergeLook& look) {
  Json totals = Json::MakeArray();
  for (const MergeSums& sums : look.totals) {
    Json total = Json::MakeObject();
    SetFigures(sums, total);
    totals.Append(std::move(total));
  }
  Json places = Json::MakeArray();
  for (size_t row = 0; row < look.sums.size(); ++row) {
    const TensorPlace& place = look.places.rows[row].place;
    for (const MergeSums& sums : look.sums[row]) {
      Json json = Json::MakeObject();
      json.Set("stack", place.stack);
      json.Set("layer", place.layer ? Json(*place.layer) : Json());
      json.Set("kind", place.kind);
      SetFigures(sums, json);
      places.Append(std::move(json));
    }
  }
  Json out = Json::MakeObject();
  out.Set("totals", std::move(totals));
  out.Set("places", std::move(places));
  return out;
}

}  // namespace lbrx

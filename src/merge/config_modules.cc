// What a merge takes its tensors from: models, slices of layers, modules.
#include <algorithm>
#include <set>
#include <utility>

#include "core/base/format.h"
#include "merge/config_parts.h"

namespace lbrx {
namespace {

LayerRange ReadLayerRange(const ConfigNode& node) {
  if (!node.node.is_sequence() || node.node.size() != 2) {
    FailAt(node, "not a range of layers", "[first, last + 1]",
           node.node.is_sequence() ? Format("{} entries", node.node.size())
                                   : DescribeValue(node.node));
  }
  const LayerRange out{ReadCount(node.Element(0)), ReadCount(node.Element(1))};
  if (out.end <= out.begin) {
    FailAt(node, "a range without layers", "", Format("[{}, {}]", out.begin, out.end),
           "the second number is the layer behind the last one");
  }
  return out;
}

MergeSource ReadSource(const ConfigNode& node, bool ranges, ConfigWarnings& warnings) {
  ConfigMap map(node, warnings);
  MergeSource out;
  out.position = node.node.position();
  out.model = ReadModel(map.Need("model"), warnings);
  if (ranges) {
    out.layers = ReadLayerRange(map.Need("layer_range", "give the layers as [first, last + 1]"));
  }
  out.parameters = ReadParameters(map, warnings);
  map.Finish();
  return out;
}

// The sources of a slice: each model once, and as many layers of each.
std::vector<MergeSource> ReadSources(const std::vector<ConfigNode>& nodes, bool ranges,
                                     ConfigWarnings& warnings) {
  std::vector<MergeSource> out;
  std::set<ModelRef> seen;
  for (const ConfigNode& node : nodes) {
    MergeSource source = ReadSource(node, ranges, warnings);
    if (!seen.insert(source.model).second) {
      FailAt(node, Format("the model {} a second time in one slice", ToString(source.model)), "",
             "", "a slice can have a model once");
    }
    if (ranges && !out.empty()) {
      const LayerRange& first = *out.front().layers;
      const LayerRange& here = *source.layers;
      if (here.end - here.begin != first.end - first.begin) {
        FailAt(node, "the sources of a slice have different numbers of layers",
               Format("{} as at {}", first.end - first.begin, ToString(out.front().position)),
               std::to_string(here.end - here.begin));
      }
    }
    out.push_back(std::move(source));
  }
  return out;
}

MergeSlice ReadSlice(const ConfigNode& node, ConfigWarnings& warnings) {
  ConfigMap map(node, warnings);
  MergeSlice out;
  out.position = node.node.position();
  const std::vector<ConfigNode> sources = map.List("sources");
  if (sources.empty()) {
    FailAt(node, "a slice without sources");
  }
  out.sources = ReadSources(sources, true, warnings);
  if (const std::optional<ConfigNode> base = map.Find("base_model")) {
    out.base_model = ReadModel(*base, warnings);
  }
  if (const std::optional<ConfigNode> residual = map.Find("residual_weight")) {
    if (!ReadValue(*residual).number) {
      FailAt(*residual, "not a number", "", DescribeValue(residual->node));
    }
    warnings.Add(residual->node.position(), residual->path,
                 "residual_weight is accepted and never used, by mergekit too");
  }
  out.parameters = ReadParameters(map, warnings);
  map.Finish();
  return out;
}

// One slice of all layers of every model.
MergeSlice SliceOfModels(const std::vector<ConfigNode>& models, const std::optional<ModelRef>& base,
                         ConfigWarnings& warnings) {
  MergeSlice out;
  out.position = models.front().node.position();
  out.sources = ReadSources(models, false, warnings);
  const bool listed = std::any_of(out.sources.begin(), out.sources.end(),
                                  [&](const MergeSource& source) { return source.model == base; });
  if (base && !listed) {
    MergeSource& added = out.sources.emplace_back();
    added.model = *base;
    added.implied = true;
  }
  return out;
}

// Fills a module from its slices or its models, of which one list is not empty.
void FillModule(const std::vector<ConfigNode>& slices, const std::vector<ConfigNode>& models,
                const std::optional<ModelRef>& base, ConfigWarnings& warnings,
                MergeModule& module) {
  for (const ConfigNode& slice : slices) {
    module.slices.push_back(ReadSlice(slice, warnings));
  }
  if (!models.empty()) {
    module.slices.push_back(SliceOfModels(models, base, warnings));
  }
}

MergeModule ReadModule(std::string_view name, const ConfigNode& node,
                       const std::optional<ModelRef>& base, ConfigWarnings& warnings) {
  ConfigMap map(node, warnings);
  MergeModule out;
  out.name = std::string(name);
  out.position = node.node.position();
  const std::vector<ConfigNode> slices = map.List("slices");
  const std::vector<ConfigNode> models = map.List("models");
  if (slices.empty() == models.empty()) {
    FailAt(node, "a module needs either models or slices", "", slices.empty() ? "neither" : "both");
  }
  FillModule(slices, models, base, warnings, out);
  out.parameters = ReadParameters(map, warnings);
  map.Finish();
  return out;
}

}  // namespace

void ReadModules(ConfigMap& map, const std::optional<ModelRef>& base, ConfigWarnings& warnings,
                 MergeConfig& config) {
  const std::vector<ConfigNode> models = map.List("models");
  const std::vector<ConfigNode> slices = map.List("slices");
  const std::optional<ConfigNode> modules = map.Find("modules");
  if (modules) {
    const ConfigMap checked(*modules, warnings);  // that it is a mapping
  }
  const bool has_modules = modules && modules->node.size() > 0;
  if ((models.empty() ? 0 : 1) + (slices.empty() ? 0 : 1) + (has_modules ? 1 : 0) != 1) {
    std::string found;
    for (const auto& [there, name] :
         {std::pair(!models.empty(), "models"), std::pair(!slices.empty(), "slices"),
          std::pair(has_modules, "modules")}) {
      if (there) {
        found += found.empty() ? name : Format(" and {}", name);
      }
    }
    FailAt(map.node(), "exactly one of models, slices and modules must be there", "",
           found.empty() ? "none of them" : found);
  }
  if (has_modules) {
    config.form = ConfigForm::kModules;
    for (size_t i = 0; i < modules->node.size(); ++i) {
      const std::string_view name = modules->node.key(i).text();
      config.modules.push_back(
          ReadModule(name, modules->Member(name, modules->node.value(i)), base, warnings));
    }
    return;
  }
  config.form = models.empty() ? ConfigForm::kSlices : ConfigForm::kModels;
  MergeModule& only = config.modules.emplace_back();
  only.position = (models.empty() ? slices : models).front().node.position();
  FillModule(slices, models, base, warnings, only);
}

}  // namespace lbrx

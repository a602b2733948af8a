#include "merge/outline.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/base/format.h"

namespace lbrx {
namespace {

// A name around the number of its layer: "model.layers.", 3, ".mlp.up_proj.weight".
struct LayerName {
  std::string prefix;
  uint64_t layer = 0;
  std::string suffix;
};

// By the first component that is a number; nullopt: there is none.
std::optional<LayerName> SplitName(const std::string& name) {
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    size_t end = dot + 1;
    while (end < name.size() && name[end] >= '0' && name[end] <= '9') {
      ++end;
    }
    constexpr size_t kMostDigits = 9;
    if (end > dot + 1 && end - dot - 1 <= kMostDigits && end < name.size() && name[end] == '.') {
      return LayerName{.prefix = name.substr(0, dot + 1),
                       .layer = std::stoull(name.substr(dot + 1, end - dot - 1)),
                       .suffix = name.substr(end)};
    }
  }
  return std::nullopt;
}

// Stacks of layers by what their names begin with: a text model has one, a multimodal one more.
using Depths = std::map<std::string, uint64_t>;

Depths DepthsOf(const MergeModel& model) {
  Depths depths;
  for (const auto& [name, tensor] : model.tensors) {
    if (const std::optional<LayerName> parts = SplitName(name)) {
      uint64_t& depth = depths[parts->prefix];
      depth = std::max(depth, parts->layer + 1);
    }
  }
  return depths;
}

// Whether a tensor is part of what the configuration calls `module`.
bool IsOfModule(const MergeModel& model, const std::string& module, const std::string& name) {
  if (module.empty() || module == "default") {
    return true;
  }
  if (model.naming.wrapper == nullptr || module == "text_decoder" || module == "text_model" ||
      module == "language_model") {
    return !model.naming.IsOther(name);
  }
  const bool vision = module.starts_with("vis") && name.find("vis") != std::string::npos;
  return model.naming.IsOther(name) && (vision || name.find(module) != std::string::npos);
}

class Outliner {
 public:
  Outliner(const MergeConfig& config, const MergeModels& models, bool compat)
      : config_(config), models_(models), compat_(compat) {
    for (size_t i = 0; i < models.size(); ++i) {
      depths_.push_back(DepthsOf(models[i]));
    }
  }

  Outline Make() {
    for (const MergeModule& module : config_.modules) {
      AddModule(module);
    }
    for (auto& [name, tensor] : tensors_) {
      out_.tensors.push_back(std::move(tensor));
    }
    std::sort(
        out_.tensors.begin(), out_.tensors.end(),
        [](const OutlineTensor& a, const OutlineTensor& b) { return NaturalLess(a.name, b.name); });
    return std::move(out_);
  }

 private:
  // A source of a slice, as far as a stack of layers goes.
  struct Range {
    size_t model = 0;
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  [[noreturn]] void Fail(const YamlPosition& position, const std::string& what,
                         const std::string& expected, const std::string& found) const {
    throw Error(ErrorCode::kInvalid,
                {.file = config_.file,
                 .object = Format("line {}, column {}", position.line, position.column),
                 .what = what,
                 .expected = expected,
                 .found = found,
                 .offset = {},
                 .advice = ""});
  }

  void AddModule(const MergeModule& module) {
    const size_t before = tensors_.size();
    const MergeModel& first = models_.Get(module.slices.front().sources.front().model);
    for (const std::string& prefix : Prefixes(module)) {
      AddStack(module, prefix, prefix == MainPrefix(first));
    }
    AddOthers(module);
    if (tensors_.size() == before) {
      Fail(module.position, Format("module {} has no tensors in these models", module.name),
           "a module of the architecture", first.label);
    }
  }

  // The stack that slices cut: the text model's.
  static std::string MainPrefix(const MergeModel& model) {
    for (const auto& [name, tensor] : model.tensors) {
      if (model.naming.Resolve(name).layer) {
        return SplitName(name)->prefix;
      }
    }
    const Depths depths = DepthsOf(model);
    const auto deepest =
        std::max_element(depths.begin(), depths.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return deepest == depths.end() ? "" : deepest->first;
  }

  std::set<std::string> Prefixes(const MergeModule& module) const {
    std::set<std::string> prefixes;
    for (const MergeSlice& slice : module.slices) {
      for (const MergeSource& source : slice.sources) {
        const MergeModel& model = models_.Get(source.model);
        for (const auto& [name, tensor] : model.tensors) {
          const std::optional<LayerName> parts = SplitName(name);
          if (parts && IsOfModule(model, module.name, name)) {
            prefixes.insert(parts->prefix);
          }
        }
      }
    }
    return prefixes;
  }

  // Layers of one stack, slice after slice. Stacks that slices do not cut are taken whole.
  void AddStack(const MergeModule& module, const std::string& prefix, bool main) {
    const bool named = !module.name.empty() && module.name != "default";
    uint64_t next = 0;
    for (const MergeSlice& slice : module.slices) {
      if (!main && !named && &slice != &module.slices.front()) {
        break;
      }
      const std::vector<Range> ranges = RangesOf(slice, prefix, main || named);
      const uint64_t count = ranges.front().end - ranges.front().begin;
      for (uint64_t i = 0; i < count; ++i) {
        const double t = count == 1 ? 1 : static_cast<double>(i) / static_cast<double>(count - 1);
        AddLayer(module, slice, prefix, ranges, i, next + i, t);
        if (main) {
          out_.source_layers.push_back(ranges.front().begin + i);
        }
      }
      next += count;
    }
  }

  std::vector<Range> RangesOf(const MergeSlice& slice, const std::string& prefix, bool cut) const {
    std::vector<Range> ranges;
    for (const MergeSource& source : slice.sources) {
      const size_t model = models_.IndexOf(source.model);
      const auto depth = depths_[model].find(prefix);
      Range range{.model = model, .begin = 0, .end = 0};
      range.end = depth == depths_[model].end() ? 0 : depth->second;
      if (cut && source.layers) {
        if (source.layers->end > range.end) {
          Fail(source.position, models_[model].label + " has fewer layers",
               Format("at most {} as the end of layer_range, which is not included", range.end),
               Format("[{}, {}]", source.layers->begin, source.layers->end));
        }
        range.begin = source.layers->begin;
        range.end = source.layers->end;
      }
      if (!ranges.empty() && range.end - range.begin != ranges[0].end - ranges[0].begin) {
        Fail(source.position, "sources of a slice have different numbers of layers",
             Format("{} as {}", ranges[0].end - ranges[0].begin, models_[ranges[0].model].label),
             Format("{} of {}", range.end - range.begin, models_[model].label));
      }
      ranges.push_back(range);
    }
    return ranges;
  }

  void AddLayer(const MergeModule& module, const MergeSlice& slice, const std::string& prefix,
                const std::vector<Range>& ranges, uint64_t index, uint64_t layer, double t) {
    for (const Range& range : ranges) {
      const MergeModel& model = models_[range.model];
      const std::string start = prefix + std::to_string(range.begin + index) + ".";
      for (auto entry = model.tensors.lower_bound(start);
           entry != model.tensors.end() && entry->first.starts_with(start); ++entry) {
        if (IsOfModule(model, module.name, entry->first)) {
          const std::string name =
              prefix + std::to_string(layer) + "." + entry->first.substr(start.size());
          AddInput(name, module, slice, t, {.model = range.model, .tensor = &entry->second});
        }
      }
    }
  }

  // What stands before the layers is made as the first slice says, what stands behind as the last.
  void AddOthers(const MergeModule& module) {
    const size_t most = compat_ ? module.slices.front().sources.size() : SIZE_MAX;
    AddOthers(module, module.slices.front(), most, /*behind=*/false);
    AddOthers(module, module.slices.back(), most, /*behind=*/true);
  }

  void AddOthers(const MergeModule& module, const MergeSlice& slice, size_t most, bool behind) {
    for (size_t i = 0; i < std::min(most, slice.sources.size()); ++i) {
      const size_t index = models_.IndexOf(slice.sources[i].model);
      const MergeModel& model = models_[index];
      for (const auto& [name, tensor] : model.tensors) {
        if (!SplitName(name) && IsOfModule(model, module.name, name) &&
            IsBehind(model, name) == behind) {
          AddInput(name, module, slice, /*t=*/0, {.model = index, .tensor = &tensor});
        }
      }
    }
  }

  static bool IsBehind(const MergeModel& model, const std::string& name) {
    const TensorRule* rule = model.naming.Resolve(name).rule;
    return rule != nullptr && (rule->role == Role::kOutput || rule->role == Role::kOutputNorm);
  }

  void AddInput(const std::string& name, const MergeModule& module, const MergeSlice& slice,
                double t, const OutlineInput& input) {
    const auto [entry, added] = tensors_.try_emplace(name);
    OutlineTensor& tensor = entry->second;
    if (added) {
      const Naming& naming = models_[input.model].naming;
      tensor.name = name;
      tensor.module = &module;
      tensor.slice = &slice;
      tensor.t = t;
      tensor.known = naming.architecture == nullptr || naming.IsOther(name) ||
                     naming.Resolve(name).rule != nullptr;
    }
    tensor.inputs.push_back(input);
  }

  const MergeConfig& config_;
  const MergeModels& models_;
  bool compat_;
  std::vector<Depths> depths_;
  std::map<std::string, OutlineTensor> tensors_;
  Outline out_;
};

// Models whose output matrix is their embedding give that where others have a matrix of its own.
void AddTiedHeads(const MergeModels& models, Outline& outline) {
  for (OutlineTensor& tensor : outline.tensors) {
    const TensorRule* rule = models[tensor.inputs.front().model].naming.Resolve(tensor.name).rule;
    if (rule == nullptr || rule->role != Role::kOutput) {
      continue;
    }
    std::vector<OutlineInput> inputs;
    for (const MergeSource& source : tensor.slice->sources) {
      const size_t index = models.IndexOf(source.model);
      const NamedValue* own = models[index].Find(tensor.name);
      if (own == nullptr && models[index].tied) {
        own = models[index].Find(Role::kTokenEmbedding);
      }
      if (own != nullptr) {
        inputs.push_back({.model = index, .tensor = own});
      }
    }
    tensor.inputs = std::move(inputs);
  }
}

}  // namespace

Outline MakeOutline(const MergeConfig& config, const MergeModels& models, bool compat) {
  Outline outline = Outliner(config, models, compat).Make();
  AddTiedHeads(models, outline);
  return outline;
}

}  // namespace lbrx

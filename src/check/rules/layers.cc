#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "check/rules/rules.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// A tensor of a layer, whichever the layer.
struct Part {
  const TensorRule* rule = nullptr;
  bool second = false;
  std::optional<uint64_t> expert;
  std::string_view leaf;

  bool operator<(const Part& other) const {  // the table's order
    return std::tie(rule, second, expert, leaf) <
           std::tie(other.rule, other.second, other.expert, other.leaf);
  }
};

using Parts = std::set<Part>;
using Layers = std::map<uint64_t, Parts>;

bool IsDerived(Role role) {
  return role == Role::kRopeFrequencies || role == Role::kAttentionMask;
}

// The two kinds of feed-forward part, which may take turns from layer to layer.
bool IsDense(Role role) {
  return role == Role::kGate || role == Role::kUp || role == Role::kDown || role == Role::kGateUp;
}

bool IsSparse(Role role) {
  return role >= Role::kRouter && role <= Role::kSharedRouter;
}

bool IsPerLayer(const TensorRule& rule) {
  return rule.pattern.find("{L}") != std::string_view::npos;
}

bool HasRole(const Architecture& architecture, bool (*is)(Role)) {
  return std::any_of(architecture.tensors.begin(), architecture.tensors.end(),
                     [&](const TensorRule& rule) { return is(rule.role); });
}

// What no layer of the architecture can do without. Norms and biases depend on the configuration:
// they must be in all layers or in none.
bool IsIndispensable(const Architecture& architecture, Role role) {
  switch (role) {
    case Role::kQuery:
      return !HasRole(architecture, [](Role other) { return other == Role::kQueryDown; });
    case Role::kKey:
    case Role::kValue:
    case Role::kQueryKeyValue:
    case Role::kAttentionOutput:
    case Role::kAttentionNorm:
      return true;
    default:
      return IsDense(role) && !HasRole(architecture, IsSparse);
  }
}

bool IsKnown(const TensorMeaning& meaning) {
  return meaning.rule != nullptr && (IsDerived(meaning.rule->role) || !meaning.rule->leaf.empty() ||
                                     meaning.leaf == "weight" || meaning.leaf == "bias" ||
                                     meaning.leaf == "e_score_correction_bias");
}

Problem StructureProblem(const Subject& subject, std::string object) {
  Problem problem;
  problem.detail.file = subject.checkpoint.path;
  problem.detail.object = std::move(object);
  return problem;
}

// Scales and biases of a module that could not be put together: its codes stand for them.
bool IsPlane(const Subject& subject, const TensorMeaning& meaning, const SourceTensor& tensor) {
  if (meaning.rule == nullptr || (meaning.leaf != "scales" && meaning.leaf != "biases")) {
    return false;
  }
  const std::string module = tensor.name.substr(0, tensor.name.size() - meaning.leaf.size());
  const SourceTensor* weight = subject.checkpoint.Find(module + "weight");
  return weight != nullptr && subject.IsPacked(*weight);
}

// Layers beyond the last one that predict further tokens have tensors of their own.
bool IsPrediction(const Subject& subject, std::string_view name, uint64_t count) {
  if (!subject.architecture->has_prediction_layers) {
    return false;
  }
  for (const TensorRule& rule : subject.architecture->tensors) {
    const size_t at = rule.pattern.find("{L}");
    if (at == std::string_view::npos || !name.starts_with(rule.pattern.substr(0, at))) {
      continue;
    }
    uint64_t layer = 0;
    const std::string_view digits = name.substr(at);
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), layer);
    return end.ec == std::errc() && layer >= count;
  }
  return false;
}

void CheckUnknown(const Subject& subject, uint64_t count, Problems& problems) {
  for (size_t i = 0; i < subject.meanings.size(); ++i) {
    const SourceTensor& tensor = subject.checkpoint.tensors[i];
    if (IsKnown(subject.meanings[i]) || subject.naming.IsOther(tensor.name) ||
        IsPlane(subject, subject.meanings[i], tensor) ||
        IsPrediction(subject, tensor.name, count)) {
      continue;
    }
    Problem problem;
    problem.severity = Severity::kWarning;
    problem.detail.file = subject.FileOf(tensor);
    problem.detail.object = tensor.name;
    problem.detail.what =
        Format("no tensor of a {} model, so it was not checked", subject.architecture->name);
    problems.push_back(std::move(problem));
  }
}

void AddMissing(const Subject& subject, std::string name, Problems& problems) {
  Problem problem = StructureProblem(subject, std::move(name));
  problem.detail.what = "the tensor is missing";
  problem.detail.advice = "get the complete checkpoint";
  problems.push_back(std::move(problem));
}

// Embeddings and final norm; the head has rules of its own.
std::vector<std::string> MissingSingles(const Subject& subject) {
  std::vector<std::string> names;
  for (const TensorRule& rule : subject.architecture->tensors) {
    if (!IsPerLayer(rule) && rule.role != Role::kOutput && subject.FindRole(rule.role) == nullptr) {
      names.push_back(subject.WeightName(rule));
    }
  }
  return names;
}

Layers CollectLayers(const Subject& subject) {
  Layers layers;
  for (const TensorMeaning& meaning : subject.meanings) {
    if (IsKnown(meaning) && meaning.layer.has_value() && !IsDerived(meaning.rule->role)) {
      layers[*meaning.layer].insert({meaning.rule, meaning.second, meaning.expert, meaning.leaf});
    }
  }
  return layers;
}

// What layers must have: what the architecture cannot do without, and all that any of them has.
struct Required {
  Parts common;
  Parts dense;   // of layers with a plain feed-forward part, where some have experts
  Parts sparse;  // of layers with experts

  Required(const Subject& subject, const Layers& layers, uint64_t count) {
    const bool mixed = HasRole(*subject.architecture, IsSparse);
    for (auto layer = layers.begin(); layer != layers.end() && layer->first < count; ++layer) {
      for (const Part& part : layer->second) {
        const Role role = part.rule->role;
        (IsSparse(role) ? sparse : mixed && IsDense(role) ? dense : common).insert(part);
      }
    }
    AddByTable(*subject.architecture);
  }

  void AddByTable(const Architecture& architecture) {
    for (const TensorRule& rule : architecture.tensors) {
      const Part weight{&rule, false, {}, rule.leaf.empty() ? "weight" : rule.leaf};
      if (IsPerLayer(rule) && IsIndispensable(architecture, rule.role)) {
        common.insert(weight);
      }
      if (!dense.empty() && IsDense(rule.role)) {
        dense.insert(weight);
      }
      if (!sparse.empty() && rule.role == Role::kRouter) {
        sparse.insert(weight);
      }
    }
  }

  // The kind of feed-forward part that a layer with these tensors has.
  const Parts& FeedForward(const Parts& layer) const {
    const bool is_sparse = std::any_of(layer.begin(), layer.end(),
                                       [](const Part& part) { return IsSparse(part.rule->role); });
    return is_sparse || dense.empty() ? sparse : dense;
  }
};

// Layers [first, last] are missing altogether: one problem however many they are.
void AddGap(const Subject& subject, uint64_t first, uint64_t last, uint64_t count,
            Problems& problems) {
  Problem problem = StructureProblem(
      subject, first == last ? Format("layer {}", first) : Format("layers {} to {}", first, last));
  problem.detail.what = "no tensor of it is there";
  problem.detail.expected = Format("{} layers ({})", count, subject.architecture->keys.layers);
  problem.detail.advice =
      Format("get the complete checkpoint, or correct {}", subject.architecture->keys.layers);
  problems.push_back(std::move(problem));
}

void AddBeyond(const Subject& subject, const Layers::value_type& layer, uint64_t count,
               Problems& problems) {
  if (subject.architecture->has_prediction_layers) {
    return;
  }
  Problem problem = StructureProblem(subject, Format("layer {}", layer.first));
  problem.detail.what = "the layer is beyond those that config.json tells";
  problem.detail.expected =
      Format("{} layers ({}), counted from 0", count, subject.architecture->keys.layers);
  problem.detail.found = Format("{} tensors of layer {}", layer.second.size(), layer.first);
  problem.detail.advice =
      Format("correct {}, or take the layer out", subject.architecture->keys.layers);
  problems.push_back(std::move(problem));
}

// Calls add(name) for what a layer with the tensors `have` lacks.
template <typename Function>
void ForEachMissing(const Subject& subject, uint64_t layer, const Parts& have,
                    const Required& required, Function add) {
  for (const Parts* parts : {&required.common, &required.FeedForward(have)}) {
    for (const Part& part : *parts) {
      if (have.count(part) == 0) {
        add(subject.Spelling({.rule = part.rule,
                              .layer = layer,
                              .expert = part.expert,
                              .leaf = part.leaf,
                              .second = part.second}));
      }
    }
  }
}

// `count` may be any number that a file can claim: nothing here takes time by it.
void CheckCount(const Subject& subject, const Layers& layers, uint64_t count, Problems& problems) {
  const Required required(subject, layers, count);
  uint64_t next = 0;
  for (const auto& layer : layers) {
    if (layer.first >= count) {
      AddBeyond(subject, layer, count, problems);
      continue;
    }
    if (layer.first > next) {
      AddGap(subject, next, layer.first - 1, count, problems);
    }
    ForEachMissing(subject, layer.first, layer.second, required,
                   [&](std::string name) { AddMissing(subject, std::move(name), problems); });
    next = layer.first + 1;
  }
  if (next < count) {
    AddGap(subject, next, count - 1, count, problems);
  }
}

// As config.json tells. Without a count (CheckConfig says so) there must be no gap at least.
uint64_t LayerCount(const Subject& subject, const Layers& layers) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max() - 1;
  const uint64_t last = layers.empty() ? 0 : std::min(layers.rbegin()->first, kMost) + 1;
  return subject.ConfigNumber(subject.architecture->keys.layers).value_or(last);
}

}  // namespace

std::vector<std::string> MissingTensors(const Subject& subject) {
  constexpr uint64_t kMostLayers = 4096;  // a damaged number must not cost time or memory
  std::vector<std::string> names = MissingSingles(subject);
  for (const TensorRule& rule : subject.architecture->tensors) {
    if (rule.role == Role::kOutput && !HasTiedHead(subject) &&
        subject.FindRole(Role::kOutput) == nullptr) {
      names.push_back(subject.WeightName(rule));
    }
  }
  const Layers layers = CollectLayers(subject);
  const uint64_t count = std::min(LayerCount(subject, layers), kMostLayers);
  const Required required(subject, layers, count);
  const Parts none;
  for (uint64_t layer = 0; layer < count; ++layer) {
    const auto found = layers.find(layer);
    ForEachMissing(subject, layer, found == layers.end() ? none : found->second, required,
                   [&](std::string name) { names.push_back(std::move(name)); });
  }
  return names;
}

void CheckLayers(const Subject& subject, Problems& problems) {
  for (std::string& name : MissingSingles(subject)) {
    AddMissing(subject, std::move(name), problems);
  }
  const Layers layers = CollectLayers(subject);
  const uint64_t count = LayerCount(subject, layers);
  CheckCount(subject, layers, count, problems);
  CheckUnknown(subject, count, problems);
}

}  // namespace lbrx

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "check/names.h"
#include "check/rules/rules.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// A tensor of a layer: which rule, and "weight" or "bias".
using Part = std::pair<const TensorRule*, std::string_view>;
using Layers = std::map<uint64_t, std::set<Part>>;

// Tensors that a model may lack without loss do not count.
bool Counts(const TensorRule& rule) {
  return rule.role != Role::kRopeFrequencies && rule.role != Role::kAttentionMask;
}

bool IsKnown(const TensorMeaning& meaning) {
  return meaning.rule != nullptr &&
         (!Counts(*meaning.rule) || meaning.leaf == "weight" || meaning.leaf == "bias");
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

void CheckUnknown(const Subject& subject, Problems& problems) {
  for (size_t i = 0; i < subject.meanings.size(); ++i) {
    const SourceTensor& tensor = subject.checkpoint.tensors[i];
    if (!IsKnown(subject.meanings[i]) && !IsPlane(subject, subject.meanings[i], tensor)) {
      Problem problem;
      problem.severity = Severity::kWarning;
      problem.detail.file = subject.FileOf(tensor);
      problem.detail.object = tensor.name;
      problem.detail.what =
          Format("no tensor of a {} model, so it was not checked", subject.architecture->name);
      problems.push_back(std::move(problem));
    }
  }
}

void AddMissing(const Subject& subject, std::string name, Problems& problems) {
  Problem problem = StructureProblem(subject, std::move(name));
  problem.detail.what = "the tensor is missing";
  problem.detail.advice = "get the complete checkpoint";
  problems.push_back(std::move(problem));
}

// Embedding and final norm; the head has rules of its own.
void CheckSingles(const Subject& subject, Problems& problems) {
  for (const TensorRule& rule : subject.architecture->tensors) {
    if (!IsPerLayer(rule) && Counts(rule) && rule.role != Role::kOutput &&
        subject.FindRole(rule.role) == nullptr) {
      AddMissing(subject, std::string(rule.pattern) + ".weight", problems);
    }
  }
}

Layers CollectLayers(const Subject& subject) {
  Layers layers;
  for (const TensorMeaning& meaning : subject.meanings) {
    if (IsKnown(meaning) && meaning.layer.has_value() && Counts(*meaning.rule)) {
      layers[*meaning.layer].insert({meaning.rule, meaning.leaf});
    }
  }
  return layers;
}

// What every layer must have: all weights, and the biases that any layer has; in the table's order.
std::vector<Part> RequiredParts(const Subject& subject, const Layers& layers) {
  std::vector<Part> required;
  for (const TensorRule& rule : subject.architecture->tensors) {
    if (!IsPerLayer(rule) || !Counts(rule)) {
      continue;
    }
    required.emplace_back(&rule, "weight");
    const bool biased = std::any_of(layers.begin(), layers.end(), [&](const auto& layer) {
      return layer.second.count({&rule, "bias"}) != 0;
    });
    if (biased) {
      required.emplace_back(&rule, "bias");
    }
  }
  return required;
}

// Layers [first, last] are missing altogether: one problem however many they are.
void AddGap(const Subject& subject, uint64_t first, uint64_t last, uint64_t count,
            Problems& problems) {
  Problem problem = StructureProblem(
      subject, first == last ? Format("layer {}", first) : Format("layers {} to {}", first, last));
  problem.detail.what = "no tensor of it is there";
  problem.detail.expected = Format("{} layers (num_hidden_layers)", count);
  problem.detail.advice = "get the complete checkpoint, or correct num_hidden_layers";
  problems.push_back(std::move(problem));
}

void AddBeyond(const Subject& subject, const Layers::value_type& layer, uint64_t count,
               Problems& problems) {
  Problem problem = StructureProblem(subject, Format("layer {}", layer.first));
  problem.detail.what = "the layer is beyond those that config.json tells";
  problem.detail.expected = Format("{} layers (num_hidden_layers), counted from 0", count);
  problem.detail.found = Format("{} tensors of layer {}", layer.second.size(), layer.first);
  problem.detail.advice = "correct num_hidden_layers, or take the layer out";
  problems.push_back(std::move(problem));
}

// `count` may be any number that a file can claim: nothing here takes time by it.
void CheckCount(const Subject& subject, const Layers& layers, uint64_t count, Problems& problems) {
  const std::vector<Part> required = RequiredParts(subject, layers);
  uint64_t next = 0;
  for (const auto& layer : layers) {
    if (layer.first >= count) {
      AddBeyond(subject, layer, count, problems);
      continue;
    }
    if (layer.first > next) {
      AddGap(subject, next, layer.first - 1, count, problems);
    }
    for (const Part& part : required) {
      if (layer.second.count(part) == 0) {
        AddMissing(subject, Format("{}.{}", ModuleName(*part.first, layer.first), part.second),
                   problems);
      }
    }
    next = layer.first + 1;
  }
  if (next < count) {
    AddGap(subject, next, count - 1, count, problems);
  }
}

}  // namespace

void CheckLayers(const Subject& subject, Problems& problems) {
  CheckSingles(subject, problems);
  const Layers layers = CollectLayers(subject);
  // Without a count (CheckConfig says so) there must be no gap at least.
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max() - 1;
  const uint64_t last = layers.empty() ? 0 : std::min(layers.rbegin()->first, kMost) + 1;
  CheckCount(subject, layers, subject.ConfigNumber("num_hidden_layers").value_or(last), problems);
  CheckUnknown(subject, problems);
}

}  // namespace lbrx

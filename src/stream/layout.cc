#include "stream/layout.h"

#include <algorithm>
#include <map>

#include "core/base/format.h"
#include "stream/layout_parts.h"
#include "stream/rearrange.h"

namespace lbrx {
namespace {

class MlxLayout {
 public:
  MlxLayout(const Naming& from, const Naming& to, const Json& config)
      : from_(from), to_(to), config_(config) {}

  void Add(NamedValue tensor) {
    TensorMeaning meaning = from_.Resolve(tensor.name);
    if (meaning.rule == nullptr) {
      tensor.name = to_.Translate(from_, tensor.name);
      out_.push_back(std::move(tensor));
      return;
    }
    const TensorRule& rule = *meaning.rule;
    const std::string leaf(rule.mlx_leaf.empty() ? meaning.leaf : rule.mlx_leaf);
    meaning.leaf = leaf;
    const std::string name = to_.Spell(meaning);
    meaning.second = true;
    const std::string second = rule.mlx_second.empty() ? "" : to_.Spell(meaning);
    switch (rule.layout) {
      case Layout::kSame:
        tensor.name = name;
        out_.push_back(std::move(tensor));
        break;
      case Layout::kStackedExperts:
        stacks_[name].emplace(*meaning.expert, std::move(tensor));
        break;
      case Layout::kTransposed:
        out_.push_back(Derived(tensor, name, Transposed(tensor.value)));
        break;
      case Layout::kColumns:
        out_.push_back(Derived(tensor, name, RowsOfExperts(tensor, config_, 2)));
        break;
      case Layout::kFusedColumns:
        tensor.value = RowsOfExperts(tensor, config_, 1);
        [[fallthrough]];
      case Layout::kFusedExperts:
        out_.push_back(Derived(tensor, name, HalfOfRows(tensor, 0)));
        out_.push_back(Derived(tensor, second, HalfOfRows(tensor, 1)));
        break;
      case Layout::kInterleavedExperts:
        out_.push_back(Derived(tensor, name, EveryOther(tensor, 0)));
        out_.push_back(Derived(tensor, second, EveryOther(tensor, 1)));
        break;
      case Layout::kLatentHeads:
        out_.push_back(Derived(tensor, name, HeadsOf(tensor).Keys(tensor)));
        out_.push_back(Derived(tensor, second, HeadsOf(tensor).Values(tensor)));
        break;
    }
  }

  std::vector<NamedValue> Finish() {
    for (auto& [name, experts] : stacks_) {
      out_.push_back(Stack(name, experts));
    }
    return std::move(out_);
  }

 private:
  LatentHeads HeadsOf(const NamedValue& tensor) const {
    return {*from_.architecture, config_, tensor.name};
  }

  static NamedValue Stack(const std::string& name, const std::map<uint64_t, NamedValue>& experts) {
    std::vector<ValuePtr> parts;
    for (const auto& [number, tensor] : experts) {
      if (number != parts.size()) {
        RefuseTensor(name, "experts are missing", Format("expert {}", parts.size()),
                     Format("expert {}", number));
      }
      const Shape& shape = tensor.value->shape();
      if (shape != experts.begin()->second.value->shape() ||
          tensor.value->dtype() != experts.begin()->second.value->dtype()) {
        RefuseTensor(tensor.name, "differs from expert 0 in shape or dtype",
                     experts.begin()->second.value->shape().ToString(), shape.ToString());
      }
      Shape stacked{1};
      for (const uint64_t dim : shape.dims()) {
        stacked.push_back(dim);
      }
      parts.push_back(Reshape(tensor.value, stacked));
    }
    return Derived(experts.begin()->second, name, Concat(std::move(parts), 0));
  }

  const Naming& from_;
  const Naming& to_;
  const Json& config_;
  std::map<std::string, std::map<uint64_t, NamedValue>> stacks_;
  std::vector<NamedValue> out_;
};

class HuggingFaceLayout {
 public:
  HuggingFaceLayout(const Naming& from, const Naming& to, const Json& config)
      : from_(from), to_(to), config_(config) {}

  void Add(NamedValue tensor) {
    TensorMeaning meaning = ForTarget(tensor.name);
    if (meaning.rule == nullptr) {
      tensor.name = to_.Translate(from_, tensor.name);
      out_.push_back(std::move(tensor));
      return;
    }
    const TensorRule& rule = *meaning.rule;
    const std::string leaf(rule.leaf.empty() ? meaning.leaf : rule.leaf);
    meaning.leaf = leaf;
    const std::string name = to_.Spell(meaning);
    switch (rule.layout) {
      case Layout::kSame:
        tensor.name = name;
        out_.push_back(std::move(tensor));
        break;
      case Layout::kStackedExperts:
        Unstack(tensor, meaning);
        break;
      case Layout::kColumns:  // as published
      case Layout::kTransposed:
        out_.push_back(Derived(tensor, name, Transposed(tensor.value)));
        break;
      case Layout::kFusedExperts:  // an alternative spelling of HF's: MLX's comes from the stacked
                                   // one
      case Layout::kFusedColumns:
      case Layout::kInterleavedExperts:
      case Layout::kLatentHeads: {
        Pair& pair = pairs_[name];
        pair.layout = rule.layout;
        (meaning.second ? pair.second : pair.first) = std::move(tensor);
        break;
      }
    }
  }

  std::vector<NamedValue> Finish() {
    for (auto& [name, pair] : pairs_) {
      if (!pair.first.value || !pair.second.value) {
        RefuseTensor(name, "one of its two parts is missing", "both parts",
                     pair.first.value ? pair.first.name : pair.second.name);
      }
      out_.push_back(Derived(pair.first, name, Joined(name, pair)));
    }
    return std::move(out_);
  }

 private:
  // By the target's table where the text model alone has another one.
  TensorMeaning ForTarget(std::string_view name) const {
    Naming target = from_;
    target.architecture = to_.architecture;
    return target.Resolve(name);
  }

  struct Pair {
    Layout layout = Layout::kSame;
    NamedValue first, second;
  };

  void Unstack(const NamedValue& tensor, TensorMeaning meaning) {
    const Shape& shape = tensor.value->shape();
    if (shape.rank() < 2) {
      RefuseTensor(tensor.name, "a stack of experts of a wrong shape", "[experts, ...]",
                   shape.ToString());
    }
    const Shape one(shape.dims().subspan(1));
    std::vector<uint64_t> strides(one.rank(), 1);
    for (size_t i = one.rank() - 1; i > 0; --i) {
      strides[i - 1] = strides[i] * one[i];
    }
    for (uint64_t expert = 0; expert < shape[0]; ++expert) {
      meaning.expert = expert;
      out_.push_back(Derived(tensor, to_.Spell(meaning),
                             ViewOf(tensor.value, expert * one.elements(), one, strides)));
    }
  }

  ValuePtr Joined(const std::string& name, const Pair& pair) const {
    switch (pair.layout) {
      case Layout::kLatentHeads:
        return LatentHeads(*from_.architecture, config_, name).Join(name, pair.first, pair.second);
      case Layout::kInterleavedExperts:
        return Interleave(name, pair.first, pair.second);
      case Layout::kFusedColumns:
        return Transposed(Fuse(name, pair.first, pair.second));
      default:
        return Fuse(name, pair.first, pair.second);
    }
  }

  const Naming& from_;
  const Naming& to_;
  const Json& config_;
  std::map<std::string, Pair> pairs_;
  std::vector<NamedValue> out_;
};

std::vector<NamedValue> Sorted(std::vector<NamedValue> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const NamedValue& a, const NamedValue& b) { return NaturalLess(a.name, b.name); });
  return tensors;
}

template <typename Layouter>
std::vector<NamedValue> LayOut(Layouter layouter, std::vector<NamedValue> tensors) {
  for (NamedValue& tensor : tensors) {
    layouter.Add(std::move(tensor));
  }
  return Sorted(layouter.Finish());
}

}  // namespace

std::vector<NamedValue> AsStored(const SourceFiles::Checkpoints& sources, uint32_t source) {
  std::vector<NamedValue> out;
  out.reserve(sources[source]->tensors.size());
  for (const SourceTensor& tensor : sources[source]->tensors) {
    out.push_back({.name = tensor.name,
                   .value = LoadTensor(sources, source, tensor),
                   .stored = &tensor,
                   .label = SchemeLabel(tensor.encoding),
                   .encoded = tensor.encoding.scheme != Scheme::kPlain});
  }
  return out;
}

std::vector<NamedValue> Rearrange(const Naming& from, const Naming& to, const Json& config,
                                  std::vector<NamedValue> tensors) {
  if (from == to) {
    return tensors;
  }
  if (!from.mlx && to.mlx && from.architecture != nullptr) {
    return LayOut(MlxLayout(from, to, config), std::move(tensors));
  }
  if (from.mlx && !to.mlx && from.architecture != nullptr) {
    return LayOut(HuggingFaceLayout(from, to, config), std::move(tensors));
  }
  if (!from.mlx && from.architecture != to.architecture) {  // MLX has one form for both
    const Naming between = from.InMlx();
    return Rearrange(between, to, config, Rearrange(from, between, config, std::move(tensors)));
  }
  for (NamedValue& tensor : tensors) {
    tensor.name = to.Translate(from, tensor.name);
  }
  return Sorted(std::move(tensors));
}

}  // namespace lbrx

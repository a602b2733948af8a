#include "stream/layout.h"

#include <algorithm>
#include <map>

#include "core/base/format.h"
#include "stream/gguf_layout.h"
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
      out_.push_back(StackOf(name, experts));
    }
    return std::move(out_);
  }

 private:
  LatentHeads HeadsOf(const NamedValue& tensor) const {
    return {*from_.architecture, config_, tensor.name};
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
        Unstack(tensor, meaning, to_, out_);
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
    NamedValue named{.name = tensor.name,
                     .value = LoadTensor(sources, source, tensor),
                     .stored = &tensor,
                     .label = SchemeLabel(tensor.encoding),
                     .encoded = tensor.encoding.scheme != Scheme::kPlain};
    if (named.encoded && !IsPacked(tensor.encoding.scheme) && !tensor.transposed) {
      named.encoding = tensor.encoding;
      for (const uint32_t plane : tensor.planes) {
        named.planes.push_back(LoadArray(sources, source, plane, /*check=*/true));
      }
    }
    out.push_back(std::move(named));
  }
  return out;
}

std::vector<NamedValue> Rearrange(const Naming& from, const Naming& to, const Json& config,
                                  std::vector<NamedValue> tensors) {
  if (from == to) {
    return tensors;
  }
  if (from.architecture == nullptr) {
    for (NamedValue& tensor : tensors) {
      tensor.name = to.Translate(from, tensor.name);
    }
    return Sorted(std::move(tensors));
  }
  const auto step = [&](const Naming& between) {
    return Rearrange(between, to, config, Rearrange(from, between, config, std::move(tensors)));
  };
  const bool same_container = from.container == to.container;
  switch (from.container) {
    case Container::kMlx:
      if (to.container == Container::kHuggingFace) {
        return LayOut(HuggingFaceLayout(from, to, config), std::move(tensors));
      }
      if (to.container == Container::kGguf) {
        return Sorted(FromMlxToGguf(from, to, config, std::move(tensors)));
      }
      break;
    case Container::kHuggingFace:
      if (to.container == Container::kMlx) {
        return LayOut(MlxLayout(from, to, config), std::move(tensors));
      }
      // MLX has one form for what architectures spell otherwise.
      if (!same_container || from.architecture != to.architecture) {
        return step(from.InMlx());
      }
      break;
    case Container::kGguf:
      if (to.container == Container::kMlx) {
        return Sorted(FromGgufToMlx(from, to, config, std::move(tensors)));
      }
      if (!same_container) {
        return step(from.InMlx());
      }
      break;
  }
  for (NamedValue& tensor : tensors) {
    tensor.name = to.Translate(from, tensor.name);
  }
  return Sorted(std::move(tensors));
}

}  // namespace lbrx

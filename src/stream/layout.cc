#include "stream/layout.h"

#include <algorithm>
#include <map>

#include "core/base/format.h"
#include "model/config.h"
#include "stream/rearrange.h"

namespace lbrx {
namespace {

[[noreturn]] void Refuse(const std::string& name, const std::string& what,
                         const std::string& expected, const std::string& found) {
  throw Error(ErrorCode::kInvalid, {.file = "",
                                    .object = name,
                                    .what = what,
                                    .expected = expected,
                                    .found = found,
                                    .offset = {},
                                    .advice = ""});
}

NamedValue Derived(const NamedValue& from, std::string name, ValuePtr value) {
  return {.name = std::move(name),
          .value = std::move(value),
          .stored = nullptr,
          .label = from.label,
          .encoded = from.encoded};
}

// The last two dimensions swapped; vectors as they are.
ValuePtr Transposed(const ValuePtr& value) {
  const size_t rank = value->shape().rank();
  if (rank < 2) {
    return value;
  }
  Shape shape = value->shape();
  std::vector<uint64_t> strides(rank, 1);
  for (size_t i = rank - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * shape[i];
  }
  std::swap(shape[rank - 1], shape[rank - 2]);
  std::swap(strides[rank - 1], strides[rank - 2]);
  return ViewOf(value, 0, shape, strides);
}

// Half `part` (0 or 1) of the middle dimension of [E, 2 * out, in].
ValuePtr HalfOfRows(const NamedValue& tensor, uint64_t part) {
  const Shape& shape = tensor.value->shape();
  if (shape.rank() != 3 || shape[1] % 2 != 0) {
    Refuse(tensor.name, "fused experts of a wrong shape", "[experts, 2 x rows, columns]",
           shape.ToString());
  }
  const uint64_t rows = shape[1] / 2;
  return ViewOf(tensor.value, part * rows * shape[2], {shape[0], rows, shape[2]},
                {shape[1] * shape[2], shape[2], 1});
}

// Every other element of the last dimension, beginning with `part`; matrices transposed.
ValuePtr EveryOther(const NamedValue& tensor, uint64_t part) {
  const Shape& shape = tensor.value->shape();
  const size_t rank = shape.rank();
  if ((rank != 2 && rank != 3) || shape.back() % 2 != 0) {
    Refuse(tensor.name, "interleaved experts of a wrong shape", "[experts, in, 2 x out]",
           shape.ToString());
  }
  const uint64_t out = shape.back() / 2;
  if (rank == 2) {
    return ViewOf(tensor.value, part, {shape[0], out}, {shape[1], 2});
  }
  // Two steps, so that the transposition reads runs: [E, 2 * out, in], then every other row.
  const ValuePtr rows = Transposed(tensor.value);
  return ViewOf(rows, part * shape[1], {shape[0], out, shape[1]},
                {2 * out * shape[1], 2 * shape[1], 1});
}

ValuePtr Interleave(const NamedValue& first, const NamedValue& second) {
  const auto spread = [](const ValuePtr& value) {
    const Shape& shape = value->shape();
    Shape wide = shape;
    wide[shape.rank() - 1] = shape.back();
    wide.push_back(1);
    return Reshape(value, wide);
  };
  const Shape& shape = first.value->shape();
  if (shape.rank() == 2) {
    return Reshape(Concat({spread(first.value), spread(second.value)}, 2),
                   {shape[0], 2 * shape[1]});
  }
  const ValuePtr rows = Concat({Reshape(first.value, {shape[0], shape[1], 1, shape[2]}),
                                Reshape(second.value, {shape[0], shape[1], 1, shape[2]})},
                               2);
  return Transposed(Reshape(rows, {shape[0], 2 * shape[1], shape[2]}));
}

// Sizes of DeepSeek's latent attention.
struct LatentSizes {
  uint64_t heads, nope, value;

  LatentSizes(const Architecture& architecture, const Json& config, const std::string& name) {
    const auto require = [&](std::string_view key) {
      const std::optional<uint64_t> size = ConfigUint(config, key);
      if (!size || *size == 0) {
        Refuse(name, Format("config.json has no {}", key), "a positive integer", "nothing");
      }
      return *size;
    };
    heads = require(architecture.keys.heads);
    nope = require("qk_nope_head_dim");
    value = require("v_head_dim");
  }
};

class MlxLayout {
 public:
  MlxLayout(const Architecture& architecture, const Json& config)
      : architecture_(architecture), config_(config) {}

  void Add(NamedValue tensor) {
    const TensorMeaning meaning = Resolve(architecture_, tensor.name);
    if (meaning.rule == nullptr) {
      out_.push_back(std::move(tensor));
      return;
    }
    const TensorRule& rule = *meaning.rule;
    const std::string_view leaf = rule.mlx_leaf.empty() ? meaning.leaf : rule.mlx_leaf;
    const std::string name = Spell(rule.mlx.empty() ? rule.pattern : rule.mlx, meaning, leaf);
    const std::string second = rule.mlx_second.empty() ? "" : Spell(rule.mlx_second, meaning, leaf);
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
      case Layout::kFusedExperts:
        out_.push_back(Derived(tensor, name, HalfOfRows(tensor, 0)));
        out_.push_back(Derived(tensor, second, HalfOfRows(tensor, 1)));
        break;
      case Layout::kInterleavedExperts:
        out_.push_back(Derived(tensor, name, EveryOther(tensor, 0)));
        out_.push_back(Derived(tensor, second, EveryOther(tensor, 1)));
        break;
      case Layout::kLatentHeads:
        SplitHeads(tensor, name, second);
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
  static NamedValue Stack(const std::string& name, const std::map<uint64_t, NamedValue>& experts) {
    std::vector<ValuePtr> parts;
    for (const auto& [number, tensor] : experts) {
      if (number != parts.size()) {
        Refuse(name, "experts are missing", Format("expert {}", parts.size()),
               Format("expert {}", number));
      }
      const Shape& shape = tensor.value->shape();
      if (shape != experts.begin()->second.value->shape() ||
          tensor.value->dtype() != experts.begin()->second.value->dtype()) {
        Refuse(tensor.name, "differs from expert 0 in shape or dtype",
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

  void SplitHeads(const NamedValue& tensor, const std::string& name, const std::string& second) {
    const LatentSizes sizes(architecture_, config_, tensor.name);
    const Shape& shape = tensor.value->shape();
    const uint64_t rows = sizes.nope + sizes.value;
    if (shape.rank() != 2 || shape[0] != sizes.heads * rows) {
      Refuse(tensor.name, "does not fit the configuration's heads",
             Format("[{} x ({} + {}), rank]", sizes.heads, sizes.nope, sizes.value),
             shape.ToString());
    }
    const uint64_t rank = shape[1];
    out_.push_back(
        Derived(tensor, name,
                ViewOf(tensor.value, 0, {sizes.heads, rank, sizes.nope}, {rows * rank, 1, rank})));
    out_.push_back(Derived(tensor, second,
                           ViewOf(tensor.value, sizes.nope * rank, {sizes.heads, sizes.value, rank},
                                  {rows * rank, rank, 1})));
  }

  const Architecture& architecture_;
  const Json& config_;
  std::map<std::string, std::map<uint64_t, NamedValue>> stacks_;
  std::vector<NamedValue> out_;
};

class HuggingFaceLayout {
 public:
  HuggingFaceLayout(const Architecture& architecture, const Json& config)
      : architecture_(architecture), config_(config) {}

  void Add(NamedValue tensor) {
    TensorMeaning meaning = ResolveMlx(architecture_, tensor.name);
    if (meaning.rule == nullptr) {
      out_.push_back(std::move(tensor));
      return;
    }
    const TensorRule& rule = *meaning.rule;
    const std::string_view leaf = rule.leaf.empty() ? meaning.leaf : rule.leaf;
    const std::string name = Spell(rule.pattern, meaning, leaf);
    switch (rule.layout) {
      case Layout::kSame:
        tensor.name = name;
        out_.push_back(std::move(tensor));
        break;
      case Layout::kStackedExperts:
        Unstack(tensor, meaning, leaf);
        break;
      case Layout::kTransposed:
        out_.push_back(Derived(tensor, name, Transposed(tensor.value)));
        break;
      case Layout::kFusedExperts:  // an alternative spelling of HF's: MLX's comes from the stacked
                                   // one
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
        Refuse(name, "one of its two parts is missing", "both parts",
               pair.first.value ? pair.first.name : pair.second.name);
      }
      out_.push_back(Derived(pair.first, name,
                             pair.layout == Layout::kLatentHeads ? JoinHeads(name, pair)
                             : pair.layout == Layout::kFusedExperts
                                 ? Concat({pair.first.value, pair.second.value}, 1)
                                 : Interleaved(name, pair)));
    }
    return std::move(out_);
  }

 private:
  struct Pair {
    Layout layout = Layout::kSame;
    NamedValue first, second;
  };

  void Unstack(const NamedValue& tensor, TensorMeaning meaning, std::string_view leaf) {
    const Shape& shape = tensor.value->shape();
    if (shape.rank() < 2) {
      Refuse(tensor.name, "a stack of experts of a wrong shape", "[experts, ...]",
             shape.ToString());
    }
    const Shape one(shape.dims().subspan(1));
    std::vector<uint64_t> strides(one.rank(), 1);
    for (size_t i = one.rank() - 1; i > 0; --i) {
      strides[i - 1] = strides[i] * one[i];
    }
    for (uint64_t expert = 0; expert < shape[0]; ++expert) {
      meaning.expert = expert;
      out_.push_back(Derived(tensor, Spell(meaning.rule->pattern, meaning, leaf),
                             ViewOf(tensor.value, expert * one.elements(), one, strides)));
    }
  }

  static ValuePtr Interleaved(const std::string& name, const Pair& pair) {
    if (pair.first.value->shape() != pair.second.value->shape() ||
        pair.first.value->dtype() != pair.second.value->dtype()) {
      Refuse(name, "its two parts differ in shape or dtype", pair.first.value->shape().ToString(),
             pair.second.value->shape().ToString());
    }
    return Interleave(pair.first, pair.second);
  }

  ValuePtr JoinHeads(const std::string& name, const Pair& pair) const {
    const LatentSizes sizes(architecture_, config_, name);
    const Shape& keys = pair.first.value->shape();
    const Shape& values = pair.second.value->shape();
    if (pair.first.value->dtype() != pair.second.value->dtype()) {
      Refuse(name, "its two parts differ in dtype", std::string(Name(pair.first.value->dtype())),
             std::string(Name(pair.second.value->dtype())));
    }
    if (keys.rank() != 3 || values != Shape{sizes.heads, sizes.value, keys[1]} ||
        keys != Shape{sizes.heads, keys[1], sizes.nope}) {
      Refuse(name, "its two parts do not fit the configuration's heads",
             Format("[{}, rank, {}] and [{}, {}, rank]", sizes.heads, sizes.nope, sizes.heads,
                    sizes.value),
             keys.ToString() + " and " + values.ToString());
    }
    return Reshape(Concat({Transposed(pair.first.value), pair.second.value}, 1),
                   {sizes.heads * (sizes.nope + sizes.value), keys[1]});
  }

  const Architecture& architecture_;
  const Json& config_;
  std::map<std::string, Pair> pairs_;
  std::vector<NamedValue> out_;
};

template <typename Layouter>
std::vector<NamedValue> Convert(Layouter layouter, std::vector<NamedValue> tensors) {
  for (NamedValue& tensor : tensors) {
    layouter.Add(std::move(tensor));
  }
  std::vector<NamedValue> out = layouter.Finish();
  std::sort(out.begin(), out.end(),
            [](const NamedValue& a, const NamedValue& b) { return NaturalLess(a.name, b.name); });
  return out;
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

std::vector<NamedValue> ToHuggingFaceLayout(const Architecture& architecture, const Json& config,
                                            std::vector<NamedValue> mlx) {
  return Convert(HuggingFaceLayout(architecture, config), std::move(mlx));
}

std::vector<NamedValue> ToMlxLayout(const Architecture& architecture, const Json& config,
                                    std::vector<NamedValue> hugging_face) {
  return Convert(MlxLayout(architecture, config), std::move(hugging_face));
}

}  // namespace lbrx

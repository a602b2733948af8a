#include "stream/gguf_layout.h"

#include <functional>
#include <map>

#include "core/base/format.h"
#include "model/config.h"
#include "model/gguf_names.h"
#include "stream/layout_parts.h"
#include "stream/rearrange.h"
#include "stream/shift.h"

namespace lbrx {
namespace {

constexpr uint64_t kHalves = 2;

// Rows [heads, first, second] of `value` as a view in which `first` steps `first_step` rows and
// `second` `second_step`.
ValuePtr ViewOfRows(const ValuePtr& value, uint64_t heads, Shape parts, uint64_t first_step,
                    uint64_t second_step) {
  const Shape& shape = value->shape();
  const uint64_t rows = shape[0];
  const uint64_t row = shape.elements() / rows;
  Shape view{heads, parts[0], parts[1]};
  std::vector<uint64_t> strides{rows / heads * row, first_step * row, second_step * row};
  if (shape.rank() > 1) {
    view.push_back(row);
    strides.push_back(1);
  }
  return Reshape(ViewOf(value, 0, view, strides), shape);
}

void MoveRows(NamedValue& tensor, const std::function<ValuePtr(const ValuePtr&)>& move) {
  tensor.value = move(tensor.value);
  for (ValuePtr& plane : tensor.planes) {
    plane = move(plane);
  }
  tensor.stored = nullptr;
}

// What GGUF does to a family's tensors beside calling them otherwise.
class GgufTensors {
 public:
  GgufTensors(const Architecture& architecture, const Json& config)
      : architecture_(architecture), config_(config) {}

  void Apply(const TensorMeaning& meaning, bool to_gguf, NamedValue& tensor) const {
    if (const std::optional<uint64_t> heads = HeadsOf(meaning)) {
      CheckRows(tensor, *heads);
      MoveRows(tensor, [&](const ValuePtr& value) {
        return to_gguf ? PairedRows(value, *heads) : HalvedRows(value, *heads);
      });
    }
    if (IsRaisedInGguf(architecture_, meaning)) {
      tensor = Derived(tensor, tensor.name,
                       to_gguf ? RaisedInGguf(tensor.value) : LoweredFromGguf(tensor.value));
    }
  }

 private:
  std::optional<uint64_t> HeadsOf(const TensorMeaning& meaning) const {
    const Role role = meaning.rule->role;
    if (!architecture_.gguf.paired_rows || (role != Role::kQuery && role != Role::kKey)) {
      return std::nullopt;
    }
    const std::optional<uint64_t> heads = ConfigUint(config_, architecture_.keys.heads);
    const std::optional<uint64_t> shared = ConfigUint(config_, architecture_.keys.key_value_heads);
    return role == Role::kKey && shared ? *shared : heads.value_or(0);
  }

  static void CheckRows(const NamedValue& tensor, uint64_t heads) {
    const Shape& shape = tensor.value->shape();
    if (heads == 0 || shape.rank() == 0 || shape[0] == 0 || shape[0] % (kHalves * heads) != 0) {
      RefuseTensor(tensor.name, "its rows do not fit the configuration's heads",
                   Format("a multiple of 2 x {} rows", heads), shape.ToString());
    }
  }

  const Architecture& architecture_;
  const Json& config_;
};

// Tensors of which GGUF stacks one per head or expert, while MLX does not, by the stack's name.
class Stacks {
 public:
  void Add(const std::string& name, uint64_t number, NamedValue tensor) {
    stacks_[name].emplace(number, std::move(tensor));
  }

  void Finish(std::vector<NamedValue>& out) {
    for (const auto& [name, parts] : stacks_) {
      out.push_back(StackOf(name, parts));
    }
  }

 private:
  std::map<std::string, std::map<uint64_t, NamedValue>> stacks_;
};

// Per-expert tensors of files from before stacks: "blk.0.ffn_up.3.weight" is part 3 of
// "blk.0.ffn_up_exps.weight".
struct OldExpert {
  std::string stack;
  uint64_t number = 0;
};

std::optional<OldExpert> ParseOldExpert(const std::string& name) {
  constexpr std::string_view kLeaf = ".weight";
  const size_t at = name.find(".ffn_");
  if (at == std::string::npos || !name.ends_with(kLeaf)) {
    return std::nullopt;
  }
  const size_t dot = name.find('.', at + 1);
  const size_t end = name.size() - kLeaf.size();
  constexpr size_t kMostDigits = 6;
  if (dot >= end || end - dot - 1 > kMostDigits ||
      name.find_first_not_of("0123456789", dot + 1) != end) {
    return std::nullopt;
  }
  return OldExpert{name.substr(0, dot) + "_exps" + std::string(kLeaf),
                   std::stoull(name.substr(dot + 1, end - dot - 1))};
}

// MLX's module of a rule.
std::string_view MlxModule(const TensorRule& rule) {
  return rule.mlx.empty() ? rule.pattern : rule.mlx;
}

bool IsPerExpert(const TensorRule& rule) {
  return MlxModule(rule).find("{E}") != std::string_view::npos;
}

// In the dtype that llama.cpp's converter adds in: f32, but f16 where norms are f16.
ValuePtr InSums(const ValuePtr& value) {
  return value->dtype() == DType::kF16 ? value : CastTo(value, DType::kF32);
}

}  // namespace

bool IsRaisedInGguf(const Architecture& architecture, const TensorMeaning& meaning) {
  return architecture.gguf.raised_norms && meaning.leaf == "weight" &&
         GgufModule(*meaning.rule, false).ends_with("norm");
}

ValuePtr RaisedInGguf(const ValuePtr& value) {
  return AddedTo(InSums(value), 1);
}

ValuePtr LoweredFromGguf(const ValuePtr& value) {
  return AddedTo(InSums(value), -1);
}

ValuePtr PairedRows(const ValuePtr& value, uint64_t heads) {
  const uint64_t half = value->shape()[0] / heads / kHalves;
  return ViewOfRows(value, heads, {half, kHalves}, 1, half);
}

ValuePtr HalvedRows(const ValuePtr& value, uint64_t heads) {
  const uint64_t half = value->shape()[0] / heads / kHalves;
  return ViewOfRows(value, heads, {kHalves, half}, 1, kHalves);
}

std::vector<NamedValue> FromMlxToGguf(const Naming& from, const Naming& to, const Json& config,
                                      std::vector<NamedValue> tensors) {
  const GgufTensors family(*to.architecture, config);
  std::vector<NamedValue> out;
  Stacks stacks;
  for (NamedValue& tensor : tensors) {
    TensorMeaning meaning = from.Resolve(tensor.name);
    if (meaning.rule == nullptr || GgufModule(*meaning.rule, meaning.second).empty()) {
      out.push_back(std::move(tensor));
      continue;
    }
    const std::string leaf(GgufLeaf(*meaning.rule).empty() ? meaning.leaf
                                                           : GgufLeaf(*meaning.rule));
    meaning.leaf = leaf;
    tensor.name = to.Spell(meaning);
    family.Apply(meaning, /*to_gguf=*/true, tensor);
    if (IsPerExpert(*meaning.rule)) {
      const std::string name = tensor.name;
      stacks.Add(name, *meaning.expert, std::move(tensor));
    } else {
      out.push_back(std::move(tensor));
    }
  }
  stacks.Finish(out);
  return out;
}

std::vector<NamedValue> FromGgufToMlx(const Naming& from, const Naming& to, const Json& config,
                                      std::vector<NamedValue> tensors) {
  const GgufTensors family(*from.architecture, config);
  std::vector<NamedValue> whole;
  Stacks stacks;
  for (NamedValue& tensor : tensors) {
    const std::optional<OldExpert> expert = ParseOldExpert(tensor.name);
    if (expert) {
      stacks.Add(expert->stack, expert->number, std::move(tensor));
    } else {
      whole.push_back(std::move(tensor));
    }
  }
  stacks.Finish(whole);
  std::vector<NamedValue> out;
  for (NamedValue& tensor : whole) {
    TensorMeaning meaning = from.Resolve(tensor.name);
    if (meaning.rule == nullptr) {
      out.push_back(std::move(tensor));
      continue;
    }
    const TensorRule& rule = *meaning.rule;
    // `meaning` refers to the name, which Apply may replace.
    const std::string leaf(!rule.mlx_leaf.empty() ? rule.mlx_leaf
                           : !rule.leaf.empty()   ? rule.leaf
                                                  : meaning.leaf);
    family.Apply(meaning, /*to_gguf=*/false, tensor);
    meaning.leaf = leaf;
    if (IsPerExpert(rule)) {
      Unstack(tensor, meaning, to, out);
    } else {
      tensor.name = to.Spell(meaning);
      out.push_back(std::move(tensor));
    }
  }
  return out;
}

}  // namespace lbrx

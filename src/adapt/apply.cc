#include "adapt/apply.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "adapt/low_rank.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "stream/constant.h"
#include "stream/layout_parts.h"
#include "stream/rearrange.h"

namespace lbrx {
namespace {

class Applier {
 public:
  Applier(const Adapter& adapter, const SourceFiles::Checkpoints& sources, uint32_t source,
          const Naming& naming, std::vector<NamedValue>& tensors)
      : adapter_(adapter),
        sources_(sources),
        source_(source),
        naming_(naming),
        mlx_(adapter.config.kind == AdapterConfig::Kind::kMlx),
        tensors_(tensors),
        replaced_(tensors.size()),
        adapted_(tensors.size()) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      places_.emplace(tensors[i].name, i);
    }
  }

  // Whole tensors first: an embedding may be replaced, and then have its product added.
  void Run() {
    for (const ReplacedTensor& replaced : adapter_.replaced) {
      Replace(replaced);
    }
    for (const AdaptedModule& module : adapter_.modules) {
      const size_t place = Claim(module.name + ".weight", *module.a, adapted_);
      NamedValue& tensor = tensors_[place];
      Set(tensor, Adapted(module, tensor));
      if (module.bias != nullptr) {
        AddBias(module);
      }
    }
  }

 private:
  [[noreturn]] void Refuse(const SourceTensor& tensor, std::string what, std::string expected,
                           std::string found, std::string advice = {}) const {
    throw Error(ErrorCode::kInvalid, {.file = adapter_.checkpoint->path,
                                      .object = tensor.name,
                                      .what = std::move(what),
                                      .expected = std::move(expected),
                                      .found = std::move(found),
                                      .offset = {},
                                      .advice = std::move(advice)});
  }

  // Under the model's own spelling of the name, or another one that it may have.
  std::optional<size_t> Find(const std::string& name) const {
    if (const auto found = places_.find(name); found != places_.end()) {
      return found->second;
    }
    for (const Spelling* spelling : naming_.spellings()) {
      Naming other = naming_;
      other.hugging_face = spelling;
      if (const auto found = places_.find(naming_.Translate(other, name)); found != places_.end()) {
        return found->second;
      }
    }
    return std::nullopt;
  }

  // The place of the model's tensor that `tensor` is for; each is taken but once.
  size_t Claim(const std::string& name, const SourceTensor& tensor, std::vector<bool>& taken) {
    const std::optional<size_t> place = Find(name);
    if (!place) {
      Refuse(tensor, "the model has no tensor for this part of the adapter", name, {},
             name.starts_with("lm_head.")
                 ? "a model whose head is its embedding has none of its own"
                 : "is it an adapter of this model?");
    }
    if (taken[*place]) {
      Refuse(tensor, "two parts of the adapter are for one tensor", "one", tensors_[*place].name);
    }
    taken[*place] = true;
    return *place;
  }

  ValuePtr Load(const SourceTensor& tensor) const { return LoadTensor(sources_, source_, tensor); }

  void Expect(const SourceTensor& part, const Shape& shape, const NamedValue& tensor) const {
    if (part.shape != shape) {
      Refuse(
          part,
          Format("does not fit {} {} of the model", tensor.name, tensor.value->shape().ToString()),
          shape.ToString(), part.shape.ToString(), "is it an adapter of this model?");
    }
  }

  static void Set(NamedValue& tensor, ValuePtr value) {
    tensor = Derived(tensor, tensor.name, std::move(value));
  }

  void Replace(const ReplacedTensor& replaced) {
    NamedValue& tensor = tensors_[Claim(replaced.name, *replaced.tensor, replaced_)];
    Expect(*replaced.tensor, tensor.value->shape(), tensor);
    Set(tensor, CastTo(Load(*replaced.tensor), tensor.value->dtype()));
  }

  // Whether the model stores the module's matrix [in, out] (GPT-2's Conv1D).
  bool IsTransposed(const AdaptedModule& module, const NamedValue& tensor) const {
    const TensorMeaning meaning = naming_.Resolve(tensor.name);
    return !mlx_ && !module.embedding &&
           (meaning.rule == nullptr ? adapter_.config.fan_in_fan_out
                                    : meaning.rule->layout == Layout::kTransposed);
  }

  ValuePtr Adapted(const AdaptedModule& module, const NamedValue& tensor) const {
    const Shape& shape = tensor.value->shape();
    const uint64_t rank = adapter_.config.RankOf(module.name);
    if (shape.rank() != 2 && !(mlx_ && shape.rank() == 3 && !adapter_.config.dora)) {
      Refuse(*module.a, Format("{} is no matrix of a linear layer or embedding", tensor.name),
             "[out, in]", shape.ToString());
    }
    LowRankUpdate update;
    update.scale = adapter_.config.ScaleOf(module.name);
    // `rank_first`: of the stored a and b.
    const auto factor = [&](const SourceTensor& part, size_t side, bool rank_first) {
      Shape wanted = shape;  // the experts in front stay
      wanted[shape.rank() - 2] = rank_first ? rank : shape[side];
      wanted[shape.rank() - 1] = rank_first ? shape[side] : rank;
      Expect(part, wanted, tensor);
      return LowRankFactor{Load(part), rank_first};
    };
    const size_t rows = shape.rank() - 2;
    const size_t columns = rows + 1;
    const bool experts = shape.rank() == 3;
    // a spans the inputs and b the outputs: which are the columns and rows of a linear layer's
    // matrix, and the other way round of an embedding and of what is stored [in, out].
    const bool swapped =
        mlx_ ? IsMlxEmbedding(module, shape) : module.embedding || IsTransposed(module, tensor);
    const bool a_rank_first = !mlx_ || experts;
    const LowRankFactor a = factor(*module.a, swapped ? rows : columns, a_rank_first);
    const LowRankFactor b = factor(*module.b, swapped ? columns : rows, mlx_ && !experts);
    update.left = swapped ? a : b;
    update.right = swapped ? b : a;
    return module.magnitude == nullptr ? AddLowRank(tensor.value, update)
                                       : WithMagnitude(module, tensor, update, swapped);
  }

  // mlx-lm names both alike: lora_a is [in, r], or [vocabulary, r].
  static bool IsMlxEmbedding(const AdaptedModule& module, const Shape& shape) {
    return shape.rank() == 2 && shape[0] != shape[1] && module.a->shape.rank() == 2 &&
           module.a->shape[0] == shape[0];
  }

  // DoRA gives the weights of each output their length; of mlx-lm's embeddings, those of each
  // token.
  ValuePtr WithMagnitude(const AdaptedModule& module, const NamedValue& tensor,
                         LowRankUpdate update, bool swapped) const {
    const Shape& shape = tensor.value->shape();
    const bool columns = swapped && !mlx_;
    Expect(*module.magnitude, Shape{shape[columns ? 1 : 0]}, tensor);
    update.row_lengths = Load(*module.magnitude);
    if (!columns) {
      return AddLowRank(tensor.value, update);
    }
    std::swap(update.left, update.right);
    return Transposed(AddLowRank(Transposed(tensor.value), update));
  }

  // W' = b + s * bias of lora_B, as the product of that column with 1.
  void AddBias(const AdaptedModule& module) {
    const std::optional<size_t> place = Find(module.name + ".bias");
    if (!place) {
      Refuse(*module.bias, "the model's module has no bias to which this could be added",
             module.name + ".bias", {});
    }
    NamedValue& tensor = tensors_[*place];
    Expect(*module.bias, tensor.value->shape(), tensor);
    const uint64_t count = tensor.value->shape().elements();
    LowRankUpdate update;
    update.left = {Reshape(Load(*module.bias), {count, 1}), false};
    update.right = {Reshape(ConstantOf({1.0F}), {1, 1}), true};
    update.scale = adapter_.config.ScaleOf(module.name);
    const ValuePtr column = Reshape(tensor.value, {count, 1});
    Set(tensor, Reshape(AddLowRank(column, update), tensor.value->shape()));
  }

  const Adapter& adapter_;
  const SourceFiles::Checkpoints& sources_;
  uint32_t source_;
  const Naming& naming_;
  bool mlx_;
  std::vector<NamedValue>& tensors_;
  std::vector<bool> replaced_;
  std::vector<bool> adapted_;
  std::unordered_map<std::string, size_t> places_;
};

// Whether the model's head is its embedding, and that is changed.
bool ChangesTiedHead(const Naming& naming, const std::vector<NamedValue>& before,
                     const std::vector<ValuePtr>& values) {
  bool changed = false;
  for (size_t i = 0; i < before.size(); ++i) {
    const TensorMeaning meaning = naming.Resolve(before[i].name);
    if (meaning.rule == nullptr) {
      continue;
    }
    if (meaning.rule->role == Role::kOutput) {
      return false;
    }
    changed =
        changed || (meaning.rule->role == Role::kTokenEmbedding && before[i].value != values[i]);
  }
  return changed;
}

}  // namespace

std::vector<std::string> ApplyAdapter(const Adapter& adapter,
                                      const SourceFiles::Checkpoints& sources, uint32_t source,
                                      const Naming& naming, const Json& config,
                                      std::vector<NamedValue>& tensors) {
  std::vector<std::string> notices;
  // mlx-lm's adapters are of the model as mlx-lm has it: with stacks of experts, and transposed.
  const bool mlx = adapter.config.kind == AdapterConfig::Kind::kMlx;
  const Naming inside = mlx && naming.architecture != nullptr ? naming.InMlx() : naming;
  tensors = Rearrange(naming, inside, config, std::move(tensors));
  std::vector<ValuePtr> before;
  before.reserve(tensors.size());
  for (const NamedValue& tensor : tensors) {
    before.push_back(tensor.value);
  }
  Applier(adapter, sources, source, inside, tensors).Run();
  if (ChangesTiedHead(inside, tensors, before)) {
    notices.push_back(
        Format("{}: the model's head is its embedding, so the adapter of the "
               "embedding changes the head, too",
               adapter.path));
  }
  tensors = Rearrange(inside, naming, config, std::move(tensors));
  return notices;
}

}  // namespace lbrx

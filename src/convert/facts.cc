#include "convert/facts.h"

#include <algorithm>

#include "core/base/format.h"
#include "model/config.h"

namespace lbrx {
namespace {

class Checker {
 public:
  Checker(const Checkpoint& source, TargetKind target, bool strict,
          std::vector<std::string>& notices)
      : source_(source), target_(target), strict_(strict), notices_(notices) {
    facts_.mlx_layout = source.format == "mlx";
    facts_.has_config = source.config.is_object();
  }

  SourceFacts Check() {
    for (const Problem& problem : source_.problems) {
      notices_.push_back(FormatMessage(problem.detail));
    }
    if (!facts_.has_config) {
      CheckMissingConfig();
      return facts_;
    }
    RefuseForeignQuantization();
    facts_.architecture = FindArchitecture(source_.config);
    if (facts_.architecture == nullptr) {
      NoteUnknownArchitecture();
    } else {
      CheckEmbedding();
      CheckLayers();
      CheckHead();
    }
    return facts_;
  }

 private:
  [[noreturn]] void Refuse(const std::string& what, const std::string& expected,
                           const std::string& found, const std::string& advice) const {
    throw Error(ErrorCode::kInvalid, {.file = JoinPath(source_.folder, "config.json"),
                                      .object = "",
                                      .what = what,
                                      .expected = expected,
                                      .found = found,
                                      .offset = {},
                                      .advice = advice});
  }

  void CheckMissingConfig() const {
    if (!source_.folder.empty()) {
      Refuse("is missing", "the model's configuration", "nothing",
             "download it too; `lbrx inspect` works without it");
    }
    if (target_ != TargetKind::kSafetensors) {
      notices_.emplace_back(
          "the source is a bare tensor file: names are kept, and the folder has no configuration "
          "but "
          "what is needed to read the tensors");
    }
  }

  // fp8, GPTQ, AWQ...: their values cannot be read yet, and copying them as plain tensors would be
  // wrong.
  void RefuseForeignQuantization() const {
    const Json* block = source_.config.Find("quantization_config");
    const Json* method = block == nullptr ? nullptr : block->Find("quant_method");
    if (method != nullptr && source_.config.Find("quantization") == nullptr) {
      Refuse("the model is quantized by a method that this version cannot read",
             "floats, or MLX's quantization", WriteJson(*method),
             "start from the unquantized model");
    }
  }

  void NoteUnknownArchitecture() const {
    const Json* type = source_.config.Find("model_type");
    const std::string name =
        type != nullptr && type->is_string() ? Printable(type->AsString()) : "none";
    const std::string text = Format("architecture \"{}\" is not known", name);
    if (strict_) {
      Refuse(text, "one that `lbrx architectures` lists", name, "leave out --strict");
    }
    notices_.push_back(text + ": names are kept, matrices are told by their shape");
  }

  const SourceTensor* FindRole(Role role) const {
    for (const TensorRule& rule : facts_.architecture->tensors) {
      if (rule.role == role) {
        const std::string_view module =
            facts_.mlx_layout && !rule.mlx.empty() ? rule.mlx : rule.pattern;
        return source_.Find(std::string(module) + ".weight");
      }
    }
    return nullptr;
  }

  void CheckEmbedding() const {
    const ConfigKeys& keys = facts_.architecture->keys;
    const SourceTensor* embedding = FindRole(Role::kTokenEmbedding);
    const std::optional<uint64_t> rows = ConfigUint(source_.config, keys.vocabulary);
    const std::optional<uint64_t> columns = ConfigUint(source_.config, keys.hidden);
    if (embedding != nullptr && rows && columns && embedding->shape != Shape{*rows, *columns}) {
      Refuse(Format("{} and {} contradict {}", keys.vocabulary, keys.hidden, embedding->name),
             Shape{*rows, *columns}.ToString(), embedding->shape.ToString(),
             "`lbrx validate` lists every contradiction");
    }
  }

  void CheckLayers() {
    const std::string key(facts_.architecture->keys.layers);
    const std::optional<uint64_t> layers = ConfigUint(source_.config, key);
    uint64_t found = 0;
    for (const SourceTensor& tensor : source_.tensors) {
      const TensorMeaning meaning = MeaningInSource(facts_, tensor.name);
      if (meaning.layer) {
        found = std::max(found, *meaning.layer + 1);
      }
    }
    if (layers && found > *layers && facts_.architecture->has_prediction_layers) {
      facts_.prediction_layers = found - *layers;
    } else if (layers && *layers != found) {
      Refuse(key + " contradicts the tensors", std::to_string(*layers),
             std::to_string(found) + " layers", "`lbrx validate` lists what is missing");
    }
    facts_.layers = layers.value_or(found);
  }

  void CheckHead() {
    facts_.tied = TiedEmbeddings(source_.config, facts_.architecture->tied_by_default);
    const SourceTensor* head = FindRole(Role::kOutput);
    if (!facts_.tied && head == nullptr && FindRole(Role::kTokenEmbedding) != nullptr) {
      Refuse("tie_word_embeddings is false but the output matrix is missing", "lm_head.weight",
             "no such tensor",
             "if the model shares it with the embedding, set tie_word_embeddings to true");
    }
    if (facts_.tied && head != nullptr) {
      notices_.emplace_back(
          target_ == TargetKind::kMlx
              ? "tie_word_embeddings is true: lm_head.weight is left out, as MLX uses the embedding"
              : "tie_word_embeddings is true but lm_head.weight is there too: both are kept");
    }
  }

  const Checkpoint& source_;
  TargetKind target_;
  bool strict_;
  std::vector<std::string>& notices_;
  SourceFacts facts_;
};

}  // namespace

SourceFacts CheckSource(const Checkpoint& source, TargetKind target, bool strict,
                        std::vector<std::string>& notices) {
  return Checker(source, target, strict, notices).Check();
}

TensorMeaning MeaningInSource(const SourceFacts& facts, std::string_view name) {
  if (facts.architecture == nullptr) {
    return {};
  }
  return facts.mlx_layout ? ResolveMlx(*facts.architecture, name)
                          : Resolve(*facts.architecture, name);
}

}  // namespace lbrx

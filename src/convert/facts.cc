#include "convert/facts.h"

#include <algorithm>

#include "core/base/format.h"
#include "formats/gguf/keys.h"
#include "model/config.h"
#include "model/open_model.h"

namespace lbrx {
namespace {

class Checker {
 public:
  Checker(const Checkpoint& source, TargetKind target, bool strict,
          std::vector<std::string>& notices)
      : source_(source),
        config_(TextConfig(source.config)),
        target_(target),
        strict_(strict),
        notices_(notices) {
    facts_.naming = NamingOf(source);
    facts_.has_config = source.config.is_object();
  }

  SourceFacts Check() {
    for (const Problem& problem : source_.problems) {
      if (target_ == TargetKind::kGguf && source_.gguf != nullptr &&
          problem.detail.object == kConfigOfGguf) {
        continue;  // a copy needs no configuration
      }
      notices_.push_back(FormatMessage(problem.detail));
    }
    if (!facts_.has_config) {
      CheckMissingConfig();
      return facts_;
    }
    if (facts_.naming.architecture == nullptr) {
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
    const bool gguf = source_.gguf != nullptr;
    throw Error(ErrorCode::kInvalid,
                {.file = gguf ? source_.path : JoinPath(source_.folder, "config.json"),
                 .object = "",
                 .what = what,
                 .expected = expected,
                 .found = found,
                 .offset = {},
                 .advice = advice});
  }

  void CheckMissingConfig() const {
    if (source_.gguf != nullptr && target_ != TargetKind::kGguf) {
      Refuse("its keys make no configuration", "an architecture that `lbrx architectures` lists",
             Printable(source_.gguf->String("general.architecture")),
             "it can be copied, edited and split as GGUF");
    }
    if (source_.gguf != nullptr) {
      return;
    }
    if (target_ == TargetKind::kGguf) {
      Refuse("a GGUF file needs the model's configuration", "a folder with config.json", "nothing",
             "");
    }
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

  void NoteUnknownArchitecture() const {
    const Json* type = config_.Find("model_type");
    const std::string name =
        type != nullptr && type->is_string() ? Printable(type->AsString()) : "none";
    const std::string text = Format("architecture \"{}\" is not known", name);
    if (strict_) {
      Refuse(text, "one that `lbrx architectures` lists", name, "leave out --strict");
    }
    if (target_ == TargetKind::kGguf && source_.gguf == nullptr) {
      Refuse(text + ", so GGUF's names for its tensors are not known",
             "one that `lbrx architectures` lists", name, "");
    }
    notices_.push_back(text + ": names are kept, matrices are told by their shape");
  }

  const SourceTensor* FindRole(Role role) const {
    for (const TensorRule& rule : facts_.naming.architecture->tensors) {
      if (rule.role == role) {
        TensorMeaning meaning;
        meaning.rule = &rule;
        meaning.leaf = "weight";
        return source_.Find(facts_.naming.Spell(meaning));
      }
    }
    return nullptr;
  }

  void CheckEmbedding() const {
    const ConfigKeys& keys = facts_.naming.architecture->keys;
    const SourceTensor* embedding = FindRole(Role::kTokenEmbedding);
    const std::optional<uint64_t> rows = ConfigUint(config_, keys.vocabulary);
    const std::optional<uint64_t> columns = ConfigUint(config_, keys.hidden);
    if (embedding != nullptr && rows && columns && embedding->shape != Shape{*rows, *columns}) {
      Refuse(Format("{} and {} contradict {}", keys.vocabulary, keys.hidden, embedding->name),
             Shape{*rows, *columns}.ToString(), embedding->shape.ToString(),
             "`lbrx validate` lists every contradiction");
    }
  }

  void CheckLayers() {
    const std::string key(facts_.naming.architecture->keys.layers);
    const std::optional<uint64_t> layers = ConfigUint(config_, key);
    uint64_t found = 0;
    for (const SourceTensor& tensor : source_.tensors) {
      const TensorMeaning meaning = facts_.naming.Resolve(tensor.name);
      if (meaning.layer) {
        found = std::max(found, *meaning.layer + 1);
      }
    }
    if (layers && found > *layers && facts_.naming.architecture->has_prediction_layers) {
      facts_.prediction_layers = found - *layers;
    } else if (layers && *layers != found) {
      Refuse(key + " contradicts the tensors", std::to_string(*layers),
             std::to_string(found) + " layers", "`lbrx validate` lists what is missing");
    }
    facts_.layers = layers.value_or(found);
  }

  void CheckHead() {
    facts_.tied = TiedEmbeddings(source_.config, facts_.naming.architecture->tied_by_default);
    const SourceTensor* head = FindRole(Role::kOutput);
    if (!facts_.tied && head == nullptr && FindRole(Role::kTokenEmbedding) != nullptr) {
      Refuse("tie_word_embeddings is false but the output matrix is missing", "lm_head.weight",
             "no such tensor",
             "if the model shares it with the embedding, set tie_word_embeddings to true");
    }
    if (facts_.tied && head != nullptr) {
      notices_.emplace_back(
          target_ == TargetKind::kMlx || target_ == TargetKind::kGguf
              ? "tie_word_embeddings is true: lm_head.weight is left out, the embedding is used"
              : "tie_word_embeddings is true but lm_head.weight is there too: both are kept");
    }
  }

  const Checkpoint& source_;
  const Json& config_;  // the text model's
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

void CheckTextOnly(const SourceFacts& facts, std::vector<std::string>& notices) {
  if (facts.naming.architecture == nullptr) {
    throw Error(ErrorCode::kUsage,
                "--text-only needs a model whose text part is known; `lbrx architectures` lists "
                "them");
  }
  if (facts.naming.wrapper == nullptr) {
    notices.emplace_back("--text-only changes nothing: the model is text alone");
  }
}

}  // namespace lbrx

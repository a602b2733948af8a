// What llama.cpp's loader requires of a GGUF file's keys, and what the tensors say against them.
#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "check/rules/gguf.h"
#include "check/rules/rules.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr uint64_t kMostLayers = 4096;
constexpr std::string_view kLayerPrefix = "blk.";
constexpr uint64_t kQuantizationVersion = 2;

// "12" of "blk.12.attn_q.weight".
std::optional<uint64_t> LayerOf(std::string_view name) {
  if (!name.starts_with(kLayerPrefix)) {
    return std::nullopt;
  }
  name.remove_prefix(kLayerPrefix.size());
  uint64_t layer = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
  const bool whole = error == std::errc() && end != name.data() + name.size() && *end == '.';
  return whole ? std::optional(layer) : std::nullopt;
}

class ModelKeys {
 public:
  ModelKeys(const Subject& subject, Problems& problems)
      : subject_(subject), problems_(problems), keys_(*subject.checkpoint.gguf) {}

  void Check() {
    CheckQuantizationVersion();
    const std::string type = keys_.String("general.type");
    if (!type.empty() && type != "model") {
      return;  // adapters, projectors and importance matrices have keys of their own
    }
    architecture_ = keys_.String("general.architecture");
    if (architecture_.empty()) {
      Add(Severity::kError, "general.architecture", "is missing, or no text", "an architecture",
          "nothing");
      return;
    }
    if (subject_.checkpoint.tensors.empty()) {
      return;  // a vocabulary alone
    }
    CheckRequired();
    CheckLayers();
    CheckHeads();
    CheckExperts();
    CheckWidth();
  }

 private:
  std::string Key(std::string_view name) const { return architecture_ + "." + std::string(name); }

  std::optional<uint64_t> Uint(std::string_view name) const { return keys_.Uint(Key(name)); }

  void Add(Severity severity, const std::string& object, const std::string& what,
           const std::string& expected, const std::string& found) {
    AddGgufProblem(subject_, severity, object, what, expected, found, problems_);
  }

  void CheckQuantizationVersion() {
    const auto& tensors = subject_.checkpoint.tensors;
    const bool quantized = std::any_of(tensors.begin(), tensors.end(), [](const SourceTensor& t) {
      return IsBlock(t.encoding.scheme);
    });
    const std::optional<uint64_t> version = keys_.Uint("general.quantization_version");
    if (quantized && version != kQuantizationVersion) {
      Add(Severity::kWarning, "general.quantization_version",
          "does not say what the quantized tensors are", std::to_string(kQuantizationVersion),
          version ? std::to_string(*version) : "nothing");
    }
  }

  void CheckRequired() {
    for (const std::string_view name : {"context_length", "embedding_length", "block_count"}) {
      const std::optional<uint64_t> value = Uint(name);
      if (value.value_or(0) == 0) {
        Add(Severity::kError, Key(name), "llama.cpp requires it", "a positive whole number",
            value ? "0" : "nothing");
      }
    }
    constexpr std::array<std::string_view, 3> kEpsilons = {"attention.layer_norm_rms_epsilon",
                                                           "attention.layer_norm_epsilon",
                                                           "attention.group_norm_epsilon"};
    if (std::none_of(kEpsilons.begin(), kEpsilons.end(),
                     [&](std::string_view name) { return keys_.Number(Key(name)).has_value(); })) {
      Add(Severity::kError, Key(kEpsilons[0]), "llama.cpp requires it, or one of its like",
          "a number", "nothing");
    }
  }

  void CheckLayers() {
    const std::optional<uint64_t> count = Uint("block_count");
    if (count.value_or(0) > kMostLayers) {
      Add(Severity::kError, Key("block_count"), "cannot be a number of layers",
          Format("at most {}", kMostLayers), std::to_string(*count));
      return;
    }
    std::set<uint64_t> layers;
    for (const SourceTensor& tensor : subject_.checkpoint.tensors) {
      if (const std::optional<uint64_t> layer = LayerOf(tensor.name)) {
        if (layers.insert(*layer).second && count && *layer >= *count) {
          Add(Severity::kError, tensor.name, "is of a layer that the keys do not tell of",
              Format("{} = {}", Key("block_count"), *count), Format("layer {}", *layer));
        }
      }
    }
    for (uint64_t layer = 0; count && !layers.empty() && layer < *count; ++layer) {
      if (layers.count(layer) == 0) {
        Add(Severity::kError, Key("block_count"), Format("layer {} has no tensors", layer),
            Format("{} layers", *count), Format("tensors of {}", layers.size()));
      }
    }
  }

  bool HasAttention() const {
    const auto& tensors = subject_.checkpoint.tensors;
    return std::any_of(tensors.begin(), tensors.end(), [](const SourceTensor& tensor) {
      return tensor.name.find(".attn_q") != std::string::npos;
    });
  }

  // Of models where all layers have as many; lists by layer are for those with layers of several
  // kinds, in which 0 has a meaning.
  void CheckHeads() {
    const std::optional<uint64_t> heads = Uint("attention.head_count");
    const uint64_t pairs = Uint("attention.head_count_kv").value_or(heads.value_or(0));
    if (!heads || !HasAttention()) {
      return;
    }
    if (*heads == 0) {
      Add(Severity::kError, Key("attention.head_count"), "there is attention without heads",
          "1 or more", "0");
    } else if (pairs == 0 || *heads % pairs != 0) {
      Add(Severity::kError, Key("attention.head_count_kv"), "does not divide the heads",
          Format("a divisor of {}", *heads), std::to_string(pairs));
    }
  }

  void CheckExperts() {
    const uint64_t experts = Uint("expert_count").value_or(0);
    const uint64_t used = Uint("expert_used_count").value_or(0);
    if (experts != 0 && (used == 0 || used > experts)) {
      Add(Severity::kError, Key("expert_used_count"), "does not fit the number of experts",
          Format("1 to {}", experts), std::to_string(used));
    }
  }

  void CheckWidth() {
    const SourceTensor* embedding = subject_.checkpoint.Find("token_embd.weight");
    const std::optional<uint64_t> width = Uint("embedding_length");
    if (embedding != nullptr && width && embedding->shape.back() != *width) {
      Add(Severity::kError, embedding->name, "does not fit the keys",
          Format("rows of {} ({})", *width, Key("embedding_length")), embedding->shape.ToString());
    }
  }

  const Subject& subject_;
  Problems& problems_;
  const GgufKeys& keys_;
  std::string architecture_;
};

}  // namespace

void AddGgufProblem(const Subject& subject, Severity severity, const std::string& object,
                    const std::string& what, const std::string& expected, const std::string& found,
                    Problems& problems) {
  Problem problem;
  problem.severity = severity;
  problem.detail = {.file = subject.checkpoint.path,
                    .object = object,
                    .what = what,
                    .expected = expected,
                    .found = found,
                    .offset = {},
                    .advice = {}};
  problems.push_back(std::move(problem));
}

void CheckGgufModel(const Subject& subject, Problems& problems) {
  ModelKeys(subject, problems).Check();
}

}  // namespace lbrx

#include "adapt/adapter_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// Of PEFT's configuration; they do not change what the weights are, or are read below.
constexpr std::array kKnown = {
    std::string_view("alpha_pattern"),
    std::string_view("auto_mapping"),
    std::string_view("base_model_name_or_path"),
    std::string_view("bias"),
    std::string_view("corda_config"),
    std::string_view("ensure_weight_tying"),
    std::string_view("eva_config"),
    std::string_view("exclude_modules"),
    std::string_view("fan_in_fan_out"),
    std::string_view("inference_mode"),
    std::string_view("init_lora_weights"),
    std::string_view("layers_pattern"),
    std::string_view("layers_to_transform"),
    std::string_view("loftq_config"),
    std::string_view("lora_alpha"),
    std::string_view("lora_bias"),
    std::string_view("lora_dropout"),
    std::string_view("lora_ga_config"),
    std::string_view("megatron_config"),
    std::string_view("megatron_core"),
    std::string_view("modules_to_save"),
    std::string_view("peft_type"),
    std::string_view("peft_version"),
    std::string_view("qalora_group_size"),
    std::string_view("r"),
    std::string_view("rank_pattern"),
    std::string_view("revision"),
    std::string_view("runtime_config"),
    std::string_view("target_modules"),
    std::string_view("task_type"),
    std::string_view("use_dora"),
    std::string_view("use_rslora"),
    std::string_view("velora_config"),
};

struct Refusal {
  std::string_view key;
  std::string_view why;
};

constexpr std::array kRefused = {
    Refusal{"alora_invocation_tokens",
            "an activated LoRA works from certain tokens on only, so it cannot become weights"},
    Refusal{"arrow_config", "a router among adapters cannot become weights"},
    Refusal{"kasa_config", "KaSA adapters change the base's singular values, too"},
    Refusal{"layer_replication", "the adapter is of a model with repeated layers"},
    Refusal{"monteclora_config", "MonteCLoRA adapters are not known here"},
    Refusal{"target_parameters", "adapters of parameters (stacked experts) are not known here"},
    Refusal{"trainable_token_indices", "adapters of single tokens' rows are not known here"},
    Refusal{"use_bdlora", "block-diagonal adapters are not known here"},
    Refusal{"use_qalora", "QALoRA adapters work on groups of inputs"},
};

// Ways to begin a training that move a part of the base into the adapter: what they give belongs to
// the rest, not to the base that one downloads. Of some, more letters follow ("pissa_niter_4").
constexpr std::array kOtherBase = {std::string_view("pissa"), std::string_view("olora"),
                                   std::string_view("corda"), std::string_view("loftq"),
                                   std::string_view("lora_ga")};

[[noreturn]] void Refuse(const std::string& path, std::string_view key, std::string_view what,
                         std::string expected, std::string found, std::string advice = {}) {
  throw Error(ErrorCode::kInvalid, {.file = path,
                                    .object = std::string(key),
                                    .what = std::string(what),
                                    .expected = std::move(expected),
                                    .found = std::move(found),
                                    .offset = {},
                                    .advice = std::move(advice)});
}

bool IsEmpty(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      return true;
    case Json::Kind::kBool:
      return !value.AsBool();
    case Json::Kind::kString:
      return value.AsString().empty();
    case Json::Kind::kArray:
      return value.AsArray().empty();
    case Json::Kind::kObject:
      return value.AsObject().empty();
    default:
      return false;
  }
}

// A member that says something, or nullptr.
const Json* FindSet(const Json& config, std::string_view key) {
  const Json* value = config.Find(key);
  return value == nullptr || IsEmpty(*value) ? nullptr : value;
}

bool Flag(const Json& config, std::string_view key, const std::string& path) {
  const Json* value = config.Find(key);
  if (value == nullptr || value->is_null()) {
    return false;
  }
  if (!value->is_bool()) {
    Refuse(path, key, "is no truth value", "true or false", WriteJson(*value));
  }
  return value->AsBool();
}

uint64_t RankIn(const Json& value, std::string_view key, const std::string& path) {
  constexpr int64_t kMost = int64_t{1} << 20;
  if (!value.is_integer() || value.AsDouble() < 1 || value.AsDouble() > kMost) {
    Refuse(path, key, "is no rank", Format("a whole number from 1 to {}", kMost), WriteJson(value));
  }
  return value.AsUint64();
}

double NumberIn(const Json& value, std::string_view key, const std::string& path) {
  if (!value.is_number() || !std::isfinite(value.AsDouble())) {
    Refuse(path, key, "is no number", "a number", WriteJson(value));
  }
  return value.AsDouble();
}

// As PEFT matches names: the whole of one, or its end behind a dot.
Regex PatternOf(const std::string& text, std::string_view key, const std::string& path) {
  try {
    return Regex("^(?:.*\\.)?(?:" + text + ")$");
  } catch (const Error& error) {
    Refuse(path, key, error.what(), {}, {});
  }
}

template <typename ValueOf>
AdapterConfig::Patterns PatternsIn(const Json& config, std::string_view key,
                                   const std::string& path, ValueOf value_of) {
  AdapterConfig::Patterns out;
  const Json* patterns = FindSet(config, key);
  if (patterns == nullptr) {
    return out;
  }
  if (!patterns->is_object()) {
    Refuse(path, key, "does not map names to numbers", "an object", WriteJson(*patterns));
  }
  for (const auto& [pattern, value] : patterns->AsObject()) {
    out.emplace_back(PatternOf(pattern, key, path),
                     static_cast<double>(value_of(value, key, path)));
  }
  return out;
}

std::optional<double> Match(const AdapterConfig::Patterns& patterns, std::string_view module) {
  const auto found = std::find_if(patterns.begin(), patterns.end(), [&](const auto& pattern) {
    return pattern.first.Search(module);
  });
  return found == patterns.end() ? std::nullopt : std::optional(found->second);
}

void RefuseIfUnknown(const std::string& key, const Json& value, const std::string& path) {
  if (IsEmpty(value) || std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end()) {
    return;
  }
  const auto refusal = std::find_if(kRefused.begin(), kRefused.end(),
                                    [&](const Refusal& row) { return row.key == key; });
  if (refusal != kRefused.end()) {
    Refuse(path, key, refusal->why, {}, WriteJson(value));
  }
  Refuse(path, key, "is not known, and may change what the adapter's weights mean", {},
         WriteJson(value), "merge the adapter with PEFT, and use the merged model");
}

void RefuseOtherBase(const Json& config, const std::string& path) {
  const Json* begin = config.Find("init_lora_weights");
  if (begin == nullptr || !begin->is_string()) {
    return;
  }
  for (const std::string_view name : kOtherBase) {
    if (begin->AsString().starts_with(name)) {
      Refuse(path, "init_lora_weights",
             "the adapter belongs to a base from which it took a part, not to the original one", {},
             begin->AsString(),
             "let PEFT save it for the original base (path_initial_model_for_weight_conversion of "
             "save_pretrained)");
    }
  }
}

AdapterConfig ParsePeft(const Json& config, const std::string& path) {
  const Json* type = config.Find("peft_type");
  if (!type->is_string() || type->AsString() != "LORA") {
    Refuse(path, "peft_type", "adapters of this type cannot be added to weights here", "LORA",
           WriteJson(*type));
  }
  // PEFT itself leaves out members that it does not know; then what a newer version meant is lost.
  for (const auto& [key, value] : config.AsObject()) {
    RefuseIfUnknown(key, value, path);
  }
  RefuseOtherBase(config, path);
  constexpr int kStandard = 8;  // PEFT's, of both
  AdapterConfig out;
  const Json* rank = config.Find("r");
  const Json* alpha = config.Find("lora_alpha");
  out.rank = RankIn(rank == nullptr ? Json(kStandard) : *rank, "r", path);
  out.alpha = NumberIn(alpha == nullptr ? Json(kStandard) : *alpha, "lora_alpha", path);
  out.dora = Flag(config, "use_dora", path);
  out.fan_in_fan_out = Flag(config, "fan_in_fan_out", path);
  out.rslora = Flag(config, "use_rslora", path);
  out.ranks = PatternsIn(config, "rank_pattern", path, RankIn);
  out.alphas = PatternsIn(config, "alpha_pattern", path, NumberIn);
  return out;
}

AdapterConfig ParseMlx(const Json& config, const std::string& path) {
  AdapterConfig out;
  out.kind = AdapterConfig::Kind::kMlx;
  const Json* type = config.Find("fine_tune_type");
  const std::string name = type == nullptr || !type->is_string() ? "lora" : type->AsString();
  if (name == "full") {
    return out;
  }
  if (name != "lora" && name != "dora") {
    Refuse(path, "fine_tune_type", "is not known", "lora, dora or full", name);
  }
  out.dora = name == "dora";
  const Json* parameters = config.Find("lora_parameters");
  for (const std::string_view key : {"rank", "scale"}) {
    if (parameters == nullptr || parameters->Find(key) == nullptr) {
      Refuse(path, "lora_parameters", "does not tell all of it", "rank and scale", {});
    }
  }
  out.rank = RankIn(*parameters->Find("rank"), "lora_parameters.rank", path);
  out.scale = NumberIn(*parameters->Find("scale"), "lora_parameters.scale", path);
  return out;
}

}  // namespace

uint64_t AdapterConfig::RankOf(std::string_view module) const {
  const std::optional<double> found = Match(ranks, module);
  return found ? static_cast<uint64_t>(*found) : rank;
}

double AdapterConfig::ScaleOf(std::string_view module) const {
  if (kind == Kind::kMlx) {
    return scale;
  }
  const auto divisor = static_cast<double>(RankOf(module));
  return Match(alphas, module).value_or(alpha) / (rslora ? std::sqrt(divisor) : divisor);
}

AdapterConfig ParseAdapterConfig(const Json& config, const std::string& path) {
  if (config.Find("peft_type") != nullptr) {
    return ParsePeft(config, path);
  }
  if (config.Find("fine_tune_type") != nullptr || config.Find("lora_parameters") != nullptr) {
    return ParseMlx(config, path);
  }
  Refuse(path, "", "is no adapter's configuration", "PEFT's peft_type, or mlx-lm's fine_tune_type",
         {});
}

}  // namespace lbrx

#include "check/repair/complete_config.h"

#include <algorithm>
#include <array>

#include "check/repair/shape_facts.h"
#include "check/rules/rules.h"
#include "core/base/checked.h"
#include "core/base/format.h"
#include "model/config.h"

namespace lbrx {
namespace {

using Number = std::optional<uint64_t>;

// Keys that shapes do not tell and that most models have: a damaged name of one is put right.
constexpr std::array<std::string_view, 24> kKnownKeys = {"architectures",
                                                         "attention_bias",
                                                         "bos_token_id",
                                                         "dtype",
                                                         "eos_token_id",
                                                         "head_dim",
                                                         "hidden_act",
                                                         "hidden_size",
                                                         "intermediate_size",
                                                         "layer_norm_eps",
                                                         "max_position_embeddings",
                                                         "mlp_bias",
                                                         "model_type",
                                                         "num_attention_heads",
                                                         "num_hidden_layers",
                                                         "num_key_value_heads",
                                                         "pad_token_id",
                                                         "rms_norm_eps",
                                                         "rope_parameters",
                                                         "rope_scaling",
                                                         "rope_theta",
                                                         "sliding_window",
                                                         "tie_word_embeddings",
                                                         "vocab_size"};

bool OneByteApart(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  int differ = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    differ += a[i] != b[i] ? 1 : 0;
  }
  return differ == 1;
}

class Completer {
 public:
  Completer(Checkpoint& checkpoint, const ConfigEvidence& evidence, std::vector<Mended>& mended,
            std::vector<Lost>& lost)
      : checkpoint_(checkpoint),
        config_(checkpoint.config),
        evidence_(evidence),
        mended_(mended),
        lost_(lost) {}

  void Run() {
    MendKeys();
    TakeFromReference();
    FindModelType();
    const ShapeFacts facts = FindShapeFacts(checkpoint_);
    if (facts.architecture != nullptr) {
      const ConfigKeys& keys = facts.architecture->keys;
      Settle(keys.vocabulary, facts.vocabulary);
      Settle(keys.hidden, facts.hidden);
      Settle(keys.intermediate, facts.intermediate);
      SettleLayers(keys.layers, facts.layers);
      SettleHeads(facts);
      RequireKeys(keys);
    }
    SettleType();
    SettleTie(facts);
    TellTheRest();
  }

 private:
  void Mend(std::string_view key, std::string what) {
    mended_.push_back(
        {JoinPath(checkpoint_.folder, "config.json"), std::string(key), std::move(what)});
  }

  void Lose(std::string_view key, std::string reason) {
    lost_.push_back({Format("config.json: {}", key), std::nullopt, std::move(reason)});
  }

  // "hidden_sizd": a known key that is missing, one byte from one that is there.
  void MendKeys() {
    for (auto& [key, value] : config_.AsObject()) {
      if (std::find(kKnownKeys.begin(), kKnownKeys.end(), key) != kKnownKeys.end()) {
        continue;
      }
      for (const std::string_view known : kKnownKeys) {
        if (OneByteApart(key, known) && config_.Find(known) == nullptr) {
          Mend(known, Format("its name, which read {}", Printable(key, 60)));
          key = known;
          break;
        }
      }
    }
  }

  static bool IsQuantization(std::string_view key) {
    return key == "quantization" || key == "quantization_config";
  }

  // Only where something of the config is missing: what a sound one does not say is a default.
  void TakeFromReference() {
    if (!evidence_.damaged || evidence_.reference == nullptr || OtherModel()) {
      return;
    }
    for (const auto& [key, value] : evidence_.reference->AsObject()) {
      if (config_.Find(key) == nullptr && (!IsQuantization(key) || checkpoint_.format == "mlx")) {
        config_.Set(key, Json(value));
        Mend(key, "taken from the reference");
        from_reference_ = true;
      }
    }
  }

  bool OtherModel() const {
    const Json* type = config_.Find("model_type");
    const Json* other = evidence_.reference->Find("model_type");
    return type != nullptr && other != nullptr && !(*type == *other);
  }

  void FindModelType() {
    const Json* type = config_.Find("model_type");
    if (type != nullptr && type->is_string()) {
      return;
    }
    const Architecture* known = FindArchitecture(config_);  // by `architectures`
    if (known == nullptr) {
      known = OnlyArchitectureOf(checkpoint_);
    }
    if (known == nullptr) {
      Lose("model_type", "names and shapes fit several architectures; use --reference");
      return;
    }
    config_.Set("model_type", known->name);
    Mend("model_type", Format("filled: {}", known->name));
    if (config_.Find("architectures") == nullptr && !known->classes.empty()) {
      Json classes = Json::MakeArray();
      classes.Append(known->classes.front());
      config_.Set("architectures", std::move(classes));
    }
  }

  Number Get(std::string_view key) const {
    const Json* value = config_.Find(key);
    const bool good = value != nullptr && value->is_integer() && value->AsDouble() > 0;
    return good ? Number(value->AsUint64()) : std::nullopt;
  }

  // Shapes are facts: what contradicts them is put right.
  void Settle(std::string_view key, const Number& fact) {
    if (!fact || Get(key) == fact) {
      return;
    }
    const Json* before = config_.Find(key);
    Mend(key, before == nullptr ? Format("filled from the shapes: {}", *fact)
                                : Format("{} in place of {}, as the shapes tell", *fact,
                                         Printable(WriteJson(*before), 60)));
    config_.Set(key, *fact);
  }

  void SettleLayers(std::string_view key, const Number& found) {
    const Number told = Get(key);
    const bool more = told && found && *told > *found;
    if (more && evidence_.tensors_lost) {
      return;  // the layers beyond are among what was lost
    }
    Settle(key, found);
  }

  // Widths of queries and keys are multiples of one head's width. Where the three numbers do not
  // agree with them, the one is put right that makes them agree.
  void SettleHeads(const ShapeFacts& facts) {
    const ConfigKeys& keys = facts.architecture->keys;
    if (!facts.query || !facts.key || keys.key_value_heads == keys.heads) {
      return;
    }
    const Number heads = Get(keys.heads);
    const Number kv = Get(keys.key_value_heads);
    const Number written = Get("head_dim");
    const Number width = written ? written : Divide(facts.hidden, heads);
    const auto agree = [&](const Number& h, const Number& k, const Number& w) {
      return h && k && w && CheckedMul(*h, *w) == facts.query && CheckedMul(*k, *w) == facts.key;
    };
    const bool implied_kv = !kv && config_.Find(keys.key_value_heads) == nullptr;
    if (agree(heads, implied_kv ? heads : kv, width)) {
      return;
    }
    if (const Number w = Divide(facts.query, heads); agree(heads, kv, w)) {
      Settle("head_dim", w);
    } else if (const Number w2 = written ? written : Divide(facts.key, kv);
               agree(Divide(facts.query, w2), kv, w2)) {
      Settle(keys.heads, Divide(facts.query, w2));
    } else if (agree(heads, Divide(facts.key, width), width)) {
      Settle(keys.key_value_heads, Divide(facts.key, width));
    } else if (agree(Divide(facts.query, written), Divide(facts.key, written), written)) {
      Settle(keys.heads, Divide(facts.query, written));
      Settle(keys.key_value_heads, Divide(facts.key, written));
    }
  }

  static Number Divide(const Number& whole, const Number& part) {
    return whole && part && *part != 0 && *whole % *part == 0 ? Number(*whole / *part)
                                                              : std::nullopt;
  }

  void RequireKeys(const ConfigKeys& keys) {
    for (const std::string_view key :
         {keys.vocabulary, keys.hidden, keys.intermediate, keys.layers, keys.heads}) {
      if (evidence_.damaged && !Get(key)) {
        Lose(key, "the shapes do not tell it; use --reference");
      }
    }
  }

  void SettleType() {
    if (config_.Find("dtype") != nullptr || config_.Find("torch_dtype") != nullptr) {
      return;
    }
    Lore types;
    for (const SourceTensor& tensor : checkpoint_.tensors) {
      if (Info(tensor.encoding.dtype).floating) {
        types.AddSound("", {tensor.encoding.dtype, {}});
      }
    }
    if (evidence_.damaged && types.MainType()) {
      SetConfigDType(config_, *types.MainType());
      Mend("dtype", Format("filled: {}", Info(*types.MainType()).long_name));
    }
  }

  void SettleTie(const ShapeFacts& facts) {
    if (evidence_.damaged && facts.architecture != nullptr &&
        config_.Find("tie_word_embeddings") == nullptr &&
        (facts.has_head || !evidence_.tensors_lost)) {
      config_.Set("tie_word_embeddings", !facts.has_head);
      Mend("tie_word_embeddings", facts.has_head ? "filled: false, as there is a head"
                                                 : "filled: true, as there is no head");
    }
  }

  void TellTheRest() {
    if (evidence_.damaged && !from_reference_) {
      Lose("other keys",
           "what shapes do not tell (rope, norm epsilon, token ids...) may be missing; use "
           "--reference");
    }
  }

  Checkpoint& checkpoint_;
  Json& config_;
  const ConfigEvidence& evidence_;
  std::vector<Mended>& mended_;
  std::vector<Lost>& lost_;
  bool from_reference_ = false;
};

}  // namespace

void CompleteConfigFromShapes(Checkpoint& checkpoint, const ConfigEvidence& evidence,
                              std::vector<Mended>& mended, std::vector<Lost>& lost) {
  Completer(checkpoint, evidence, mended, lost).Run();
}

}  // namespace lbrx

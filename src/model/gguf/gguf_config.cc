#include "model/gguf/gguf_config.h"

#include "core/base/error.h"
#include "core/base/format.h"
#include "model/config.h"
#include "model/gguf/family.h"

namespace lbrx {
namespace {

std::string_view MemberOf(const KeyRow& row, const Architecture& architecture) {
  return row.size != nullptr ? architecture.keys.*row.size : row.member;
}

void WriteRow(const KeyRow& row, const Architecture& architecture, KeyWriter& writer) {
  if (row.rule != nullptr) {
    row.rule->write(writer);
    return;
  }
  const std::string_view member = MemberOf(row, architecture);
  const Json* value = writer.config().Find(member);
  if (value == nullptr || value->is_null()) {
    if (row.required) {
      FailMember(member, "is missing");
    }
    return;
  }
  switch (row.type) {
    case GgufType::kF32:
      writer.SetFloat(row.key, *writer.Real(member));
      break;
    case GgufType::kBool:
      writer.SetBool(row.key, value->AsBool());
      break;
    default:
      writer.SetUint(row.key, *writer.Count(member));
  }
}

// 1 and 1.0 are the same here.
bool Same(const Json& a, const Json& b) {
  return a.is_number() && b.is_number() ? a.AsDouble() == b.AsDouble() : a == b;
}

void TellWhatDiffers(KeyWriter& writer) {
  const Json fixed = ParseJson(writer.family().fixed, "fixed");
  for (const auto& [member, value] : fixed.AsObject()) {
    const Json* configured = writer.config().Find(member);
    if (configured != nullptr && !Same(*configured, value)) {
      writer.Notice(
          Format("config.json says {} = {}, for which GGUF has no key: llama.cpp computes "
                 "with {}",
                 member, WriteJson(*configured), WriteJson(value)));
    }
  }
}

void ReadRow(const KeyRow& row, const Architecture& architecture, KeyReader& reader) {
  const std::string_view member = MemberOf(row, architecture);
  Json value;
  if (reader.Find(row.key) == nullptr) {
    if (row.required) {
      reader.Fail(row.key, "is missing");
    }
    if (!row.absent.empty()) {
      reader.Set(member, ParseJson(row.absent, "table"));
    }
    return;
  }
  switch (row.type) {
    case GgufType::kF32:
      value = reader.NeedFloat(row.key);
      break;
    case GgufType::kBool:
      value = *reader.Bool(row.key);
      break;
    default:
      value = reader.NeedUint(row.key);
  }
  reader.Set(member, std::move(value));
}

[[noreturn]] void FailTensor(std::string name, const Architecture& architecture) {
  ErrorDetail detail;
  detail.object = std::move(name);
  detail.what = Format("is missing: {} has it where queries have biases", architecture.name);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

void ReadTokens(const GgufKeys& keys, KeyReader& reader) {
  struct Row {
    std::string_view key;
    std::string_view member;
  };

  static constexpr Row kRows[] = {
      {"tokenizer.ggml.bos_token_id", "bos_token_id"},
      {"tokenizer.ggml.eos_token_id", "eos_token_id"},
      {"tokenizer.ggml.padding_token_id", "pad_token_id"},
  };
  for (const Row& row : kRows) {
    const auto id = keys.Uint(row.key);
    const bool known = id && *id < reader.facts().vocabulary;
    // null, because transformers has ids of its own for some classes where there is none.
    reader.Set(row.member, known ? Json(*id) : Json());
  }
}

void ReadFacts(const Architecture& architecture, KeyReader& reader) {
  const GgufTensorFacts& facts = reader.facts();
  for (const FactRow& row : reader.family().facts) {
    const bool value = facts.*row.fact;
    if (value && row.member == architecture.mlx_class.attention_bias &&
        !facts.attention_output_bias) {
      FailTensor("blk.0.attn_output.bias", architecture);
    }
    reader.Set(row.member, value);
  }
  reader.SetSize(&ConfigKeys::vocabulary, facts.vocabulary);
  reader.Set("tie_word_embeddings", !facts.output);
}

}  // namespace

std::string_view GgufArchitecture(const Architecture& architecture) {
  const GgufFamily* family = FamilyOf(architecture);
  return family == nullptr ? std::string_view() : family->name;
}

void AddModelKeys(const Architecture& architecture, const Json& config, GgufKeys& keys,
                  std::vector<std::string>& notices) {
  const GgufFamily* family = FamilyOf(architecture);
  if (family == nullptr) {
    throw Error(ErrorCode::kUsage, Format("llama.cpp has no architecture for {}, so there is no "
                                          "GGUF of it",
                                          architecture.name));
  }
  keys.Set("general.architecture", GgufValue::String(std::string(family->name)));
  keys.Set("general.type", GgufValue::String("model"));
  KeyWriter writer(*family, architecture, config, keys, notices);
  for (const KeyRow& row : family->rows) {
    WriteRow(row, architecture, writer);
  }
  TellWhatDiffers(writer);
}

void AddTensorFact(std::string_view name, GgufTensorFacts& facts) {
  struct Row {
    std::string_view end;
    bool GgufTensorFacts::*fact;
  };

  static constexpr Row kRows[] = {
      {".attn_q.bias", &GgufTensorFacts::query_bias},
      {".attn_qkv.bias", &GgufTensorFacts::query_bias},
      {".attn_q_a.bias", &GgufTensorFacts::query_bias},
      {".attn_output.bias", &GgufTensorFacts::attention_output_bias},
      {".ffn_up.bias", &GgufTensorFacts::feed_forward_bias},
      {".attn_q_norm.weight", &GgufTensorFacts::query_norm},
      {".exp_probs_b.bias", &GgufTensorFacts::expert_bias},
  };
  for (const Row& row : kRows) {
    facts.*row.fact = facts.*row.fact || name.ends_with(row.end);
  }
  facts.output = facts.output || name == "output.weight";
}

const Architecture* ArchitectureOfGguf(const GgufKeys& keys) {
  const std::string name = keys.String("general.architecture");
  const bool experts = keys.Uint("llama.expert_count").value_or(0) != 0;
  for (const GgufFamily& family : GgufFamilies()) {
    if (family.name != name || (name == "llama" && (family.architecture == "mixtral") != experts)) {
      continue;
    }
    for (const Architecture* architecture : Architectures()) {
      if (architecture->name == family.architecture) {
        return architecture;
      }
    }
  }
  return nullptr;
}

Json ConfigFromKeys(const GgufKeys& keys, const GgufTensorFacts& facts,
                    std::vector<std::string>& notices) {
  const Architecture* architecture = ArchitectureOfGguf(keys);
  if (architecture == nullptr) {
    ErrorDetail detail;
    detail.object = "key general.architecture";
    detail.what = "is missing, or names an architecture whose config.json is not known";
    detail.found = keys.String("general.architecture");
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  const GgufFamily& family = *FamilyOf(*architecture);
  CheckSizes(KeyReader(family, *architecture, keys, facts, notices));
  KeyReader reader(family, *architecture, keys, facts, notices);
  reader.Set("architectures", Json::Array{Json(architecture->classes[0])});
  reader.Set("model_type", architecture->name);
  for (const KeyRow& row : reader.family().rows) {
    if (row.rule == nullptr) {
      ReadRow(row, *architecture, reader);
    }
  }
  if (reader.config().Find(architecture->keys.key_value_heads) == nullptr) {
    reader.SetSize(&ConfigKeys::key_value_heads, reader.Size(&ConfigKeys::heads));
  }
  ReadFacts(*architecture, reader);
  for (const KeyRow& row : reader.family().rows) {
    if (row.rule != nullptr && row.rule->read != nullptr) {
      row.rule->read(reader);
    }
  }
  const Json fixed = ParseJson(reader.family().fixed, "fixed");
  for (const auto& [member, value] : fixed.AsObject()) {
    reader.Assume(member, value);
  }
  ReadTokens(keys, reader);
  reader.Finish();
  CompleteConfig(reader.config());
  return reader.config();
}

}  // namespace lbrx

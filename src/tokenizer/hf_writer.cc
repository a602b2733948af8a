#include "tokenizer/hf_writer.h"

#include "core/base/plain_text.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

void AppendMember(std::string_view key, const Json& value, std::string& out) {
  AppendJsonString(key, false, out);
  out += ':';
  out += WriteJson(value);
  out += ",\n";
}

void AppendModel(const HfParts& parts, std::string& out) {
  out += "\"model\":{\n";
  AppendMember("type", "BPE", out);
  AppendMember("dropout", nullptr, out);
  AppendMember("unk_token", parts.unk_token, out);
  AppendMember("continuing_subword_prefix", nullptr, out);
  AppendMember("end_of_word_suffix", nullptr, out);
  AppendMember("fuse_unk", parts.fuse_unk, out);
  AppendMember("byte_fallback", parts.byte_fallback, out);
  AppendMember("ignore_merges", parts.ignore_merges, out);
  out += "\"vocab\":{";
  for (const auto& [token, id] : parts.vocab) {
    out += out.back() == '{' ? "\n" : ",\n";
    AppendJsonString(token, false, out);
    out += ':';
    out += std::to_string(id);
  }
  out += "\n},\n\"merges\":[";
  for (const auto& [left, right] : parts.merges) {
    out += out.back() == '[' ? "\n[" : ",\n[";
    AppendJsonString(left, false, out);
    out += ',';
    AppendJsonString(right, false, out);
    out += ']';
  }
  out += "\n]\n}";
}

// llama.cpp takes the blanks behind the special tokens of models of this name.
bool TakesBlanksBehind(const GgufKeys& keys, std::string_view token) {
  const std::string name = AsciiLower(keys.String("general.name"));
  return (name.find("phi-3") != std::string::npos || name.find("phi3") != std::string::npos) &&
         token != "<unk>" && token != "<s>" && token != "<|endoftext|>";
}

Json WriteAddedToken(const std::string& content, uint64_t id, bool special, bool rstrip,
                     bool normalized) {
  Json token = Json::MakeObject();
  token.Set("id", id);
  token.Set("content", content);
  token.Set("single_word", false);
  token.Set("lstrip", false);
  token.Set("rstrip", rstrip);
  token.Set("normalized", normalized);
  token.Set("special", special);
  return token;
}

// First of the added tokens at the end whose ids follow on a vocabulary without gaps.
uint64_t FirstBehind(const GgufTokenizer& tokenizer) {
  uint64_t end = tokenizer.tokens.size();
  while (end > 0 && tokenizer.IsPadding(end - 1)) {
    --end;
  }
  uint64_t first = end;
  while (first > 0 && tokenizer.IsAdded(first - 1)) {
    --first;
  }
  for (uint64_t id = 0; id < first; ++id) {
    if (tokenizer.IsPadding(id)) {
      return tokenizer.tokens.size();
    }
  }
  return first;
}

Json Replace(std::string_view from, std::string_view to) {
  return Typed("Replace", {{"pattern", Json(Json::Object{{"String", from}})}, {"content", to}});
}

Json TemplatePiece(const char* kind, std::string_view id, int type) {
  return Json::Object{{kind, Json::Object{{"id", id}, {"type_id", type}}}};
}

}  // namespace

std::string WriteHfTokenizer(const HfParts& parts) {
  std::string out = "{\n";
  AppendMember("version", "1.0", out);
  AppendMember("truncation", nullptr, out);
  AppendMember("padding", nullptr, out);
  AppendMember("added_tokens", parts.added_tokens, out);
  AppendMember("normalizer", parts.normalizer, out);
  AppendMember("pre_tokenizer", parts.pre_tokenizer, out);
  AppendMember("post_processor", parts.post_processor, out);
  AppendMember("decoder", parts.decoder, out);
  AppendModel(parts, out);
  out += "\n}\n";
  return out;
}

void DivideTokens(const GgufTokenizer& tokenizer, const GgufKeys& keys, HfParts& parts) {
  const uint64_t behind = FirstBehind(tokenizer);
  parts.vocab.reserve(tokenizer.tokens.size());
  for (uint64_t id = 0; id < tokenizer.tokens.size(); ++id) {
    const std::string& token = tokenizer.tokens[id];
    if (tokenizer.IsPadding(id)) {
      continue;
    }
    if (tokenizer.IsAdded(id)) {
      const bool special = !tokenizer.HasType(id, TokenType::kUserDefined);
      // Not normalized, unless that would be read back as another text (ByteLevelVocabulary).
      const bool normalized = tokenizer.model == "gpt2" && FromByteAlphabet(token) != token;
      parts.added_tokens.Append(
          WriteAddedToken(token, id, special, TakesBlanksBehind(keys, token), normalized));
    }
    if (id < behind) {
      parts.vocab.emplace_back(token, id);
    }
  }
}

Json Typed(std::string_view type, Json::Object members) {
  Json out = Json::MakeObject();
  out.Set("type", type);
  for (Json::Member& member : members) {
    out.Set(member.first, std::move(member.second));
  }
  return out;
}

Json Sequence(std::string_view list, Json::Array steps) {
  if (steps.empty()) {
    return nullptr;
  }
  return steps.size() == 1 ? steps.front()
                           : Typed("Sequence", {{std::string(list), std::move(steps)}});
}

void SetSpaceMarks(bool prefix, HfParts& parts) {
  Json::Array normalizers = {Replace(" ", kSpaceMark)};
  Json::Array decoders = {Replace(kSpaceMark, " "), Typed("ByteFallback"), Typed("Fuse")};
  if (prefix) {
    normalizers.insert(normalizers.begin(), Typed("Prepend", {{"prepend", kSpaceMark}}));
    decoders.push_back(Typed("Strip", {{"content", " "}, {"start", 1}, {"stop", 0}}));
  }
  parts.normalizer = Sequence("normalizers", std::move(normalizers));
  parts.decoder = Sequence("decoders", std::move(decoders));
  parts.byte_fallback = true;
}

Json WritePostProcessor(const GgufKeys& keys, const GgufTokenizer& tokenizer) {
  Json single = Json::MakeArray();
  Json pair = Json::MakeArray();
  Json special = Json::MakeObject();
  const auto add = [&](std::string_view role, bool to_single) {
    const std::optional<uint64_t> id = RoleId(keys, role, tokenizer);
    if (!id.has_value()) {
      return;
    }
    const std::string& token = tokenizer.tokens[*id];
    if (to_single) {
      single.Append(TemplatePiece("SpecialToken", token, 0));
    }
    pair.Append(TemplatePiece("SpecialToken", token, to_single ? 0 : 1));
    special.Set(
        token,
        Json::Object{{"id", token}, {"ids", Json::Array{*id}}, {"tokens", Json::Array{token}}});
  };
  const bool bos = AddsRole(keys, tokenizer, "bos");
  const bool eos = AddsRole(keys, tokenizer, "eos");
  if (bos) {
    add("bos", true);
  }
  single.Append(TemplatePiece("Sequence", "A", 0));
  pair.Append(TemplatePiece("Sequence", "A", 0));
  if (keys.Find(KeysOfRole("sep")->add) != nullptr) {
    add(AddsRole(keys, tokenizer, "sep") ? "sep" : "bos", false);
  }
  pair.Append(TemplatePiece("Sequence", "B", 1));
  if (eos) {
    add("eos", true);
  }
  if (single.AsArray().size() == 1) {
    return nullptr;
  }
  return Typed("TemplateProcessing",
               {{"single", single}, {"pair", pair}, {"special_tokens", special}});
}

}  // namespace lbrx

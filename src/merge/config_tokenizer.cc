// The tokenizer and chat template of a merge.
#include <algorithm>
#include <array>
#include <utility>

#include "core/base/format.h"
#include "core/text/suggest.h"
#include "merge/config_parts.h"

namespace lbrx {
namespace {

VocabularySource ReadSource(const ConfigNode& node, ConfigWarnings& warnings) {
  VocabularySource out;
  const std::string_view text = node.node.is_string() ? node.node.text() : "";
  if (text == "union" || text == "base") {
    out.choice = text == "union" ? TokenizerChoice::kUnion : TokenizerChoice::kBase;
    return out;
  }
  if (text.starts_with("model:")) {
    FailAt(node, "the form model:PATH is mergekit's old one", "union, base or a model",
           Format("\"{}\"", text), "write the path alone");
  }
  out.choice = TokenizerChoice::kModel;
  out.model = ReadModel(node, warnings);
  return out;
}

void ReadModelToken(ConfigMap& map, ConfigWarnings& warnings, TokenRule& out) {
  out.kind = TokenRule::Kind::kModelToken;
  out.model = ReadModel(map.Need("model"), warnings);
  if (const std::optional<ConfigNode> token = map.Find("token")) {
    out.of_token = ReadText(*token);
  }
  if (const std::optional<ConfigNode> id = map.Find("token_id")) {
    out.of_id = ReadCount(*id);
  }
  if (out.of_token.has_value() == out.of_id.has_value()) {
    FailAt(map.node(), "model_token needs exactly one of token and token_id", "",
           out.of_id ? "both" : "neither");
  }
}

void ReadTokenSource(const ConfigNode& node, ConfigWarnings& warnings, TokenRule& out) {
  if (!node.node.is_mapping() || !node.node.Find("kind")) {
    out.kind = TokenRule::Kind::kModel;
    out.model = ReadModel(node, warnings);
    return;
  }
  ConfigMap map(node, warnings);
  const ConfigNode kind = map.Need("kind");
  const std::string name = ReadText(kind);
  if (name == "model_token") {
    ReadModelToken(map, warnings, out);
  } else if (name == "zero") {
    out.kind = TokenRule::Kind::kZero;
  } else {
    const std::array<std::string, 2> known = {"model_token", "zero"};
    FailAt(kind, "no kind of source for a token", "model_token or zero", Format("\"{}\"", name),
           Suggestion(name, known, ""));
  }
  map.Finish();
}

TokenRule ReadToken(std::string_view token, const ConfigNode& node, ConfigWarnings& warnings) {
  ConfigMap map(node, warnings);
  TokenRule out;
  out.token = std::string(token);
  out.position = node.node.position();
  if (const std::optional<ConfigNode> source = map.Find("source")) {
    ReadTokenSource(*source, warnings, out);
  }
  if (const std::optional<ConfigNode> force = map.Find("force")) {
    out.force = ReadBool(*force);
  }
  map.Finish();
  return out;
}

TokenizerBlock ReadBlock(const ConfigNode& node, ConfigWarnings& warnings) {
  if (node.node.is_string()) {
    FailAt(node, "tokenizer is a mapping", "a mapping with source, tokens, pad_to_multiple_of",
           DescribeValue(node.node), "a name alone goes under tokenizer_source");
  }
  ConfigMap map(node, warnings);
  TokenizerBlock out;
  out.position = node.node.position();
  if (const std::optional<ConfigNode> source = map.Find("source")) {
    out.source = ReadSource(*source, warnings);
  }
  if (const std::optional<ConfigNode> tokens = map.Find("tokens")) {
    const ConfigMap checked(*tokens, warnings);  // that it is a mapping; every key is a token
    for (size_t i = 0; i < tokens->node.size(); ++i) {
      const std::string_view token = tokens->node.key(i).text();
      out.tokens.push_back(
          ReadToken(token, tokens->Member(token, tokens->node.value(i)), warnings));
    }
  }
  if (const std::optional<ConfigNode> multiple = map.Find("pad_to_multiple_of")) {
    out.pad_to_multiple_of = ReadCount(*multiple);
  }
  map.Finish();
  return out;
}

}  // namespace

std::optional<TokenizerBlock> ReadTokenizer(ConfigMap& map, ConfigWarnings& warnings) {
  const std::optional<ConfigNode> block = map.Find("tokenizer");
  const std::optional<ConfigNode> source = map.Find("tokenizer_source");
  if (block && source) {
    FailAt(*source, "tokenizer_source beside tokenizer", "one of them", "",
           "write it as source: under tokenizer");
  }
  if (block) {
    return ReadBlock(*block, warnings);
  }
  if (!source) {
    return std::nullopt;
  }
  TokenizerBlock out;
  out.position = source->node.position();
  out.source = ReadSource(*source, warnings);
  return out;
}

std::string ReadChatTemplate(const std::optional<ConfigNode>& node) {
  std::string text = ReadOptionalText(node);
  const std::array<std::string, 6> known = {"auto",   "alpaca", "chatml",
                                            "exaone", "llama3", "mistral"};
  constexpr size_t kShortestTemplate = 20;
  const bool named = std::find(known.begin(), known.end(), text) != known.end();
  const bool jinja = text.size() >= kShortestTemplate && text.find('{') != std::string::npos;
  if (!text.empty() && !named && !jinja) {
    FailAt(*node, "no chat template",
           "auto, alpaca, chatml, exaone, llama3, mistral, or Jinja of at least 20 characters",
           DescribeValue(node->node), Suggestion(text, known, ""));
  }
  return text;
}

}  // namespace lbrx

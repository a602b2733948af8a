#include "tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/text/suggest.h"
#include "tokenizer/hf_writer.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

constexpr std::string_view kDigit = R"(\p{N})";

// What a pre_tokenizer does, as a list of expressions.
struct Expressions {
  std::vector<std::string> list;
  std::string unknown;  // what was found that is no such expression; empty: nothing
};

void ReplaceAll(std::string_view from, std::string_view to, std::string& text) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// One spelling of what is spelled in several ways.
std::string Canonical(std::string expression) {
  ReplaceAll("\r", "\\r", expression);
  ReplaceAll("\n", "\\n", expression);
  ReplaceAll("\t", "\\t", expression);
  ReplaceAll("(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])",
             "(?i:'s|'t|'re|'ve|'m|'ll|'d)", expression);
  return expression;
}

std::string Text(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  return value != nullptr && value->is_string() ? value->AsString() : std::string();
}

bool Flag(const Json& object, std::string_view key, bool otherwise) {
  const Json* value = object.Find(key);
  return value != nullptr && value->is_bool() ? value->AsBool() : otherwise;
}

// Pieces of a Split are as an expression's matches and gaps where both are kept ("Isolated"), or
// where nothing lies between the matches (they end in "all else").
void ReadSplit(const Json& step, Expressions& out) {
  const Json* pattern = step.Find("pattern");
  const std::string expression = pattern == nullptr ? std::string() : Text(*pattern, "Regex");
  const std::string behaviour = Text(step, "behavior");
  const bool covering = expression.ends_with("\\s+");
  if (expression.empty()) {
    out.unknown = "Split by a string";
  } else if (behaviour == "Isolated" ||
             (behaviour == "Removed" && Flag(step, "invert", false) && covering)) {
    out.list.push_back(Canonical(expression));
  } else {
    out.unknown = "Split, " + behaviour;
  }
}

void ReadStep(const Json& step, Expressions& out) {
  const std::string type = Text(step, "type");
  if (type == "Sequence") {
    const Json* steps = step.Find("pretokenizers");
    for (const Json& inner : steps == nullptr ? Json::Array() : steps->AsArray()) {
      ReadStep(inner, out);
    }
  } else if (type == "Split") {
    ReadSplit(step, out);
  } else if (type == "Digits") {
    out.list.emplace_back(Flag(step, "individual_digits", false) ? kDigit : R"(\p{N}+)");
  } else if (type == "Punctuation") {
    const std::string behaviour = Text(step, "behavior");
    out.list.emplace_back(behaviour == "Contiguous" ? R"([\p{P}$+<=>^~|`]+)"
                                                    : R"([\p{P}!-/:-@\[-`{-~])");
    if (behaviour != "Contiguous" && behaviour != "Isolated") {
      out.unknown = "Punctuation, " + behaviour;
    }
  } else if (type == "ByteLevel") {
    if (Flag(step, "use_regex", true)) {
      out.list.emplace_back(kGpt2Words);
    }
  } else {
    out.unknown = type;
  }
}

Expressions ReadPreTokenizer(const Json& outline) {
  Expressions out;
  if (const Json* step = outline.Find("pre_tokenizer"); step != nullptr && step->is_object()) {
    ReadStep(*step, out);
  }
  return out;
}

std::string Joined(const std::vector<std::string>& expressions) {
  std::string out;
  for (const std::string& expression : expressions) {
    out += expression;
    out += '\n';
  }
  return out;
}

std::string Joined(const PrePattern& pattern) {
  return Joined(std::vector<std::string>(pattern.expressions.begin(), pattern.expressions.end()));
}

// Names of the three patterns that differ least.
std::string NearNames(const std::string& expressions) {
  constexpr size_t kCompared = 1024;  // the longest of ours is shorter
  std::vector<std::pair<size_t, std::string_view>> near;
  for (const PrePattern& pattern : PrePatterns()) {
    const std::string_view head = std::string_view(expressions).substr(0, kCompared);
    near.emplace_back(EditDistance(head, Joined(pattern)), pattern.id);
  }
  std::sort(near.begin(), near.end());
  return Format("{}, {}, {}", near[0].second, near[1].second, near[2].second);
}

[[noreturn]] void FailUnknown(const HfTokenizer& tokenizer, const Expressions& expressions) {
  const std::string joined = Joined(expressions.list);
  ErrorDetail detail;
  detail.file = tokenizer.file;
  detail.object = "pre_tokenizer";
  detail.what = "no pre-tokenizer that llama.cpp has a name for";
  detail.found = !expressions.unknown.empty() ? expressions.unknown
                 : joined.empty()             ? "none"
                                              : Printable(joined, 160);
  detail.advice = Format("say which comes nearest with --pre NAME (near: {})", NearNames(joined));
  throw Error(ErrorCode::kUsage, std::move(detail));
}

void CheckName(const std::string& pre) {
  if (FindPreName(pre) == nullptr) {
    const std::vector<std::string> names = PreTokenizerNames();
    ErrorDetail detail;
    detail.object = "--pre";
    detail.what = "llama.cpp knows no such pre-tokenizer";
    detail.found = Printable(pre, 60);
    detail.advice = Suggestion(pre, names, "known are llama-bpe, qwen2, gpt-2, and others");
    throw Error(ErrorCode::kUsage, std::move(detail));
  }
}

}  // namespace

std::string PreTokenizerName(const HfTokenizer& tokenizer, const std::string& pre,
                             std::string_view architecture) {
  if (!pre.empty()) {
    CheckName(pre);
    return pre;
  }
  const Expressions expressions = ReadPreTokenizer(tokenizer.outline);
  const auto patterns = PrePatterns();
  const auto found = std::find_if(patterns.begin(), patterns.end(), [&](const PrePattern& pattern) {
    return pattern.bytes && std::equal(pattern.expressions.begin(), pattern.expressions.end(),
                                       expressions.list.begin(), expressions.list.end());
  });
  if (!expressions.unknown.empty() || found == patterns.end()) {
    FailUnknown(tokenizer, expressions);
  }
  for (const PreName& name : PreNames()) {
    if (name.pattern == found->id && !architecture.empty() && name.architecture == architecture) {
      return std::string(name.name);
    }
  }
  return std::string(found->id);
}

Json WritePreTokenizer(const PrePattern& pattern) {
  Json::Array steps;
  bool words = false;  // ByteLevel itself applies GPT-2's expression
  for (const std::string_view expression : pattern.expressions) {
    if (&expression == &pattern.expressions.back() && expression == kGpt2Words) {
      words = true;
    } else if (expression == kDigit) {
      steps.push_back(Typed("Digits", {{"individual_digits", true}}));
    } else {
      steps.push_back(Typed("Split", {{"pattern", Json(Json::Object{{"Regex", expression}})},
                                      {"behavior", "Isolated"},
                                      {"invert", false}}));
    }
  }
  if (pattern.bytes) {
    steps.push_back(Typed(
        "ByteLevel", {{"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", words}}));
  }
  return Sequence("pretokenizers", std::move(steps));
}

std::vector<std::string> PreTokenizerNames() {
  std::vector<std::string> names;
  for (const PreName& row : PreNames()) {
    names.emplace_back(row.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace lbrx

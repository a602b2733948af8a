#include "tokenizer/post_processor.h"

#include <algorithm>
#include <span>

#include "tokenizer/special_tokens.h"

namespace lbrx {
namespace {

// The id of {"SpecialToken": {"id": ...}} or {"Sequence": {"id": ...}}; empty for anything else.
std::string PieceId(const Json& piece, std::string_view kind) {
  const Json* inner = piece.Find(kind);
  const Json* id = inner == nullptr ? nullptr : inner->Find("id");
  return id != nullptr && id->is_string() ? id->AsString() : std::string();
}

std::string SpecialId(const Json& piece) {
  return PieceId(piece, "SpecialToken");
}

std::span<const Json> Pieces(const Json& processor, std::string_view key) {
  const Json* pieces = processor.Find(key);
  return pieces != nullptr && pieces->is_array() ? std::span<const Json>(pieces->AsArray())
                                                 : std::span<const Json>();
}

}  // namespace

TokenRoles::TokenRoles(const Json& tokenizer_config)
    : configured_(tokenizer_config.is_object()), roles_{"bos", "eos", "unk", "sep",
                                                        "pad", "cls", "mask"} {
  for (const std::string& role : roles_) {
    const Json* entry = tokenizer_config.Find(role + "_token");
    const Json* content = entry != nullptr && entry->is_object() ? entry->Find("content") : entry;
    if (content != nullptr && content->is_string() && !content->AsString().empty()) {
      SetToken(role, content->AsString());
    }
  }
}

std::string TokenRoles::Token(std::string_view role) const {
  const auto row = std::find_if(tokens_.begin(), tokens_.end(),
                                [&](const auto& token) { return token.first == role; });
  return row == tokens_.end() ? std::string() : row->second;
}

void TokenRoles::SetToken(std::string_view role, const std::string& token) {
  std::erase_if(tokens_, [&](const auto& row) { return row.first == role; });
  tokens_.emplace_back(role, token);
}

void TokenRoles::ReadPostProcessor(const Json& outline, SpecialTokens& out) {
  if (outline.is_null()) {
    return;
  }
  if (Token("bos").empty() && !Token("cls").empty()) {
    SetToken("bos", Token("cls"));
  }
  if (Token("eos").empty() && !Token("sep").empty()) {
    SetToken("eos", Token("sep"));
  }
  const Json* processor = outline.Find("post_processor");
  if (processor == nullptr || !processor->is_object()) {
    return;
  }
  if (const Json* inner = processor->Find("processors"); inner != nullptr && inner->is_array()) {
    for (const Json& step : inner->AsArray()) {
      ReadProcessor(step, out);
    }
  } else {
    ReadProcessor(*processor, out);
  }
}

void TokenRoles::ReadProcessor(const Json& processor, SpecialTokens& out) {
  const Json* type = processor.Find("type");
  const std::string name = type != nullptr && type->is_string() ? type->AsString() : "";
  if (name == "ByteLevel") {
    out.AddUnlessSet("bos", false);
    out.AddUnlessSet("eos", false);
  } else if (name == "RobertaProcessing") {
    ReadRoberta(processor, out);
  } else if (name == "TemplateProcessing") {
    ReadTemplate(processor, out);
  }
}

void TokenRoles::ReadRoberta(const Json& processor, SpecialTokens& out) {
  out.SetAdd("bos", true);
  out.SetAdd("eos", true);
  out.SetAdd("sep", true);
  for (const std::string_view role : {"cls", "sep"}) {
    const auto pair = Pieces(processor, role);  // [token, id]
    if (Token(role).empty() && !pair.empty() && pair[0].is_string()) {
      SetToken(role, pair[0].AsString());
    }
  }
}

void TokenRoles::ReadTemplate(const Json& processor, SpecialTokens& out) {
  const auto single = Pieces(processor, "single");
  std::string first;
  std::string last;
  if (single.size() > 1) {
    first = SpecialId(single.front());
    last = SpecialId(single.back());
    if (!first.empty()) {
      ReadFirst(first, out);
    }
    if (!last.empty()) {
      ReadLast(last, out);
    }
  }
  if (const Json* pair = processor.Find("pair"); pair != nullptr && pair->is_array()) {
    ReadPair(*pair, first, last, out);
  }
}

void TokenRoles::ReadFirst(const std::string& first, SpecialTokens& out) {
  if (!configured_) {
    SetToken("bos", first);
  } else if (first != Token("bos") && first != Token("cls")) {
    for (const std::string_view role : {"bos", "cls"}) {
      if (Token(role).empty()) {
        SetToken(role, first);
      }
    }
  }
  out.SetAdd("bos", first == Token("bos") || first == Token("cls"));
}

// A text ends in `last`, so that is eos; what tokenizer_config.json calls so ends a turn.
void TokenRoles::ReadLast(const std::string& last, SpecialTokens& out) {
  if (configured_ && last != Token("eos")) {
    for (const std::string role : {"eot", "eom"}) {
      if (std::find(roles_.begin(), roles_.end(), role) == roles_.end()) {
        roles_.push_back(role);
        SetToken(role, Token("eos"));
        break;
      }
    }
  }
  SetToken("eos", last);
  out.SetAdd("eos", true);
}

// Whether a separator stands between two texts.
void TokenRoles::ReadPair(const Json& pair, const std::string& first, const std::string& last,
                          SpecialTokens& out) {
  std::span<const Json> pieces = pair.AsArray();
  if (!pieces.empty() && !first.empty() && SpecialId(pieces.front()) == first) {
    pieces = pieces.subspan(1);
  }
  if (!pieces.empty() && !last.empty() && SpecialId(pieces.back()) == last) {
    pieces = pieces.first(pieces.size() - 1);
  }
  if (pieces.size() < 3 || PieceId(pieces.front(), "Sequence") != "A" ||
      PieceId(pieces.back(), "Sequence") != "B") {
    return;
  }
  const auto middle = pieces.subspan(1, pieces.size() - 2);
  const auto separates = [&](const Json& piece) {
    const std::string id = SpecialId(piece);
    return !id.empty() && (id == Token("sep") || id == Token("eos"));
  };
  const bool add =
      (separates(middle[0]) && last.empty()) || (middle.size() == 2 && separates(middle[1]));
  out.SetAdd("sep", add);
  if (add && Token("sep").empty() && configured_) {
    SetToken("sep", Token("eos"));
  }
}

}  // namespace lbrx

#include "merge/model_ref.h"

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

[[noreturn]] void Refuse(std::string what, std::string_view text, std::string advice = {}) {
  ErrorDetail detail;
  detail.what = std::move(what);
  detail.expected = "MODEL[@REVISION][+ADAPTER[@REVISION]]";
  detail.found = Format("\"{}\"", Printable(text));
  detail.advice = std::move(advice);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

ModelPath ParsePart(std::string_view part, std::string_view whole) {
  const size_t at = part.find('@');
  ModelPath out;
  out.path = std::string(part.substr(0, at));
  if (at != std::string_view::npos) {
    out.revision = std::string(part.substr(at + 1));
    if (out.revision.find('@') != std::string::npos) {
      Refuse("more than one @ in a model's name", whole);
    }
    if (out.revision.empty()) {
      Refuse("no revision behind the @", whole);
    }
  }
  if (out.path.empty()) {
    Refuse("a model without a name", whole);
  }
  return out;
}

}  // namespace

std::string ToString(const ModelPath& path) {
  return path.revision.empty() ? path.path : path.path + "@" + path.revision;
}

std::string ToString(const ModelRef& model) {
  const std::string base = ToString(model.model);
  return model.adapter ? base + "+" + ToString(*model.adapter) : base;
}

ModelPath ParseModelPath(std::string_view text) {
  return ParsePart(text, text);
}

ModelRef ParseModelRef(std::string_view text) {
  const size_t plus = text.find('+');
  ModelRef out;
  out.model = ParsePart(text.substr(0, plus), text);
  if (plus != std::string_view::npos) {
    const std::string_view adapter = text.substr(plus + 1);
    if (adapter.find('+') != std::string_view::npos) {
      Refuse("more than one + in a model's name", text, "one adapter can be applied to a model");
    }
    out.adapter = ParsePart(adapter, text);
  }
  return out;
}

}  // namespace lbrx

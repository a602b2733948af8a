// The small tokenizers of tests/data/merge_tokenizer, and what mergekit makes of them.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/io/file.h"
#include "core/text/json.h"
#include "merge/tokenizer/output_files.h"
#include "merge/tokenizer/output_vocabulary.h"
#include "stream/constant.h"
#include "stream/rearrange.h"
#include "stream/value.h"

namespace lbrx {

constexpr uint64_t kTestColumns = 3;

inline std::string TestTokenizerPath(const std::string& name) {
  return JoinPath(std::string(LBRX_TEST_DATA) + "/merge_tokenizer", name);
}

inline ModelTokenizer TestModel(const std::string& name, uint64_t vocab_size) {
  std::vector<std::string> notices;
  TokenizerSource source;
  source.folder = TestTokenizerPath(name);
  return {name, ReadTokenizerFiles(source, notices), vocab_size};
}

// As value() of make_merge_tokenizer.py.
inline float TestElement(uint32_t model, uint64_t row, uint64_t column) {
  const auto mixed = static_cast<uint32_t>((uint64_t{model} * 7919 + row * 131 + column * 17 + 1) *
                                           uint64_t{2654435761});
  return static_cast<float>(mixed >> 25) / 32 - 2;
}

inline ValuePtr TestMatrix(uint32_t model, uint64_t rows, DType dtype,
                           uint64_t columns = kTestColumns) {
  std::vector<float> values;
  for (uint64_t i = 0; i < rows * columns; ++i) {
    values.push_back(TestElement(model, i / columns, i % columns));
  }
  return CastTo(Reshape(ConstantOf(std::move(values)), Shape{rows, columns}), dtype);
}

// All of a value as float32.
inline std::vector<float> ReadAll(const ValuePtr& value) {
  const ValuePtr wide = CastTo(value, DType::kF32);
  SourceFiles files(SourceFiles::Checkpoints{});
  Pool pool;
  ReadContext context{files, pool, NonFinitePolicy::kReject, nullptr};
  std::vector<float> out(wide->shape().elements());
  wide->Read(context, 0, out.size(), reinterpret_cast<std::byte*>(out.data()));
  return out;
}

// A case of expected.json.
struct TokenizerCase {
  Json expected;
  std::vector<ModelTokenizer> models;
  std::optional<uint32_t> base;
  TokenizerRequest request;
  DType dtype = DType::kF32;

  uint32_t IndexOf(const std::string& name) const {
    uint32_t index = 0;
    while (models.at(index).name != name) {
      ++index;
    }
    return index;
  }

  std::vector<ValuePtr> Matrices() const {
    std::vector<ValuePtr> matrices;
    for (uint32_t i = 0; i < models.size(); ++i) {
      matrices.push_back(TestMatrix(i, models[i].vocab_size, dtype));
    }
    return matrices;
  }

  TokenSource ReadSource(const Json& entry) const {
    TokenSource out;
    out.force = entry.Find("force") != nullptr;
    const Json& source = *entry.Find("source");
    const std::string kind = source.is_string() ? "" : source.Find("kind")->AsString();
    if (kind == "zero") {
      out.kind = TokenSource::Kind::kZero;
      return out;
    }
    out.model = IndexOf(source.is_string() ? source.AsString() : source.Find("model")->AsString());
    if (const Json* token = source.Find("token")) {
      out.kind = TokenSource::Kind::kToken;
      out.token = token->AsString();
    } else if (const Json* id = source.Find("token_id")) {
      out.kind = TokenSource::Kind::kId;
      out.id = id->AsUint64();
    } else {
      out.kind = TokenSource::Kind::kModel;
    }
    return out;
  }

  explicit TokenizerCase(const Json& given) : expected(given) {
    for (const Json& model : given.Find("models")->AsArray()) {
      models.push_back(
          TestModel(model.Find("name")->AsString(), model.Find("vocab_size")->AsUint64()));
    }
    if (given.Find("base")->is_string()) {
      base = IndexOf(given.Find("base")->AsString());
    }
    const Json& block = *given.Find("tokenizer");
    const std::string& source = block.Find("source")->AsString();
    request.source = source == "union"  ? TokenizerRequest::Source::kUnion
                     : source == "base" ? TokenizerRequest::Source::kBase
                                        : TokenizerRequest::Source::kModel;
    request.model =
        request.source == TokenizerRequest::Source::kModel ? IndexOf(source) : uint32_t{0};
    if (const Json* tokens = block.Find("tokens")) {
      for (const auto& [token, entry] : tokens->AsObject()) {
        request.tokens.emplace_back(token, ReadSource(entry));
      }
    }
    if (const Json* multiple = block.Find("pad_to_multiple_of")) {
      request.pad_to_multiple_of = multiple->AsUint64();
    }
    dtype = given.Find("dtype")->AsString() == "float32" ? DType::kF32 : DType::kBF16;
  }

  OutputVocabulary Build(std::vector<std::string>& notices) const {
    return BuildOutputVocabulary(models, base.value_or(0), request, notices);
  }
};

inline std::vector<std::pair<std::string, TokenizerCase>> TokenizerCases() {
  const std::string path = TestTokenizerPath("expected.json");
  std::vector<std::pair<std::string, TokenizerCase>> cases;
  const Json file = ParseJson(ReadWholeFile(path), path);
  for (const auto& [name, given] : file.AsObject()) {
    cases.emplace_back(name, TokenizerCase(given));
  }
  return cases;
}

}  // namespace lbrx

// Tokenizers of a merge: files of two models (input_folder.h; those whose names begin with "b." are
// the second one's). The result's files have the result's tokens, each with the id that it says,
// and every row comes from a row that its model has.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "core/base/error.h"
#include "input_folder.h"
#include "merge/tokenizer/chat_template.h"
#include "merge/tokenizer/output_files.h"
#include "merge/tokenizer/output_vocabulary.h"
#include "target.h"

namespace lbrx {
namespace {

constexpr std::string_view kSecond = "b.";
constexpr std::array kSources = {TokenizerRequest::Source::kUnion, TokenizerRequest::Source::kBase};

std::vector<ModelTokenizer> ModelsOf(std::string_view input) {
  std::vector<ModelTokenizer> models = {{"a", {}, 0}, {"b", {}, 0}};
  for (OutputText& file : SplitInputFiles(input)) {
    const bool second = file.name.starts_with(kSecond);
    if (second) {
      file.name.erase(0, kSecond.size());
    }
    std::vector<OutputText>& files = models[second ? 1 : 0].files;
    if (IsTokenizerFile(file.name) && FindText(files, file.name) == nullptr) {
      files.push_back(std::move(file));
    }
  }
  return models;
}

void CheckVocabulary(const OutputVocabulary& vocabulary,
                     const std::vector<ModelTokenizer>& models) {
  FUZZ_CHECK(vocabulary.is_token.size() <= vocabulary.rows);
  FUZZ_CHECK(vocabulary.ids.size() == models.size());
  const auto tokens = static_cast<uint64_t>(
      std::count(vocabulary.is_token.begin(), vocabulary.is_token.end(), true));
  FUZZ_CHECK(tokens == vocabulary.tokens);
  std::vector<std::string> notices;
  const std::vector<OutputText> files =
      OutputTokenizerFiles(models[vocabulary.donor], vocabulary, notices);
  if (FindText(files, "tokenizer.json") == nullptr) {
    return;
  }
  const SourceVocabulary written({"written", files, 0});
  FUZZ_CHECK(written.tokens().size() == tokens);
  for (const SourceVocabulary::Token& token : written.tokens()) {
    FUZZ_CHECK(token.id < vocabulary.is_token.size() && vocabulary.is_token[token.id]);
  }
}

void Run(std::string_view input) {
  try {
    const std::vector<ModelTokenizer> models = ModelsOf(input);
    for (const TokenizerRequest::Source source : kSources) {
      TokenizerRequest request;
      request.source = source;
      std::vector<std::string> notices;
      CheckVocabulary(BuildOutputVocabulary(models, 0, request, notices), models);
    }
    std::vector<std::string> notices;
    if (const auto chat = ChooseChatTemplate("auto", models, notices)) {
      std::vector<OutputText> files = models[0].files;
      SetChatTemplate(*chat, files);
    }
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kUsage ||
               error.code() == ErrorCode::kIo);
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kText);

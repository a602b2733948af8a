#include <algorithm>

#include "check/rules/rules.h"
#include "check/rules/vocabulary.h"
#include "core/base/checked.h"
#include "core/base/format.h"
#include "formats/detect.h"

namespace lbrx {
namespace {

// Embeddings are padded to multiples of up to this (64 to 512 in published models); more rows than
// that without a token are a sign of the wrong tokenizer.
constexpr uint64_t kPadding = 1024;

// Rows of the embedding: of the tensor, else as config.json tells.
std::optional<uint64_t> EmbeddingRows(const Subject& subject) {
  const SourceTensor* embedding = subject.FindRole(Role::kTokenEmbedding);
  if (embedding != nullptr && embedding->shape.rank() == 2) {
    return embedding->shape[0];
  }
  return subject.ConfigNumber(
      subject.architecture == nullptr ? "vocab_size" : subject.architecture->keys.vocabulary);
}

void AddMismatch(const SideFile& file, uint64_t tokens, uint64_t rows, Problems& problems) {
  Problem problem;
  problem.severity = Severity::kWarning;
  problem.detail.file = file.path;
  problem.detail.object = "vocabulary";
  problem.detail.what = tokens > rows ? "the tokenizer has more tokens than the embedding has rows"
                                      : "the tokenizer has far fewer tokens than the embedding has "
                                        "rows";
  problem.detail.expected = Format("{} rows of the embedding filled", rows);
  problem.detail.found = Format("{} token ids", tokens);
  problem.detail.advice = "use the tokenizer that belongs to these weights";
  if (tokens > rows) {
    problem.detail.expected = Format("at most {} token ids", rows);
  }
  problems.push_back(std::move(problem));
}

void CheckVocabulary(const SideFile& file, uint64_t rows, uint64_t memory, Problems& problems) {
  if (RecogniseFile(file.path).stand_in && file.bytes != 0) {
    return;  // CheckSideFiles says so
  }
  uint64_t tokens = 0;
  try {
    tokens = VocabularySize(ReadWholeFile(file.path, memory / 2), file.path);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalid) {
      throw;
    }
    problems.push_back({Severity::kError, error.detail()});
    return;
  }
  if (tokens > rows || (tokens != 0 && RoundUp(tokens, kPadding) < rows)) {
    AddMismatch(file, tokens, rows, problems);
  }
}

// bos, eos and pad: one id, or a list of them. Negative ones mean none.
void CheckId(const Subject& subject, std::string_view key, const Json& id, uint64_t rows,
             Problems& problems) {
  if (id.is_array()) {
    for (const Json& element : id.AsArray()) {
      CheckId(subject, key, element, rows, problems);
    }
    return;
  }
  if (id.kind() != Json::Kind::kUnsigned &&
      !(id.kind() == Json::Kind::kInteger && id.AsInt64() >= 0)) {
    return;
  }
  if (id.AsUint64() >= rows) {
    Problem problem;
    problem.severity = Severity::kWarning;
    problem.detail = {.file = subject.ConfigPath(),
                      .object = std::string(key),
                      .what = "the embedding has no row for this token id",
                      .expected = Format("less than {}", rows),
                      .found = Format("{}", id.AsUint64()),
                      .offset = {},
                      .advice = "correct config.json"};
    problems.push_back(std::move(problem));
  }
}

}  // namespace

void CheckTokenizer(const Subject& subject, uint64_t memory, Problems& problems) {
  const std::optional<uint64_t> rows = EmbeddingRows(subject);
  if (!rows.has_value()) {
    return;
  }
  for (const std::string_view key : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
    const Json* id = subject.config().Find(key);
    id = id != nullptr ? id : subject.checkpoint.config.Find(key);
    if (id != nullptr) {
      CheckId(subject, key, *id, *rows, problems);
    }
  }
  for (const SideFile& file : subject.checkpoint.side_files) {
    if (file.name == "tokenizer.json") {
      CheckVocabulary(file, *rows, memory, problems);
    }
  }
}

}  // namespace lbrx

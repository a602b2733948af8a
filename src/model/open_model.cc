#include "model/open_model.h"

#include "core/io/file.h"
#include "formats/gguf/keys.h"
#include "model/gguf/embedded.h"
#include "model/gguf/gguf_config.h"
#include "model/gguf_names.h"

namespace lbrx {
namespace {

// Rotary factors are a value per pair of a head's elements.
constexpr uint64_t kMostFactors = uint64_t{1} << 16;

std::vector<float> FloatsOf(const Checkpoint& checkpoint, const SourceTensor& tensor) {
  const StoredArray& array = checkpoint.arrays[tensor.planes[0]];
  if (tensor.encoding != Plain(DType::kF32) || array.shape.elements() > kMostFactors) {
    throw Error(ErrorCode::kInvalid,
                {.file = checkpoint.files[array.file].path,
                 .object = tensor.name,
                 .what = "is not a list of rotary factors",
                 .expected = "F32 values, one for each pair of a head",
                 .found = SchemeLabel(tensor.encoding) + " " + tensor.shape.ToString(),
                 .offset = array.offset,
                 .advice = ""});
  }
  std::vector<float> out(array.shape.elements());
  const auto file = File::OpenRead(checkpoint.files[array.file].path);
  file->ReadAt(array.offset, std::as_writable_bytes(std::span(out)));
  return out;
}

GgufTensorFacts FactsOf(const Checkpoint& checkpoint) {
  GgufTensorFacts facts;
  for (const SourceTensor& tensor : checkpoint.tensors) {
    AddTensorFact(tensor.name, facts);
    if (tensor.name == "token_embd.weight" && tensor.shape.rank() > 0) {
      facts.vocabulary = tensor.shape[0];
    } else if (tensor.name == kRopeFrequenciesName) {
      facts.rope_frequencies = FloatsOf(checkpoint, tensor);
    } else if (tensor.name == kLongFactorsName) {
      facts.long_factors = FloatsOf(checkpoint, tensor);
    } else if (tensor.name == kShortFactorsName) {
      facts.short_factors = FloatsOf(checkpoint, tensor);
    }
  }
  return facts;
}

// As --embed-hf kept it; null where keys have changed since.
Json EmbeddedConfig(const GgufKeys& keys, std::vector<std::string>& notices) {
  switch (EmbeddingIn(keys)) {
    case Embedding::kNone:
      return {};
    case Embedding::kStale:
      notices.emplace_back(
          "keys were changed after a Hugging Face folder's files were embedded: the keys are "
          "taken, and the embedded files are not used");
      return {};
    case Embedding::kCurrent:
      break;
  }
  const std::optional<std::string> text = EmbeddedFile(keys, "config.json");
  return text ? ParseJson(*text, "the embedded config.json") : Json();
}

Json ConfigOf(const Checkpoint& checkpoint, std::vector<std::string>& notices) {
  const GgufKeys& keys = *checkpoint.gguf;
  Json embedded = EmbeddedConfig(keys, notices);
  return embedded.is_object() ? embedded : ConfigFromKeys(keys, FactsOf(checkpoint), notices);
}

}  // namespace

Checkpoint OpenModel(const std::string& path, const OpenOptions& options) {
  Checkpoint checkpoint = OpenCheckpoint(path, options);
  if (checkpoint.gguf == nullptr) {
    return checkpoint;
  }
  std::vector<std::string> notices;
  try {
    checkpoint.config = ConfigOf(checkpoint, notices);
  } catch (const Error& error) {
    notices.emplace_back(error.what());
  }
  for (std::string& notice : notices) {
    Problem problem{.severity = Severity::kWarning, .detail = {}};
    problem.detail.file = path;
    problem.detail.object = kConfigOfGguf;
    problem.detail.what = std::move(notice);
    checkpoint.problems.push_back(std::move(problem));
  }
  return checkpoint;
}

}  // namespace lbrx

// The checks behind Validate(), one file each. Every one appends the problems that it finds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check/check.h"
#include "model/naming.h"

namespace lbrx {

using Problems = std::vector<Problem>;

// What the checks look at.
struct Subject {
  explicit Subject(const Checkpoint& checkpoint);

  // The first tensor with this role; nullptr where there is none.
  const SourceTensor* FindRole(Role role) const;
  // Path of the file that holds the tensor's first plane.
  const std::string& FileOf(const SourceTensor& tensor) const;
  std::string ConfigPath() const;
  // The checkpoint's name of the tensor that `meaning` (with its rule) stands for.
  std::string Spelling(const TensorMeaning& meaning) const;
  std::string WeightName(const TensorRule& rule) const;  // of a rule that is not per layer
  // Whether it is the codes of an MLX module that opening could not put together with its scales:
  // reported there, so what follows from it is not reported again.
  bool IsPacked(const SourceTensor& weight) const;
  // An integer of config.json; nullopt where it is absent or no such number.
  std::optional<uint64_t> ConfigNumber(std::string_view key) const;

  // The text model's configuration: of a multimodal checkpoint a part of config.json.
  const Json& config() const { return TextConfig(checkpoint.config); }

  const Checkpoint& checkpoint;
  Naming naming;
  const Architecture* architecture;     // of the text; nullptr: unknown
  bool mlx_layout;                      // names and shapes are MLX's
  std::vector<TensorMeaning> meanings;  // of Checkpoint::tensors
};

// config.json: the keys that shapes depend on are there, are numbers, and fit each other.
void CheckConfig(const Subject& subject, Problems& problems);
// Every tensor whose role is known has the shape that config.json tells.
void CheckShapes(const Subject& subject, Problems& problems);
// All layers that config.json tells are there, each complete, none beyond; nothing unknown.
void CheckLayers(const Subject& subject, Problems& problems);
// The names of all tensors that CheckLayers and CheckHead miss; of layers that are missing
// altogether, those that other layers have.
std::vector<std::string> MissingTensors(const Subject& subject);
// The shape that config.json tells for a tensor; nullopt where it does not.
std::optional<Shape> ConfigShape(const Subject& subject, const TensorMeaning& meaning);
// As many experts in every stack or set as config.json tells.
void CheckExperts(const Subject& subject, Problems& problems);
// Whether the checkpoint needs no lm_head: by tie_word_embeddings, or by the architecture's
// default.
bool HasTiedHead(const Subject& subject);
// lm_head against tie_word_embeddings, as far as names and shapes tell.
void CheckHead(const Subject& subject, Problems& problems);
// The same by values: a head that is tied and yet differs from the embedding.
void CheckHeadValues(const Subject& subject, const CheckOptions& options, Problems& problems);
// The `quantization` block against the tensors.
void CheckQuantization(const Subject& subject, Problems& problems);
// tokenizer.json and the token ids of config.json against the rows of the embedding.
void CheckTokenizer(const Subject& subject, uint64_t memory, Problems& problems);
// One floating type for all tensors.
void CheckTypes(const Subject& subject, Problems& problems);
// The small files beside the tensors: JSON that is none, pointers and pages in their place.
void CheckSideFiles(const Subject& subject, Problems& problems);
// NaN, infinities, zero scales, zero matrices, the same values twice. Reads everything.
void CheckData(const Subject& subject, const CheckOptions& options, Problems& problems);

}  // namespace lbrx

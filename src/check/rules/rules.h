// The checks behind Validate(), one file each. Every one appends the problems that it finds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check/check.h"
#include "model/architecture.h"

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

  const Checkpoint& checkpoint;
  const Architecture* architecture;     // nullptr: unknown
  bool mlx_layout;                      // names and shapes are MLX's
  std::vector<TensorMeaning> meanings;  // of Checkpoint::tensors
};

// config.json: the keys that shapes depend on are there, are numbers, and fit each other.
void CheckConfig(const Subject& subject, Problems& problems);
// Every tensor whose role is known has the shape that config.json tells.
void CheckShapes(const Subject& subject, Problems& problems);
// All layers that config.json tells are there, each complete, none beyond; nothing unknown.
void CheckLayers(const Subject& subject, Problems& problems);
// As many experts in every stack or set as config.json tells.
void CheckExperts(const Subject& subject, Problems& problems);
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
// NaN, infinities, zero scales, zero matrices. Reads everything.
void CheckData(const Subject& subject, const CheckOptions& options, Problems& problems);

}  // namespace lbrx

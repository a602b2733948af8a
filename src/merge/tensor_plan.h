// How one tensor of a merge comes about.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "merge/config.h"
#include "merge/merge.h"
#include "merge/method.h"
#include "merge/outline.h"
#include "merge/tensor_inputs.h"
#include "merge/tokenizer/output_vocabulary.h"

namespace lbrx {

// Whether mergekit's tables of architectures lack a tensor, which it then leaves out without a
// word: what no architecture has, and biases of Llama, norms of queries and keys of OLMo 2.
bool IsLeftOutByPeer(const MergeModels& models, const OutlineTensor& tensor);

class TensorPlanner {
 public:
  // Throws kInvalid where the method needs a base model and there is none, and, with `strict`, for
  // parameters that it does not have; else these are notices.
  TensorPlanner(const MergeConfig& config, const MergeModels& models, const MergeRequest& request,
                std::shared_ptr<const OutputVocabulary> vocabulary,
                std::vector<std::string>& notices);

  // `stream_position`: draws of mergekit's random stream before this tensor's; moved on.
  NamedValue Plan(const OutlineTensor& tensor, uint64_t& stream_position);

  // Throws kInvalid with a table of the shapes that differ, if any of the tensors planned do.
  void RequireSameShapes() const { fitter_.RequireSameShapes(config_.file); }

  // Tells what was left out or carried.
  void Note(std::vector<std::string>& notices) const;

  std::vector<MergeParts> TakeParts() { return std::move(parts_); }

 private:
  void RequireWeightType(const char* key, std::optional<DType> dtype) const;
  bool HasStandardParameters(const OutlineTensor& tensor, const OutlineInput& member) const;
  TensorInputs Split(const OutlineTensor& tensor) const;
  const OutlineInput* AsItIs(const OutlineTensor& tensor, const TensorInputs& inputs) const;
  MergeTensor Describe(const OutlineTensor& tensor, const TensorInputs& inputs) const;
  void Align(const OutlineTensor& tensor, TensorInputs& inputs) const;
  ValuePtr Load(const OutlineInput& input) const;
  DType WorkingType(const TensorInputs& inputs) const;
  NamedValue Carry(const OutlineTensor& tensor, const OutlineInput& input,
                   const TensorInputs& inputs) const;
  const OutlineInput& Donor(const OutlineTensor& tensor) const;

  const MergeConfig& config_;
  const MergeModels& models_;
  const MergeRequest& request_;
  const MergeMethod& method_;
  std::shared_ptr<const OutputVocabulary> vocabulary_;  // null: rows stay as they are
  std::vector<MergeParts> parts_;
  ShapeFitter fitter_;
  std::vector<std::string> carried_;
};

}  // namespace lbrx

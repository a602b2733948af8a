// What one tensor of a merge is made of, and how inputs of different shapes are brought to one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "merge/method.h"
#include "merge/outline.h"

namespace lbrx {

// Base and members as the method has them.
struct TensorInputs {
  std::vector<OutlineInput> members;
  std::vector<ValuePtr> values;  // of the members
  std::optional<OutlineInput> base;
  ValuePtr base_value;

  // nullptr where `model` is none of them.
  ValuePtr Find(size_t model) const;
};

// Whether it is a matrix with a row for each token, which models may have different numbers of.
bool IsOfVocabulary(const MergeModel& model, const std::string& name, const Shape& shape);

// The first few of `lines`, and how many more there are.
std::string Listed(const std::vector<std::string>& lines, const char* separator);

// Collects what it had to do, for notices and the table of an error.
class ShapeFitter {
 public:
  ShapeFitter(const MergeModels& models, const MergeMethod& method)
      : models_(models), method_(method) {}

  // Makes all inputs of one shape, as the method has it: matrices of the vocabulary are cut,
  // members of other shapes left out where the method does so. False: they cannot be.
  bool Fit(const OutlineTensor& tensor, TensorInputs& inputs);

  // Throws kInvalid where a tensor did not fit.
  void RequireSameShapes(const std::string& file) const;

  void Note(std::vector<std::string>& notices) const;

 private:
  const MergeModels& models_;
  const MergeMethod& method_;
  std::vector<std::string> misfits_;  // lines of the table
  std::vector<std::string> dropped_;
  std::vector<std::string> cut_;
};

}  // namespace lbrx

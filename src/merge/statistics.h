// What a merge made of the differences between its models, for reports.
//
// A member's task vector is its tensor less the base's (Ilharco et al., arXiv 2212.04089) or, where
// the method has no base, less the mean of the members. The result's is the merged tensor less the
// same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "check/check.h"
#include "merge/merge.h"
#include "merge/methods/gram.h"

namespace lbrx {

// Sums over the elements of tensors that the same models have a part in, in float64. What cannot be
// told (the direction of a vector of zeros, what was trimmed of nothing) is NaN.
struct MergeSums {
  std::vector<std::string> models;  // labels of the members
  bool has_base = false;
  uint64_t tensors = 0;
  uint64_t elements = 0;
  double squared_reference = 0;  // of the base, or of the mean
  Gram products{0};              // of the members' task vectors and, last, the result's
  // Of each member: elements that it changed (its task vector is not 0 there), and those of them
  // where the merged tensor has the base's value all the same. Without a base these are 0.
  std::vector<uint64_t> changed;
  std::vector<uint64_t> trimmed;
  uint64_t shared = 0;    // elements that two members or more changed
  uint64_t agreeing = 0;  // those of them that all who did moved the same way

  size_t result() const { return models.size(); }  // its place in `products`

  double Norm(size_t vector) const { return products.Norm(vector); }

  double RelativeNorm(size_t vector) const;  // to the base's, or the mean's
  double Cosine(size_t a, size_t b) const;
  double MeanCosine() const;  // of all pairs of members
  double SignAgreement() const;
  double TrimmedShare(size_t member) const;
  double TrimmedShare() const;  // of all members together

  bool SameModels(const MergeSums& other) const;
  void Add(const MergeSums& other);  // of the same models
};

// The sums of each tensor, in the order of `parts`, whose values read `files`. Values are read as
// they are, NaN and infinities too; neither threads nor memory change a bit of the result. Merged
// tensors are computed anew, but for the passes that a run of the same values has done. Reports
// StatisticsBytes in all. Throws as reading does; kLimit, kCancelled.
std::vector<MergeSums> MeasureMerge(const std::vector<MergeParts>& parts,
                                    const SourceFiles::Checkpoints& files,
                                    const CheckOptions& options);

// Source bytes that MeasureMerge reports as done.
uint64_t StatisticsBytes(const std::vector<MergeParts>& parts);
// Memory that it needs at least.
uint64_t StatisticsMemory(const std::vector<MergeParts>& parts);

}  // namespace lbrx

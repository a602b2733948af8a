// The importance matrix of a conversion.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "convert/convert.h"
#include "core/tensor/shape.h"
#include "formats/imatrix/imatrix.h"

namespace lbrx {

class Importance {
 public:
  // Reads --imatrix, where it is given. What it leaves without use goes to `notices`.
  Importance(const GgufOptions& options, std::vector<std::string>& notices);

  // Whether there are weights at all.
  bool any() const { return matrix_ && !matrix_->entries().empty(); }

  // Whether there are weights for a tensor of one of these names.
  bool KnowsOneOf(const std::vector<std::string>& names) const;

  // `name` as the source's file would have it, before layers were left out.
  bool Has(const std::string& name, const Shape& shape) const;
  // Weights as PlannedTensor::importance; nullptr where there are none.
  std::shared_ptr<const std::vector<float>> WeightsOf(const std::string& name,
                                                      const Shape& shape) const;

  void AddProvenance(GgufKeys& keys) const;

 private:
  std::optional<ImportanceMatrix> matrix_;
};

}  // namespace lbrx

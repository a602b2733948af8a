#include "convert/importance.h"

#include <algorithm>

#include "core/base/format.h"

namespace lbrx {

Importance::Importance(const GgufOptions& options, std::vector<std::string>& notices) {
  if (options.imatrix.empty()) {
    if (!options.include_weights.empty() || !options.exclude_weights.empty()) {
      throw Error(ErrorCode::kUsage,
                  "--include-weights and --exclude-weights choose among the weights of an "
                  "--imatrix, which is not given");
    }
    return;
  }
  matrix_ = ImportanceMatrix::Open(options.imatrix);
  for (const std::string& name :
       matrix_->Filter(options.include_weights, options.exclude_weights)) {
    notices.push_back(Format("no name in {} contains \"{}\"", options.imatrix, Printable(name)));
  }
  if (const uint64_t neutral = matrix_->neutral(); neutral > 0) {
    notices.push_back(Format("{}: {} experts were never seen; their weights are taken as 1",
                             options.imatrix, neutral));
  }
}

bool Importance::KnowsOneOf(const std::vector<std::string>& names) const {
  return any() && std::any_of(names.begin(), names.end(), [&](const std::string& name) {
           return matrix_->entries().contains(name);
         });
}

bool Importance::Has(const std::string& name, const Shape& shape) const {
  return matrix_ && matrix_->Find(name, shape) != nullptr;
}

std::shared_ptr<const std::vector<float>> Importance::WeightsOf(const std::string& name,
                                                                const Shape& shape) const {
  const ImportanceEntry* entry = matrix_ ? matrix_->Find(name, shape) : nullptr;
  if (entry == nullptr) {
    return nullptr;
  }
  std::vector<float> weights(entry->values);
  matrix_->Read(*entry, 0, weights);
  return std::make_shared<const std::vector<float>>(std::move(weights));
}

void Importance::AddProvenance(GgufKeys& keys) const {
  if (any()) {
    matrix_->AddProvenance(keys);
  }
}

}  // namespace lbrx

#include "merge/methods/parameters.h"

#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

double Finite(const MergeTensor& tensor, std::string_view name, double value) {
  if (!std::isfinite(value)) {
    RefuseParameter(tensor, name, value, "a finite number");
  }
  return value;
}

}  // namespace

void RefuseTensor(const std::string& tensor, std::string what, std::string advice) {
  ErrorDetail detail;
  detail.object = tensor;
  detail.what = std::move(what);
  detail.advice = std::move(advice);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

void RefuseParameter(const MergeTensor& tensor, std::string_view name, double found,
                     std::string expected) {
  ErrorDetail detail;
  detail.object = tensor.name;
  detail.what = Format("parameter '{}' is out of range", name);
  detail.expected = std::move(expected);
  detail.found = Format("{}", found);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

double FiniteParameter(const MergeTensor& tensor, std::string_view name) {
  return Finite(tensor, name, tensor.parameters.Get(name));
}

double FiniteParameter(const MergeTensor& tensor, size_t member, std::string_view name) {
  return Finite(tensor, name, tensor.members[member].Get(name));
}

std::vector<double> FiniteParameters(const MergeTensor& tensor, std::string_view name) {
  std::vector<double> values;
  values.reserve(tensor.members.size());
  for (size_t i = 0; i < tensor.members.size(); ++i) {
    values.push_back(FiniteParameter(tensor, i, name));
  }
  return values;
}

double ParameterFrom(const MergeTensor& tensor, std::string_view name, double least) {
  const double value = FiniteParameter(tensor, name);
  if (value < least) {
    RefuseParameter(tensor, name, value, Format("at least {}", least));
  }
  return value;
}

double NonZeroSum(const MergeTensor& tensor, std::string_view name,
                  const std::vector<double>& weights) {
  double sum = 0;
  for (double weight : weights) {
    sum += weight;
  }
  if (sum == 0) {
    RefuseTensor(tensor.name, Format("the models' '{}' add up to 0", name),
                 "change one, or switch normalization off");
  }
  return sum;
}

}  // namespace lbrx

// Range checks of parameters: errors name the tensor and the parameter.
#pragma once

#include <string>
#include <string_view>

#include "merge/method.h"

namespace lbrx {

// Throws kInvalid for the tensor.
[[noreturn]] void RefuseTensor(const std::string& tensor, std::string what, std::string advice);

// Throws kInvalid: parameter `name` has value `found`, which is not `expected`.
[[noreturn]] void RefuseParameter(const MergeTensor& tensor, std::string_view name, double found,
                                  std::string expected);

// The value of a parameter of the tensor, or of member `member`; refused where it is not finite.
double FiniteParameter(const MergeTensor& tensor, std::string_view name);
double FiniteParameter(const MergeTensor& tensor, size_t member, std::string_view name);
// Those of all members.
std::vector<double> FiniteParameters(const MergeTensor& tensor, std::string_view name);
// Refused below `least` as well.
double ParameterFrom(const MergeTensor& tensor, std::string_view name, double least);

// The sum of weights that are divided by it; 0 is refused.
double NonZeroSum(const MergeTensor& tensor, std::string_view name,
                  const std::vector<double>& weights);

}  // namespace lbrx

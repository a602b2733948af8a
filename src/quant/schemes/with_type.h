// From a dtype or rule known at run time to kernels that have it as a template argument.
#pragma once

#include <type_traits>

#include "quant/codec.h"

namespace lbrx {

// Calls `body` with the floating type `dtype` as a std::integral_constant.
template <typename Body>
void WithType(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kBF16:
      return body(std::integral_constant<DType, DType::kBF16>());
    case DType::kF16:
      return body(std::integral_constant<DType, DType::kF16>());
    default:
      return body(std::integral_constant<DType, DType::kF32>());
  }
}

// Calls `body` with the dtype of the job's values and its rule.
template <typename Body>
void WithTypeAndRule(const EncodeJob& job, const Body& body) {
  WithType(job.encoding.dtype, [&](auto type) {
    if (job.options.rule == MlxRule::kMetal) {
      body(type, std::integral_constant<MlxRule, MlxRule::kMetal>());
    } else {
      body(type, std::integral_constant<MlxRule, MlxRule::kCpu>());
    }
  });
}

// Calls `body` with the dtype of the job's scales and that of the values to write: the same, or F32
// (other ones: through_floats.h).
template <typename Body>
void WithTypes(const DecodeJob& job, const Body& body) {
  WithType(job.encoding.dtype, [&](auto type) {
    if (job.dtype == DType::kF32) {
      body(type, std::integral_constant<DType, DType::kF32>());
    } else {
      body(type, type);
    }
  });
}

}  // namespace lbrx

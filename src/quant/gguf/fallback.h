// What a tensor gets whose rows do not divide into the blocks of the type that it should have.
// Source: llama.cpp, llama-quant.cpp.
#pragma once

#include <cstdint>
#include <string>

#include "core/tensor/ggml_types.h"

namespace lbrx {

inline bool Divides(const GgmlType& type, uint64_t row) {
  return row % type.block == 0;
}

// `wanted` where it divides a row of `row` elements; else the type of blocks of 32 nearest to it,
// or F16 where that does not divide either. kUsage where none is near: Q1_0 and NVFP4. `name` is
// the tensor's, for the message.
const GgmlType* FallbackType(const GgmlType& wanted, uint64_t row, const std::string& name);

}  // namespace lbrx

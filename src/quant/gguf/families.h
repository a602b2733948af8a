// Families of GGML types: among whose types a size is met (--target-bpw, --target-size).
#pragma once

#include <span>

#include "core/tensor/encoding.h"
#include "quant/gguf/file_types.h"

namespace lbrx {

// The types of the family that a file type's base belongs to, by rising size: K quants, IQ types or
// the legacy ones of blocks of 32. Each ends with what stands above it in llama-quantize's own
// mixes, up to Q8_0. Empty for file types without a family: floats, COPY, and the types for models
// trained with such weights (ternary, one bit, 4-bit floats), which some of llama.cpp's backends
// lack. All types of families run on its CPU, CUDA, Metal and Vulkan backends.
std::span<const Scheme> FamilyOf(const FileType& type);

}  // namespace lbrx

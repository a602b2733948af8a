// The block table of schemes that other quantizers wrote and that are only read: GPTQ, AWQ,
// bitsandbytes, fp8 with scales, compressed-tensors. docs/formats/prequantized.md says what each
// is.
#pragma once

#include <string>
#include <vector>

#include "core/tensor/encoding.h"

namespace lbrx {

// Planes of a matrix [out, in] (kFp8, kInt8: also [experts, out, in]; kNf4, kBnbFp4: any shape).
// The suffixes name what a plane is; formats know what it is called in their files. A dtype F32 of
// scales stands for any of F32, F16 and BF16, and there only the number of elements is fixed for a
// scale per row or tensor.
std::vector<Plane> PackedPlanes(const Encoding& encoding, const Shape& shape);

// "gptq 4bit/128", "fp8 128x128", "nf4": for people.
std::string PackedLabel(const Encoding& encoding);

// Scales in a row of values, and rows of scales, of a matrix of `rows` x `columns`.
uint64_t ScaleColumns(const Encoding& encoding, uint64_t columns);
uint64_t ScaleRows(const Encoding& encoding, uint64_t rows);

}  // namespace lbrx

// Encoding values into a scheme's planes and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor/encoding.h"

namespace lbrx {

// Whose rounding is followed where MLX's own backends differ (they do in 8.5% of 4-bit groups).
enum class MlxRule : uint8_t {
  kMetal,  // Apple GPUs (and CUDA for affine): half away from zero, the maximum starts at 0
  kCpu,    // mlx on a CPU: half to even, true minimum and maximum
};

struct EncodeOptions {
  MlxRule rule = MlxRule::kMetal;
  bool search =
      false;  // affine: look for the scale and bias of least error (schemes/affine_search.h)
};

// A contiguous run of whole groups of one tensor. `values` are of encoding.dtype (BF16, F16 or
// F32).
struct EncodeJob {
  Encoding encoding;
  EncodeOptions options;
  const std::byte* values = nullptr;
  uint64_t elements = 0;               // a multiple of the granule
  std::span<std::byte* const> planes;  // in the order of PlanesOf; where this run's part begins
  // GGUF's blocks: the weight of each column's error, the same for all rows of the run, which are
  // whole then; nullptr: none.
  const float* importance = nullptr;
  uint64_t columns = 0;  // elements of a row, where importance is given
};

// The reverse. `values` are of `dtype`: what MLX's CPU `dequantize` gives where dtype ==
// encoding.dtype (each operation rounded to it); F32 from BF16/F16 scales: that value, widened.
struct DecodeJob {
  Encoding encoding;
  DType dtype = DType::kF32;
  std::span<const std::byte* const> planes;
  uint64_t elements = 0;
  std::byte* values = nullptr;
};

// A scheme's functions. `encode`/`decode` are chosen for this CPU at first use; `encode_reference`
// and `decode_reference` are the scalar definition that they must equal bit for bit.
struct Codec {
  Scheme scheme;
  void (*encode)(const EncodeJob&);
  void (*decode)(const DecodeJob&);
  void (*encode_reference)(const EncodeJob&);
  void (*decode_reference)(const DecodeJob&);
};

// nullptr for kPlain.
const Codec* FindCodec(Scheme scheme);
std::span<const Codec> Codecs();

}  // namespace lbrx

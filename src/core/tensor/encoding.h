// How a tensor's values are stored: as plain elements, or by a scheme in one or more planes.
//
// This is the block table of the house: formats/ uses it to map planes to stored tensors, quant/ to
// know what the planes mean; neither includes the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

namespace lbrx {

enum class Scheme : uint8_t {
  kPlain,   // elements of `dtype`, one after another
  kAffine,  // MLX affine: w = scale * code + bias per group; planes weight, scales, biases
  kMxfp4,   // E2M1 codes, an E8M0 scale per 32; planes weight, scales
  kMxfp8,   // E4M3 codes, an E8M0 scale per 32; planes weight, scales
  kNvfp4,   // E2M1 codes, an E4M3 scale per 16; planes weight, scales
  // What other quantizers packed; read only (core/tensor/packed.h).
  kFp8,        // E4M3 or E5M2 codes, a scale per block, row or tensor
  kInt8,       // signed bytes, the same scales
  kBnbInt8,    // bitsandbytes: signed bytes, a row's scale over 127
  kPackedInt,  // compressed-tensors: rows of bit-packed integers, a scale per group
  kNvfp4Two,   // compressed-tensors: nvfp4 with a divisor for the whole tensor
  kGptq,       // integers packed down the columns, scales and zero points per group
  kAwq,        // integers packed along the columns in AWQ's order
  kNf4,        // bitsandbytes: codes of 16 normal quantiles, runs of elements share a scale
  kBnbFp4,     // bitsandbytes: codes of its 4-bit float
  // GGUF's, in GGML's order: blocks of `group` elements, a row's one after another, in one plane of
  // bytes (core/tensor/ggml_types.h).
  kQ40,
  kQ41,
  kQ50,
  kQ51,
  kQ80,
  kQ81,  // activations only: can be read, not written
  kQ2K,
  kQ3K,
  kQ4K,
  kQ5K,
  kQ6K,
  kQ8K,  // activations only
  kIq2Xxs,
  kIq2Xs,
  kIq3Xxs,
  kIq1S,
  kIq4Nl,
  kIq3S,
  kIq2S,
  kIq4Xs,
  kIq1M,
  kTq10,
  kTq20,
  kBlockMxfp4,  // the numbers of kMxfp4 with the scale in the block
  kBlockNvfp4,  // the numbers of kNvfp4 likewise, four scales a block
  kQ10,
  kQ20,
};

// How stored zero points become those that are subtracted (kGptq).
enum class ZeroRule : uint8_t {
  kStored,       // as they are: GPTQ "v2"
  kPlusOne,      // each plus 1, modulo 2^bits: "v1", AutoGPTQ
  kWordPlusOne,  // 1 added to each, words as a whole, so that carries pass: "v1", GPTQModel
};

// A scheme with its parameters.
struct Encoding {
  Scheme scheme = Scheme::kPlain;
  uint8_t bits = 0;           // of a code; 0 for kPlain
  uint16_t group = 0;         // elements that share a scale; 0 for kPlain, and for whole rows
  DType dtype = DType::kF32;  // kPlain: of the elements; else: of the values (and of affine scales)
  // The rest is for packed schemes.
  uint16_t group_rows = 1;  // rows that share a scale; 0: all
  bool extended = false;    // kPackedInt: zero points; kGptq: g_idx; kNf4, kBnbFp4: scales coded
  ZeroRule zero_rule = ZeroRule::kStored;
  float offset = 0;  // kNf4, kBnbFp4: added to coded scales
  bool operator==(const Encoding&) const = default;
};

// Whether values can be encoded so; all other schemes are for reading.
bool IsWritable(Scheme scheme);
// Whether it is what another quantizer packed (core/tensor/packed.h): several planes, to be read in
// tiles.
bool IsPacked(Scheme scheme);
// Whether it is one of GGUF's block types.
bool IsBlock(Scheme scheme);

inline Encoding Plain(DType dtype) {
  return {Scheme::kPlain, 0, 0, dtype};
}

inline Encoding Affine(uint8_t bits, uint16_t group, DType dtype) {
  return {Scheme::kAffine, bits, group, dtype};
}

// One stored array of an encoded tensor.
struct Plane {
  std::string_view suffix;  // "" = the tensor's own name; else it replaces the name's last part
  DType dtype;
  Shape shape;
};

// The planes of a tensor of `shape` (a valid one: the last dimension divisible by the group).
std::vector<Plane> PlanesOf(const Encoding& encoding, const Shape& shape);

// Stored name of a plane of the tensor called `name`: for suffix "scales" and "x.weight" it is
// "x.scales"; a name without ".weight" gets ".scales" appended. A suffix that begins with "_" or
// "." is appended to the name as it is.
std::string PlaneName(std::string_view name, std::string_view suffix);

// Bytes of `elements` elements (a multiple of the group) in all planes / of one plane.
uint64_t EncodedBytes(const Encoding& encoding, const Shape& shape);
uint64_t PlaneBytes(const Plane& plane);  // rounded up to whole bytes

// Elements that bands must be multiples of: 1, or the group (for sub-byte plain types: 2 or 4). 1
// for packed schemes.
uint64_t Granule(const Encoding& encoding);

// Whether a tensor of `shape` can be stored so: at least 2 dimensions, last one divisible.
bool CanEncode(const Encoding& encoding, const Shape& shape);

// "bf16", "4bit/64", "mxfp4": short form for people.
std::string SchemeLabel(const Encoding& encoding);
// "affine", "mxfp4": MLX's name of the mode. "plain" for kPlain; "gptq", "nf4" for packed ones.
std::string_view SchemeName(Scheme scheme);
// Of a scheme that can be written, or kPlain.
std::optional<Scheme> SchemeByName(std::string_view name);
// Parses a user's scheme name of the MLX family: "4bit", "mxfp4", any case. `group` 0 = the
// default. nullopt for an unknown name. Throws kUsage for a group that the scheme does not have.
std::optional<Encoding> ParseScheme(std::string_view name, uint16_t group);

// All names that ParseScheme knows, with a line each.
struct SchemeRow {
  std::string_view name;
  std::string_view summary;
  Encoding encoding;
};

const std::vector<SchemeRow>& SchemeTable();
// What can be read only: name and a line each.
const std::vector<SchemeRow>& PackedSchemeTable();

}  // namespace lbrx

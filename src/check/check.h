// Looking at checkpoints: structure, content, differences, hashes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/parallel/cancel.h"
#include "core/parallel/executor.h"
#include "formats/checkpoint.h"

namespace lbrx {

struct CheckOptions {
  Executor* executor = nullptr;  // required
  uint64_t memory = uint64_t{192} << 20;
  const CancelToken* cancel = nullptr;
  // Called from any thread as source bytes are done with; in the end they add up to the bytes of
  // all tensors looked at (Diff: of both checkpoints). May be empty.
  std::function<void(uint64_t bytes)> advance;
};

// --- inspect -------------------------------------------------------------------------------------
struct Summary {
  std::string architecture;    // "llama", or the config's model_type, or ""
  uint64_t parameters = 0;     // values of all tensors
  uint64_t bytes = 0;          // of tensor data
  double bits_per_weight = 0;  // bytes * 8 / parameters

  struct SchemeShare {
    std::string label;  // "4bit/64", "bf16"
    uint64_t tensors = 0, parameters = 0, bytes = 0;
  };

  std::vector<SchemeShare> schemes;  // by bytes, largest first
};

Summary Summarize(const Checkpoint& checkpoint);

// --- validate ------------------------------------------------------------------------------------
// Every problem of structure: those found by opening, config against shapes (hidden size,
// vocabulary, layers, heads), tied and missing heads, quantization block against tensors, tokenizer
// against the embedding, dtype mix; with `deep` also of the data: NaN, Inf, zero or non-finite
// scales, all-zero matrices, matrices of the same values. A damaged checkpoint is no exception;
// what throws is a file that cannot be read or that changes meanwhile, cancellation, and too little
// memory (kLimit).
std::vector<Problem> Validate(const Checkpoint& checkpoint, bool deep, const CheckOptions& options);

// --- hash ----------------------------------------------------------------------------------------
// XXH3-128 of a tensor's values decoded to f32 (little-endian, row order), under its Hugging Face
// name: independent of container. Elements that have no f32 value (complex, 6-bit) are hashed as
// stored. Sorted by NaturalLess; kInvalid where the parts of a tensor (experts, halves) do not fit.
struct TensorHash {
  std::string name;
  std::string scheme;    // as stored: "bf16", "4bit/64"
  Shape shape;           // of the values
  std::string file;      // where it is stored; empty: made of parts
  std::string xxh3_128;  // 32 hex digits
};

std::vector<TensorHash> HashTensors(const Checkpoint& checkpoint, const CheckOptions& options);
std::string Sha256File(const std::string& path, const CheckOptions& options);  // 64 hex digits

// A file of a checkpoint: data files first, then configuration, index and small ones.
struct ModelFile {
  std::string name;  // relative to the folder that the data files are in
  std::string path;
  uint64_t bytes = 0;
  bool data = false;   // has tensors
  std::string sha256;  // 64 hex digits, once it was computed
};

std::vector<ModelFile> FilesOf(const Checkpoint& checkpoint);

// --- diff ----------------------------------------------------------------------------------------
struct TensorDiff {
  std::string name;
  enum class Kind : uint8_t { kEqual, kDiffers, kShape, kOnlyA, kOnlyB } kind = Kind::kEqual;
  Shape shape_a, shape_b;
  std::string label_a, label_b;  // schemes
  double max_difference = 0, rmse = 0, cosine = 1;
  uint64_t count = 0, bytes_a = 0, bytes_b = 0;  // elements compared; bytes read of each side
  double squared_error = 0, squared_value = 0;   // sums of (b - a)^2 and a^2
};

// Distributions by place (layer and kind of tensor), for pictures.
struct DiffPictures;

// Tensors by Hugging Face name in natural order, values decoded; equal where max_difference <=
// tolerance. NaN in both is equal, in one an infinite difference; the cosine is over the elements
// that are finite in both. Derived data that one side lacks (rotary frequencies) is no difference;
// the head of a side that ties it is that side's embedding.
// `pictures` (may be null) takes the distributions of what was compared.
std::vector<TensorDiff> Diff(const Checkpoint& a, const Checkpoint& b, double tolerance,
                             const CheckOptions& options, DiffPictures* pictures = nullptr);

}  // namespace lbrx

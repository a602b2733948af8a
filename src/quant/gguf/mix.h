// Which GGML type each tensor of a GGUF file gets when it is quantized to a file type:
// llama-quantize's choices, as a pure function of names, shapes and a few facts. Source: llama.cpp,
// llama-quant.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/ggml_types.h"
#include "core/tensor/shape.h"
#include "quant/gguf/file_types.h"
#include "quant/gguf/type_rules.h"

namespace lbrx {

// What the file's keys say.
struct MixModel {
  std::string architecture;  // general.architecture
  uint32_t layers = 0;       // ARCH.block_count; where layers are pruned, that of the source
  uint32_t heads = 0;        // ARCH.attention.head_count, of the first layer where they differ
  uint32_t kv_heads = 0;     // ARCH.attention.head_count_kv likewise; without that key, `heads`
  uint32_t experts = 0;      // ARCH.expert_count; 0 without
  bool importance = false;   // an importance matrix is given, with at least one entry
};

struct MixOptions {
  const FileType* file_type = nullptr;
  bool pure = false;                         // no mixing: the base type for all
  bool leave_output = false;                 // output.weight stays as it is
  const GgmlType* output_type = nullptr;     // of output.weight, or of the embedding where tied
  const GgmlType* embedding_type = nullptr;  // of token embeddings
  std::vector<TypeRule> rules;               // the first that matches wins
};

// A tensor of the output: its name there, its shape (outermost first) and its type in the source.
struct MixTensor {
  std::string name;
  Shape shape;
  const GgmlType* type;
};

struct TypeChoice {
  const GgmlType* type;    // the source's: it stays as it is
  const GgmlType* wanted;  // other than `type`: a row does not divide into its blocks
  // Without importance weights the result would be garbage (RequireImportance).
  bool needs_importance = false;
  bool by_file_type = false;  // no option about this tensor decided
};

struct TypeMix {
  std::vector<TypeChoice> choices;  // of the tensors, in their order
  std::vector<uint64_t> rule_uses;  // of each rule: tensors that it decided
};

// `tensors` in the order in which they are written: GgufTensorOrder, or, where the shards of the
// source are kept, by shard and position. The order matters: some rules count.
//
// Types that do not divide a row fall back to a near one of smaller blocks, then to F16. That is
// also done for `output_type` and `embedding_type`, where llama-quantize aborts.
//
// kUsage: a type of the options cannot be written, or has nothing to fall back to. kInvalid: a
// tensor is of a type that has no values to quantize (integers), or, in a model of experts, lies in
// no layer.
TypeMix MixTypes(const MixModel& model, const MixOptions& options,
                 std::span<const MixTensor> tensors);

// Whether llama-quantize asks for importance weights, as what is made without is garbage.
bool WantsImportance(Scheme scheme);

// Throws kUsage naming the tensors that need importance weights and have none. `has_weights` tells
// by a tensor's name; empty: no importance matrix is given.
void RequireImportance(const MixOptions& options, std::span<const MixTensor> tensors,
                       const TypeMix& mix,
                       const std::function<bool(const std::string& name)>& has_weights);

}  // namespace lbrx

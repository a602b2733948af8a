// What the names of a GGUF file's tensors tell: layer, order, and the kinds of which llama-quantize
// speaks. Source: llama.cpp, llama-quant.cpp and llama-model-loader.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lbrx {

// N of "blk.N..."; nullopt for other names. A number beyond 2^31 - 1 counts as that.
std::optional<int> GgufLayer(std::string_view name);

// The order in which llama-quantize takes tensors and writes them: those outside the layers first,
// then by layer, then by name.
struct GgufTensorOrder {
  bool operator()(std::string_view a, std::string_view b) const;
};

// Kinds of tensors by how they bear quantizing.
enum class TensorKind : uint8_t {
  kEmbedding,  // token_embd, per_layer_token_embd
  kOutput,     // output.weight
  kQuery,
  kKey,
  kValue,  // attn_v, and what holds values among others: attn_qkv, attn_kv_b
  kAttentionOutput,
  kUp,
  kGate,
  kDown,
  kOther,
};

TensorKind KindOfTensor(std::string_view name);

// Whether llama-quantize may change the type of a tensor of this name: weights, but not norms,
// routers, positions, and what is small or known to suffer. `architecture` is general.architecture.
bool IsQuantizable(std::string_view name, std::string_view architecture);

}  // namespace lbrx

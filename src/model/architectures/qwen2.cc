#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Qwen2ForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    LBRX_GATED_MLP,
};

}  // namespace

const Architecture kQwen2 = {
    .name = "qwen2",
    .summary = "Qwen2 and Qwen2.5 (biases on q, k, v)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.rope = MlxClass::Rope::kTypes, .query_bias = MlxClass::kAlways},
};

}  // namespace lbrx

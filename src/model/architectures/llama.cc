#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"LlamaForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    LBRX_GATED_MLP,
};

}  // namespace

const Architecture kLlama = {
    .name = "llama",
    .summary = "Llama 1 to 3, and what shares its shape",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = kMlxLlama,
    .gguf = {.paired_rows = true},
};

}  // namespace lbrx

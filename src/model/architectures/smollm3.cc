#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"SmolLM3ForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    LBRX_GATED_MLP,
};

}  // namespace

const Architecture kSmolLm3 = {
    .name = "smollm3",
    .summary = "SmolLM3 (no positions in every fourth layer)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = true,
    .mlx_class = kMlxLlama,
    .gguf = {.paired_rows = true},
};

}  // namespace lbrx

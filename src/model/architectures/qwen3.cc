#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3ForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS, LBRX_ATTENTION, LBRX_PRE_NORMS, LBRX_GATED_MLP, LBRX_QUERY_KEY_NORMS,
};

}  // namespace

const Architecture kQwen3 = {
    .name = "qwen3",
    .summary = "Qwen3, dense (norms on q and k)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.rope = MlxClass::Rope::kTypes, .head_dim = true},
};

}  // namespace lbrx

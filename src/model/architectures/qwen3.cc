#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3ForCausalLM"};

constexpr TensorRule kTensors[] = {
    {"model.layers.{L}.self_attn.q_norm", Role::kQueryNorm, ModuleKind::kOther},
    {"model.layers.{L}.self_attn.k_norm", Role::kKeyNorm, ModuleKind::kOther},
    LBRX_LLAMA_TENSORS,
};

}  // namespace

const Architecture kQwen3 = {
    .name = "qwen3",
    .summary = "Qwen3, dense (norms on q and k)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
};

}  // namespace lbrx

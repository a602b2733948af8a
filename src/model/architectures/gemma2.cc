#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Gemma2ForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_GATED_MLP,
    {.pattern = "model.layers.{L}.input_layernorm",
     .role = Role::kAttentionNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.post_attention_layernorm",
     .role = Role::kAttentionPostNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.post_feedforward_layernorm",
     .role = Role::kFeedForwardPostNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.pre_feedforward_layernorm",
     .role = Role::kFeedForwardNorm,
     .kind = ModuleKind::kOther},
};

}  // namespace

const Architecture kGemma2 = {
    .name = "gemma2",
    .summary = "Gemma 2 (norms before and after, soft-capped logits)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = true,
    .mlx_class = {.head = MlxClass::Head::kNever, .head_dim = true},
    .gguf = {.raised_norms = true},
};

}  // namespace lbrx

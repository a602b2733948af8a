#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Gemma3ForCausalLM"};

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
    LBRX_QUERY_KEY_NORMS,
};

}  // namespace

const Architecture kGemma3Text = {
    .name = "gemma3_text",
    .summary = "Gemma 3, text (local and global layers)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = true,
    .mlx_class = {.head = MlxClass::Head::kAsFound,
                  .rope = MlxClass::Rope::kTypes,
                  .head_dim = true},
    .gguf = {.raised_norms = true},
};

}  // namespace lbrx

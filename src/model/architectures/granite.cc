#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"GraniteForCausalLM"};

constexpr TensorRule kTensors[] = {
    {.pattern = "model.layers.{L}.self_attn.o_proj",
     .role = Role::kAttentionOutput,
     .kind = ModuleKind::kLinear,
     .eight_bit = true},
    {.pattern = "model.layers.{L}.mlp.down_proj",
     .role = Role::kDown,
     .kind = ModuleKind::kLinear,
     .eight_bit = true},
    {.pattern = "lm_head", .role = Role::kOutput, .kind = ModuleKind::kLinear, .eight_bit = true},
    {.pattern = "model.embed_tokens",
     .role = Role::kTokenEmbedding,
     .kind = ModuleKind::kEmbedding},
    {.pattern = "model.norm", .role = Role::kOutputNorm, .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.self_attn.q_proj",
     .role = Role::kQuery,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.k_proj",
     .role = Role::kKey,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.v_proj",
     .role = Role::kValue,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.rotary_emb",
     .role = Role::kRopeFrequencies,
     .kind = ModuleKind::kOther},
    LBRX_PRE_NORMS,
    {.pattern = "model.layers.{L}.mlp.gate_proj", .role = Role::kGate, .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.mlp.up_proj", .role = Role::kUp, .kind = ModuleKind::kLinear},
};

}  // namespace

const Architecture kGranite = {
    .name = "granite",
    .summary = "Granite 3, dense (scaled embeddings and residuals)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.rope = MlxClass::Rope::kTypes,
                  .query_bias = "attention_bias",
                  .attention_bias = "attention_bias",
                  .feed_forward_bias = "mlp_bias"},
    .gguf = {.paired_rows = true},
};

}  // namespace lbrx

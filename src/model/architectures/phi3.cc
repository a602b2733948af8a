#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Phi3ForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_PRE_NORMS,
    {.pattern = "model.layers.{L}.self_attn.qkv_proj",
     .role = Role::kQueryKeyValue,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.o_proj",
     .role = Role::kAttentionOutput,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.rotary_emb",
     .role = Role::kRopeFrequencies,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.mlp.gate_up_proj",
     .role = Role::kGateUp,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.mlp.down_proj", .role = Role::kDown, .kind = ModuleKind::kLinear},
};

}  // namespace

const Architecture kPhi3 = {
    .name = "phi3",
    .summary = "Phi-3 and Phi-4 (fused q, k, v and gate, up)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.rope = MlxClass::Rope::kLongFactor},
};

}  // namespace lbrx

#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"MixtralForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    {.pattern = "model.layers.{L}.block_sparse_moe.gate",
     .role = Role::kRouter,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.block_sparse_moe.experts.{E}.w1",
     .role = Role::kExpertGate,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kStackedExperts,
     .mlx = "model.layers.{L}.block_sparse_moe.switch_mlp.gate_proj"},
    {.pattern = "model.layers.{L}.block_sparse_moe.experts.{E}.w3",
     .role = Role::kExpertUp,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kStackedExperts,
     .mlx = "model.layers.{L}.block_sparse_moe.switch_mlp.up_proj"},
    {.pattern = "model.layers.{L}.block_sparse_moe.experts.{E}.w2",
     .role = Role::kExpertDown,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kStackedExperts,
     .mlx = "model.layers.{L}.block_sparse_moe.switch_mlp.down_proj"},
    {.pattern = "model.layers.{L}.block_sparse_moe.experts",
     .role = Role::kExpertGateUp,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kFusedExperts,
     .mlx = "model.layers.{L}.block_sparse_moe.switch_mlp.gate_proj",
     .mlx_second = "model.layers.{L}.block_sparse_moe.switch_mlp.up_proj",
     .leaf = "gate_up_proj",
     .mlx_leaf = "weight"},
    {.pattern = "model.layers.{L}.block_sparse_moe.experts",
     .role = Role::kExpertDown,
     .kind = ModuleKind::kLinear,
     .mlx = "model.layers.{L}.block_sparse_moe.switch_mlp.down_proj",
     .leaf = "down_proj",
     .mlx_leaf = "weight"},
};

}  // namespace

const Architecture kMixtral = {
    .name = "mixtral",
    .summary = "Mixtral (sparse experts)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .gguf = {.paired_rows = true},
};

}  // namespace lbrx

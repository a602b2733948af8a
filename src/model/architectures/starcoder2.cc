#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Starcoder2ForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    {.pattern = "model.layers.{L}.mlp.c_fc", .role = Role::kUp, .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.mlp.c_proj", .role = Role::kDown, .kind = ModuleKind::kLinear},
};

}  // namespace

const Architecture kStarcoder2 = {
    .name = "starcoder2",
    .summary = "StarCoder2 (plain feed-forward, biases)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = true,
    .mlx_class = {.query_bias = MlxClass::kAlways,
                  .attention_bias = MlxClass::kAlways,
                  .feed_forward_bias = MlxClass::kAlways},
};

}  // namespace lbrx

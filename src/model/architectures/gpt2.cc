#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"GPT2LMHeadModel"};

constexpr TensorRule kTensors[] = {
    {.pattern = "transformer.wte",
     .role = Role::kTokenEmbedding,
     .kind = ModuleKind::kEmbedding,
     .mlx = "model.wte"},
    {.pattern = "transformer.wpe",
     .role = Role::kPositionEmbedding,
     .kind = ModuleKind::kEmbedding,
     .mlx = "model.wpe"},
    {.pattern = "transformer.h.{L}.ln_1",
     .role = Role::kAttentionNorm,
     .kind = ModuleKind::kOther,
     .mlx = "model.h.{L}.ln_1"},
    {.pattern = "transformer.h.{L}.attn",
     .role = Role::kAttentionMask,
     .kind = ModuleKind::kOther,
     .leaf = "bias"},
    {.pattern = "transformer.h.{L}.attn.c_attn",
     .role = Role::kQueryKeyValue,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kTransposed,
     .mlx = "model.h.{L}.attn.c_attn"},
    {.pattern = "transformer.h.{L}.attn.c_proj",
     .role = Role::kAttentionOutput,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kTransposed,
     .mlx = "model.h.{L}.attn.c_proj"},
    {.pattern = "transformer.h.{L}.ln_2",
     .role = Role::kFeedForwardNorm,
     .kind = ModuleKind::kOther,
     .mlx = "model.h.{L}.ln_2"},
    {.pattern = "transformer.h.{L}.mlp.c_fc",
     .role = Role::kUp,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kTransposed,
     .mlx = "model.h.{L}.mlp.c_fc"},
    {.pattern = "transformer.h.{L}.mlp.c_proj",
     .role = Role::kDown,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kTransposed,
     .mlx = "model.h.{L}.mlp.c_proj"},
    {.pattern = "transformer.ln_f",
     .role = Role::kOutputNorm,
     .kind = ModuleKind::kOther,
     .mlx = "model.ln_f"},
    {.pattern = "lm_head", .role = Role::kOutput, .kind = ModuleKind::kLinear},
};

constexpr const Spelling* kSpellings[] = {&kPlainSpelling, &kBareGpt2Spelling};

}  // namespace

const Architecture kGpt2 = {
    .name = "gpt2",
    .summary = "GPT-2 (learned positions, matrices stored transposed)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = true,
    .keys = {.layers = "n_layer",
             .hidden = "n_embd",
             .intermediate = "n_inner",
             .heads = "n_head",
             .key_value_heads = "n_head"},
    .mlx_class = {.head = MlxClass::Head::kNever,
                  .query_bias = MlxClass::kAlways,
                  .attention_bias = MlxClass::kAlways,
                  .feed_forward_bias = MlxClass::kAlways,
                  .widening = 4},
    .spellings = kSpellings,
};

}  // namespace lbrx

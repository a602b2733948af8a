#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"CohereForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS, LBRX_ATTENTION, LBRX_PRE_NORMS, LBRX_GATED_MLP, LBRX_QUERY_KEY_NORMS,
};

}  // namespace

const Architecture kCohere = {
    .name = "cohere",
    .summary = "Command R (parallel attention and feed-forward)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = true,
    .mlx_class = {.head = MlxClass::Head::kNever,
                  .query_bias = "attention_bias",
                  .attention_bias = "attention_bias"},
};

}  // namespace lbrx

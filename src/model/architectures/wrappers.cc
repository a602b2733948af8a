#include <array>

#include "model/architectures/registry.h"
#include "model/wrapper.h"

namespace lbrx {
namespace {

constexpr const Architecture* kGemmaText[] = {&kGemma3Text};
constexpr const Architecture* kQwen2Text[] = {&kQwen2};
constexpr const Architecture* kQwen3Text[] = {&kQwen3};
constexpr const Architecture* kQwen3MoeText[] = {&kQwen3VlMoeText};
constexpr const Architecture* kLlamaTexts[] = {&kLlama, &kMistral};
constexpr const Architecture* kMistralTexts[] = {&kMistral, &kLlama};

constexpr const Spelling* kUsuallyAround[] = {&kAroundSpelling, &kInsideSpelling};
constexpr const Spelling* kUsuallyPlain[] = {&kPlainSpelling, &kInsideSpelling};
constexpr const Spelling* kAlwaysInside[] = {&kInsideSpelling};

constexpr std::string_view kTowerAndProjector[] = {"vision_tower", "multi_modal_projector"};
constexpr std::string_view kVisual[] = {"visual", "vision_tower"};  // the second is mlx-vlm's

constexpr std::string_view kVocabulary[] = {"vocab_size"};

constexpr Wrapper kGemma3 = {
    .name = "gemma3",
    .summary = "Gemma 3 with pictures",
    .texts = kGemmaText,
    .spellings = kUsuallyAround,
    .others = kTowerAndProjector,
    .raised_keys = kVocabulary,
};

constexpr Wrapper kLlava = {
    .name = "llava",
    .summary = "LLaVA 1.5 and Pixtral, over Llama or Mistral",
    .texts = kLlamaTexts,
    .spellings = kUsuallyAround,
    .others = kTowerAndProjector,
};

constexpr Wrapper kMistral3 = {
    .name = "mistral3",
    .summary = "Mistral Small 3.1 and its successors",
    .texts = kMistralTexts,
    .spellings = kUsuallyAround,
    .others = kTowerAndProjector,
};

constexpr Wrapper kQwen25Vl = {
    .name = "qwen2_5_vl",
    .summary = "Qwen2.5-VL",
    .texts = kQwen2Text,
    .spellings = kUsuallyPlain,
    .others = kVisual,
};

constexpr Wrapper kQwen2Vl = {
    .name = "qwen2_vl",
    .summary = "Qwen2-VL",
    .texts = kQwen2Text,
    .spellings = kUsuallyPlain,
    .others = kVisual,
};

constexpr Wrapper kQwen3Vl = {
    .name = "qwen3_vl",
    .summary = "Qwen3-VL, dense",
    .texts = kQwen3Text,
    .spellings = kAlwaysInside,
    .others = kVisual,
};

constexpr Wrapper kQwen3VlMoe = {
    .name = "qwen3_vl_moe",
    .summary = "Qwen3-VL with experts",
    .texts = kQwen3MoeText,
    .spellings = kAlwaysInside,
    .others = kVisual,
    .alone = &kQwen3Moe,
};

}  // namespace

std::span<const Wrapper* const> Wrappers() {
  static constexpr std::array kTable = {&kGemma3,  &kLlava,   &kMistral3,  &kQwen25Vl,
                                        &kQwen2Vl, &kQwen3Vl, &kQwen3VlMoe};
  return kTable;
}

}  // namespace lbrx

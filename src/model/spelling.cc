#include "model/spelling.h"

namespace lbrx {
namespace {

constexpr Prefix kPlain[] = {{"", ""}};
constexpr Prefix kAround[] = {{"language_model.", ""}};
constexpr Prefix kInside[] = {{"model.language_model.", "model."}, {"lm_head", "lm_head"}};
constexpr Prefix kBareGpt2[] = {{"lm_head", "lm_head"}, {"", "transformer."}};

}  // namespace

const Spelling kPlainSpelling = {.name = "model", .text = kPlain};
const Spelling kAroundSpelling = {.name = "language_model.model", .text = kAround};
const Spelling kInsideSpelling = {
    .name = "model.language_model", .text = kInside, .others = "model."};
const Spelling kBareGpt2Spelling = {.name = "h", .text = kBareGpt2};

}  // namespace lbrx

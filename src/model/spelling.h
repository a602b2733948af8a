// How containers spell the names of one model's tensors.
#pragma once

#include <span>
#include <string_view>

namespace lbrx {

// In a name, `outer` stands for the text model's `own`.
struct Prefix {
  std::string_view outer;
  std::string_view own;
};

// Where the names of the text model's tensors, and of all others, lie in a container.
struct Spelling {
  // What its names begin with, a dot behind, by which it is told from others. An MLX folder
  // remembers its source's under it.
  std::string_view name;
  std::span<const Prefix> text;  // the first that fits a name counts
  std::string_view others = "";  // what stands before Wrapper::others
};

// "model.layers": the text model's own names, whether alone or beside others.
extern const Spelling kPlainSpelling;
inline constexpr const Spelling* kOnlyPlain[] = {&kPlainSpelling};
// "language_model.model.layers", "language_model.lm_head": MLX's for every multimodal model.
extern const Spelling kAroundSpelling;
// "model.language_model.layers", but "lm_head".
extern const Spelling kInsideSpelling;
// "h.0": GPT-2 as first published, without "transformer.".
extern const Spelling kBareGpt2Spelling;

}  // namespace lbrx

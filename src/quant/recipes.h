// Mixed recipes: more bits where errors hurt most, by a fixed rule.
// Source: mlx-lm's mixed quantization predicates (mlx_lm.convert --quant-predicate), after the
// choices of llama.cpp's Q4_K_M.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace lbrx {

struct MixedRecipe {
  std::string_view name;
  std::string_view summary;
  uint8_t low_bits;
  uint8_t high_bits;
};

const std::vector<MixedRecipe>& MixedRecipes();
std::optional<MixedRecipe> MixedRecipeByName(std::string_view name);  // any case

// Bits of the module at `path` (MLX's name, without ".weight"): high for the output matrix, and for
// value and down projections in the first eighth, the last eighth and every third layer between;
// low for the rest. `layer` of a module outside the layers is 0.
uint8_t BitsFor(const MixedRecipe& recipe, std::string_view path, uint64_t layer, uint64_t layers);

}  // namespace lbrx

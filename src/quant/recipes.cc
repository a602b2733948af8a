#include "quant/recipes.h"

#include "core/base/plain_text.h"

namespace lbrx {

const std::vector<MixedRecipe>& MixedRecipes() {
  static const std::vector<MixedRecipe> recipes = {
      {"mixed_2_6", "2 bits, 6 for the output matrix and half of the value and down projections", 2,
       6},
      {"mixed_3_4", "3 bits, 4 for the same", 3, 4},
      {"mixed_3_6", "3 bits, 6 for the same", 3, 6},
      {"mixed_4_6", "4 bits, 6 for the same", 4, 6},
      {"mixed_4_8", "4 bits, 8 for the same", 4, 8},
  };
  return recipes;
}

std::optional<MixedRecipe> MixedRecipeByName(std::string_view name) {
  for (const MixedRecipe& recipe : MixedRecipes()) {
    if (EqualIgnoringCase(name, recipe.name)) {
      return recipe;
    }
  }
  return std::nullopt;
}

uint8_t BitsFor(const MixedRecipe& recipe, std::string_view path, uint64_t layer, uint64_t layers) {
  const auto has = [&](std::string_view part) { return path.find(part) != std::string_view::npos; };
  const bool more = layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  const bool is_value = has("v_proj") || has("v_a_proj") || has("v_b_proj");
  const bool high = ((is_value || has("down_proj")) && more) || has("lm_head");
  return high ? recipe.high_bits : recipe.low_bits;
}

}  // namespace lbrx

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/formatters/table.h"
#include "core/base/format.h"
#include "core/tensor/encoding.h"
#include "quant/recipes.h"

namespace lbrx {
namespace {

// Bits a weight takes, scales included: of the smallest tensor that has one whole group a row.
double BitsPerWeight(const Encoding& encoding) {
  const uint64_t group = encoding.group;
  return static_cast<double>(EncodedBytes(encoding, {32, group})) * 8 /
         static_cast<double>(32 * group);
}

Json SchemesJson() {
  Json rows = Json::MakeArray();
  for (const SchemeRow& row : SchemeTable()) {
    Json item = Json::MakeObject();
    item.Set("name", row.name);
    item.Set("mode", SchemeName(row.encoding.scheme));
    item.Set("bits", static_cast<uint64_t>(row.encoding.bits));
    item.Set("group_size", static_cast<uint64_t>(row.encoding.group));
    item.Set("bits_per_weight", BitsPerWeight(row.encoding));
    item.Set("summary", row.summary);
    rows.Append(std::move(item));
  }
  return rows;
}

Json ReadOnlyJson() {
  Json rows = Json::MakeArray();
  for (const SchemeRow& row : PackedSchemeTable()) {
    Json item = Json::MakeObject();
    item.Set("name", row.name);
    item.Set("summary", row.summary);
    rows.Append(std::move(item));
  }
  return rows;
}

Json RecipesJson() {
  Json rows = Json::MakeArray();
  for (const MixedRecipe& recipe : MixedRecipes()) {
    Json item = Json::MakeObject();
    item.Set("name", recipe.name);
    item.Set("low_bits", static_cast<uint64_t>(recipe.low_bits));
    item.Set("high_bits", static_cast<uint64_t>(recipe.high_bits));
    item.Set("summary", recipe.summary);
    rows.Append(std::move(item));
  }
  return rows;
}

int Run(Context& context) {
  if (context.json()) {
    context.PrintJson(
        {{"schemes", SchemesJson()}, {"recipes", RecipesJson()}, {"read_only", ReadOnlyJson()}});
    return 0;
  }
  Table table({{"scheme"},
               {"group", Table::Align::kRight},
               {"bits/weight", Table::Align::kRight},
               {"what it is"}});
  for (const SchemeRow& row : SchemeTable()) {
    table.AddRow({std::string(row.name), std::to_string(row.encoding.group),
                  Format("{:.2f}", BitsPerWeight(row.encoding)), std::string(row.summary)});
  }
  for (const MixedRecipe& recipe : MixedRecipes()) {
    table.AddRow({std::string(recipe.name), "64", "mixed", std::string(recipe.summary)});
  }
  for (const SchemeRow& row : PackedSchemeTable()) {
    table.AddRow({std::string(row.name), "", "read only", std::string(row.summary)});
  }
  context.Print(table.ToString(context.width(), context.color()));
  return 0;
}

constexpr std::array<Example, 2> kExamples = {
    {{"lbrx schemes",
      "what -q accepts, with the bits that a weight takes by default; what else is read"},
     {"lbrx schemes --json", "the same for a program"}}};

}  // namespace

constinit const CommandInfo kSchemesCommand = {.name = "schemes",
                                               .summary = "List the quantization schemes",
                                               .examples = kExamples,
                                               .run = Run,
                                               .group = "What lbrx knows"};

}  // namespace lbrx

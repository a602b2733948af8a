#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/formatters/table.h"
#include "core/base/format.h"
#include "core/tensor/encoding.h"
#include "quant/gguf/file_types.h"
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

// Of the type that most tensors of a file type get.
double BitsPerWeight(const GgmlType& type) {
  return 8.0 * type.bytes / type.block;
}

Json FileTypesJson() {
  Json rows = Json::MakeArray();
  for (const FileType& type : FileTypes()) {
    Json item = Json::MakeObject();
    item.Set("name", type.name);
    item.Set("alias", type.alias.empty() ? Json() : Json(type.alias));
    const GgmlType* base = type.BaseType();
    item.Set("number", base == nullptr ? Json() : Json(static_cast<uint64_t>(type.id)));
    item.Set("base", base == nullptr ? Json() : Json(base->name));
    item.Set("base_bits_per_weight", base == nullptr ? Json() : Json(BitsPerWeight(*base)));
    item.Set("summary", type.summary);
    rows.Append(std::move(item));
  }
  return rows;
}

Table SchemesTable() {
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
  return table;
}

Table FileTypesTable() {
  Table table({{"file type"},
               {"most are"},
               {"bits/weight", Table::Align::kRight},
               {"what it is (sizes and perplexity: llama.cpp's, of Llama 3 8B)"}});
  for (const FileType& type : FileTypes()) {
    const GgmlType* base = type.BaseType();
    table.AddRow({std::string(type.name), base == nullptr ? "" : std::string(base->name),
                  base == nullptr ? "" : Format("{:.2f}", BitsPerWeight(*base)),
                  std::string(type.summary)});
  }
  return table;
}

int Run(Context& context) {
  if (context.json()) {
    context.PrintJson({{"schemes", SchemesJson()},
                       {"recipes", RecipesJson()},
                       {"file_types", FileTypesJson()},
                       {"read_only", ReadOnlyJson()}});
    return 0;
  }
  context.Print(SchemesTable().ToString(context.width(), context.color()));
  context.Print("\nGGUF file types, for a DST that ends in .gguf\n\n");
  context.Print(FileTypesTable().ToString(context.width(), context.color()));
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

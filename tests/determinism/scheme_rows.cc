#include "core/tensor/encoding.h"
#include "determinism/rows.h"
#include "quant/recipes.h"

namespace lbrx::determinism {
namespace {

void Add(std::vector<Row>& rows, const std::string& name, const std::string& source,
         const std::vector<std::string>& options) {
  std::vector<std::string> command = {"quantize", source, "run/out", "--report", "run/report.json"};
  command.insert(command.end(), options.begin(), options.end());
  rows.push_back({.name = "mlx_" + name, .commands = {command}});
}

}  // namespace

void AddSchemeRows(std::vector<Row>& rows) {
  for (const SchemeRow& scheme : SchemeTable()) {
    const std::string name = NamePart(scheme.name);
    const std::string text(scheme.name);
    Add(rows, name, "base", {"-q", text});
    Add(rows, name + "_cpu_f32", "small-f32", {"-q", text, "--mlx-rule", "cpu"});
    Add(rows, name + "_keep", "small-f16",
        {"-q", "4bit", "--keep", "embed", "--override", "up_proj=" + text});
    if (scheme.encoding.scheme == Scheme::kAffine) {
      Add(rows, name + "_search", "small", {"-q", text, "--search"});
      Add(rows, name + "_32", "base", {"-q", text, "--group-size", "32"});
      Add(rows, name + "_128_search", "small-f32", {"-q", text, "--group-size", "128", "--search"});
    }
  }
  for (const MixedRecipe& recipe : MixedRecipes()) {
    Add(rows, NamePart(recipe.name), "base", {"-q", std::string(recipe.name)});
  }
  for (const char* family : {"4bit", "mxfp4"}) {
    Add(rows, std::string("target_bpw_") + family, "small", {"-q", family, "--target-bpw", "4.5"});
  }
  Add(rows, "target_size", "base", {"--target-size", "900kB"});
  Add(rows, "target_bpw_search", "small", {"--target-bpw", "4.25", "--search"});
}

}  // namespace lbrx::determinism

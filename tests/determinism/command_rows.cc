#include "determinism/rows.h"

namespace lbrx::determinism {
namespace {

using Commands = std::vector<std::vector<std::string>>;

// Only part of what is there can be saved.
constexpr int kFindings = 10;

void AddWriters(std::vector<Row>& rows) {
  const auto add = [&](const char* name, Commands commands, int code = 0) {
    rows.push_back({.name = name, .commands = std::move(commands), .code = code});
  };
  add("edit", {{"edit", "small-Q4_K_M.gguf", "run/out.gguf", "--set", "general.name=str:other",
                "--set", "general.alignment=u32:4096"}});
  add("edit_set", {{"edit", "set-00001-of-00004.gguf", "run/out.gguf", "--shard-size", "100kB"}});
  add("repair", {{"repair", "damaged", "run/out"}}, kFindings);
  add("repair_zeros", {{"repair", "damaged", "run/out", "--fill", "zeros"}}, kFindings);
  add("repair_reference",
      {{"repair", "damaged", "run/out", "--reference", "small", "--fill", "reference"}}, kFindings);
  add("repair_gguf", {{"repair", "damaged.gguf", "run/out.gguf"}}, kFindings);
  rows.push_back({.name = "manifest",
                  .commands = {{"hash", "small-4bit", "--manifest", "run/manifest.json"}},
                  .prints = true});
  add("apply", {{"quantize", "base", "run/out", "-q", "mixed_3_6", "--plan", "plan.json"},
                {"apply", "plan.json"}});
}

// They write nothing, but count, compare and hash on as many threads.
void AddReaders(std::vector<Row>& rows) {
  const auto add = [&](const char* name, std::vector<std::string> command, int code = 0) {
    rows.push_back({.name = name, .commands = {std::move(command)}, .code = code, .prints = true});
  };
  add("hash", {"hash", "base", "--json"});
  add("hash_gguf", {"hash", "small-Q4_K_M.gguf", "--json"});
  add("diff", {"diff", "a", "b", "--histograms", "--json"}, kFindings);
  add("diff_schemes", {"diff", "small-4bit", "small-Q4_K_M.gguf", "--json"}, kFindings);
  add("inspect_histograms", {"inspect", "base", "--histograms", "--json"});
  add("validate_against", {"validate", "small-4bit", "--against", "small", "--all", "--json"});
  add("validate_deep", {"validate", "small-4bit", "--deep", "--json"});
}

}  // namespace

void AddCommandRows(std::vector<Row>& rows) {
  AddWriters(rows);
  AddReaders(rows);
}

}  // namespace lbrx::determinism

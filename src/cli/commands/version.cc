#include "cli/build_info.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "core/base/cpu.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

int Run(Context& context) {
  const std::string simd = SimdTargetName(SimdTarget());
  if (context.json()) {
    context.PrintJson({{"version", VersionNumber()},
                       {"commit", BuildCommit()},
                       {"compiler", CompilerName()},
                       {"simd", simd}});
    return 0;
  }
  context.Print(Format("lbrx {} (commit {}, {}, SIMD {})\n", VersionNumber(), BuildCommit(),
                       CompilerName(), simd));
  return 0;
}

constexpr std::array<Example, 2> kExamples = {
    {{"lbrx --version", "version, commit, compiler and the SIMD target in use"},
     {"lbrx version --json", "the same for a program"}}};

}  // namespace

constinit const CommandInfo kVersionCommand = {
    .name = "version",
    .summary = "Show version, commit, compiler and SIMD target",
    .examples = kExamples,
    .run = Run,
    .group = "About lbrx"};

}  // namespace lbrx

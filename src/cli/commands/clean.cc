#include "cli/commands/commands.h"
#include "cli/context.h"
#include "core/base/format.h"
#include "core/io/partial.h"

namespace lbrx {
namespace {

// The destination, also where the partial folder itself was named.
std::string Destination(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  const std::string_view suffix = PartialOutput::kSuffix;
  if (path.size() > suffix.size() && path.ends_with(suffix)) {
    path.resize(path.size() - suffix.size());
  }
  return path;
}

int Run(Context& context) {
  const std::string destination = Destination(context.args().positionals()[0]);
  const std::string folder = destination + PartialOutput::kSuffix;
  const bool removed = CleanPartial(destination);
  if (context.json()) {
    context.PrintJson({{"destination", destination}, {"partial", folder}, {"removed", removed}});
  } else if (removed) {
    context.Print(Format("removed {}\n", Printable(folder, 4096)));
  } else {
    context.Print(Format("nothing to remove: there is no {}\n", Printable(folder, 4096)));
  }
  return 0;
}

constexpr std::array<Example, 1> kExamples = {
    {{"lbrx clean model-4bit", "remove model-4bit.lbrx-partial/ of a run that was interrupted"}}};
constexpr std::array<ArgumentSpec, 1> kArguments = {
    {{.name = "DST", .help = "The destination of the interrupted command"}}};

}  // namespace

constinit const CommandInfo kCleanCommand = {
    .name = "clean",
    .summary = "Remove what an interrupted command left",
    .details =
        "An interrupted command keeps its work in DST.lbrx-partial/, and the same command "
        "continues it. This removes that folder; DST itself is not touched.",
    .examples = kExamples,
    .arguments = kArguments,
    .run = Run,
    .group = "Change checkpoints"};

}  // namespace lbrx

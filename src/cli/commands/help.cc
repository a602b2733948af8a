#include "cli/help.h"

#include "cli/commands/commands.h"
#include "cli/context.h"

namespace lbrx {
namespace {

int Run(Context& context) {
  const std::vector<std::string>& names = context.args().positionals();
  const std::string text =
      names.empty() ? GeneralHelp(context.width(), context.color())
                    : CommandHelp(RequireCommand(names[0]), context.width(), context.color());
  if (context.json()) {
    context.PrintJson({{"text", text}});
  } else {
    context.Print(text);
  }
  return 0;
}

constexpr std::array<Example, 1> kExamples = {{{"lbrx help convert", "the options of convert"}}};
constexpr std::array<ArgumentSpec, 1> kArguments = {{{.name = "COMMAND",
                                                      .help = "Which command; all where left out",
                                                      .required = false,
                                                      .completion = Completion::kCommand}}};

}  // namespace

constinit const CommandInfo kHelpCommand = {.name = "help",
                                            .summary = "Show help for a command",
                                            .examples = kExamples,
                                            .arguments = kArguments,
                                            .run = Run,
                                            .group = "About lbrx"};

}  // namespace lbrx

#include "cli/completion.h"

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

int Run(Context& context) {
  const std::string& shell = context.args().positionals()[0];
  std::string script;
  if (shell == "bash") {
    script = BashCompletion();
  } else if (shell == "zsh") {
    script = ZshCompletion();
  } else if (shell == "fish") {
    script = FishCompletion();
  } else {
    const std::vector<std::string> shells{"bash", "zsh", "fish"};
    ErrorDetail detail;
    detail.object = shell;
    detail.what = "unknown shell";
    detail.expected = "bash, zsh or fish";
    detail.advice = Suggestion(shell, shells, "");
    throw Error(ErrorCode::kUsage, std::move(detail));
  }
  if (context.json()) {
    context.PrintJson({{"shell", shell}, {"script", script}});
  } else {
    context.Print(script);
  }
  return 0;
}

constexpr std::array<Example, 3> kExamples = {
    {{"eval \"$(lbrx completion bash)\"", "in ~/.bashrc"},
     {"lbrx completion zsh > ~/.zfunc/_lbrx", "where ~/.zfunc is in $fpath"},
     {"lbrx completion fish > ~/.config/fish/completions/lbrx.fish", "for fish"}}};
constexpr std::array<ArgumentSpec, 1> kArguments = {{{.name = "SHELL",
                                                      .help = "bash, zsh or fish",
                                                      .completion = Completion::kNone,
                                                      .choices = "bash|zsh|fish"}}};

}  // namespace

constinit const CommandInfo kCompletionCommand = {
    .name = "completion",
    .summary = "Print a script that completes commands and options in a shell",
    .examples = kExamples,
    .arguments = kArguments,
    .run = Run,
    .group = "About lbrx"};

}  // namespace lbrx

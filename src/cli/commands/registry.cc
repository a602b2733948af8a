#include <algorithm>

#include "cli/commands/commands.h"
#include "core/base/error.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

constexpr std::array<const CommandInfo*, 19> kCommands = {
    &kConvertCommand,    &kQuantizeCommand, &kMergeCommand,         &kApplyCommand,
    &kEditCommand,       &kRepairCommand,   &kCleanCommand,         &kInspectCommand,
    &kValidateCommand,   &kDiffCommand,     &kHashCommand,          &kSchemesCommand,
    &kFormatsCommand,    &kMethodsCommand,  &kArchitecturesCommand, &kDoctorCommand,
    &kCompletionCommand, &kHelpCommand,     &kVersionCommand,
};

constexpr std::string_view kGroup = "Options of every command";

constexpr std::array<OptionSpec, 7> kGlobalOptions = {{
    {.name = "--json",
     .help = "Give the result as one JSON object on standard output",
     .group = kGroup},
    {.name = "--quiet",
     .help = "Say nothing but errors (the result is still given)",
     .group = kGroup,
     .conflicts = "-v"},
    {.name = "-v", .help = "Say more; twice: still more", .group = kGroup, .aliases = "--verbose"},
    {.name = "--color",
     .value = "WHEN",
     .help = "Colours",
     .group = kGroup,
     .fallback = "auto",
     .choices = "auto|always|never"},
    {.name = "--progress",
     .value = "HOW",
     .help = "Progress on standard error; auto: a bar on a terminal, else a line every 5 s",
     .group = kGroup,
     .fallback = "auto",
     .choices = "auto|bar|lines|json|none"},
    {.name = "--help", .help = "Show help, examples first", .group = kGroup, .aliases = "-h"},
    {.name = "--version",
     .help = "Show version, commit, compiler and SIMD target",
     .group = kGroup},
}};

}  // namespace

OptionTable GlobalOptions() {
  return kGlobalOptions;
}

std::vector<OptionTable> OptionTablesOf(const CommandInfo& command) {
  std::vector<OptionTable> tables;
  for (const auto table : command.options) {
    if (table != nullptr) {
      tables.push_back(table());
    }
  }
  tables.push_back(GlobalOptions());
  return tables;
}

std::span<const CommandInfo* const> Commands() {
  return kCommands;
}

const CommandInfo* FindCommandInfo(std::string_view name) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(),
                                  [&](const CommandInfo* each) { return each->name == name; });
  return found == kCommands.end() ? nullptr : *found;
}

std::vector<std::string> CommandNames() {
  std::vector<std::string> names;
  names.reserve(kCommands.size());
  for (const CommandInfo* command : kCommands) {
    names.emplace_back(command->name);
  }
  return names;
}

const CommandInfo& RequireCommand(std::string_view name) {
  const CommandInfo* command = FindCommandInfo(name);
  if (command == nullptr) {
    ErrorDetail detail;
    detail.object = name;
    detail.what = "unknown command";
    detail.advice = Suggestion(name, CommandNames(), "lbrx --help lists them");
    throw Error(ErrorCode::kUsage, std::move(detail));
  }
  return *command;
}

}  // namespace lbrx

// What a command is: a row of data and a function.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/args.h"

namespace lbrx {

class Context;

struct Example {
  std::string_view line;  // as typed
  std::string_view what;  // "quantize to 4 bits"
};

struct CommandInfo {
  std::string_view name;
  std::string_view summary;       // one line, for the list of commands
  std::string_view details = "";  // paragraphs, separated by an empty line
  std::span<const Example> examples = {};
  std::span<const ArgumentSpec> arguments = {};
  // Tables of options, its own first; unused ones stay null. The global ones are added to all.
  // (Functions, since a table may live in another file and a row must be a constant.)
  std::array<OptionTable (*)(), 6> options = {};
  int (*run)(Context&) = nullptr;  // gives the exit code; failures are thrown
  std::string_view group = "";     // of the list of commands
  std::string_view usage = "";     // replaces the usage line made from the arguments
};

// Options of every command: --json, --quiet, -v, --color, --progress, -h, --version.
OptionTable GlobalOptions();

// The command's tables and the global one.
std::vector<OptionTable> OptionTablesOf(const CommandInfo& command);

// All commands, in the order in which help lists them.
std::span<const CommandInfo* const> Commands();
const CommandInfo* FindCommandInfo(std::string_view name);  // nullptr: no such command
std::vector<std::string> CommandNames();
// The command called `name`; kUsage with a suggestion where there is none.
const CommandInfo& RequireCommand(std::string_view name);

}  // namespace lbrx

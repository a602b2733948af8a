// Help text, made from the commands' tables.
#pragma once

#include <string>

#include "cli/command.h"

namespace lbrx {

// `width` 0: as for 80 columns.
std::string GeneralHelp(int width, bool color);
// Examples first, then usage, arguments and grouped options.
std::string CommandHelp(const CommandInfo& command, int width, bool color);

}  // namespace lbrx

// The whole command line: takes arguments, runs the command, says what went wrong.
#pragma once

#include <span>
#include <string>

#include "cli/streams.h"

namespace lbrx {

// `args` without the program's name. Returns the exit code and never throws. The place where
// lbrx::Error becomes a message and an exit code.
int RunApp(std::span<const std::string> args, Streams& streams);

}  // namespace lbrx

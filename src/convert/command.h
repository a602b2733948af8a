// A request as the command that makes it.
#pragma once

#include <string>

#include "convert/convert.h"

namespace lbrx {

// A word of a shell's line: in single quotes where a shell would not take it as it is, control
// characters escaped.
std::string QuotedForShell(const std::string& argument);

// The command that gives the same bytes: `source` and DST stand for the paths, and what decides no
// byte (threads, memory, --strict) is left out. Quoted for a shell, control characters escaped.
std::string CommandOf(const ConvertRequest& request, const std::string& source);

}  // namespace lbrx

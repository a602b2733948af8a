// What this program was built from.
#pragma once

#include <string>

namespace lbrx {

std::string VersionNumber();  // "0.1.0"
std::string BuildCommit();    // short hash, "-dirty" after it for a changed tree; "unknown"
std::string CompilerName();   // "g++ 12.2.0"

}  // namespace lbrx

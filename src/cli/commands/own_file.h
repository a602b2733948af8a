// Files of ours beside a checkpoint: plans and reports.
#pragma once

#include <string>
#include <string_view>

#include "core/text/json.h"

namespace lbrx {

// Throws kIo where a file of ours could not be written at `path`: a folder, no folder above it, or
// a file that lbrx did not write, unless `force`. For before long work.
void CheckOwnFile(const std::string& path, bool force);

// Writes it beside its place and moves it there, after the same check.
void WriteOwnFile(const std::string& path, bool force, std::string_view text);

// JSON as such files have it.
std::string OwnFileText(const Json& content);

}  // namespace lbrx

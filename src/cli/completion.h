// Completion scripts, made from the commands' tables.
#pragma once

#include <string>

namespace lbrx {

std::string BashCompletion();
std::string ZshCompletion();
std::string FishCompletion();

}  // namespace lbrx

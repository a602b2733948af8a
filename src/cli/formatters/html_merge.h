// The part of a report's page that tells what a merge made of its models.
#pragma once

#include <string>

#include "cli/formatters/merge_look.h"

namespace lbrx {

// Empty where nothing was merged.
std::string MergeSection(const MergeLook& look);

}  // namespace lbrx

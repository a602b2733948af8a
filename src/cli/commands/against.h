// validate --against: an output compared with what its source gives.
#pragma once

#include <string>
#include <vector>

#include "check/verify.h"
#include "cli/context.h"

namespace lbrx {

// --against, --all, and of the writing commands' options those that decide bytes.
OptionTable AgainstOptions();

// kUsage where such an option is given without --against.
void RequireAgainst(const ParsedArgs& args);

struct AgainstResult {
  Verification found;
  std::vector<Problem> warnings;  // of what stands beside the tensors
  std::string hint;  // the option that explains what differs; empty: none is known, or nothing does
};

// Makes the plan again that wrote `made` from --against, and compares. Throws as the command that
// wrote it.
AgainstResult CompareAgainst(Context& context, const Checkpoint& made, const std::string& path,
                             Executor& executor);

}  // namespace lbrx

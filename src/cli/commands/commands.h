// The rows of the command table, one file each.
#pragma once

#include "cli/command.h"

namespace lbrx {

// Constants, though a declaration cannot say so.
// NOLINTBEGIN(readability-identifier-naming)
extern const CommandInfo kConvertCommand;
extern const CommandInfo kQuantizeCommand;
extern const CommandInfo kMergeCommand;
extern const CommandInfo kApplyCommand;
extern const CommandInfo kEditCommand;
extern const CommandInfo kRepairCommand;
extern const CommandInfo kCleanCommand;
extern const CommandInfo kInspectCommand;
extern const CommandInfo kValidateCommand;
extern const CommandInfo kDiffCommand;
extern const CommandInfo kHashCommand;
extern const CommandInfo kSchemesCommand;
extern const CommandInfo kMethodsCommand;
extern const CommandInfo kFormatsCommand;
extern const CommandInfo kArchitecturesCommand;
extern const CommandInfo kDoctorCommand;
extern const CommandInfo kCompletionCommand;
extern const CommandInfo kHelpCommand;
extern const CommandInfo kVersionCommand;
// NOLINTEND(readability-identifier-naming)

}  // namespace lbrx

// What every command that writes a checkpoint shares: options, running, reporting.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "convert/convert.h"
#include "merge/merge.h"
#include "stream/engine.h"

namespace lbrx {

OptionTable QuantizationOptions();  // -q, --group-size, --override...
OptionTable OutputOptions();        // --to, --dtype, --plan...: they decide what is written
OptionTable RunningOptions();       // --memory, --force, --dry-run...: they do not
OptionTable WritingOptions();       // of those --memory, --threads, --force, --no-sync

// The request that the options of the first two tables make; source, destination and what `command`
// adds are the caller's. An -q without value leaves `scheme` empty.
ConvertRequest RequestFromOptions(const ParsedArgs& args, const std::string& command);
// Of these what decides the bytes of tensors; no other option is asked for.
void ApplyContentOptions(const ParsedArgs& args, ConvertRequest& request);

// Those of merge.
OptionTable MergeOptions();
// The merge that the configuration at `config` and the options among them that decide bytes make.
MergeRequest MergeFromOptions(const ParsedArgs& args, const std::string& config,
                              const ConvertRequest& request);

// A plan, and what the tensors of a merge are made of, for its report.
struct Work {
  Plan plan;
  std::vector<MergeParts> parts;
};

// Opens the source and makes the plan, telling its notices. Where a size is to be met, measures the
// source first and puts the choices into `request`.
Work MakePlan(Context& context, ConvertRequest& request);

// Does with the plan what the options ask: shows it, writes it to a file, or runs it.
int CarryOut(Context& context, const Work& work, const ConvertRequest& request);

// What a user is told where a run that writes `destination` is cut off.
std::string ResumeHint(const std::string& destination);

}  // namespace lbrx

// Plans and results as text and JSON.
#pragma once

#include <string>

#include "cli/formatters/merge_look.h"
#include "convert/convert.h"
#include "stream/engine.h"

namespace lbrx {

// --dry-run: every tensor, totals, memory, disk.
std::string DryRunText(const Plan& plan, const RunOptions& options, int width, bool color);
Json::Object DryRunJson(const Plan& plan, const RunOptions& options);

// --report: per tensor scheme, bits, rmse, relative error, largest error, SNR; what a merge did
// (null: nothing was merged).
Json ReportJson(const Plan& plan, const ConvertRequest& request, const RunResult& result,
                const MergeLook* merge);

// What was done: a line, or the members of --json.
std::string ResultText(const Plan& plan, const ConvertRequest& request, const RunOptions& options,
                       const RunResult& result);
Json::Object ResultJson(const Plan& plan, const ConvertRequest& request, const RunOptions& options,
                        const RunResult& result);

}  // namespace lbrx

// What a merge made of its models' differences, by place, to be written as JSON or drawn.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/formatters/look.h"
#include "core/text/json.h"
#include "merge/statistics.h"

namespace lbrx {

struct MergeLook {
  Look places;                               // a row for each; its sides stay empty
  std::vector<std::vector<MergeSums>> sums;  // of each row, one for each set of models
  std::vector<MergeSums> totals;             // of all rows, one for each set of models
  std::vector<std::string> models;           // all labels, in the order in which they first came
};

// `sums` of each of `parts`.
MergeLook LookOfMerge(const std::vector<MergeParts>& parts, const std::vector<MergeSums>& sums);

// Where a model stands among those of `sums`; nullopt: it has no part in them.
std::optional<size_t> MemberOf(const MergeSums& sums, const std::string& model);

// The member `merge` of a report.
Json MergeJson(const MergeLook& look);

}  // namespace lbrx

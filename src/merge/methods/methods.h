// The rows of the registry, one file each.
#pragma once

#include "merge/method.h"

namespace lbrx {

extern const MergeMethod kLinear;
extern const MergeMethod kSlerp;
extern const MergeMethod kNuslerp;
extern const MergeMethod kMultislerp;
extern const MergeMethod kKarcher;
extern const MergeMethod kPassthrough;
extern const MergeMethod kModelStock;
extern const MergeMethod kArceeFusion;
extern const MergeMethod kNearswap;
extern const MergeMethod kSce;
extern const MergeMethod kRam;
extern const MergeMethod kRamplusTl;
extern const MergeMethod kTaskArithmetic;
extern const MergeMethod kTies;
extern const MergeMethod kDareLinear;
extern const MergeMethod kDareTies;
extern const MergeMethod kBreadcrumbs;
extern const MergeMethod kBreadcrumbsTies;
extern const MergeMethod kDella;
extern const MergeMethod kDellaLinear;

}  // namespace lbrx

// A look as a page to be opened in a browser, kept, or printed.
#pragma once

#include <string>

#include "cli/formatters/merge_look.h"

namespace lbrx {

// One file that stands alone (HtmlPage). Its size follows the number of places, not of tensors, and
// is at most some megabytes: rows of the table beyond 6,000 are left out, which is said.
// `merge`: null where nothing was merged.
std::string HtmlReport(const Look& look, const MergeLook* merge = nullptr);

}  // namespace lbrx

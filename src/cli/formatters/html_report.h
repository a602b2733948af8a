// A look as a page to be opened in a browser, kept, or printed.
#pragma once

#include <string>

#include "cli/formatters/look.h"

namespace lbrx {

// One file that stands alone (HtmlPage). Its size follows the number of places, not of tensors, and
// is at most some megabytes: rows of the table beyond 6,000 are left out, which is said.
std::string HtmlReport(const Look& look);

}  // namespace lbrx

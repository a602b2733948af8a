#include "convert/markdown.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// Longer than any run of backticks in `text`, and at least `least`.
std::string FenceFor(std::string_view text, size_t least) {
  size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    least = std::max(least, run + 1);
  }
  return std::string(least, '`');
}

}  // namespace

std::string Fenced(std::string_view language, const std::string& text) {
  const std::string fence = FenceFor(text, 3);
  return Format("{}{}\n{}\n{}\n", fence, language, text, fence);
}

std::string CodeSpan(const std::string& text) {
  const std::string printable = Printable(text);
  const std::string fence = FenceFor(printable, 1);
  // The spaces, which are not shown, keep backticks at the ends apart from the fence.
  const std::string_view space = fence.size() > 1 ? " " : "";
  return fence + std::string(space) + printable + std::string(space) + fence;
}

}  // namespace lbrx

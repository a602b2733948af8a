#include "convert/markdown.h"

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {

std::string Fenced(std::string_view language, const std::string& text) {
  std::string fence = "```";
  while (text.find(fence) != std::string::npos) {
    fence += '`';
  }
  return Format("{}{}\n{}\n{}\n", fence, language, text, fence);
}

std::string CodeSpan(const std::string& text) {
  const std::string printable = Printable(text);
  std::string fence = "`";
  while (printable.find(fence) != std::string::npos) {
    fence += '`';
  }
  // The spaces, which are not shown, keep backticks at the ends apart from the fence.
  const std::string_view space = fence.size() > 1 ? " " : "";
  return fence + std::string(space) + printable + std::string(space) + fence;
}

}  // namespace lbrx

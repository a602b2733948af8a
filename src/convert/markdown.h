// Text from elsewhere in Markdown, out of which it cannot break.
#pragma once

#include <string>
#include <string_view>

namespace lbrx {

// A block of code. Its fence is longer than any in `text`.
std::string Fenced(std::string_view language, const std::string& text);

// A span of code: nothing in it is markup. Control characters are escaped.
std::string CodeSpan(const std::string& text);

}  // namespace lbrx

// HTML that is also well-formed XML, from text that nobody vouches for.
#pragma once

#include <string>
#include <string_view>

namespace lbrx {

// `text` as it may stand in an element or a quoted attribute: & < > " ' as references; what cannot
// be shown (control characters, invalid UTF-8, bidirectional controls) as Printable() writes it.
std::string EscapeHtml(std::string_view text, size_t limit = 400);

// A number for an SVG attribute: at most one digit behind the point, none where it is 0.
std::string SvgNumber(double value);

// The whole page. It stands alone: its style is inside, and its policy forbids everything else, so
// a browser loads nothing and runs nothing. `body` is markup; the title is escaped here.
std::string HtmlPage(std::string_view title, std::string_view body);

// How every page begins, so that one may know a file of ours.
inline constexpr std::string_view kHtmlStart =
    "<!DOCTYPE html>\n<!-- made by lbrx -->\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
    "lang=\"en\">\n";

}  // namespace lbrx

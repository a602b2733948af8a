#include "cli/formatters/html.h"

#include <cmath>

#include "cli/formatters/html_style.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {

std::string EscapeHtml(std::string_view text, size_t limit) {
  std::string out;
  for (const char c : Printable(text, limit)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string SvgNumber(double value) {
  std::string text = Format("{:.1f}", std::isfinite(value) ? value : 0.0);
  if (text.ends_with(".0")) {
    text.resize(text.size() - 2);
  }
  return text == "-0" ? "0" : text;
}

std::string HtmlPage(std::string_view title, std::string_view body) {
  std::string page(kHtmlStart);
  page +=
      "<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
      "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>";
  page += EscapeHtml(title);
  page += "</title>\n<style>\n";
  page += kHtmlStyle;
  page += "</style>\n</head>\n<body>\n";
  page += body;
  page += "</body>\n</html>\n";
  return page;
}

}  // namespace lbrx

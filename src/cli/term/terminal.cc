#include "cli/term/terminal.h"

#include <charconv>
#include <cstdlib>

namespace lbrx {

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    // Nothing in the program changes the environment.
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) {
      return std::nullopt;
    }
    return value;
  };
}

namespace {

bool IsSet(const Environment& environment, const char* name) {
  const auto value = environment(name);
  return value.has_value() && !value->empty();
}

bool WantsColor(bool terminal, const Environment& environment) {
  if (IsSet(environment, "NO_COLOR")) {
    return false;
  }
  if (IsSet(environment, "CLICOLOR_FORCE") && environment("CLICOLOR_FORCE") != "0") {
    return true;
  }
  return terminal && environment("CLICOLOR") != "0" && environment("TERM") != "dumb";
}

bool IsUtf8(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (IsSet(environment, name)) {
      const std::string value = *environment(name);
      for (const char* spelling : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
        if (value.find(spelling) != std::string::npos) {
          return true;
        }
      }
      return false;
    }
  }
  return false;
}

std::string_view Code(Style style) {
  switch (style) {
    case Style::kBold:
      return "\x1b[1m";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kRed:
      return "\x1b[1;31m";
    case Style::kGreen:
      return "\x1b[32m";
    case Style::kYellow:
      return "\x1b[33m";
    case Style::kCyan:
      return "\x1b[36m";
  }
  return "";
}

}  // namespace

Terminal ProbeTerminal(const Sink& sink, const Environment& environment, ColorChoice choice) {
  Terminal terminal;
  const bool is_terminal = sink.is_terminal();
  terminal.animate = is_terminal && environment("TERM") != "dumb";
  terminal.utf8 = IsUtf8(environment);
  terminal.color = choice == ColorChoice::kAlways ||
                   (choice == ColorChoice::kAuto && WantsColor(is_terminal, environment));
  return terminal;
}

int WidthOf(const Sink& sink, const Environment& environment) {
  if (!sink.is_terminal()) {
    return 0;
  }
  if (const int columns = sink.columns(); columns > 0) {
    return columns;
  }
  const std::string text = environment("COLUMNS").value_or("");
  int columns = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), columns);
  const bool good = result.ec == std::errc{} && result.ptr == text.data() + text.size();
  return good && columns > 0 && columns <= 10000 ? columns : 80;
}

std::string Paint(bool color, Style style, std::string_view text) {
  if (!color) {
    return std::string(text);
  }
  std::string out(Code(style));
  out += text;
  return out + "\x1b[0m";
}

}  // namespace lbrx

// What a stream's reader can show: colours, moving text, width.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/term/sink.h"

namespace lbrx {

// Looks up an environment variable; nullopt where it is not set. Tests inject their own.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

// The process's environment.
Environment ProcessEnvironment();

enum class ColorChoice : uint8_t { kAuto, kAlways, kNever };

struct Terminal {
  bool color = false;    // the 16 ANSI colours may be used
  bool animate = false;  // lines may be overwritten: a terminal that is not dumb
  bool utf8 = false;     // the locale can show more than ASCII
};

// `choice` (the --color option) beats NO_COLOR, which beats CLICOLOR_FORCE, which beats the rest:
// a terminal has colours unless TERM is dumb or CLICOLOR is 0.
Terminal ProbeTerminal(const Sink& sink, const Environment& environment, ColorChoice choice);

// Columns to write for: the terminal's, else COLUMNS; 0 where it is no terminal (no limit).
int WidthOf(const Sink& sink, const Environment& environment);

enum class Style : uint8_t { kBold, kDim, kRed, kGreen, kYellow, kCyan };

// `text` in a style, or as it is where `color` is false.
std::string Paint(bool color, Style style, std::string_view text);

inline constexpr std::string_view kHideCursor = "\x1b[?25l";
inline constexpr std::string_view kShowCursor = "\x1b[?25h";

}  // namespace lbrx

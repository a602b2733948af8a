// Text for people: widths, wrapping, durations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lbrx {

// Columns that UTF-8 text takes: wide East Asian characters and emoji 2, combining marks 0.
int DisplayWidth(std::string_view text);

// `text` in at most `width` columns, its middle replaced by "..." where needed (ends of tensor
// names tell them apart).
std::string Elide(std::string_view text, int width);

// Breaks at spaces into lines of at most `width` columns; words that are longer are cut. Paragraphs
// are kept. `width` below 1: no limit.
std::vector<std::string> Wrap(std::string_view text, int width);

// `text` filled with spaces up to `width` columns.
std::string PadRight(std::string_view text, int width);
std::string PadLeft(std::string_view text, int width);

// "0:07", "12:34", "1:02:03".
std::string FormatDuration(double seconds);
// "1,234,567".
std::string FormatCount(uint64_t value);

}  // namespace lbrx

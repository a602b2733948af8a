// CSV (RFC 4180) that is safe to open in a spreadsheet.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lbrx {

// A cell, quoted where it holds a comma, a quote or a line break. Text that a spreadsheet would
// take for a formula (it begins with = + - @ tab or CR) gets an apostrophe in front; a plain number
// does not.
std::string CsvCell(std::string_view text);

// Cells joined by commas, ended by a newline.
std::string CsvRow(std::span<const std::string> cells);

}  // namespace lbrx

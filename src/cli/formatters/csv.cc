#include "cli/formatters/csv.h"

namespace lbrx {
namespace {

bool LooksLikeFormula(std::string_view text) {
  if (text.empty() || std::string_view("=+-@\t\r").find(text[0]) == std::string_view::npos) {
    return false;
  }
  const bool signed_number = (text[0] == '-' || text[0] == '+') && text.size() > 1 &&
                             text.find_first_not_of("0123456789.", 1) == std::string_view::npos;
  return !signed_number;
}

}  // namespace

std::string CsvCell(std::string_view text) {
  std::string cell(LooksLikeFormula(text) ? "'" : "");
  cell += text;
  if (cell.find_first_of(",\"\r\n") == std::string::npos) {
    return cell;
  }
  std::string quoted = "\"";
  for (const char c : cell) {
    quoted += c;
    if (c == '"') {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string CsvRow(std::span<const std::string> cells) {
  std::string row;
  for (size_t i = 0; i < cells.size(); ++i) {
    row += (i == 0 ? "" : ",") + CsvCell(cells[i]);
  }
  return row + "\n";
}

}  // namespace lbrx

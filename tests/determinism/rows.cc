#include "determinism/rows.h"

#include <cctype>

namespace lbrx::determinism {

std::string NamePart(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return out;
}

void PrintTo(const Row& row, std::ostream* out) {
  for (const std::vector<std::string>& command : row.commands) {
    *out << "lbrx";
    for (const std::string& word : command) {
      *out << ' ' << word;
    }
    *out << "; ";
  }
}

std::vector<Row> AllRows() {
  std::vector<Row> rows;
  AddSchemeRows(rows);
  AddFileTypeRows(rows);
  AddMergeRows(rows);
  AddContainerRows(rows);
  AddCommandRows(rows);
  return rows;
}

}  // namespace lbrx::determinism

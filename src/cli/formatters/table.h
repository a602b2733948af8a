// Aligned tables for people.
#pragma once

#include <string>
#include <vector>

namespace lbrx {

class Table {
 public:
  enum class Align : uint8_t { kLeft, kRight };

  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns, safe to print.
  void AddRow(std::vector<std::string> cells);

  // At most `width` columns wide (0: no limit). Where the columns do not fit side by side, the last
  // one is wrapped; where that leaves it too little, each row becomes a block of "title: cell"
  // lines. Every line ends with a newline and has no trailing spaces.
  std::string ToString(int width, bool color) const;

 private:
  std::vector<int> Widths() const;
  std::string Side(const std::vector<int>& widths, int last_width, bool color) const;
  std::string Blocks(int width, bool color) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "name  value" lines with the values under each other; wrapped as a Table is.
std::string NameValueLines(const std::vector<std::pair<std::string, std::string>>& lines, int width,
                           bool color);

}  // namespace lbrx

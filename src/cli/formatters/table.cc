#include "cli/formatters/table.h"

#include <algorithm>
#include <utility>

#include "cli/formatters/text.h"
#include "cli/term/terminal.h"

namespace lbrx {
namespace {

constexpr int kGap = 2;         // spaces between columns
constexpr int kLeastLast = 24;  // a last column narrower than that is not readable

void AppendLine(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

}  // namespace

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<int> Table::Widths() const {
  std::vector<int> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    int width = DisplayWidth(columns_[c].title);
    for (const auto& row : rows_) {
      width = std::max(width, DisplayWidth(row[c]));
    }
    widths.push_back(width);
  }
  return widths;
}

std::string Table::ToString(int width, bool color) const {
  if (columns_.empty()) {
    return "";
  }
  const std::vector<int> widths = Widths();
  int before_last = 0;
  for (size_t c = 0; c + 1 < widths.size(); ++c) {
    before_last += widths[c] + kGap;
  }
  if (width == 0 || before_last + widths.back() <= width) {
    return Side(widths, widths.back(), color);
  }
  const bool text_last = columns_.back().align == Align::kLeft;
  if (text_last && width - before_last >= kLeastLast) {
    return Side(widths, width - before_last, color);
  }
  return Blocks(width, color);
}

std::string Table::Side(const std::vector<int>& widths, int last_width, bool color) const {
  std::string out;
  const size_t last = columns_.size() - 1;
  const auto cell = [&](size_t c, const std::string& text) {
    return columns_[c].align == Align::kRight ? PadLeft(text, widths[c])
                                              : PadRight(text, widths[c]);
  };
  std::string header;
  for (size_t c = 0; c <= last; ++c) {
    const std::string title = c == last && columns_[c].align == Align::kLeft
                                  ? columns_[c].title
                                  : cell(c, columns_[c].title);
    header += title + (c < last ? std::string(kGap, ' ') : "");
  }
  if (header.find_first_not_of(' ') != std::string::npos) {
    AppendLine(out, Paint(color, Style::kBold, header));
  }
  for (const auto& row : rows_) {
    std::string start;
    for (size_t c = 0; c < last; ++c) {
      start += cell(c, row[c]) + std::string(kGap, ' ');
    }
    if (columns_[last].align == Align::kRight) {
      AppendLine(out, start + cell(last, row[last]));
      continue;
    }
    const std::string indent(static_cast<size_t>(DisplayWidth(start)), ' ');
    const std::vector<std::string> lines = Wrap(row[last], last_width);
    for (size_t i = 0; i < std::max<size_t>(lines.size(), 1); ++i) {
      AppendLine(out, (i == 0 ? start : indent) + (i < lines.size() ? lines[i] : ""));
    }
  }
  return out;
}

std::string Table::Blocks(int width, bool color) const {
  std::string out;
  for (size_t r = 0; r < rows_.size(); ++r) {
    if (r != 0) {
      out += "\n";
    }
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string& title = columns_[c].title;
      const std::string text = title.empty() ? rows_[r][c] : title + ": " + rows_[r][c];
      const std::vector<std::string> lines = Wrap(text, width);
      for (size_t i = 0; i < lines.size(); ++i) {
        AppendLine(out, c == 0 && i == 0 ? Paint(color, Style::kBold, lines[i]) : lines[i]);
      }
    }
  }
  return out;
}

std::string NameValueLines(const std::vector<std::pair<std::string, std::string>>& lines, int width,
                           bool color) {
  int name_width = 0;
  for (const auto& [name, value] : lines) {
    name_width = std::max(name_width, DisplayWidth(name));
  }
  const int left = width - name_width - kGap;
  const bool beside = width == 0 || left >= kLeastLast / 2;
  std::string out;
  for (const auto& [name, value] : lines) {
    const std::string painted = Paint(color, Style::kBold, name);
    const std::string fill(static_cast<size_t>(name_width + kGap - DisplayWidth(name)), ' ');
    const std::vector<std::string> wrapped = Wrap(value, width == 0 ? 0
                                                         : beside   ? left
                                                                    : width - kGap);
    if (!beside) {
      AppendLine(out, painted);
    }
    for (size_t i = 0; i < wrapped.size(); ++i) {
      const std::string indent(static_cast<size_t>(beside ? name_width + kGap : kGap), ' ');
      AppendLine(out, (beside && i == 0 ? painted + fill : indent) + wrapped[i]);
    }
  }
  return out;
}

}  // namespace lbrx

#include "cli/help.h"

#include <algorithm>
#include <array>

#include "cli/formatters/table.h"
#include "cli/formatters/text.h"
#include "cli/term/terminal.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr int kMostWidth = 100;  // longer lines are hard to read

using Lines = std::vector<std::pair<std::string, std::string>>;

int UsableWidth(int width) {
  return width == 0 ? 80 : std::min(width, kMostWidth);
}

std::string Indented(const std::string& text, int by) {
  std::string out;
  const std::string indent(static_cast<size_t>(by), ' ');
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    out += (line.empty() ? "" : indent + line) + "\n";
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return out;
}

std::string Paragraph(std::string_view text, int width) {
  std::string out;
  for (const std::string& line : Wrap(text, width)) {
    out += line + "\n";
  }
  return out;
}

std::string Section(const std::string& title, const Lines& lines, int width, bool color) {
  return "\n" + Paint(color, Style::kBold, title + ":") + "\n" +
         Indented(NameValueLines(lines, width - 2, false), 2);
}

std::string Examples(std::span<const Example> examples, int width, bool color) {
  std::string out = Paint(color, Style::kBold, "Examples:") + "\n";
  for (const Example& example : examples) {
    out += "  " + Paint(color, Style::kCyan, example.line) + "\n";
    out += Indented(Paragraph(example.what, width - 6), 6);
  }
  return out;
}

// "-q, --quantize SCHEME": short spellings first.
std::string OptionNames(const OptionSpec& option) {
  std::vector<std::string> names = Spellings(option);
  std::stable_sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return !a.starts_with("--") && b.starts_with("--");
  });
  std::string out;
  for (const std::string& name : names) {
    out += (out.empty() ? "" : ", ") + name;
  }
  if (!option.value.empty()) {
    out += " " + std::string(option.value);
  }
  return out;
}

std::string OptionText(const OptionSpec& option) {
  std::string text(option.help);
  if (!option.choices.empty() && option.choices != option.value) {
    text += ": " + std::string(option.choices);
  }
  if (option.repeatable) {
    text += " (may be repeated)";
  }
  if (!option.fallback.empty()) {
    text += " (default: " + std::string(option.fallback) + ")";
  }
  return text;
}

std::string UsageLine(const CommandInfo& command) {
  if (!command.usage.empty()) {
    return std::string(command.usage);
  }
  std::string line = "lbrx " + std::string(command.name);
  for (const ArgumentSpec& argument : command.arguments) {
    const std::string name(argument.name);
    line += argument.required ? " " + name : " [" + name + "]";
  }
  return line + " [OPTIONS]";
}

std::string OptionSections(const std::vector<OptionTable>& tables, int width, bool color) {
  std::vector<std::pair<std::string, Lines>> groups;  // in order of first appearance
  for (const OptionTable& table : tables) {
    for (const OptionSpec& option : table) {
      if (option.hidden) {
        continue;
      }
      auto group = std::find_if(groups.begin(), groups.end(),
                                [&](const auto& each) { return each.first == option.group; });
      if (group == groups.end()) {
        group = groups.insert(groups.end(), {std::string(option.group), {}});
      }
      group->second.emplace_back(OptionNames(option), OptionText(option));
    }
  }
  std::string out;
  for (const auto& [title, lines] : groups) {
    out += Section(title, lines, width, color);
  }
  return out;
}

constexpr std::array<Example, 3> kGeneralExamples = {{
    {"lbrx quantize models/tiny-llama tiny-4bit -q 4bit", "quantize to 4-bit MLX"},
    {"lbrx inspect tiny-4bit --tensors", "see what is in it"},
    {"lbrx convert org/name model-mlx --to mlx", "convert a model of the Hugging Face cache"},
}};

}  // namespace

std::string GeneralHelp(int width, bool color) {
  const int columns = UsableWidth(width);
  std::string out =
      Paragraph("lbrx turns any open-weights language model checkpoint into any other.", columns);
  out += "\n" + Examples(kGeneralExamples, columns, color);
  out += "\n" + Paint(color, Style::kBold, "Usage:") + "\n  lbrx COMMAND [OPTIONS] ARGS\n";
  std::vector<std::pair<std::string, Lines>> groups;
  for (const CommandInfo* command : Commands()) {
    if (groups.empty() || groups.back().first != command->group) {
      groups.emplace_back(command->group, Lines{});
    }
    groups.back().second.emplace_back(command->name, command->summary);
  }
  for (const auto& [title, lines] : groups) {
    out += Section(title, lines, columns, color);
  }
  out += OptionSections({GlobalOptions()}, columns, color);
  return out + "\n" + Paragraph("lbrx help COMMAND shows a command's own options.", columns);
}

std::string CommandHelp(const CommandInfo& command, int width, bool color) {
  const int columns = UsableWidth(width);
  std::string out = Examples(command.examples, columns, color);
  out += "\n" + Paint(color, Style::kBold, "Usage:") + "\n";
  out += Indented(Paragraph(UsageLine(command), columns - 2), 2);
  out += "\n" + Paragraph(command.summary, columns);
  if (!command.details.empty()) {
    out += "\n" + Paragraph(command.details, columns);
  }
  Lines arguments;
  for (const ArgumentSpec& argument : command.arguments) {
    arguments.emplace_back(argument.name, argument.help);
  }
  if (!arguments.empty()) {
    out += Section("Arguments", arguments, columns, color);
  }
  return out + OptionSections(OptionTablesOf(command), columns, color);
}

}  // namespace lbrx

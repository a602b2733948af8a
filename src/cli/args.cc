#include "cli/args.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/plain_text.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

using Tables = std::vector<OptionTable>;

const OptionSpec* FindOption(const Tables& tables, std::string_view spelling) {
  for (const OptionTable& table : tables) {
    for (const OptionSpec& option : table) {
      for (const std::string& each : Spellings(option)) {
        if (each == spelling) {
          return &option;
        }
      }
    }
  }
  return nullptr;
}

std::vector<std::string> AllSpellings(const Tables& tables) {
  std::vector<std::string> all;
  for (const OptionTable& table : tables) {
    for (const OptionSpec& option : table) {
      for (std::string& each : Spellings(option)) {
        all.push_back(std::move(each));
      }
    }
  }
  return all;
}

[[noreturn]] void ThrowUsage(std::string_view object, const std::string& what,
                             const std::string& advice = "", const std::string& expected = "",
                             const std::string& found = "") {
  ErrorDetail detail;
  detail.object = object;
  detail.what = what;
  detail.expected = expected;
  detail.found = found;
  detail.advice = advice;
  throw Error(ErrorCode::kUsage, std::move(detail));
}

// The part of "--name=value" before '='.
std::string NamePart(const std::string& arg) {
  return arg.substr(0, arg.find('='));
}

// "--name=" would make CLI11 take the next argument.
void RefuseEmptyValues(std::span<const std::string> args, const Tables& tables) {
  for (const std::string& arg : args) {
    if (arg == "--") {
      return;
    }
    if (arg.starts_with("--") && arg.ends_with("=") && FindOption(tables, NamePart(arg))) {
      ThrowUsage(NamePart(arg), "has an empty value");
    }
  }
}

// CLI11 reports a missing value or one given to a flag by exceptions whose text is not ours.
[[noreturn]] void ThrowMismatch(std::span<const std::string> args, const Tables& tables) {
  for (const std::string& arg : args) {
    const OptionSpec* option = FindOption(tables, NamePart(arg));
    if (arg.starts_with("--") && arg.find('=') != std::string::npos && option != nullptr &&
        option->value.empty()) {
      ThrowUsage(option->name, "takes no value", "leave out the part from '='");
    }
  }
  const OptionSpec* last = args.empty() ? nullptr : FindOption(tables, args.back());
  ThrowUsage(args.empty() ? "" : args.back(), "needs a value",
             last == nullptr ? "" : Format("write {} {}", last->name, last->value));
}

void CheckChoice(const OptionSpec& option, const std::string& value) {
  if (option.choices.empty()) {
    return;
  }
  const std::vector<std::string> choices = SplitList(option.choices, '|');
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    ThrowUsage(option.name, "unknown value", Suggestion(value, choices, ""),
               "one of " + std::string(option.choices), "'" + value + "'");
  }
}

void CheckGiven(const std::vector<ParsedArgs::Given>& given, const Tables& tables) {
  std::map<const OptionSpec*, int> counts;
  for (const auto& [option, value] : given) {
    if (option->value.empty()) {
      continue;
    }
    if (++counts[option] > 1 && !option->repeatable) {
      ThrowUsage(option->name, "given more than once");
    }
    if (value.starts_with("-") && FindOption(tables, NamePart(value)) != nullptr) {
      ThrowUsage(option->name, "needs a value", "", std::string(option->value),
                 "the option " + value);
    }
    if (!value.empty()) {
      CheckChoice(*option, value);
    }
  }
}

void CheckConflicts(const std::vector<ParsedArgs::Given>& given) {
  for (const auto& a : given) {
    const std::vector<std::string> conflicts = SplitList(a.option->conflicts, ' ');
    for (const auto& b : given) {
      if (std::find(conflicts.begin(), conflicts.end(), b.option->name) != conflicts.end()) {
        ThrowUsage(a.option->name, Format("cannot be used together with {}", b.option->name),
                   "give one of them");
      }
    }
  }
}

// CLI11 with the tables' options and nothing else: no help flag, no positionals, no validation.
class Parser {
 public:
  explicit Parser(const Tables& tables) : tables_(tables) {
    app_.set_help_flag();
    app_.allow_extras();
    for (const OptionTable& table : tables) {
      for (const OptionSpec& option : table) {
        Add(option);
      }
    }
  }

  ParsedArgs Parse(std::span<const std::string> args) {
    RefuseEmptyValues(args, tables_);
    std::vector<std::string> reversed(args.rbegin(), args.rend());
    try {
      app_.parse(reversed);
    } catch (const CLI::ParseError&) {
      ThrowMismatch(args, tables_);
    }
    std::vector<ParsedArgs::Given> given = Given();
    std::vector<std::string> positionals = Positionals();
    CheckGiven(given, tables_);
    CheckConflicts(given);
    return {tables_, std::move(given), std::move(positionals)};
  }

 private:
  void Add(const OptionSpec& option) {
    std::string names;
    for (const std::string& spelling : Spellings(option)) {
      names += (names.empty() ? "" : ",") + spelling;
    }
    CLI::Option* made = nullptr;
    if (option.value.empty()) {
      made = app_.add_flag(names)->disable_flag_override();
    } else {
      made = app_.add_option(names, [](const CLI::results_t&) { return true; });
      if (option.optional_value) {
        made->expected(0, 1);
      }
    }
    made->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    specs_[made] = &option;
  }

  std::vector<ParsedArgs::Given> Given() const {
    std::vector<ParsedArgs::Given> given;
    std::map<const CLI::Option*, size_t> next;
    for (const CLI::Option* option : app_.parse_order()) {
      const OptionSpec* spec = specs_.at(option);
      const std::string& value = option->results().at(next[option]++);
      given.push_back({spec, spec->value.empty() ? "" : value});
    }
    return given;
  }

  // What CLI11 left over: positionals, and options that no table has.
  std::vector<std::string> Positionals() const {
    std::vector<std::string> positionals;
    bool ended = false;
    for (std::string& arg : app_.remaining()) {
      if (!ended && arg == "--") {
        ended = true;
      } else if (!ended && arg.size() > 1 && arg[0] == '-') {
        const std::string name = NamePart(arg);
        ThrowUsage(name, "unknown option",
                   Suggestion(name, AllSpellings(tables_), "--help lists the options"));
      } else {
        positionals.push_back(std::move(arg));
      }
    }
    return positionals;
  }

  const Tables& tables_;
  CLI::App app_;
  std::map<const CLI::Option*, const OptionSpec*> specs_;
};

}  // namespace

std::vector<std::string> SplitList(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) {
      parts.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return parts;
}

std::vector<std::string> Spellings(const OptionSpec& option) {
  std::vector<std::string> all = SplitList(option.aliases, ' ');
  all.insert(all.begin(), std::string(option.name));
  return all;
}

size_t ParsedArgs::Count(std::string_view option) const {
  if (FindOption(tables_, option) == nullptr) {
    throw Error(ErrorCode::kInternal, Format("option {} is in no table", option));
  }
  return static_cast<size_t>(std::count_if(given_.begin(), given_.end(), [&](const Given& given) {
    return given.option->name == option;
  }));
}

std::optional<std::string> ParsedArgs::Value(std::string_view option) const {
  if (!Has(option)) {
    return std::nullopt;
  }
  return Values(option).front();
}

void ParsedArgs::Give(std::string_view option, std::string value) {
  given_.push_back({FindOption(tables_, option), std::move(value)});
}

std::string ParsedArgs::ValueOr(std::string_view option, std::string_view fallback) const {
  return Value(option).value_or(std::string(fallback));
}

std::vector<std::string> ParsedArgs::Values(std::string_view option) const {
  std::vector<std::string> values;
  for (const Given& given : given_) {
    if (given.option->name == option) {
      values.push_back(given.value);
    }
  }
  return values;
}

std::optional<uint64_t> ParsedArgs::Uint(std::string_view option, uint64_t least,
                                         uint64_t most) const {
  const std::optional<std::string> text = Value(option);
  if (!text) {
    return std::nullopt;
  }
  uint64_t value = 0;
  const char* end = text->data() + text->size();
  const auto result = std::from_chars(text->data(), end, value);
  if (result.ec != std::errc{} || result.ptr != end || value < least || value > most) {
    ThrowUsage(option, "not a valid number", "", Format("{} to {}", least, most),
               "'" + *text + "'");
  }
  return value;
}

std::optional<uint64_t> ParsedArgs::Size(std::string_view option) const {
  const std::optional<std::string> text = Value(option);
  if (!text) {
    return std::nullopt;
  }
  try {
    return ParseBytes(*text);
  } catch (const Error& error) {
    ThrowUsage(option, error.detail().what, error.detail().advice, error.detail().expected,
               "'" + *text + "'");
  }
}

std::optional<double> ParsedArgs::Number(std::string_view option) const {
  const std::optional<std::string> text = Value(option);
  if (!text) {
    return std::nullopt;
  }
  char* end = nullptr;
  const double value = ParseDouble(text->c_str(), &end);
  if (text->empty() || *end != '\0' || !std::isfinite(value) || value < 0) {
    ThrowUsage(option, "not a valid number", "", "a number of at least 0", "'" + *text + "'");
  }
  return value;
}

ParsedArgs ParseOptions(std::span<const std::string> args, const std::vector<OptionTable>& tables) {
  return Parser(tables).Parse(args);
}

void CheckPositionals(const ParsedArgs& args, std::span<const ArgumentSpec> specs) {
  const std::vector<std::string>& given = args.positionals();
  if (given.size() > specs.size()) {
    ThrowUsage(given[specs.size()], "one argument too many",
               "quote a path with spaces; --help shows the usage");
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    if (i >= given.size() && specs[i].required) {
      ThrowUsage(specs[i].name, "is missing", "--help shows the usage");
    }
    if (i < given.size() && given[i].empty()) {
      ThrowUsage(specs[i].name, "is empty");
    }
  }
}

ParsedArgs WithArgumentOptions(ParsedArgs args, std::span<const ArgumentSpec> specs) {
  const size_t count = std::min(specs.size(), args.positionals().size());
  for (size_t i = 0; i < count; ++i) {
    if (specs[i].option.empty()) {
      continue;
    }
    const std::string& value = args.positionals()[i];
    if (args.Has(specs[i].option)) {
      ThrowUsage(value, Format("{} is given twice", specs[i].name),
                 Format("leave out this or {}", specs[i].option));
    }
    args.Give(specs[i].option, value);
  }
  return args;
}

size_t FindCommand(std::span<const std::string> args, OptionTable global) {
  const Tables tables{global};
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--") {
      return std::min(i + 1, args.size());
    }
    if (args[i].size() < 2 || args[i][0] != '-') {
      return i;
    }
    const OptionSpec* option = FindOption(tables, args[i]);
    if (option != nullptr && !option->value.empty()) {
      ++i;
    }
  }
  return args.size();
}

bool HasRawFlag(std::span<const std::string> args, OptionTable table, std::string_view name) {
  const Tables tables{table};
  for (const std::string& arg : args) {
    if (arg == "--") {
      return false;
    }
    const OptionSpec* option = FindOption(tables, arg);
    if (option != nullptr && option->name == name) {
      return true;
    }
  }
  return false;
}

}  // namespace lbrx

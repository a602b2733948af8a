// The command line as data: each command's arguments and options are a table, from which parsing,
// help, completion and suggestions follow.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbrx {

// What a shell can offer for a value. Choices are offered whatever this says.
enum class Completion : uint8_t { kNone, kPath, kFolder, kScheme, kArchitecture, kCommand };

struct OptionSpec {
  std::string_view name;        // by which the code asks: "--memory", "-q"
  std::string_view value = "";  // placeholder: "SIZE"; empty: a flag
  std::string_view help;
  std::string_view group = "Options";
  std::string_view fallback = "";   // default, as help shows it
  std::string_view aliases = "";    // further spellings: "--quantize -x"
  std::string_view choices = "";    // "auto|bar|none": the only values; empty: any
  std::string_view conflicts = "";  // options that may not be given beside it: "--csv --json"
  Completion completion = Completion::kNone;
  bool repeatable = false;      // may be given several times (flags always may)
  bool optional_value = false;  // may stand without its value
  bool hidden = false;          // understood, but not in help or completion
};

struct ArgumentSpec {
  std::string_view name;  // "SRC"
  std::string_view help;
  bool required = true;
  Completion completion = Completion::kPath;
  std::string_view choices = "";
  std::string_view option = "";  // whose value it is: "--threads"; empty: none's
};

using OptionTable = std::span<const OptionSpec>;

// Splits "a|b" or "--x --y".
std::vector<std::string> SplitList(std::string_view text, char separator);
// Name and aliases.
std::vector<std::string> Spellings(const OptionSpec& option);

// A command line taken apart. Asking for an option that no table has is an internal error.
class ParsedArgs {
 public:
  struct Given {
    const OptionSpec* option;
    std::string value;  // empty for flags and omitted optional values
  };

  ParsedArgs() = default;

  ParsedArgs(std::vector<OptionTable> tables, std::vector<Given> given,
             std::vector<std::string> positionals)
      : tables_(std::move(tables)),
        given_(std::move(given)),
        positionals_(std::move(positionals)) {}

  bool Has(std::string_view option) const { return Count(option) != 0; }

  size_t Count(std::string_view option) const;
  std::optional<std::string> Value(std::string_view option) const;  // nullopt: not given
  std::string ValueOr(std::string_view option, std::string_view fallback) const;
  std::vector<std::string> Values(std::string_view option) const;

  // Typed values; kUsage naming the option, what was expected and what was found.
  std::optional<uint64_t> Uint(std::string_view option, uint64_t least, uint64_t most) const;
  std::optional<uint64_t> Size(std::string_view option) const;  // "512MiB"
  std::optional<double> Number(std::string_view option) const;  // finite, not negative

  const std::vector<Given>& given() const { return given_; }  // in the order of the line

  const std::vector<std::string>& positionals() const { return positionals_; }

  // Adds an option that is not given yet.
  void Give(std::string_view option, std::string value);

 private:
  std::vector<OptionTable> tables_;
  std::vector<Given> given_;
  std::vector<std::string> positionals_;
};

// Takes `args` apart. Options may stand anywhere; "--" ends them. Throws kUsage for an unknown
// option (with a suggestion), a missing or unexpected value, a value outside the choices, a
// repetition, or two that conflict. Positionals are checked by CheckPositionals().
ParsedArgs ParseOptions(std::span<const std::string> args, const std::vector<OptionTable>& tables);

// Throws kUsage where required arguments are missing or there are too many.
void CheckPositionals(const ParsedArgs& args, std::span<const ArgumentSpec> specs);

// Gives options the values that stand as arguments. kUsage where an option is given as well.
ParsedArgs WithArgumentOptions(ParsedArgs args, std::span<const ArgumentSpec> specs);

// Index of the first argument that is neither an option of `global` nor the value of one;
// args.size() where there is none.
size_t FindCommand(std::span<const std::string> args, OptionTable global);

// Whether the flag `name` stands before "--", in any spelling, however broken the rest is.
bool HasRawFlag(std::span<const std::string> args, OptionTable table, std::string_view name);

}  // namespace lbrx

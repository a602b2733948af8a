#include "cli/completion.h"

#include "cli/command.h"
#include "core/base/format.h"
#include "core/tensor/encoding.h"
#include "model/architecture.h"
#include "quant/gguf/file_types.h"
#include "quant/recipes.h"

namespace lbrx {
namespace {

std::string Join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

// What may be offered: words, or the shell's own files and folders.
struct Offer {
  std::vector<std::string> words;
  bool files = false;
  bool folders = false;
};

Offer OfferFor(Completion completion, std::string_view choices) {
  Offer offer;
  if (!choices.empty()) {
    offer.words = SplitList(choices, '|');
    return offer;
  }
  switch (completion) {
    case Completion::kNone:
      break;
    case Completion::kPath:
      offer.files = true;
      break;
    case Completion::kFolder:
      offer.folders = true;
      break;
    case Completion::kScheme:
      for (const SchemeRow& row : SchemeTable()) {
        offer.words.emplace_back(row.name);
      }
      for (const MixedRecipe& row : MixedRecipes()) {
        offer.words.emplace_back(row.name);
      }
      for (const FileType& row : FileTypes()) {
        offer.words.emplace_back(row.name);
      }
      break;
    case Completion::kArchitecture:
      for (const Architecture* architecture : Architectures()) {
        offer.words.emplace_back(architecture->name);
      }
      break;
    case Completion::kCommand:
      offer.words = CommandNames();
      break;
  }
  return offer;
}

template <typename Visit>
void ForEachOption(const CommandInfo& command, const Visit& visit) {
  for (const OptionTable& table : OptionTablesOf(command)) {
    for (const OptionSpec& option : table) {
      if (!option.hidden) {
        visit(option);
      }
    }
  }
}

// In single quotes, for any of the three shells' plain words.
std::string Quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out + "'";
}

// --- bash
// -----------------------------------------------------------------------------------------

std::string BashReply(const Offer& offer) {
  if (offer.folders) {
    return "local IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "
           "\"$cur\"))";
  }
  if (offer.files) {
    return "local IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "
           "\"$cur\"))";
  }
  return "COMPREPLY=($(compgen -W " + Quote(Join(offer.words)) + " -- \"$cur\"))";
}

// "convert:-q|convert:--quantize) ... ;;" for every option with a value.
std::string BashValues(const CommandInfo& command) {
  std::string out;
  ForEachOption(command, [&](const OptionSpec& option) {
    if (option.value.empty()) {
      return;
    }
    std::string pattern;
    for (const std::string& spelling : Spellings(option)) {
      pattern += (pattern.empty() ? "" : "|") + std::string(command.name) + ":" + spelling;
    }
    out += Format("    {}) {}; return ;;\n", pattern,
                  BashReply(OfferFor(option.completion, option.choices)));
  });
  return out;
}

std::string BashArguments(const CommandInfo& command) {
  Offer offer;
  for (const ArgumentSpec& argument : command.arguments) {
    Offer next = OfferFor(argument.completion, argument.choices);
    offer.files = offer.files || next.files;
    if (!offer.files) {
      offer.words.insert(offer.words.end(), next.words.begin(), next.words.end());
    }
  }
  std::string options;
  ForEachOption(command, [&](const OptionSpec& option) {
    options += (options.empty() ? "" : " ") + Join(Spellings(option));
  });
  return Format(
      "    {})\n      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W {} -- \"$cur\"))\n"
      "      else {}; fi ;;\n",
      command.name, Quote(options), BashReply(offer));
}

// --- zsh
// ------------------------------------------------------------------------------------------

// Text inside an _arguments specification: brackets, colons and backslashes have a meaning there.
std::string ZshText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string ZshAction(const Offer& offer) {
  if (offer.folders) {
    return "_files -/";
  }
  if (offer.files) {
    return "_files";
  }
  return offer.words.empty() ? " " : "(" + Join(offer.words) + ")";
}

std::string ZshOptions(const CommandInfo& command) {
  std::string out;
  ForEachOption(command, [&](const OptionSpec& option) {
    for (const std::string& spelling : Spellings(option)) {
      std::string spec = "*" + spelling + "[" + ZshText(option.help) + "]";
      if (!option.value.empty()) {
        spec += ":" + ZshText(option.value) + ":" +
                ZshAction(OfferFor(option.completion, option.choices));
      }
      out += "        " + Quote(spec) + " \\\n";
    }
  });
  for (const ArgumentSpec& argument : command.arguments) {
    out += "        " +
           Quote((argument.required ? ":" : "::") + ZshText(argument.name) + ":" +
                 ZshAction(OfferFor(argument.completion, argument.choices))) +
           " \\\n";
  }
  return out;
}

// --- fish
// -----------------------------------------------------------------------------------------

std::string FishOption(const CommandInfo& command, const OptionSpec& option) {
  std::string line = Format("complete -c lbrx -n '__fish_seen_subcommand_from {}'", command.name);
  for (const std::string& spelling : Spellings(option)) {
    line += spelling.starts_with("--") ? " -l " + spelling.substr(2) : " -s " + spelling.substr(1);
  }
  if (!option.value.empty()) {
    const Offer offer = OfferFor(option.completion, option.choices);
    line += offer.files || offer.folders ? " -r -F" : " -x";
    if (!offer.words.empty()) {
      line += " -a " + Quote(Join(offer.words));
    }
  }
  return line + " -d " + Quote(option.help) + "\n";
}

std::string FishArguments(const CommandInfo& command) {
  std::string out;
  bool files = false;
  for (const ArgumentSpec& argument : command.arguments) {
    const Offer offer = OfferFor(argument.completion, argument.choices);
    files = files || offer.files;
    if (!offer.words.empty()) {
      out += Format("complete -c lbrx -n '__fish_seen_subcommand_from {}' -a {} -d {}\n",
                    command.name, Quote(Join(offer.words)), Quote(argument.name));
    }
  }
  return files ? Format("complete -c lbrx -n '__fish_seen_subcommand_from {}' -F\n", command.name) +
                     out
               : out;
}

}  // namespace

std::string BashCompletion() {
  std::string values;
  std::string arguments;
  for (const CommandInfo* command : Commands()) {
    values += BashValues(*command);
    arguments += BashArguments(*command);
  }
  std::string global;
  for (const OptionSpec& option : GlobalOptions()) {
    global += " " + Join(Spellings(option));
  }
  return "# bash completion of lbrx: eval \"$(lbrx completion bash)\"\n"
         "_lbrx() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n"
         "      --color|--progress) ((i++)) ;;\n"
         "      -*) ;;\n"
         "      *) command=${COMP_WORDS[i]}; break ;;\n"
         "    esac\n"
         "  done\n"
         "  case $command:$prev in\n" +
         values +
         "  esac\n"
         "  case $command in\n"
         "    '') COMPREPLY=($(compgen -W " +
         Quote(Join(CommandNames()) + global) + " -- \"$cur\")) ;;\n" + arguments +
         "  esac\n"
         "}\n"
         "complete -F _lbrx lbrx\n";
}

std::string ZshCompletion() {
  std::string cases;
  std::string commands;
  for (const CommandInfo* command : Commands()) {
    commands +=
        "        " + Quote(std::string(command->name) + ":" + ZshText(command->summary)) + " \\\n";
    cases += Format("    {})\n      _arguments -s \\\n{}        && return ;;\n", command->name,
                    ZshOptions(*command));
  }
  return "#compdef lbrx\n"
         "# zsh completion of lbrx: save as _lbrx in a folder of $fpath\n"
         "_lbrx() {\n"
         "  local -a commands\n"
         "  if (( CURRENT == 2 )); then\n"
         "    commands=( \\\n" +
         commands +
         "    )\n"
         "    _describe command commands\n"
         "    return\n"
         "  fi\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "}\n"
         "compdef _lbrx lbrx\n";
}

std::string FishCompletion() {
  std::string out =
      "# fish completion of lbrx: lbrx completion fish | source\n"
      "complete -c lbrx -f\n";
  for (const CommandInfo* command : Commands()) {
    out += Format("complete -c lbrx -n __fish_use_subcommand -a {} -d {}\n", command->name,
                  Quote(command->summary));
  }
  for (const CommandInfo* command : Commands()) {
    ForEachOption(*command, [&](const OptionSpec& option) { out += FishOption(*command, option); });
    out += FishArguments(*command);
  }
  return out;
}

}  // namespace lbrx

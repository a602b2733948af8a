#include "model/gguf/general_keys.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "core/base/format.h"
#include "core/base/plain_text.h"
#include "model/gguf/gguf_config.h"

namespace lbrx {
namespace {

using Lists = std::map<std::string, std::vector<std::string>, std::less<>>;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string Unquoted(std::string_view text) {
  text = Trim(text);
  const bool quoted = text.size() > 1 && (text.front() == '"' || text.front() == '\'') &&
                      text.front() == text.back();
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

// "value", or "[one, two]".
void AddValues(std::string_view text, std::vector<std::string>& values) {
  if (!text.starts_with('[') || !text.ends_with(']')) {
    values.push_back(Unquoted(text));
    return;
  }
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    values.push_back(Unquoted(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

// The lines between two "---" at the beginning of a card. Of YAML only what cards use for the keys
// of interest: texts and lists of texts at the outermost level.
Lists FrontMatter(std::string_view card) {
  Lists lists;
  std::string key;
  bool inside = false;
  while (!card.empty()) {
    const size_t end = std::min(card.find('\n'), card.size());
    const std::string_view line = card.substr(0, end);
    card.remove_prefix(std::min(end + 1, card.size()));
    const std::string_view text = Trim(line);
    if (text == "---" && inside) {
      return lists;
    }
    if (!inside) {
      if (text != "---") {
        return {};
      }
      inside = true;
    } else if (text.starts_with("- ")) {
      AddValues(Trim(text.substr(2)), lists[key]);
    } else if (const size_t colon = line.find(':');
               colon != std::string_view::npos && !line.starts_with(' ')) {
      key = Trim(line.substr(0, colon));
      lists[key];
      if (const std::string_view value = Trim(line.substr(colon + 1)); !value.empty()) {
        AddValues(value, lists[key]);
      }
    } else {
      key.clear();  // something deeper, whose lists are nobody's
    }
  }
  return {};  // no second "---"
}

// Whether a word begins with a capital in a title: not "v2", nor one that has capitals already.
bool IsCapitalized(std::string_view word) {
  const bool version = word.size() > 1 && word[0] == 'v' && IsAsciiDigit(word[1]);
  return !version && std::none_of(word.begin(), word.end(),
                                  [](char letter) { return letter != AsciiLower(letter); });
}

// "tiny-llama-v2" as "Tiny Llama v2".
std::string TitleOf(std::string_view id) {
  std::string title;
  while (!id.empty()) {
    const size_t length = std::min(id.find_first_of("- "), id.size());
    const std::string_view word = id.substr(0, length);
    const bool gap = length < id.size();
    id.remove_prefix(std::min(length + 1, id.size()));
    const size_t start = title.size();
    title += word;
    if (!word.empty() && IsCapitalized(word)) {
      title[start] = AsciiUpper(word[0]);
    }
    if (gap && !title.empty() && title.back() != ' ') {
      title += ' ';
    }
  }
  return title;
}

void SetText(GgufKeys& keys, std::string_view key, const Lists& card, std::string_view member) {
  const auto found = card.find(member);
  if (found != card.end() && !found->second.empty() && !found->second.front().empty()) {
    keys.Set(key, GgufValue::String(found->second.front()));
  }
}

void SetList(GgufKeys& keys, std::string_view key, const Lists& card,
             std::initializer_list<std::string_view> members) {
  std::vector<std::string> values;
  for (const std::string_view member : members) {
    if (const auto found = card.find(member); found != card.end()) {
      values.insert(values.end(), found->second.begin(), found->second.end());
    }
  }
  if (!values.empty()) {
    keys.Set(key, GgufValue::Strings(std::move(values)));
  }
}

// "organization/name", each. A card that names more than a merge can have is no card.
void SetBaseModels(GgufKeys& keys, const Lists& card) {
  constexpr size_t kMost = 1000;
  const auto found = card.find("base_model");
  if (found == card.end() || found->second.empty() || found->second.size() > kMost) {
    return;
  }
  keys.Set("general.base_model.count", GgufValue::U32(static_cast<uint32_t>(found->second.size())));
  for (size_t i = 0; i < found->second.size(); ++i) {
    const std::string& id = found->second[i];
    const size_t slash = id.find('/');
    const bool hub = slash != std::string::npos && id.find(':') == std::string::npos;
    const std::string name = hub ? id.substr(slash + 1) : id;
    keys.Set(Format("general.base_model.{}.name", i), GgufValue::String(TitleOf(name)));
    if (hub) {
      keys.Set(Format("general.base_model.{}.organization", i),
               GgufValue::String(TitleOf(id.substr(0, slash))));
      keys.Set(Format("general.base_model.{}.repo_url", i),
               GgufValue::String("https://huggingface.co/" + id));
    }
  }
}

}  // namespace

void AddParameters(std::string_view name, std::span<const uint64_t> shape, ParameterCount& count) {
  uint64_t size = 1;
  for (const uint64_t dimension : shape) {
    size *= dimension;
  }
  count.total += size;
  const bool stack =
      name.find("_exps.") != std::string_view::npos && shape.size() > 1 && shape[0] != 0;
  if (!stack) {
    count.shared += size;
    return;
  }
  count.one_expert += size / shape[0];
  count.experts += shape[0];
  ++count.stacks;
}

std::string SizeLabel(const ParameterCount& count) {
  struct Unit {
    double size;
    char letter;
  };

  static constexpr Unit kUnits[] = {{1e12, 'T'}, {1e9, 'B'}, {1e6, 'M'}, {1e3, 'K'}};
  const auto parameters =
      static_cast<double>(count.stacks == 0 ? count.total : count.shared + count.one_expert);
  const Unit* unit = kUnits;
  while (unit->size > 1e3 && parameters <= unit->size) {
    ++unit;
  }
  const double scaled = parameters / unit->size;
  const int digits = std::nearbyint(scaled) >= 10 ? 0 : (std::nearbyint(scaled) >= 1 ? 1 : 2);
  const std::string label = Format("{:.{}f}{}", scaled, digits, unit->letter);
  return count.stacks == 0 ? label : Format("{}x{}", count.experts / count.stacks, label);
}

void AddGeneralKeys(const Architecture& architecture, const GeneralFacts& facts, GgufKeys& keys) {
  const Lists card = FrontMatter(facts.model_card);
  keys.Set("general.architecture", GgufValue::String(std::string(GgufArchitecture(architecture))));
  keys.Set("general.type", GgufValue::String("model"));
  keys.Set("general.name", GgufValue::String(TitleOf(facts.folder)));
  SetText(keys, "general.name", card, "model_name");
  keys.Set("general.size_label", GgufValue::String(SizeLabel(facts.parameters)));
  SetText(keys, "general.license", card, "license");
  SetText(keys, "general.license.name", card, "license_name");
  SetText(keys, "general.license.link", card, "license_link");
  SetBaseModels(keys, card);
  SetList(keys, "general.tags", card, {"tags", "pipeline_tag"});
  SetList(keys, "general.languages", card, {"language", "languages"});
}

}  // namespace lbrx

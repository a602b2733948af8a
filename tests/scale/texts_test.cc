// Texts of many entries: JSON, YAML, indices, configurations, cards, rules, damaged headers.
#include <memory>

#include "adapt/adapter_config.h"
#include "check/repair/loose_header.h"
#include "check/repair/mend_json.h"
#include "convert/convert.h"
#include "convert/front_matter.h"
#include "convert/markdown.h"
#include "core/text/json.h"
#include "core/text/yaml.h"
#include "formats/checkpoint.h"
#include "hostile/raw_file.h"
#include "merge/config.h"
#include "model/gguf/general_keys.h"
#include "quant/gguf/type_rules.h"
#include "scale/scale.h"

namespace lbrx {
namespace {

std::string JsonMembers(uint64_t count, const std::string& value) {
  return "{" +
         JoinEntries(count, ",", [&](uint64_t i) { return "\"k" + Serial(i) + "\":" + value; }) +
         "}";
}

ScaleRow::Input JsonObject(uint64_t count) {
  return TextInput(JsonMembers(count, "1"), [](const std::string& text) {
    return ParseJson(text, "input").AsObject().size();
  });
}

ScaleRow::Input JsonArray(uint64_t count) {
  return TextInput(
      "[" + JoinEntries(count, ",", [](uint64_t i) { return std::to_string(i) + ".5"; }) + "]",
      [](const std::string& text) { return ParseJson(text, "input").AsArray().size(); });
}

ScaleRow::Input YamlMapping(uint64_t count) {
  return TextInput(
      JoinEntries(count, "", [](uint64_t i) { return "key" + Serial(i) + ": text\n"; }),
      [](const std::string& text) { return ParseYaml(text, "input").root().size(); });
}

ScaleRow::Input YamlSequence(uint64_t count) {
  return TextInput(
      JoinEntries(count, "", [](uint64_t i) { return "- {a: " + std::to_string(i) + "}\n"; }),
      [](const std::string& text) { return ParseYaml(text, "input").root().size(); });
}

ScaleRow::Input MergeModelList(uint64_t count) {
  return TextInput(
      "merge_method: linear\nmodels:\n" + JoinEntries(count, "",
                                                      [](uint64_t i) {
                                                        return "- model: m" + Serial(i) +
                                                               "\n  parameters: {weight: 1}\n";
                                                      }),
      [](const std::string& text) {
        return ReferencedModels(ParseMergeConfig(text, "input")).size();
      });
}

ScaleRow::Input CardKeys(uint64_t count) {
  return TextInput("---\n" +
                       JoinEntries(count, "", [](uint64_t i) { return "k" + Serial(i) + ":\n"; }) +
                       "---\n",
                   [count](const std::string& text) {
                     return FrontMatter::Read(text)->ToString() == text ? count : 0;
                   });
}

ScaleRow::Input CardTags(uint64_t count) {
  return TextInput("---\ntags:\n" +
                       JoinEntries(count, "", [](uint64_t i) { return "- t" + Serial(i) + "\n"; }) +
                       "---\n",
                   [count](const std::string& text) {
                     FrontMatter matter = *FrontMatter::Read(text);
                     matter.AddTag("new");
                     return matter.Has("tags") ? count : 0;
                   });
}

// A name of one endless word, and as many base models, for a GGUF file's keys.
ScaleRow::Input CardNames(uint64_t count) {
  const std::string list = JoinEntries(count / 8, "", [](uint64_t /*i*/) { return "- a/b\n"; });
  return TextInput(
      "---\nmodel_name: x\nbase_model:\n- " + std::string(count, 'a') + "\n" + list + "---\n",
      [count](const std::string& text) {
        GgufKeys keys;
        AddGeneralKeys(*Architectures().front(),
                       {.folder = std::string(count, 'a'), .model_card = text}, keys);
        return keys.entries().empty() ? 0 : count;
      });
}

ScaleRow::Input Backticks(uint64_t count) {
  return TextInput(std::string(count, '`'), [](const std::string& text) {
    return CodeSpan(text).empty() ? 0 : (Fenced("", text).size() - 5) / 3;
  });
}

ScaleRow::Input TypeRules(uint64_t count) {
  return TextInput(JoinEntries(count, "\n", [](uint64_t i) { return "t" + Serial(i) + "=f16"; }),
                   [](const std::string& text) { return ParseTypeRules(text, "input").size(); });
}

ScaleRow::Input AdapterPatterns(uint64_t count) {
  return TextInput("{\"peft_type\":\"LORA\",\"r\":1,\"lora_alpha\":1,\"rank_pattern\":" +
                       JsonMembers(count, "2") + "}",
                   [](const std::string& text) {
                     return ParseAdapterConfig(ParseJson(text, "input"), "input").ranks.size();
                   });
}

ScaleRow::Input PlanChoices(uint64_t count) {
  Json request = ConvertRequest().ToJson();
  Json::Array choices;
  for (uint64_t i = 0; i < count; ++i) {
    Json choice = Json::MakeObject();
    choice.Set("tensor", "t" + Serial(i));
    choice.Set("scheme", "4bit/64");
    choice.Set("squared_error", 0.5);
    choices.push_back(std::move(choice));
  }
  request.Set("choices", std::move(choices));
  return TextInput(WriteJson(request), [](const std::string& text) {
    return ConvertRequest::FromJson(ParseJson(text, "input")).choices.size();
  });
}

std::string HeaderEntries(uint64_t count) {
  return JoinEntries(count, ",",
                     [](uint64_t i) { return RawEntry("t" + Serial(i), "U8", "[1]", i, i + 1); });
}

ScaleRow::Input DamagedHeader(uint64_t count) {
  return TextInput("{" + HeaderEntries(count) + ",\"t",
                   [](const std::string& text) { return ScanHeader(text).entries.size(); });
}

// Nothing but the beginnings of something.
ScaleRow::Input HeaderOf(uint64_t count, const std::string& unit) {
  return TextInput(
      "{" + JoinEntries(count, "", [&](uint64_t /*i*/) { return unit; }),
      [count](const std::string& text) { return ScanHeader(text).end <= text.size() ? count : 0; });
}

ScaleRow::Input HeaderOfQuotes(uint64_t count) {
  return HeaderOf(count, "\"");
}

ScaleRow::Input HeaderOfBraces(uint64_t count) {
  return HeaderOf(count, "\"a\":{");
}

// Lists that do not end, each at a border from where reading begins anew.
ScaleRow::Input HeaderOfLists(uint64_t count) {
  return HeaderOf(count, "\"a\":[{},\"");
}

ScaleRow::Input HeaderOfFields(uint64_t count) {
  return HeaderOf(count, "\"dtype\":\"U8\",\"shape\":[1");
}

ScaleRow::Input CutJson(uint64_t count) {
  std::string text = JsonMembers(count, "1");
  text.back() = ',';
  return TextInput(std::move(text),
                   [](const std::string& cut) { return MendJson(cut).json.AsObject().size(); });
}

ScaleRow::Input NestedCutJson(uint64_t count) {
  return TextInput(
      JoinEntries(count, "", [](uint64_t /*i*/) { return "{\"a\":"; }),
      [count](const std::string& text) { return MendJson(text).wrong.empty() ? 0 : count; });
}

ScaleRow::Input ListsInCutJson(uint64_t count) {
  return TextInput(
      "{" + JoinEntries(count, "", [](uint64_t /*i*/) { return "\"a\":[,"; }),
      [count](const std::string& text) { return MendJson(text).wrong.empty() ? 0 : count; });
}

class TextScale : public testing::TestWithParam<ScaleRow> {};

TEST_P(TextScale, CostsAreLinear) {
  ExpectLinear(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, TextScale,
    testing::Values(ScaleRow{"json members", kMillion, 16, JsonObject},
                    ScaleRow{"json elements", kMillion, 16, JsonArray},
                    ScaleRow{"yaml mapping", kMillion / 5, 16, YamlMapping},
                    ScaleRow{"yaml sequence", kMillion / 5, 32, YamlSequence},
                    ScaleRow{"merge models", kMillion / 20, 64, MergeModelList},
                    ScaleRow{"card keys", kMillion / 2, 32, CardKeys},
                    ScaleRow{"card tags", kMillion / 2, 8, CardTags},
                    ScaleRow{"card names", kMillion, 16, CardNames},
                    ScaleRow{"backticks", kMillion, 16, Backticks},
                    ScaleRow{"type rules", kMillion / 50, 64, TypeRules},
                    ScaleRow{"adapter patterns", kMillion / 50, 64, AdapterPatterns},
                    ScaleRow{"plan choices", kMillion / 4, 16, PlanChoices},
                    ScaleRow{"damaged header", kMillion / 2, 8, DamagedHeader},
                    ScaleRow{"header of quotes", kMillion, 32, HeaderOfQuotes},
                    ScaleRow{"header of braces", kMillion, 32, HeaderOfBraces},
                    ScaleRow{"header of lists", kMillion, 32, HeaderOfLists},
                    ScaleRow{"header of fields", kMillion, 32, HeaderOfFields},
                    ScaleRow{"cut json", kMillion, 32, CutJson},
                    ScaleRow{"cut nested json", kMillion, 32, NestedCutJson},
                    ScaleRow{"cut json of lists", kMillion, 32, ListsInCutJson}));

}  // namespace
}  // namespace lbrx

#include "convert/front_matter.h"

#include <gtest/gtest.h>

#include "core/text/yaml.h"

namespace lbrx {
namespace {

std::string Changed(std::string_view card) {
  std::optional<FrontMatter> matter = FrontMatter::Read(card);
  if (!matter) {
    return "untouched";
  }
  matter->Set("base_model", "org/name");
  matter->AddTag("mlx");
  return matter->ToString();
}

TEST(FrontMatter, StartsABlockWhereThereIsNone) {
  EXPECT_EQ(Changed("# Title\n"), "---\nbase_model: org/name\ntags:\n- mlx\n---\n# Title\n");
  EXPECT_EQ(Changed(""), "---\nbase_model: org/name\ntags:\n- mlx\n---\n");
}

TEST(FrontMatter, KeepsTheLinesOfOthers) {
  EXPECT_EQ(Changed("---\n# comment\nlicense: mit\nmodel-index:\n- name: x\n  results:\n\n"
                    "  - task: |\n      a: b\n---\ntext\n---\n"),
            "---\n# comment\nlicense: mit\nmodel-index:\n- name: x\n  results:\n\n"
            "  - task: |\n      a: b\nbase_model: org/name\ntags:\n- mlx\n---\ntext\n---\n");
}

TEST(FrontMatter, ReplacesAnEntryWithAllItsLines) {
  EXPECT_EQ(Changed("---\nbase_model:\n- a/b\n- c/d\ntags: [mlx]\n---\n"),
            "---\nbase_model: org/name\ntags: [mlx]\n---\n");
  EXPECT_EQ(Changed("---\r\nbase_model: a/b\r\nlicense: mit\r\n---\r\nx\r\n"),
            "---\nbase_model: org/name\nlicense: mit\r\ntags:\n- mlx\n---\nx\r\n");
}

TEST(FrontMatter, AddsATagToEveryKindOfList) {
  const auto tags = [](const std::string& lines) {
    const std::string all = Changed("---\nbase_model: org/name\n" + lines + "---\n");
    const size_t begin = all.find("tags");
    return all.substr(begin, all.size() - begin - 4);
  };
  EXPECT_EQ(tags("tags:\n- a\n- \"b c\"\n"), "tags:\n- a\n- \"b c\"\n- mlx\n");
  EXPECT_EQ(tags("tags:\n  - a\n\n"), "tags:\n  - a\n  - mlx\n\n");
  EXPECT_EQ(tags("tags:\n- 'mlx'\n- b\n"), "tags:\n- 'mlx'\n- b\n");
  EXPECT_EQ(tags("tags: [a, \"b\"]\n"), "tags: [a, \"b\", mlx]\n");
  EXPECT_EQ(tags("tags: []\n"), "tags: [mlx]\n");
  EXPECT_EQ(tags("tags: [b,\"mlx\"]\n"), "tags: [b,\"mlx\"]\n");
  EXPECT_EQ(tags("tags: mlx-like\n"), "tags: mlx-like\n");
}

TEST(FrontMatter, WritesAnyTextSoThatYamlReadsItBack) {
  const std::string odd = "\x7F \xC2\x85 \xE2\x80\xA8 \xEF\xBF\xBF \xF0\x9F\x98\x80 \x01\n\"";
  FrontMatter matter;
  matter.Set("license_name", odd);
  const YamlDocument document = ParseYaml(matter.ToString(), "card");
  EXPECT_EQ(document.root().Find("license_name")->text(), odd);
  matter.Set("license_name", "a\xFF");
  EXPECT_EQ(matter.ToString(), "---\nlicense_name: \"a\\ufffd\"\n---\n");
}

TEST(FrontMatter, LeavesWhatItDoesNotUnderstand) {
  for (const char* card :
       {"---\nno end\n", "---\n{a: b}\n---\n", "---\n- list\n---\n", "---\n\"quoted\": 1\n---\n",
        "---\na: \"begun\nlicense: mit\"\n---\n", "---\na: 1\na: 2\n---\n",
        "---\na: [\nb\n]\n---\n", "---\na:b\n---\n", "---\n%YAML 1.1\n---\n", "---\n\ta: b\n---\n",
        "---\n? a\n---\n", "---\n  indented: 1\n---\n"}) {
    EXPECT_EQ(Changed(card), "untouched") << card;
  }
}

TEST(FrontMatter, QuotesWhatYamlWouldReadAsSomethingElse) {
  const auto scalar = [](std::string_view value) {
    FrontMatter matter;
    matter.Set("k", value);
    const std::string all = matter.ToString();
    return all.substr(7, all.size() - 12);
  };
  EXPECT_EQ(scalar("org/Some-Name_7.5"), "org/Some-Name_7.5");
  for (const char* value : {"", "no", "TRUE", "Null", "4-bit", "1.5", "-", "a: b", "a #b", "~"}) {
    EXPECT_EQ(scalar(value), '"' + std::string(value) + '"');
  }
  EXPECT_EQ(scalar("a\n---\nb\"\\"), R"("a\n---\nb\"\\")");
}

}  // namespace
}  // namespace lbrx

#include "merge/tokenizer/chat_template.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/text/json.h"

namespace lbrx {
namespace {

ModelTokenizer WithFile(const std::string& name, const std::string& text) {
  return {"model", {{name, text}}, 0};
}

std::optional<std::string> Choose(const std::string& setting,
                                  const std::vector<ModelTokenizer>& models = {}) {
  std::vector<std::string> notices;
  return ChooseChatTemplate(setting, models, notices);
}

std::string Refusal(const std::string& setting) {
  try {
    Choose(setting);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "";
}

TEST(ChatTemplate, AutoTakesTheMostFrequent) {
  const std::vector<ModelTokenizer> models = {
      WithFile("chat_template.jinja", "one"),
      WithFile("tokenizer_config.json", R"({"chat_template": " two\n"})"),
      WithFile("tokenizer_config.json", R"({"eos_token": "x"})"),
      WithFile("tokenizer_config.json", R"({"chat_template": [{"name": "tool", "template": "one"},
                                             {"name": "default", "template": "two"}]})")};
  EXPECT_EQ(Choose("auto", models), "two");
  EXPECT_EQ(Choose("auto", {models[0], models[1]}), "one");  // a tie: the first model's
  EXPECT_EQ(Choose("auto", {models[2]}), std::nullopt);
}

TEST(ChatTemplate, NamesAndTexts) {
  for (const ChatFormat& format : ChatFormats()) {
    EXPECT_EQ(Choose(std::string(format.name)), format.text);
  }
  const std::string text = "{{ messages[0].content }}";
  EXPECT_EQ(Choose(text), text);
}

TEST(ChatTemplate, RefusesWhatIsNeither) {
  EXPECT_NE(Refusal("chatlm").find("did you mean chatml?"), std::string::npos);
  EXPECT_NE(Refusal("{{ too short }}").find("at least 20 characters"), std::string::npos);
  EXPECT_NE(Refusal("a text without any expression").find("chat_template"), std::string::npos);
  EXPECT_NE(Refusal("{\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4}"),
            "");  // 20 bytes, 11 characters
}

TEST(ChatTemplate, GoesWhereTheOldOneWas) {
  std::vector<OutputText> files = {{"tokenizer_config.json", R"({"chat_template": "old"})"},
                                   {"chat_template.json", "{}"}};
  SetChatTemplate("new", files);
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(*ParseJson(files[0].content, "").Find("chat_template"), Json("new"));

  files = {{"tokenizer_config.json", "{}"},
           {"chat_template.jinja", "old"},
           {"additional_chat_templates/tool.jinja", "old"}};
  SetChatTemplate("new", files);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].content, "{}");
  EXPECT_EQ(files[1].name, "chat_template.jinja");
  EXPECT_EQ(files[1].content, "new");
}

}  // namespace
}  // namespace lbrx

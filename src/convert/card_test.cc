#include "convert/card.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "convert/command.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kCommit(40, 'c');

class CardTest : public ::testing::Test {
 protected:
  // The texts that are written when `source` is quantized, README.md's content first if any.
  static std::vector<OutputText> Texts(const ConvertRequest& request) {
    return PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(request.source))).texts;
  }

  static std::string CardOf(const ConvertRequest& request) {
    const std::vector<OutputText> texts = Texts(request);
    return texts.front().name == "README.md" ? texts.front().content : "";
  }

  ConvertRequest FourBit(const std::string& source) const {
    ConvertRequest request;
    request.source = source;
    request.destination = folder_ / "out";
    request.scheme = "4bit";
    return request;
  }

  std::string MakeSource(const std::string& name) const {
    std::filesystem::create_directories(std::filesystem::path(folder_ / name).parent_path());
    TinyLlama().Write(folder_ / name);
    return folder_ / name;
  }

  static bool Contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  TempDir folder_;
};

TEST_F(CardTest, TellsSchemesCommandAndUse) {
  ConvertRequest request = FourBit(MakeSource("source"));
  request.rules = {{"norm'`x", ""}};
  const std::string card = CardOf(request);
  EXPECT_TRUE(card.starts_with(
      "---\nlibrary_name: mlx\npipeline_tag: text-generation\ntags:\n- mlx\n- \"4-bit\"\n---\n"))
      << card;
  // Two matrices of 96 x 64 and in each layer 4 of 64 x 64 and 3 of 64 x 128, by 4.5 bits.
  EXPECT_TRUE(Contains(card, "| 4bit/64 | 16 | 94208 | 4.50 | 52992 |\n")) << card;
  EXPECT_TRUE(Contains(card, "| bf16 | 5 | 320 | 16.00 | 640 |\n")) << card;
  EXPECT_TRUE(Contains(card, "| all | 21 | 94528 | 4.54 | 53632 |\n")) << card;
  EXPECT_TRUE(Contains(card, R"(lbrx quantize SRC DST -q 4bit --keep 'norm'\''`x')")) << card;
  EXPECT_TRUE(Contains(card, "mlx_lm.generate"));
  EXPECT_FALSE(Contains(card, folder_.path()));
  EXPECT_FALSE(Contains(card, "license"));
}

TEST_F(CardTest, IsTheSameForAnyPath) {
  ConvertRequest request = FourBit(MakeSource("source"));
  const std::string card = CardOf(request);
  request.source = MakeSource("elsewhere/other");
  request.destination = folder_ / "third";
  request.strict = true;
  EXPECT_EQ(CardOf(request), card);
}

TEST_F(CardTest, ComesFirstOfTheTextsAndOnlyInFolders) {
  ConvertRequest request = FourBit(MakeSource("source"));
  const std::vector<OutputText> texts = Texts(request);
  ASSERT_EQ(texts.size(), 3U);
  EXPECT_EQ(texts[0].name, "README.md");
  EXPECT_EQ(texts[2].name, "config.json");
  request.card = false;
  EXPECT_EQ(CardOf(request), "");
  request.card = true;
  request.destination = folder_ / "out.safetensors";
  EXPECT_TRUE(Texts(request).empty());
}

TEST_F(CardTest, NamesTheRepositoryOfASnapshot) {
  const std::string source = MakeSource("hub/models--org--some-name/snapshots/" + kCommit);
  ConvertRequest request = FourBit(source);
  std::string card = CardOf(request);
  EXPECT_TRUE(Contains(card, "\nbase_model: org/some-name\nbase_model_relation: quantized\n"));
  EXPECT_TRUE(Contains(card, "(https://huggingface.co/org/some-name) at revision " + kCommit));
  EXPECT_TRUE(Contains(card, "# some-name\n"));
  EXPECT_TRUE(Contains(card, "lbrx quantize org/some-name DST -q 4bit"));

  request.scheme.reset();
  request.target = TargetKind::kHuggingFace;
  card = CardOf(request);
  EXPECT_TRUE(Contains(card, "\nbase_model: org/some-name\nlibrary_name: transformers\n")) << card;
  EXPECT_FALSE(Contains(card, "base_model_relation"));
  EXPECT_FALSE(Contains(card, "tags:"));
}

TEST_F(CardTest, TakesANameFromTheConfigOnlyIfItIsOne) {
  const std::string source = MakeSource("source");
  const std::string config = ReadTestFile(source + "/config.json");
  const auto with_name = [&](const std::string& name) {
    WriteTestFile(source + "/config.json",
                  "{\"_name_or_path\": \"" + name + "\"," + config.substr(config.find('{') + 1));
    return CardOf(FourBit(source));
  };
  EXPECT_TRUE(Contains(with_name("org/name"), "\nbase_model: org/name\n"));
  for (const char* name : {"/home/me/model", "../model", "name", "a/b: c", "org/na\\nlicense: mit",
                           "org/name\\\"", "a/b/c", "", "https://x/y", "org/[x](y)"}) {
    EXPECT_FALSE(Contains(with_name(name), "base_model")) << name;
    EXPECT_FALSE(Contains(with_name(name), "license")) << name;
  }
}

TEST_F(CardTest, KeepsTheTextAndTheLicenceOfTheSourcesCard) {
  const std::string source = MakeSource("hub/models--org--name/snapshots/" + kCommit);
  WriteTestFile(source + "/README.md",
                "---\nlicense: apache-2.0\nlibrary_name: transformers\nbase_model:\n- org/older\n"
                "base_model_relation: finetune\ntags:\n- code\nlanguage: en\n---\n# Mine\n");
  EXPECT_EQ(CardOf(FourBit(source)),
            "---\nlicense: apache-2.0\nlibrary_name: mlx\nbase_model: org/name\ntags:\n- code\n"
            "- mlx\n- \"4-bit\"\nlanguage: en\nbase_model_relation: quantized\n"
            "pipeline_tag: text-generation\n---\n# Mine\n");
}

TEST_F(CardTest, CarriesACardThatItDoesNotUnderstand) {
  const std::string source = MakeSource("source");
  const std::string card = "---\n{license: mit}\n---\n# Mine\n";
  WriteTestFile(source + "/README.md", card);
  const ConvertRequest request = FourBit(source);
  EXPECT_EQ(CardOf(request), card);
  const Plan plan =
      PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(request.source)));
  EXPECT_TRUE(std::any_of(plan.notices.begin(), plan.notices.end(), [](const std::string& notice) {
    return Contains(notice, "front matter");
  }));
}

TEST_F(CardTest, WritesItsOwnCardAnew) {
  ConvertRequest request = FourBit(MakeSource("source"));
  RunOptions options;
  options.destination = request.destination;
  options.sync = false;
  RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(request.source))),
          options);
  const std::string path = request.destination + "/README.md";
  const std::string first = ReadTestFile(path);
  ConvertRequest again = request;
  again.source = request.destination;
  EXPECT_EQ(CardOf(again), first);

  // What somebody added to its front matter stays.
  WriteTestFile(path, "---\nlicense: mit\nbase_model: org/name\n" + first.substr(4));
  again.scheme = "8bit";
  const std::string card = CardOf(again);
  EXPECT_TRUE(
      card.starts_with("---\nlicense: mit\nbase_model: org/name\nlibrary_name: mlx\n"
                       "pipeline_tag: text-generation\nbase_model_relation: quantized\n"
                       "tags:\n- mlx\n- \"8-bit\"\n---\n"))
      << card;
  EXPECT_TRUE(Contains(card, "| 8bit/64 |"));
  EXPECT_FALSE(Contains(card, "4bit"));
}

TEST_F(CardTest, PointsToTheLicenceFile) {
  const std::string source = MakeSource("source");
  WriteTestFile(source + "/LICENSE", "Do what you like.");
  EXPECT_TRUE(Contains(CardOf(FourBit(source)), "[LICENSE](LICENSE)"));
}

TEST(Command, HasEveryOptionThatDecidesBytes) {
  ConvertRequest request;
  request.source = "/tmp/a b";
  EXPECT_EQ(CommandOf(request, "SRC"), "lbrx convert SRC DST");
  request.target = TargetKind::kMlx;
  EXPECT_EQ(CommandOf(request, "SRC"), "lbrx convert SRC DST --to mlx");
  request.scheme = "4bit";
  request.group_size = 32;
  request.rule = MlxRule::kCpu;
  request.search = request.text_only = request.dequantize = request.protect_routers =
      request.strict = true;
  request.dtype = DType::kF16;
  request.target_bpw = 4.5;
  request.target_size = 5'000'000;
  request.rules = {{"a\\.b$", "8bit/64"}, {"x\ny", ""}};
  request.shard_size = 1000;
  EXPECT_EQ(CommandOf(request, "org/name"),
            "lbrx quantize org/name DST -q 4bit --target-bpw 4.5 --target-size 5000000 "
            "--group-size 32 --mlx-rule cpu --search --text-only --dequantize --dtype f16 "
            "--override 'a\\.b$=8bit/64' --keep 'x\\x0Ay' --protect-routers --shard-size 1000");
}

}  // namespace
}  // namespace lbrx

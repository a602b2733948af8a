// The commands that look at GGUF files and copy them.
#include <gtest/gtest.h>

#include "cli/test_app.h"
#include "core/io/file.h"
#include "core/text/json.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/gguf/";

Json JsonOf(const AppRun& run) {
  EXPECT_EQ(run.err, "");
  return ParseJson(run.out, "stdout");
}

TEST(InspectGguf, ShowsKeysAndTypes) {
  const AppRun run = RunForTest({"inspect", kFolder + "every_type.gguf", "--tensors"});
  EXPECT_EQ(run.code, 0) << run.err;
  for (const char* words :
       {"llama", "t.u64", "18446744073709551615", "str[]", "\"a\", \"\"", "IQ2_XXS", "TQ1_0"}) {
    EXPECT_NE(run.out.find(words), std::string::npos) << words << " in " << run.out;
  }
}

TEST(InspectGguf, HasKeysInJson) {
  const Json json = JsonOf(RunForTest({"inspect", kFolder + "plain.gguf", "--json"}));
  EXPECT_EQ(json.Find("format")->AsString(), "gguf");
  EXPECT_EQ(json.Find("architecture")->AsString(), "llama");
  const Json& keys = *json.Find("keys");
  EXPECT_EQ(WriteJson(*keys.Find("t.i64")), R"({"type":"i64","value":-9223372036854775808})");
  EXPECT_EQ(WriteJson(*keys.Find("t.f32")), R"({"type":"f32","value":0.1})");
  EXPECT_EQ(WriteJson(*keys.Find("t.i32s")), R"({"type":"i32[]","count":3,"value":[1,-2,3]})");
  EXPECT_TRUE(json.Find("tokenizer")->is_null());
}

TEST(QuantizeGguf, NamesTheNearestThatTheTargetHolds) {
  const TempDir folder;
  const std::string model = std::string(LBRX_TEST_DATA) + "/bard-base";
  const AppRun file = RunForTest({"quantize", model, folder / "out.gguf", "4bit"});
  EXPECT_EQ(file.code, 2);
  EXPECT_NE(file.err.find("-q Q4_K_M"), std::string::npos) << file.err;
  const AppRun out = RunForTest({"quantize", model, folder / "out", "-q", "Q8_0"});
  EXPECT_EQ(out.code, 2);
  EXPECT_NE(out.err.find("-q 8bit"), std::string::npos) << out.err;
}

TEST(QuantizeGguf, RefusesOptionsOfMlx) {
  const std::vector<std::vector<std::string>> cases = {
      {"--keep", "output"},   {"--override", "output=8bit"},
      {"--group-size", "32"}, {"--mlx-rule", "cpu"},
      {"--search"},           {"--protect-routers"}};
  for (const std::vector<std::string>& options : cases) {
    std::vector<std::string> args = {"quantize", "a", "b.gguf", "Q4_K_M"};
    args.insert(args.end(), options.begin(), options.end());
    const AppRun run = RunForTest(args);
    EXPECT_EQ(run.code, 2) << run.err;
    EXPECT_NE(run.err.find(options[0] + ": is for MLX's schemes"), std::string::npos) << run.err;
  }
}

TEST(QuantizeGguf, MeetsASizeDirectlyAndByAPlan) {
  const TempDir folder;
  const std::string model = std::string(LBRX_TEST_DATA) + "/bard-base";
  const std::string direct = folder / "direct.gguf";
  const std::string planned = folder / "planned.gguf";
  const auto quantize = [&](const std::string& destination, std::vector<std::string> more) {
    std::vector<std::string> args = {"quantize", model, destination, "--target-size", "4MB"};
    args.insert(args.end(), more.begin(), more.end());
    const AppRun run = RunForTest(args);
    EXPECT_EQ(run.code, 0) << run.err;
  };
  quantize(direct, {});
  EXPECT_LE(ReadTestFile(direct).size(), 4'000'000U);
  quantize(planned, {"--plan", folder / "plan.json"});
  EXPECT_FALSE(PathExists(planned));
  EXPECT_EQ(RunForTest({"apply", folder / "plan.json"}).code, 0);
  EXPECT_TRUE(ReadTestFile(planned) == ReadTestFile(direct));
}

TEST(QuantizeGguf, TakesThreadsAsTheFourthArgument) {
  const TempDir folder;
  const std::string model = std::string(LBRX_TEST_DATA) + "/bard-base";
  const AppRun run = RunForTest({"quantize", model, folder / "out.gguf", "Q8_0", "3"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(PathExists(folder / "out.gguf"));
  for (const char* wrong : {"0", "many", "-1"}) {
    const AppRun refused = RunForTest({"quantize", model, folder / "no.gguf", "Q8_0", "--", wrong});
    EXPECT_EQ(refused.code, 2) << wrong;
    EXPECT_NE(refused.err.find("--threads: not a valid number"), std::string::npos) << refused.err;
  }
  EXPECT_EQ(RunForTest({"quantize", model, folder / "no.gguf", "Q8_0", "3", "--threads", "2"}).code,
            2);
  EXPECT_EQ(RunForTest({"quantize", model, folder / "no.gguf", "3", "-q", "Q8_0"}).code, 2);
}

TEST(EditGguf, WritesACopyWithOtherKeys) {
  const TempDir folder;
  const std::string out = folder / "out.gguf";
  const AppRun run = RunForTest({"edit", kFolder + "plain.gguf", out, "--set", "t.u8=u8:7",
                                 "--remove", "t.i8", "--set", "t.i8=u32:1", "--json"});
  EXPECT_EQ(run.code, 0) << run.err;
  const Json json = JsonOf(RunForTest({"inspect", out, "--json"}));
  EXPECT_EQ(json.Find("keys")->Find("t.u8")->Find("value")->AsUint64(), 7U);
  EXPECT_EQ(json.Find("keys")->AsObject().back().first, "t.i8");
  EXPECT_EQ(RunForTest({"edit", kFolder + "plain.gguf", out}).code, 5) << "it is there already";
  EXPECT_EQ(RunForTest({"edit", kFolder + "plain.gguf", out, "--force"}).code, 0);
  EXPECT_EQ(ReadTestFile(out), ReadTestFile(kFolder + "plain.gguf"));
}

TEST(EditGguf, CutsUpAndPutsTogether) {
  const TempDir folder;
  const std::string whole = kFolder + "llama_plain.gguf";
  EXPECT_EQ(RunForTest({"edit", whole, folder / "set.gguf", "--shard-size", "160"}).code, 0);
  for (const char* part :
       {"set-00001-of-00003.gguf", "set-00002-of-00003.gguf", "set-00003-of-00003.gguf"}) {
    EXPECT_EQ(ReadTestFile(folder / part), ReadTestFile(kFolder + part));
  }
  EXPECT_EQ(RunForTest({"edit", folder / "set-00003-of-00003.gguf", folder / "one.gguf"}).code, 0);
  EXPECT_EQ(ReadTestFile(folder / "one.gguf"), ReadTestFile(whole));
}

TEST(EditGguf, RefusesWhatCannotBe) {
  const TempDir folder;
  const std::string plain = kFolder + "plain.gguf";
  const std::string out = folder / "out.gguf";
  EXPECT_EQ(RunForTest({"edit", plain, out, "--set", "general.alignment=u32:3"}).code, 2);
  EXPECT_EQ(RunForTest({"edit", plain, out, "--set", "a"}).code, 2);
  EXPECT_EQ(RunForTest({"edit", plain, plain, "--force"}).code, 2);
  EXPECT_EQ(RunForTest({"edit", kFolder + "set-00001-of-00003.gguf",
                        kFolder + "set-00002-of-00003.gguf", "--force"})
                .code,
            2);
  EXPECT_EQ(RunForTest({"edit", folder / "none.gguf", out}).code, 5);
  EXPECT_EQ(RunForTest({"edit", LBRX_TEST_DATA "/bard-base", out}).code, 2);
  EXPECT_FALSE(PathExists(out));
}

TEST(EditGguf, ShowsItsPlan) {
  const TempDir folder;
  const AppRun run = RunForTest({"edit", kFolder + "plain.gguf", folder / "out.gguf", "--dry-run"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("q.weight"), std::string::npos);
  EXPECT_FALSE(PathExists(folder / "out.gguf"));
}

TEST(RepairGguf, TellsWhatIsLost) {
  const TempDir folder;
  const std::string content = ReadTestFile(kFolder + "plain.gguf");
  WriteTestFile(folder / "cut.gguf", content.substr(0, content.size() - 100));
  const AppRun run = RunForTest({"repair", folder / "cut.gguf", folder / "out.gguf"});
  EXPECT_EQ(run.code, 10) << run.err;
  EXPECT_NE(run.out.find("q.weight"), std::string::npos) << run.out;
  EXPECT_EQ(RunForTest({"inspect", folder / "out.gguf"}).code, 0);
  EXPECT_EQ(RunForTest({"inspect", folder / "cut.gguf"}).code, 3);
}

TEST(ValidateGgufFile, ExitsWithItsErrors) {
  EXPECT_EQ(RunForTest({"validate", kFolder + "no_tensors.gguf"}).code, 0);
  const AppRun run = RunForTest({"validate", kFolder + "plain.gguf", "--json"});
  EXPECT_EQ(run.code, 3);
  EXPECT_NE(run.out.find("llama.context_length"), std::string::npos) << run.out;
}

}  // namespace
}  // namespace lbrx

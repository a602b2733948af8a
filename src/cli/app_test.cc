#include "cli/app.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "cli/command.h"
#include "cli/completion.h"
#include "cli/test_app.h"
#include "core/base/error.h"
#include "core/io/file.h"
#include "core/tensor/encoding.h"
#include "core/text/json.h"
#include "quant/gguf/file_types.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The one JSON object on standard output.
Json ParseOut(const AppRun& run) {
  return ParseJson(run.out, "stdout");
}

const Json& At(const Json& json, const std::string& key) {
  const Json* value = json.Find(key);
  if (value == nullptr) {
    throw Error(ErrorCode::kInvalid, "no member " + key);
  }
  return *value;
}

// A tiny model in a fresh folder.
class AppTest : public testing::Test {
 protected:
  AppTest() { TinyLlama{}.Write(model_); }

  const TempDir dir_;
  const std::string model_ = dir_ / "model";
  const std::string out_ = dir_ / "out";
};

TEST(AppUsageTest, WrongLinesExitWithTwoAndAMessage) {
  struct Case {
    std::vector<std::string> args;
    std::string part;
  };

  const std::vector<Case> cases = {
      {{}, "no command given"},
      {{"convrt", "a", "b"}, "did you mean convert?"},
      {{"zzzzzzzz"}, "lbrx --help lists them"},
      {{"convert", "a", "b", "--dtpye", "f16"}, "did you mean --dtype?"},
      {{"quantize", "a", "b"}, "needs a scheme"},
      {{"convert", "a", "b", "-q"}, "needs a scheme"},
      {{"convert", "a"}, "DST: is missing"},
      {{"convert"}, "SRC: is missing"},
      {{"inspect", "a", "b"}, "one argument too many"},
      {{"convert", "a", "b", "-q", "4bit", "--dequantize"}, "cannot be used together"},
      {{"schemes", "--quiet", "-v"}, "cannot be used together"},
      {{"convert", "a", "b.gguf", "--mmproj"}, "--text-only writes the text model"},
      {{"quantize", "a", "b", "4bit", "-q", "4bit"}, "given twice"},
      {{"convert", "a", "b", "--outfile", "x"}, "stands beside SRC alone"},
      {{"quantize", "--imatrix", "f", "a", "b", "4bit"}, "is for GGUF files"},
      {{"convert", "a", "b", "--q-bits", "4"}, "needs --hf-path"},
      {{"convert", "a", "--hf-path", "b"}, "cannot stand beside --hf-path"},
      {{"convert", "--hf-path", "a", "--q-bits", "4"}, "-q is missing"},
      {{"convert", "--hf-path", "a", "-q", "4bit", "--q-bits", "4"}, "given twice"},
      {{"convert", "--hf-path", "a", "-q", "--q-mode", "mxfp4", "--q-bits", "8"}, "4 bits"},
      {{"convert", "a", "b", "--override", "x"}, "REGEX=SCHEME"},
      {{"convert", "a", "b", "--dtype", "f17"}, "f32, f16 or bf16"},
      {{"completion", "fisch"}, "did you mean fish?"},
      {{"help", "convrt"}, "did you mean convert?"},
  };
  for (const Case& each : cases) {
    const AppRun run = RunForTest(each.args);
    EXPECT_EQ(run.code, 2) << run.err;
    EXPECT_EQ(run.out, "");
    EXPECT_TRUE(run.err.starts_with("lbrx: error: ")) << run.err;
    EXPECT_TRUE(run.err.ends_with("\n"));
    EXPECT_TRUE(Contains(run.err, each.part)) << run.err;
  }
}

TEST(AppUsageTest, JsonErrorsAreOneObject) {
  const AppRun run = RunForTest({"--json", "inspect", "/nonexistent/model"});
  EXPECT_EQ(run.code, 5);
  const Json json = ParseOut(run);
  EXPECT_EQ(At(json, "schema").AsString(), "lbrx.inspect.v1");
  const Json& error = At(json, "error");
  EXPECT_EQ(At(error, "code").AsString(), "io");
  EXPECT_EQ(At(error, "exit_code").AsUint64(), 5U);
  EXPECT_EQ(At(error, "file").AsString(), "/nonexistent/model");
  EXPECT_EQ("lbrx: error: " + At(error, "message").AsString() + "\n", run.err);
  for (const char* key : {"object", "expected", "found", "offset", "advice"}) {
    EXPECT_NE(error.Find(key), nullptr) << key;
  }
  // Also where the line cannot even be parsed.
  EXPECT_EQ(At(ParseOut(RunForTest({"zzz", "--json"})), "schema").AsString(), "lbrx.error.v1");
  EXPECT_EQ(At(ParseOut(RunForTest({"inspect", "--zzz", "--json"})), "schema").AsString(),
            "lbrx.inspect.v1");
}

TEST(AppUsageTest, TwoOutputFlagsConflict) {
  const AppRun run = RunForTest({"inspect", "a", "--json", "--csv"});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(At(At(ParseOut(run), "error"), "object").AsString(), "--csv");
}

TEST(AppUsageTest, UntrustedTextIsMadeSafe) {
  const AppRun run = RunForTest({"inspect", "/no\x1b[31m\n/thing\xff"});
  EXPECT_EQ(run.code, 5);
  EXPECT_EQ(run.err.find('\x1b'), std::string::npos);
  EXPECT_EQ(run.err.find('\n'), run.err.size() - 1);
  const AppRun json = RunForTest({"inspect", "/no\x1b[31m\n/thing\xff", "--json"});
  EXPECT_NO_THROW(ParseOut(json));
}

TEST(AppHelpTest, EveryCommandHasHelpWithExamplesFirst) {
  ASSERT_GE(Commands().size(), 15U);
  for (const CommandInfo* command : Commands()) {
    const std::string name(command->name);
    const AppRun help = RunForTest({"help", name});
    EXPECT_EQ(help.code, 0) << name;
    EXPECT_EQ(help.err, "") << name;
    EXPECT_TRUE(help.out.starts_with("Examples:\n  ")) << name;
    EXPECT_TRUE(Contains(help.out, "\nUsage:\n  lbrx " + name)) << name;
    EXPECT_TRUE(Contains(help.out, std::string(command->summary).substr(0, 40))) << name;
    EXPECT_FALSE(command->group.empty()) << name;
    // The same text, whatever else is on the line.
    EXPECT_EQ(RunForTest({name, "-h"}).out, help.out);
    EXPECT_EQ(RunForTest({name, "--help", "--nonsense"}).out, help.out);
    for (const OptionTable& table : OptionTablesOf(*command)) {
      for (const OptionSpec& option : table) {
        EXPECT_EQ(Contains(help.out, std::string(option.name)), !option.hidden)
            << name << " " << option.name;
      }
    }
  }
}

TEST(AppHelpTest, GeneralHelpListsEveryCommand) {
  const AppRun help = RunForTest({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_LT(help.out.find("Examples:"), help.out.find("Usage:"));
  for (const CommandInfo* command : Commands()) {
    EXPECT_TRUE(Contains(help.out, "\n  " + std::string(command->name) + " ")) << command->name;
  }
  EXPECT_EQ(RunForTest({"help"}).out, help.out);
}

TEST(AppHelpTest, EveryOptionIsDocumentedAndUnique) {
  for (const CommandInfo* command : Commands()) {
    std::vector<std::string> seen;
    for (const OptionTable& table : OptionTablesOf(*command)) {
      for (const OptionSpec& option : table) {
        EXPECT_TRUE(option.hidden || !option.help.empty()) << option.name;
        for (const std::string& spelling : Spellings(option)) {
          EXPECT_EQ(std::count(seen.begin(), seen.end(), spelling), 0)
              << command->name << " " << spelling;
          seen.push_back(spelling);
        }
      }
    }
  }
}

TEST(AppHelpTest, FitsNarrowTerminals) {
  for (const int columns : {20, 40, 80}) {
    const AppRun help = RunForTest({"help", "convert"}, {.terminal = true, .columns = columns});
    size_t start = 0;
    bool options = false;
    while (start < help.out.size()) {
      const size_t end = help.out.find('\n', start);
      const std::string line = help.out.substr(start, end - start);
      options = options || Contains(line, "Options") || Contains(line, "Quantization");
      if (options && !Contains(line, "\x1b")) {  // examples and usage are to be copied: not wrapped
        EXPECT_LE(line.size(), static_cast<size_t>(columns < 40 ? 40 : columns)) << line;
      }
      start = end + 1;
    }
  }
}

TEST(AppTerminalTest, ColoursOnlyWhereWanted) {
  const auto coloured = [](const AppWorld& world, const std::vector<std::string>& extra = {}) {
    std::vector<std::string> args{"schemes"};
    args.insert(args.end(), extra.begin(), extra.end());
    return Contains(RunForTest(args, world).out, "\x1b[");
  };
  EXPECT_TRUE(coloured({.terminal = true}));
  EXPECT_FALSE(coloured({}));
  EXPECT_FALSE(coloured({.environment = {{"NO_COLOR", "1"}}, .terminal = true}));
  EXPECT_FALSE(coloured({.environment = {{"TERM", "dumb"}}, .terminal = true}));
  EXPECT_FALSE(coloured({.environment = {{"CLICOLOR", "0"}}, .terminal = true}));
  EXPECT_TRUE(coloured({.environment = {{"NO_COLOR", ""}}, .terminal = true}));
  EXPECT_TRUE(coloured({.environment = {{"CLICOLOR_FORCE", "1"}}}));
  EXPECT_FALSE(coloured({.environment = {{"CLICOLOR_FORCE", "0"}}}));
  EXPECT_FALSE(coloured({.environment = {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}}));
  EXPECT_TRUE(coloured({.environment = {{"NO_COLOR", "1"}}}, {"--color", "always"}));
  EXPECT_FALSE(coloured({.terminal = true}, {"--color=never"}));
}

TEST(AppCompletionTest, MentionsEveryCommandAndOption) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const AppRun run = RunForTest({"completion", shell});
    ASSERT_EQ(run.code, 0);
    for (const CommandInfo* command : Commands()) {
      EXPECT_TRUE(Contains(run.out, std::string(command->name))) << shell << command->name;
      for (const OptionTable& table : OptionTablesOf(*command)) {
        for (const OptionSpec& option : table) {
          for (const std::string& spelling : Spellings(option)) {
            const bool is_long = spelling.starts_with("--");
            const std::string fish =
                (is_long ? " -l " : " -s ") + spelling.substr(is_long ? 2 : 1) + " ";
            const std::string wanted = shell == "fish" ? fish : spelling;
            EXPECT_EQ(Contains(run.out, wanted), !option.hidden) << shell << " " << wanted;
          }
        }
      }
    }
    EXPECT_TRUE(Contains(run.out, "mxfp4")) << shell;
    EXPECT_TRUE(Contains(run.out, "Q4_K_M")) << shell;
  }
}

TEST(AppRegistriesTest, AreListed) {
  const Json schemes = At(ParseOut(RunForTest({"schemes", "--json"})), "schemes");
  EXPECT_EQ(schemes.AsArray().size(), SchemeTable().size());
  EXPECT_EQ(At(schemes.AsArray()[3], "name").AsString(), "4bit");
  EXPECT_EQ(At(schemes.AsArray()[3], "bits_per_weight").AsDouble(), 4.5);
  const Json types = At(ParseOut(RunForTest({"schemes", "--json"})), "file_types");
  EXPECT_EQ(types.AsArray().size(), FileTypes().size());
  EXPECT_EQ(At(types.AsArray()[0], "name").AsString(), "Q1_0");
  EXPECT_EQ(At(types.AsArray()[0], "number").AsUint64(), 40U);
  EXPECT_EQ(At(types.AsArray()[0], "base_bits_per_weight").AsDouble(), 1.125);
  EXPECT_TRUE(Contains(RunForTest({"schemes"}).out, "Q4_K_M"));
  EXPECT_TRUE(Contains(RunForTest({"formats"}).out, "safetensors"));
  EXPECT_TRUE(Contains(RunForTest({"architectures"}).out, "llama"));
  EXPECT_EQ(At(ParseOut(RunForTest({"formats", "--json"})), "schema").AsString(),
            "lbrx.formats.v1");
  EXPECT_EQ(At(ParseOut(RunForTest({"architectures", "--json"})), "schema").AsString(),
            "lbrx.architectures.v1");
}

TEST(AppVersionTest, IsTheSameInBothSpellings) {
  const AppRun run = RunForTest({"--version"});
  EXPECT_EQ(run.code, 0);
  EXPECT_TRUE(run.out.starts_with("lbrx ")) << run.out;
  EXPECT_EQ(RunForTest({"version"}).out, run.out);
  EXPECT_EQ(RunForTest({"schemes", "--version"}).out, run.out);
  const Json json = ParseOut(RunForTest({"--version", "--json"}));
  for (const char* key : {"version", "commit", "compiler", "simd"}) {
    EXPECT_FALSE(At(json, key).AsString().empty()) << key;
  }
}

TEST_F(AppTest, DoctorReportsAndCleansUp) {
  const std::string folder = dir_ / "folder";
  MakeDirectory(folder);
  const AppRun run = RunForTest({"doctor", "--path", folder, "--json"},
                                {.environment = {{"HF_HUB_CACHE", dir_ / "hub"}}});
  ASSERT_EQ(run.code, 0) << run.err;
  const Json json = ParseOut(run);
  EXPECT_GT(At(At(json, "memory"), "total").AsUint64(), uint64_t{1} << 26);
  EXPECT_GE(At(At(json, "cpu"), "usable_cores").AsUint64(), 1U);
  EXPECT_GT(At(At(json, "disk"), "read_bytes_per_second").AsDouble(), 0);
  EXPECT_EQ(At(At(json, "hub_cache"), "path").AsString(), dir_ / "hub");
  EXPECT_FALSE(At(At(json, "hub_cache"), "exists").AsBool());
  EXPECT_TRUE(ListDirectory(folder).empty());
  EXPECT_TRUE(Contains(RunForTest({"doctor", "--path", folder}).out, "disk speed"));
}

TEST_F(AppTest, CleanRemovesThePartialFolderOnly) {
  MakeDirectory(out_ + ".lbrx-partial");
  WriteTestFile(out_ + ".lbrx-partial/journal", "x");
  EXPECT_EQ(RunForTest({"clean", out_}).code, 0);
  EXPECT_FALSE(PathExists(out_ + ".lbrx-partial"));
  EXPECT_TRUE(Contains(RunForTest({"clean", out_ + "/"}).out, "nothing to remove"));
  MakeDirectory(out_ + ".lbrx-partial");
  const Json json = ParseOut(RunForTest({"clean", out_ + ".lbrx-partial", "--json"}));
  EXPECT_TRUE(At(json, "removed").AsBool());
  EXPECT_TRUE(PathExists(model_));
}

TEST_F(AppTest, QuantizesInspectsValidatesAndCompares) {
  const AppRun run = RunForTest({"quantize", model_, out_, "-q", "4bit", "--no-sync"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(Contains(run.err, "lbrx: wrote ")) << run.err;

  const Json json = ParseOut(RunForTest({"inspect", out_, "--json"}));
  EXPECT_EQ(At(json, "format").AsString(), "mlx");
  EXPECT_EQ(At(json, "architecture").AsString(), "llama");
  EXPECT_EQ(At(At(json, "quantization"), "bits").AsUint64(), 4U);
  uint64_t bytes = 0;
  for (const Json& tensor : At(json, "tensors").AsArray()) {
    bytes += At(tensor, "bytes").AsUint64();
  }
  EXPECT_EQ(bytes, At(json, "bytes").AsUint64());

  EXPECT_EQ(RunForTest({"validate", out_, "--deep"}).code, 0);
  EXPECT_EQ(RunForTest({"diff", model_, model_}).code, 0);
  const AppRun diff = RunForTest({"diff", model_, out_, "--json"});
  EXPECT_EQ(diff.code, 10);
  EXPECT_FALSE(At(ParseOut(diff), "equal").AsBool());
  EXPECT_EQ(RunForTest({"diff", model_, out_, "--tolerance", "100"}).code, 0);
  EXPECT_EQ(RunForTest({"quantize", model_, out_, "-q", "4bit"}).code, 5);
}

TEST_F(AppTest, MlxSpellingsAreTheSameCommand) {
  ASSERT_EQ(RunForTest({"convert", "--hf-path", model_, "--mlx-path", out_, "-q", "--q-bits", "8",
                        "--q-group-size", "32"})
                .code,
            0);
  ASSERT_EQ(RunForTest({"quantize", model_, dir_ / "b", "8bit", "--group-size", "32"}).code, 0);
  EXPECT_EQ(ReadTree(out_), ReadTree(dir_ / "b"));
  ASSERT_EQ(RunForTest({"convert", "--model", out_, "--mlx-path", dir_ / "c", "-d"}).code, 0);
  const Json json = ParseOut(RunForTest({"inspect", dir_ / "c", "--json"}));
  EXPECT_TRUE(At(json, "quantization").is_null());
}

TEST_F(AppTest, DryRunAndNoOutputWriteNothing) {
  const AppRun dry = RunForTest({"quantize", model_, out_, "-q", "4bit", "--dry-run"});
  EXPECT_EQ(dry.code, 0);
  EXPECT_TRUE(Contains(dry.out, "4bit/64")) << dry.out;
  EXPECT_TRUE(Contains(dry.out, "free")) << dry.out;
  const Json json =
      ParseOut(RunForTest({"quantize", model_, out_, "-q", "4bit", "--dry-run", "--json"}));
  EXPECT_EQ(At(json, "schema").AsString(), "lbrx.quantize.v1");
  EXPECT_GT(At(json, "output_bytes").AsUint64(), 0U);
  EXPECT_EQ(RunForTest({"quantize", model_, out_, "-q", "4bit", "--no-output"}).code, 0);
  EXPECT_EQ(ListDirectory(dir_.path()).size(), 1U);
}

TEST_F(AppTest, PlansAreAppliedUnlessTheSourceChanged) {
  const std::string plan = dir_ / "plan.json";
  ASSERT_EQ(RunForTest({"convert", model_, out_, "-q", "4bit", "--plan", plan}).code, 0);
  EXPECT_FALSE(PathExists(out_));
  ASSERT_EQ(RunForTest({"apply", plan}).code, 0);
  ASSERT_EQ(RunForTest({"convert", model_, dir_ / "direct", "-q", "4bit"}).code, 0);
  EXPECT_EQ(ReadTree(out_), ReadTree(dir_ / "direct"));

  WriteTestFile(model_ + "/model.safetensors", ReadTestFile(model_ + "/model.safetensors"));
  const AppRun changed = RunForTest({"apply", plan, "--force"});
  EXPECT_EQ(changed.code, 3);
  EXPECT_TRUE(Contains(changed.err, "changed since the plan was made")) << changed.err;
  WriteTestFile(plan, "{\"schema\": \"other\"}");
  EXPECT_EQ(RunForTest({"apply", plan}).code, 3);
  EXPECT_EQ(RunForTest({"apply", dir_ / "none.json"}).code, 5);
}

TEST_F(AppTest, ReportsNeverReplaceForeignFiles) {
  const std::string report = dir_ / "report.json";
  const std::vector<std::string> line{"quantize", model_,     out_,   "-q",
                                      "4bit",     "--report", report, "--no-output"};
  WriteTestFile(report, "precious");
  EXPECT_EQ(RunForTest(line).code, 5);
  EXPECT_EQ(ReadTestFile(report), "precious");
  std::filesystem::remove(report);
  EXPECT_EQ(RunForTest(line).code, 0);
  const Json json = ParseJson(ReadTestFile(report), report);
  uint64_t measured = 0;
  for (const Json& tensor : At(json, "tensors").AsArray()) {
    if (At(tensor, "scheme").AsString() == "4bit/64") {
      EXPECT_GT(At(tensor, "rmse").AsDouble(), 0);
      EXPECT_GT(At(tensor, "snr_db").AsDouble(), 10);
      ++measured;
    } else {
      EXPECT_TRUE(At(tensor, "rmse").is_null());
    }
  }
  EXPECT_GT(measured, 0U);
  EXPECT_EQ(RunForTest(line).code, 0) << "an earlier report may be replaced";
}

TEST_F(AppTest, ValidateListsEveryProblem) {
  std::string bytes = ReadTestFile(model_ + "/model.safetensors");
  WriteTestFile(model_ + "/model.safetensors", bytes.substr(0, bytes.size() - 5));
  const AppRun run = RunForTest({"validate", model_, "--json"});
  EXPECT_EQ(run.code, 3);
  const Json json = ParseOut(run);
  EXPECT_FALSE(At(json, "valid").AsBool());
  ASSERT_FALSE(At(json, "problems").AsArray().empty());
  const Json& problem = At(json, "problems").AsArray()[0];
  for (const char* key : {"severity", "file", "object", "offset", "message"}) {
    EXPECT_NE(problem.Find(key), nullptr) << key;
  }
  EXPECT_EQ(RunForTest({"validate", dir_ / "none"}).code, 5);
  const AppRun text = RunForTest({"validate", model_});
  EXPECT_EQ(text.code, 3);
  EXPECT_TRUE(Contains(text.out, "error")) << text.out;
}

TEST_F(AppTest, InspectFiltersSortsAndWritesCsv) {
  const AppRun csv = RunForTest({"inspect", model_, "--csv", "--sort", "size"});
  EXPECT_TRUE(csv.out.starts_with("name,dtype,shape,bytes,scheme,file,offset\n")) << csv.out;
  const Json json =
      ParseOut(RunForTest({"inspect", model_, "--json", "--filter", "layers\\.[0]\\..*norm"}));
  EXPECT_EQ(At(json, "tensors").AsArray().size(), 2U);
  const AppRun bad = RunForTest({"inspect", model_, "--filter", "["});
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(bad.out, "");
}

TEST_F(AppTest, HashDoesNotDependOnTheContainer) {
  ASSERT_EQ(RunForTest({"convert", model_, dir_ / "one.safetensors"}).code, 0);
  ASSERT_EQ(RunForTest({"convert", model_, out_, "--to", "mlx"}).code, 0);
  const Json a = ParseOut(RunForTest({"hash", model_, "--json"}));
  const Json b = ParseOut(RunForTest({"hash", dir_ / "one.safetensors", "--json"}));
  const Json c = ParseOut(RunForTest({"hash", out_, "--json"}));
  EXPECT_FALSE(At(a, "tensors").AsArray().empty());
  EXPECT_EQ(At(a, "tensors"), At(b, "tensors"));
  EXPECT_EQ(At(a, "tensors"), At(c, "tensors"));
  EXPECT_EQ(At(At(a, "files").AsArray()[0], "sha256").AsString().size(), 64U);
}

TEST_F(AppTest, AStopExitsAsTheSignalAndSaysHowToContinue) {
  for (const int signal : {2, 15}) {
    const AppRun run =
        RunForTest({"quantize", model_, out_, "-q", "4bit"}, {.cancelled = true, .signal = signal});
    EXPECT_EQ(run.code, 128 + signal);
    EXPECT_TRUE(Contains(run.err, "the same command continues it")) << run.err;
    EXPECT_FALSE(PathExists(out_));
  }
  const AppRun run = RunForTest({"quantize", model_, out_, "-q", "4bit"});
  EXPECT_EQ(run.code, 0) << run.err;
}

TEST_F(AppTest, ProgressEventsAreJsonLines) {
  const AppRun run = RunForTest({"quantize", model_, out_, "-q", "4bit", "--progress", "json"});
  ASSERT_EQ(run.code, 0);
  std::vector<std::string> events;
  size_t start = 0;
  while (start < run.err.size() && run.err[start] == '{') {
    const size_t end = run.err.find('\n', start);
    const Json json = ParseJson(run.err.substr(start, end - start), "stderr");
    events.push_back(At(json, "event").AsString());
    for (const char* key :
         {"bytes_done", "bytes_total", "bytes_resumed", "tensor", "seconds", "eta"}) {
      EXPECT_NE(json.Find(key), nullptr) << key;
    }
    start = end + 1;
  }
  ASSERT_GT(events.size(), 3U);
  EXPECT_EQ(events.front(), "start");
  EXPECT_EQ(events.back(), "done");
  const AppRun failed = RunForTest({"quantize", model_, out_, "-q", "4bit", "--progress", "json"});
  EXPECT_TRUE(failed.err.starts_with("{\"event\":\"error\"")) << failed.err;
}

TEST_F(AppTest, QuietSaysNothingButErrors) {
  const AppRun run = RunForTest({"quantize", model_, out_, "-q", "4bit", "--quiet"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out + run.err, "");
  EXPECT_NE(RunForTest({"quantize", model_, out_, "-q", "4bit", "--quiet"}).err, "");
}

}  // namespace
}  // namespace lbrx

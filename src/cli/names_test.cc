// Names of sources and destinations that are unusual, and may be had all the same.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/test_app.h"
#include "core/base/error.h"
#include "core/io/file.h"
#include "core/io/partial.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

constexpr size_t kLongestName = 255;  // of the usual file systems
constexpr size_t kLongest = kLongestName - std::string_view(PartialOutput::kSuffix).size();

std::vector<std::string> OddNames() {
  std::vector<std::string> names = {"two words",
                                    " ",
                                    "-q",
                                    "$HOME `id` %s",
                                    "\xE6\xA8\xA1\xE5\x9E\x8B",
                                    "a\n\x1B[31m",
                                    std::string(kLongest, 'n')};
#ifndef __APPLE__  // whose file systems have UTF-8 only
  names.emplace_back("bad\xFF\xFEutf8");
#endif
  return names;
}

TEST(OddNames, Work) {
  const TempDir folder;
  TinyLlama().Write(folder / "model");
  const std::string original = folder / "model";
  std::string source = original;
  for (const std::string& name : OddNames()) {
    const std::string made = folder / name;
    const AppRun run = RunForTest({"convert", "--no-sync", "--no-card", source, made});
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_EQ(run.err.find('\x1B'), std::string::npos);
    EXPECT_EQ(ReadTestFile(made + "/model.safetensors"),
              ReadTestFile(original + "/model.safetensors"));
    source = made;  // what was written is read under its name
  }
  EXPECT_EQ(ListDirectory(folder.path()).size(), OddNames().size() + 1);
}

TEST(OddNames, ADashMayBeginOneBehindTwoDashes) {
  const TempDir folder;
  TinyLlama().Write(folder / "model");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  EXPECT_EQ(RunForTest({"convert", "--no-sync", "--", "model", "-d"}).code, 0);
  EXPECT_EQ(RunForTest({"validate", "./-d"}).code, 0);
  std::filesystem::current_path(before);
}

// Work in progress lies beside the destination under a longer name.
TEST(OddNames, TooLongOnesAreRefused) {
  const TempDir folder;
  TinyLlama().Write(folder / "model");
  for (const size_t length : {kLongest + 1, kLongestName, kLongestName + 1}) {
    const AppRun run = RunForTest({"convert", folder / "model", folder / std::string(length, 'n')});
    EXPECT_EQ(run.code, ExitCode(ErrorCode::kIo)) << length;
    EXPECT_NE(run.err.find("too long"), std::string::npos) << run.err;
  }
  EXPECT_EQ(ListDirectory(folder.path()), std::vector<std::string>{"model"});
}

}  // namespace
}  // namespace lbrx

// Space on the disk, compared with what a plan needs before anything is written.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/test_app.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "hostile/raw_file.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

TEST(Space, TooLittleIsRefusedAtTheStartWithBothFigures) {
  const TempDir folder;
  const std::string source = folder / "large.safetensors";
  // Twice what is free, in a file that has no blocks on disk.
  constexpr uint64_t kRow = 2048;
  const uint64_t rows = 2 * FreeSpace(folder.path()) / kRow;
  const std::string header =
      "{" + RawEntry("a.weight", "BF16", Format("[{},{}]", rows, kRow / 2), 0, rows * kRow) + "}";
  WriteTestFile(source, RawSafetensors(header, ""));
  std::filesystem::resize_file(source, 8 + header.size() + rows * kRow);
  const AppRun run = RunForTest({"convert", source, folder / "out.safetensors"});
  EXPECT_EQ(run.code, 6);
  const std::string need = Format("not enough free space, expected {}", FormatBytes(rows * kRow));
  EXPECT_NE(run.err.find(need), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("nothing was written"), std::string::npos) << run.err;
  EXPECT_EQ(ListDirectory(folder.path()), std::vector<std::string>{"large.safetensors"});
}

}  // namespace
}  // namespace lbrx

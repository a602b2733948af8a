#include "formats/detect.h"

#include "formats/huggingface/test_folder.h"

namespace lbrx {
namespace {

struct Kind {
  std::string content;
  const char* kind;  // in the words of the message
  const char* advice;
  bool stand_in;
};

TEST(Detect, NamesWhatAFileIs) {
  std::string tar(512, 'a');
  tar.replace(257, 5, "ustar");
  const std::vector<Kind> kinds = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS pointer",
       "git lfs pull", true},
      {"<!DOCTYPE html>\n<html><body>Not found</body></html>", "HTML page", "hf download", true},
      {"\n <HTML>", "HTML page", "hf download", true},
      {"Invalid username or password.", "refusal", "hf auth login", true},
      {"Entry not found", "refusal", "hf auth login", true},
      {std::string(100'000, '\0'), "100000 zeros", "hf download", true},
      {"", "empty file", "hf download", true},
      {"PK\x03\x04 and so on", "ZIP archive", "lbrx convert", false},
      {"7z\xBC\xAF\x27\x1C.....", "7z archive", "unpack", false},
      {"\x1F\x8B\x08.....", "gzip file", "unpack", false},
      {"\x28\xB5\x2F\xFD.....", "zstd file", "unpack", false},
      {"BZh91AY", "bzip2 file", "unpack", false},
      {tar, "tar archive", "unpack", false},
      {"GGUF\x03", "GGUF file", ".gguf", false},
      {"\x80\x02}q\x01.", "pickle", "lbrx convert", false},
  };
  const TempDir folder;
  for (const Kind& row : kinds) {
    WriteTestFile(folder / "x", row.content);
    const ForeignFile foreign = RecogniseFile(folder / "x");
    EXPECT_NE(foreign.kind.find(row.kind), std::string::npos) << row.kind << ": " << foreign.kind;
    EXPECT_NE(foreign.advice.find(row.advice), std::string::npos) << foreign.advice;
    EXPECT_EQ(foreign.stand_in, row.stand_in) << row.kind;
  }
  WriteTestFile(folder / "x", "some text or other");
  EXPECT_EQ(RecogniseFile(folder / "x").kind, "");
  WriteTestFile(folder / "x", std::string(99'999, '\0') + "1");
  EXPECT_EQ(RecogniseFile(folder / "x").kind, "") << "not only zeros";
}

class DetectFolder : public FolderFixture {};

TEST_F(DetectFolder, NamesWhatStandsInPlaceOfConfigIndexAndShards) {
  WriteTwoShards();
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\n";
  Write("config.json", pointer);
  ExpectProblem({"config.json", "not a JSON text but a Git LFS pointer", "git lfs pull"});
  Write("config.json", "{}");
  Write("model.safetensors.index.json", "<!doctype html>");
  ExpectProblem({"index.json", "HTML page", "hf download"});
  WriteTwoShards();
  Write(kSecond, std::string(5000, '\0'));
  ExpectProblem({kSecond, "5000 zeros", "hf download"});
}

TEST_F(DetectFolder, NamesDownloadsThatWereNotFinished) {
  Write("model.safetensors.incomplete", Shard({"a"}));
  ExpectRefused({"no complete weights", "unfinished download of huggingface_hub"});
  Write("model.safetensors", Shard({"a"}));
  EXPECT_TRUE(Open().side_files.empty()) << "what is unfinished is not carried along";
  Write("model.safetensors.aria2", "x");  // aria2 removes it when all is there
  ExpectProblem({"model.safetensors", "aria2", "still to come are zeros"});
}

}  // namespace
}  // namespace lbrx

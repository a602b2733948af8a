// GGUF files damaged in every way that comes to mind.
#include "check/repair/gguf_repair.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "formats/gguf/directory.h"
#include "formats/gguf/gguf.h"
#include "hostile/raw_gguf.h"
#include "stream/engine.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/gguf/";

std::string DataOf(const Checkpoint& checkpoint, const SourceTensor& tensor) {
  const StoredArray& array = checkpoint.arrays[tensor.planes.front()];
  return ReadTestFile(checkpoint.files[array.file].path).substr(array.offset, array.bytes);
}

// A damaged file, what was made of it, and what it should have been.
class GgufRepairTest : public testing::Test {
 protected:
  void Repair(const std::string& source, const std::string& reference = "",
              RepairRequest::Fill fill = RepairRequest::Fill::kNothing) {
    RepairRequest request;
    request.source = source;
    request.destination = folder_ / "out.gguf";
    request.reference = reference;
    request.fill = fill;
    repair_ = PlanRepair(
        request, reference.empty() ? nullptr
                                   : std::make_shared<const Checkpoint>(OpenCheckpoint(reference)));
    RemoveTree(request.destination);
    RunOptions options;
    options.destination = request.destination;
    options.allow_nonfinite = true;
    RunPlan(repair_.plan, options);
    out_ = OpenCheckpoint(request.destination);  // which refuses whatever is wrong
  }

  void RepairBytes(const std::string& content) {
    WriteTestFile(folder_ / "damaged.gguf", content);
    Repair(folder_ / "damaged.gguf");
  }

  // Every tensor of the output is the golden one's; returns the golden ones that are missing.
  std::vector<std::string> MissingFrom(const std::string& golden) const {
    const Checkpoint whole = OpenCheckpoint(golden);
    std::vector<std::string> missing;
    for (const SourceTensor& tensor : whole.tensors) {
      const SourceTensor* saved = out_.Find(tensor.name);
      if (saved == nullptr) {
        missing.push_back(tensor.name);
        continue;
      }
      EXPECT_EQ(saved->shape, tensor.shape) << tensor.name;
      EXPECT_TRUE(saved->encoding == tensor.encoding) << tensor.name;
      EXPECT_EQ(DataOf(out_, *saved), DataOf(whole, tensor)) << tensor.name;
    }
    EXPECT_EQ(out_.tensors.size() + missing.size(), whole.tensors.size());
    return missing;
  }

  std::vector<std::string> LostNames() const {
    std::vector<std::string> names;
    for (const Lost& lost : repair_.lost) {
      names.push_back(lost.tensor);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string MendedText() const {
    std::string text;
    for (const Mended& mended : repair_.mended) {
      text += mended.object + ": " + mended.what + "\n";
    }
    return text;
  }

  TempDir folder_;
  lbrx::Repair repair_;
  Checkpoint out_;
};

TEST_F(GgufRepairTest, OfAWholeFileIsACopy) {
  Repair(kFolder + "every_type.gguf");
  EXPECT_EQ(ReadTestFile(folder_ / "out.gguf"), ReadTestFile(kFolder + "every_type.gguf"));
  EXPECT_TRUE(repair_.lost.empty());
  EXPECT_EQ(MendedText(), "");
  EXPECT_EQ(repair_.files.at(0).state, "whole");
}

TEST_F(GgufRepairTest, SavesWhatLiesBeforeACut) {
  const std::string content = ReadTestFile(kFolder + "plain.gguf");
  const Checkpoint whole = OpenCheckpoint(kFolder + "plain.gguf");
  const StoredArray& last = whole.arrays.back();
  const StoredArray& before = whole.arrays[whole.arrays.size() - 2];
  RepairBytes(content.substr(0, last.offset + last.bytes - 1));
  EXPECT_EQ(MissingFrom(kFolder + "plain.gguf"), std::vector{last.name});
  EXPECT_EQ(LostNames(), std::vector{last.name});
  EXPECT_EQ(repair_.lost[0].reason, "cut off: 107 of its bytes are there");
  EXPECT_TRUE(*out_.gguf == *whole.gguf);
  RepairBytes(content.substr(0, before.offset));
  EXPECT_EQ(LostNames(), (std::vector{before.name, last.name}));
  EXPECT_EQ(repair_.lost[1].reason, "lies behind the end of the file");
}

TEST_F(GgufRepairTest, FillsWhatWasCutOff) {
  const std::string golden = kFolder + "plain.gguf";
  const Checkpoint whole = OpenCheckpoint(golden);
  const StoredArray& last = whole.arrays.back();
  WriteTestFile(folder_ / "cut.gguf", ReadTestFile(golden).substr(0, last.offset + 1));
  Repair(folder_ / "cut.gguf", "", RepairRequest::Fill::kZeros);
  EXPECT_EQ(repair_.lost.at(0).filled, "zeros");
  EXPECT_EQ(DataOf(out_, *out_.Find(last.name)), std::string(last.bytes, '\0'));
  Repair(folder_ / "cut.gguf", golden, RepairRequest::Fill::kReference);
  EXPECT_EQ(repair_.lost.at(0).filled, "reference");
  EXPECT_EQ(ReadTestFile(folder_ / "out.gguf"), ReadTestFile(golden));
}

TEST_F(GgufRepairTest, FindsTheAlignmentThatTheTensorsHave) {
  const std::string content = ReadTestFile(kFolder + "aligned_64.gguf");
  const size_t value = content.find("general.alignment") + 17 + 4;
  for (const uint64_t wrong : {0, 3, 48, 65, 8, 32, 4096}) {
    std::string damaged = content;
    damaged.replace(value, 4, LittleEndian(wrong, 4));
    RepairBytes(damaged);
    EXPECT_TRUE(MissingFrom(kFolder + "aligned_64.gguf").empty()) << wrong;
    EXPECT_TRUE(repair_.lost.empty()) << wrong;
    EXPECT_NE(MendedText().find("general.alignment"), std::string::npos) << wrong;
  }
}

// As llama-quantize once did: the key says 64, offsets and data are padded to 32.
TEST_F(GgufRepairTest, ReadsDataThatIsPaddedOtherwiseThanTheKeySays) {
  RawGguf raw;
  raw.alignment = 64;
  raw.keys = {RawGgufU32("general.alignment", 64)};
  for (const bool offsets_too : {true, false}) {
    const uint64_t step = offsets_too ? 32 : 64;
    raw.tensors = {RawGgufTensor("a", {8}, 0, 0), RawGgufTensor("b", {8}, 0, step),
                   RawGgufTensor("c", {8}, 0, 2 * step)};
    raw.data = std::string(32, 'a') + std::string(32, 'b') + std::string(32, 'c');
    RepairBytes(raw.Bytes());
    ASSERT_EQ(out_.tensors.size(), 3U);
    EXPECT_EQ(DataOf(out_, *out_.Find("b")), std::string(32, 'b'));
    EXPECT_EQ(DataOf(out_, *out_.Find("c")), std::string(32, 'c'));
    EXPECT_TRUE(repair_.lost.empty());
  }
}

TEST_F(GgufRepairTest, TrustsSizesWhereAnOffsetIsDamaged) {
  const std::string golden = kFolder + "every_type.gguf";
  const std::string content = ReadTestFile(golden);
  std::vector<Problem> problems;
  const OpenOptions options;
  ProblemSink sink(options, problems);
  const GgufDirectory directory = ReadGgufDirectory(*File::OpenRead(golden), sink);
  for (const size_t entry : {size_t{0}, size_t{5}, directory.entries.size() - 1}) {
    std::string damaged = content;
    damaged[directory.entries[entry].offset_at] ^= 0x40;
    RepairBytes(damaged);
    EXPECT_EQ(ReadTestFile(folder_ / "out.gguf"), content);
    EXPECT_NE(MendedText().find(directory.entries[entry].name), std::string::npos);
  }
}

TEST_F(GgufRepairTest, LeavesHolesOut) {
  RawGguf raw;
  raw.tensors = {RawGgufTensor("a", {8}, 0, 0), RawGgufTensor("b", {8}, 0, 64),
                 RawGgufTensor("c", {8}, 0, 128)};
  raw.data = std::string(32, 'a') + std::string(32, '-') + std::string(32, 'b') +
             std::string(32, '-') + std::string(32, 'c');
  RepairBytes(raw.Bytes());
  EXPECT_TRUE(repair_.lost.empty());
  EXPECT_EQ(DataOf(out_, *out_.Find("b")), std::string(32, 'b'));
  EXPECT_EQ(DataOf(out_, *out_.Find("c")), std::string(32, 'c'));
}

TEST_F(GgufRepairTest, DoesNotGuessWhichOfTwoIsMeant) {
  RawGguf raw;
  raw.tensors = {RawGgufTensor("a", {8}, 0, 0), RawGgufTensor("b", {8}, 0, 96),
                 RawGgufTensor("c", {8}, 0, 96), RawGgufTensor("d", {8}, 0, 160)};
  raw.data = std::string(224, '\1');
  RepairBytes(raw.Bytes());
  EXPECT_EQ(LostNames(), (std::vector<std::string>{"b", "c"}));
  raw.tensors = {RawGgufTensor("a", {8}, 0, 0), RawGgufTensor("a", {8}, 0, 32),
                 RawGgufTensor("d", {8}, 0, 64)};
  RepairBytes(raw.Bytes());
  EXPECT_EQ(LostNames(), (std::vector<std::string>{"a", "a"}));
  EXPECT_EQ(out_.tensors.size(), 1U);
}

TEST_F(GgufRepairTest, LosesEntriesOfUnknownTypes) {
  RawGguf raw;
  raw.tensors = {RawGgufTensor("a", {8}, 0, 0), RawGgufTensor("b", {32}, 4, 32),
                 RawGgufTensor("c", {8}, 0, 64)};
  raw.data = std::string(96, '\1');
  RepairBytes(raw.Bytes());
  EXPECT_EQ(LostNames(), std::vector<std::string>{"b"});
  EXPECT_NE(repair_.lost[0].reason.find("unknown or removed type"), std::string::npos);
  EXPECT_EQ(out_.tensors.size(), 2U);
}

class GgufSetRepairTest : public GgufRepairTest {
 protected:
  std::string PartWithout(uint64_t missing) const {
    std::string some;
    for (uint64_t part = 1; part <= 3; ++part) {
      const std::string name = FormatGgufPartName({"set", part, 3});
      RemoveTree(folder_ / name);
      if (part != missing) {
        some = folder_ / name;
        WriteTestFile(some, ReadTestFile(kFolder + name));
      }
    }
    return some;
  }
};

TEST_F(GgufSetRepairTest, DoesWithoutAMissingPart) {
  Repair(PartWithout(2));
  EXPECT_EQ(MissingFrom(kFolder + "llama_plain.gguf").size(), 2U);
  EXPECT_EQ(LostNames(), std::vector<std::string>{"?"});
  EXPECT_NE(repair_.lost[0].reason.find("2 tensors of part 2"), std::string::npos);
  EXPECT_TRUE(*out_.gguf == *OpenCheckpoint(kFolder + "llama_plain.gguf").gguf);
}

TEST_F(GgufSetRepairTest, TakesAMissingPartFromTheReference) {
  for (const uint64_t missing : {1, 2, 3}) {
    Repair(PartWithout(missing), kFolder + "llama_plain.gguf", RepairRequest::Fill::kReference);
    EXPECT_TRUE(MissingFrom(kFolder + "llama_plain.gguf").empty());
    EXPECT_FALSE(repair_.lost.empty());
    EXPECT_EQ(repair_.lost[0].filled, "reference");
    EXPECT_TRUE(*out_.gguf == *OpenCheckpoint(kFolder + "llama_plain.gguf").gguf);
  }
}

TEST_F(GgufSetRepairTest, TellsThatKeysAreLostWithPartOne) {
  Repair(PartWithout(1));
  EXPECT_EQ(LostNames(), (std::vector<std::string>{"?", "keys of the model"}));
  EXPECT_EQ(out_.tensors.size(), 3U);
}

TEST_F(GgufRepairTest, SaysWhyNothingCanBeSaved) {
  try {
    RepairBytes(ReadTestFile(kFolder + "plain.gguf").substr(0, 700));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_NE(std::string(error.what()).find("the file ends inside it"), std::string::npos);
  }
}

}  // namespace
}  // namespace lbrx

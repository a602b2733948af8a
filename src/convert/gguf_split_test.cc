// --keep-split: every tensor of a split set stays in its part.
#include "convert/test_gguf.h"
#include "formats/gguf/gguf.h"
#include "formats/gguf/keys.h"

namespace lbrx {
namespace {

// The part that each tensor is in.
std::map<std::string, uint32_t> PartsOf(const Checkpoint& checkpoint) {
  std::map<std::string, uint32_t> parts;
  for (const SourceTensor& tensor : checkpoint.tensors) {
    parts.emplace(tensor.name, checkpoint.arrays[tensor.planes[0]].file);
  }
  return parts;
}

ConvertRequest KeepSplit(const std::string& source, const std::string& destination,
                         const std::string& scheme) {
  ConvertRequest request = RequestFor(source, destination);
  request.scheme = scheme;
  request.gguf.keep_split = true;
  return request;
}

TEST(GgufKeepSplit, ACopyHasTheSameParts) {
  const TempDir folder;
  Execute(KeepSplit(TestData("gguf/set-00002-of-00003.gguf"), folder / "copy.gguf", "COPY"));
  for (const char* part :
       {"-00001-of-00003.gguf", "-00002-of-00003.gguf", "-00003-of-00003.gguf"}) {
    EXPECT_TRUE(ReadTestFile(folder / ("copy" + std::string(part))) ==
                ReadTestFile(TestData("gguf/set" + std::string(part))))
        << part;
  }
}

class GgufKeepSplitModel : public ::testing::Test {
 protected:
  GgufKeepSplitModel() {
    ConvertRequest request = RequestFor(TestData("bard-base"), folder_ / "set.gguf");
    request.shard_size = 4'000'000;
    Execute(request);
    source_ = OpenCheckpoint(set_);
  }

  TempDir folder_;
  std::string set_ = folder_ / "set-00001-of-00003.gguf";
  Checkpoint source_;
};

TEST_F(GgufKeepSplitModel, QuantizedTensorsStayInTheirParts) {
  Execute(KeepSplit(set_, folder_ / "q4.gguf", "Q4_K_M"));
  const std::string first = folder_ / "q4-00001-of-00003.gguf";
  EXPECT_EQ(PartsOf(OpenCheckpoint(first)), PartsOf(source_));
  ConvertRequest whole = RequestFor(set_, folder_ / "whole.gguf");
  whole.scheme = "Q4_K_M";
  ExpectSameArrays(ArraysOf(first), ArraysOf(Made(whole)));
}

// As llama-quantize has it, a part from which everything is gone stays, so that numbers stay.
TEST_F(GgufKeepSplitModel, LayersThatAreLeftOutLeaveTheirPart) {
  ConvertRequest request = KeepSplit(set_, folder_ / "few.gguf", "Q8_0");
  request.gguf.prune_layers = {1, 2};
  Execute(request);
  const std::map<std::string, uint32_t> before = PartsOf(source_);
  const std::map<std::string, uint32_t> parts =
      PartsOf(OpenCheckpoint(folder_ / "few-00001-of-00003.gguf"));
  EXPECT_EQ(parts.at("blk.0.attn_q.weight"), before.at("blk.0.attn_q.weight"));
  EXPECT_EQ(parts.at("blk.1.attn_q.weight"), before.at("blk.3.attn_q.weight"));
  EXPECT_EQ(parts.at("blk.3.attn_q.weight"), before.at("blk.5.attn_q.weight"));
}

TEST_F(GgufKeepSplitModel, AFileThatIsNotSplitStaysOne) {
  const std::string whole = Made(RequestFor(set_, folder_ / "whole.gguf"));
  Execute(KeepSplit(whole, folder_ / "q8.gguf", "Q8_0"));
  EXPECT_TRUE(PathExists(folder_ / "q8.gguf"));
}

TEST_F(GgufKeepSplitModel, AFolderHasNoParts) {
  const ConvertRequest request = KeepSplit(TestData("bard-base"), folder_ / "q8.gguf", "Q8_0");
  EXPECT_THROW(Execute(request), Error);
}

}  // namespace
}  // namespace lbrx

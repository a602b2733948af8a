// Models that other libraries quantized (tests/data/prequantized, by make_prequantized.py) against
// their float twins: what transformers, or the method's own code, decodes.

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "convert/convert.h"
#include "core/base/checked.h"
#include "core/io/file.h"
#include "core/tensor/convert.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/prequantized";

std::vector<std::string> Kinds() {
  return ListDirectory(kFolder + "/twins");
}

class PrequantizedTest : public ::testing::TestWithParam<std::string> {
 protected:
  static std::string Source() { return kFolder + "/" + GetParam(); }

  static std::string Twin() { return kFolder + "/twins/" + GetParam(); }

  // Every file of what a conversion makes.
  std::map<std::string, std::string> Convert(const std::string& source,
                                             const std::optional<std::string>& scheme,
                                             unsigned threads = 2, uint64_t memory = 0,
                                             std::optional<TargetKind> target = std::nullopt) {
    ConvertRequest request;
    request.source = source;
    request.destination = folder_ / ("out" + std::to_string(++outputs_));
    request.scheme = scheme;
    request.target = target;
    request.group_size = scheme ? 32 : 0;
    RunOptions options;
    options.destination = request.destination;
    options.sync = false;
    options.threads = threads;
    if (memory != 0) {
      options.memory = memory;
    }
    RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(source))), options);
    return ReadTree(request.destination);
  }

  TempDir folder_;
  int outputs_ = 0;
};

TEST_P(PrequantizedTest, DecodesToTheValuesOfTheTwin) {
  const SourceFiles::Checkpoints sources = {std::make_shared<Checkpoint>(OpenCheckpoint(Source())),
                                            std::make_shared<Checkpoint>(OpenCheckpoint(Twin()))};
  ASSERT_EQ(sources[0]->tensors.size(), sources[1]->tensors.size());
  SourceFiles files(sources);
  Pool pool;
  ReadContext context{files, pool};
  size_t quantized = 0;
  for (const SourceTensor& tensor : sources[0]->tensors) {
    quantized += tensor.encoding.scheme == Scheme::kPlain ? 0 : 1;
    const SourceTensor* twin = sources[1]->Find(tensor.name);
    ASSERT_NE(twin, nullptr) << tensor.name;
    const ValuePtr value = LoadTensor(sources, 0, tensor);
    const ValuePtr expected = LoadTensor(sources, 1, *twin);
    ASSERT_EQ(value->shape(), expected->shape()) << tensor.name;
    ASSERT_EQ(value->dtype(), expected->dtype()) << tensor.name;
    const uint64_t elements = value->shape().elements();
    std::vector<std::byte> want(ElementBytes(value->dtype(), elements));
    expected->Read(context, 0, elements, want.data());
    // In runs of several lengths: rows, parts of rows, more than a row.
    for (const uint64_t wanted_run : {elements, uint64_t{64}, uint64_t{1056}, uint64_t{224}}) {
      const uint64_t run = RoundUp(wanted_run, value->granule());
      std::vector<std::byte> found(want.size());
      for (uint64_t first = 0; first < elements; first += run) {
        value->Read(context, first, std::min(run, elements - first),
                    found.data() + ElementBytes(value->dtype(), first));
      }
      ASSERT_TRUE(found == want) << tensor.name << " in runs of " << run;
    }
  }
  EXPECT_GE(quantized, 2U);
}

TEST_P(PrequantizedTest, ConvertsToTheBytesOfTheTwin) {
  const auto expected = Convert(Twin(), "4bit");
  EXPECT_EQ(Convert(Source(), "4bit"), expected);
  EXPECT_EQ(Convert(Source(), "4bit", 1), expected);
  EXPECT_EQ(Convert(Source(), "4bit", 4, uint64_t{16} << 20), expected);
}

TEST_P(PrequantizedTest, DecodesToTheFloatsOfTheTwin) {
  EXPECT_EQ(Convert(Source(), std::nullopt), Convert(Twin(), std::nullopt));
}

// What is mxfp4 or mxfp8 already keeps its values where that is asked for.
class MicroscaleTest : public PrequantizedTest {
 protected:
  void ExpectNoLoss(const std::string& scheme) {
    const auto floats = Convert(Twin(), std::nullopt, 2, 0, TargetKind::kMlx);
    const auto quantized = Convert(Source(), scheme, 2, 0, TargetKind::kMlx);
    WriteTree("floats", floats);
    WriteTree("quantized", quantized);
    const SourceFiles::Checkpoints sources = {
        std::make_shared<Checkpoint>(OpenCheckpoint(folder_ / "floats")),
        std::make_shared<Checkpoint>(OpenCheckpoint(folder_ / "quantized"))};
    SourceFiles files(sources);
    Pool pool;
    ReadContext context{files, pool};
    size_t compared = 0;
    for (const SourceTensor& tensor : sources[1]->tensors) {
      if (SchemeLabel(tensor.encoding) != scheme ||
          tensor.name.find("embed") != std::string::npos) {
        continue;
      }
      ++compared;
      const ValuePtr found = LoadTensor(sources, 1, tensor);
      const ValuePtr wanted = LoadTensor(sources, 0, *sources[0]->Find(tensor.name));
      ASSERT_EQ(found->shape(), wanted->shape());
      std::vector<uint16_t> a(found->shape().elements());
      std::vector<uint16_t> b(a.size());
      found->Read(context, 0, a.size(), reinterpret_cast<std::byte*>(a.data()));
      wanted->Read(context, 0, b.size(), reinterpret_cast<std::byte*>(b.data()));
      for (size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(BF16ToFloat(a[i]), BF16ToFloat(b[i])) << tensor.name << " " << i;
      }
    }
    EXPECT_EQ(compared, 3U);
  }

  void WriteTree(const std::string& name, const std::map<std::string, std::string>& files) {
    std::filesystem::create_directory(folder_ / name);
    for (const auto& [file, content] : files) {
      WriteTestFile(folder_ / name + "/" + file, content);
    }
  }
};

TEST_P(MicroscaleTest, KeepsItsValues) {
  ExpectNoLoss(GetParam() == "ct_mxfp8" ? "mxfp8" : "mxfp4");
}

INSTANTIATE_TEST_SUITE_P(All, MicroscaleTest, ::testing::Values("ct_mxfp4", "ct_mxfp8", "mxfp4"),
                         [](const auto& info) { return info.param; });

INSTANTIATE_TEST_SUITE_P(All, PrequantizedTest, ::testing::ValuesIn(Kinds()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lbrx

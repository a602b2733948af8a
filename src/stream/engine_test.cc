#include "stream/engine.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <random>
#include <set>

#include "core/base/format.h"
#include "core/io/partial.h"
#include "formats/writer.h"
#include "stream/bands.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

// A plan that encodes every matrix of `path` in `encoding` (its dtype replaced by the tensor's).
Plan PlanFor(const std::string& path, Encoding encoding) {
  Plan plan;
  plan.command = "test";
  plan.request = Json::MakeObject();
  plan.request.Set("scheme", SchemeLabel(encoding));
  plan.sources = {std::make_shared<Checkpoint>(OpenCheckpoint(path))};
  std::vector<OutputTensor> outputs;
  for (const SourceTensor& tensor : plan.sources[0]->tensors) {
    Encoding target = tensor.encoding;
    if (CanEncode(encoding, tensor.shape)) {
      target = encoding;
      target.dtype = tensor.encoding.dtype;
    }
    outputs.emplace_back(tensor.name, target, tensor.shape);
    PlannedTensor planned;
    planned.value = LoadTensor(plan.sources, 0, tensor);
    plan.tensors.push_back(std::move(planned));
  }
  plan.layout = LayOut(TargetKind::kMlx, outputs, 1'000'000, {});
  for (size_t i = 0; i < outputs.size(); ++i) {
    plan.tensors[i].output = outputs[i];
  }
  plan.texts = plan.layout.texts;
  plan.copies = plan.sources[0]->side_files;
  return plan;
}

constexpr Encoding kFourBit{Scheme::kAffine, 4, 64, DType::kBF16};

// Large enough for several bands a tensor and several shards.
void WriteLargeModel(const std::string& path) {
  TinyLlama().Write(path);
  std::vector<TestTensor> tensors = TinyLlama().Tensors();
  for (const char* name : {"a", "b", "c"}) {
    tensors.push_back(RandomTensor(Format("extra.{}.weight", name), DType::kBF16, {1100, 1024}));
  }
  WriteSafetensors(path + "/model.safetensors", tensors);
}

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteLargeModel(source_);
    RunOptions options = Options("reference");
    options.threads = 1;
    RunPlan(PlanFor(source_, kFourBit), options);
    reference_ = ReadTree(folder_ / "reference");
    ASSERT_GE(reference_.size(), 4U);
  }

  RunOptions Options(const std::string& name) const {
    RunOptions options;
    options.destination = folder_ / name;
    options.sync = false;
    options.threads = 2;
    return options;
  }

  void ExpectReference(const std::string& name) const {
    EXPECT_TRUE(ReadTree(folder_ / name) == reference_) << name;
    EXPECT_FALSE(PathExists((folder_ / name) + PartialOutput::kSuffix));
  }

  TempDir folder_;
  std::string source_ = folder_ / "source";
  std::map<std::string, std::string> reference_;
};

TEST_F(EngineTest, SameBytesForAnyThreadsAndMemory) {
  for (const unsigned threads : {1U, 2U, 7U, 64U}) {
    for (const uint64_t memory : {uint64_t{8} << 20, uint64_t{64} << 20, uint64_t{2} << 30}) {
      const std::string name = Format("t{}m{}", threads, memory);
      RunOptions options = Options(name);
      options.threads = threads;
      options.memory = memory;
      const RunResult result = RunPlan(PlanFor(source_, kFourBit), options);
      ExpectReference(name);
      EXPECT_LE(result.peak_memory, memory);
      EXPECT_EQ(result.resumed_bytes, 0U);
    }
  }
}

TEST_F(EngineTest, TooLittleMemoryIsRefusedBeforeAnythingIsMade) {
  RunOptions options = Options("small");
  options.memory = 1000;
  try {
    RunPlan(PlanFor(source_, kFourBit), options);
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLimit);
  }
  EXPECT_FALSE(PathExists((folder_ / "small") + PartialOutput::kSuffix));
}

TEST_F(EngineTest, NoOutputWritesNothingAndMeasures) {
  RunOptions options = Options("none");
  options.no_output = true;
  options.measure = true;
  const Plan plan = PlanFor(source_, kFourBit);
  const RunResult result = RunPlan(plan, options);
  EXPECT_FALSE(PathExists(folder_ / "none"));
  EXPECT_FALSE(PathExists((folder_ / "none") + PartialOutput::kSuffix));
  ASSERT_EQ(result.errors.size(), plan.tensors.size());
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    const bool encoded = plan.tensors[i].output.encoding.scheme != Scheme::kPlain;
    EXPECT_EQ(result.errors[i].count, encoded ? plan.tensors[i].output.shape.elements() : 0);
    if (encoded) {  // 4 bits on normal weights: about 9% (mlx.md 9.2)
      EXPECT_NEAR(result.errors[i].RelativeError(), 0.09, 0.02) << plan.tensors[i].output.name;
    }
  }
}

// Cancels after a number of source bytes.
class CancelAfter final : public ProgressSink {
 public:
  CancelAfter(CancelToken& cancel, uint64_t bytes) : cancel_(cancel), left_(bytes) {}

  void Start(uint64_t /*total*/, uint64_t resumed) override { resumed_ = resumed; }

  void Tensor(const std::string& /*name*/) override {}

  void Advance(uint64_t bytes) override {
    const std::lock_guard lock(mutex_);
    done_ += bytes;
    if (done_ >= left_) {
      cancel_.Cancel();
    }
  }

  void Done() override {}

  uint64_t resumed() const { return resumed_; }

  uint64_t done() const { return done_; }

 private:
  CancelToken& cancel_;
  std::mutex mutex_;
  uint64_t left_;
  uint64_t done_ = 0;
  uint64_t resumed_ = 0;
};

TEST_F(EngineTest, ContinuesWhatWasCancelledWithoutDoingItAgain) {
  const Plan plan = PlanFor(source_, kFourBit);
  CancelToken cancel;
  CancelAfter first(cancel, plan.SourceBytes() / 2);
  RunOptions options = Options("resumed");
  options.cancel = &cancel;
  options.progress = &first;
  EXPECT_THROW(RunPlan(plan, options), Error);
  EXPECT_TRUE(PathExists((folder_ / "resumed") + PartialOutput::kSuffix));
  EXPECT_FALSE(PathExists(folder_ / "resumed"));

  CancelToken never;
  CancelAfter second(never, std::numeric_limits<uint64_t>::max());
  options.cancel = &never;
  options.progress = &second;
  options.threads = 3;
  options.memory = uint64_t{16} << 20;
  const RunResult result = RunPlan(PlanFor(source_, kFourBit), options);
  ExpectReference("resumed");
  EXPECT_EQ(result.resumed_bytes, first.done());
  EXPECT_EQ(second.resumed(), first.done());
  EXPECT_EQ(second.done(), plan.SourceBytes() - first.done());
}

TEST_F(EngineTest, DamagedPartialBytesAreDoneAgain) {
  const Plan plan = PlanFor(source_, kFourBit);
  CancelToken cancel;
  CancelAfter progress(cancel, plan.SourceBytes() * 3 / 4);
  RunOptions options = Options("damaged");
  options.cancel = &cancel;
  options.progress = &progress;
  EXPECT_THROW(RunPlan(plan, options), Error);
  const std::string data = (folder_ / "damaged") + PartialOutput::kSuffix + "/data/";
  for (const auto& [name, content] : ReadTree(data)) {
    WriteTestFile(data + name, content.substr(0, content.size() / 2) +
                                   std::string(content.size() - content.size() / 2, '\0'));
  }
  options.cancel = nullptr;
  options.progress = nullptr;
  const RunResult result = RunPlan(PlanFor(source_, kFourBit), options);
  EXPECT_LT(result.resumed_bytes, progress.done());
  ExpectReference("damaged");
}

TEST_F(EngineTest, AnotherPlanOrSourceIsRefusedUnlessForced) {
  CancelToken cancel;
  CancelAfter progress(cancel, 1);
  RunOptions options = Options("changed");
  options.cancel = &cancel;
  options.progress = &progress;
  EXPECT_THROW(RunPlan(PlanFor(source_, kFourBit), options), Error);
  options.cancel = nullptr;
  options.progress = nullptr;

  Encoding other = kFourBit;
  other.bits = 8;
  try {
    RunPlan(PlanFor(source_, other), options);
    FAIL() << "continued another plan";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_NE(std::string(error.what()).find("option scheme"), std::string::npos) << error.what();
  }

  std::string content = ReadTestFile(source_ + "/model.safetensors");
  content.back() = static_cast<char>(content.back() ^ 1);
  WriteTestFile(source_ + "/model.safetensors", content);
  try {
    RunPlan(PlanFor(source_, kFourBit), options);
    FAIL() << "continued with another source";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_NE(std::string(error.what()).find("source file"), std::string::npos) << error.what();
  }
  options.force = true;
  RunPlan(PlanFor(source_, kFourBit), options);
  EXPECT_TRUE(PathExists(folder_ / "changed"));
}

TEST_F(EngineTest, SourceThatChangesBetweenOpeningAndRunningIsInvalid) {
  const Plan plan = PlanFor(source_, kFourBit);
  WriteTestFile(source_ + "/model.safetensors", ReadTestFile(source_ + "/model.safetensors") + " ");
  try {
    RunPlan(plan, Options("late"));
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_NE(std::string(error.what()).find("changed while being read"), std::string::npos);
  }
  EXPECT_FALSE(PathExists(folder_ / "late"));
  EXPECT_FALSE(PathExists((folder_ / "late") + PartialOutput::kSuffix));
}

TEST_F(EngineTest, NonFiniteValuesAreCountedAndLocated) {
  std::vector<TestTensor> tensors = {RandomTensor("x.weight", DType::kF32, {900, 1024})};
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(tensors[0].bytes.data() + 4 * 700'001, &nan, 4);
  std::memcpy(tensors[0].bytes.data() + 4 * 800'000, &infinity, 4);
  const std::string path = folder_ / "bad.safetensors";
  WriteSafetensors(path, tensors);
  try {
    RunPlan(PlanFor(path, kFourBit), Options("bad"));
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    const std::string message = error.what();
    EXPECT_NE(message.find("x.weight"), std::string::npos) << message;
    EXPECT_NE(message.find("2 values are NaN or infinite"), std::string::npos) << message;
    EXPECT_NE(message.find("element 700001"), std::string::npos) << message;
  }
  EXPECT_FALSE(PathExists((folder_ / "bad") + PartialOutput::kSuffix));
  RunOptions allowed = Options("allowed");
  allowed.allow_nonfinite = true;
  EXPECT_EQ(RunPlan(PlanFor(path, kFourBit), allowed).zeroed, 2U);
  EXPECT_TRUE(PathExists(folder_ / "allowed"));
}

TEST_F(EngineTest, KilledAtRandomMomentsEndsWithTheSameBytes) {
  std::mt19937 random(20261124);
  const auto start = std::chrono::steady_clock::now();
  RunPlan(PlanFor(source_, kFourBit), Options("timed"));
  const std::chrono::duration<double, std::micro> whole = std::chrono::steady_clock::now() - start;
  const std::string name = folder_ / "killed";
  int kills = 0;
  uint64_t resumed = 0;
  for (int round = 0; round < 100; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      RunOptions options = Options("killed");
      try {
        RunPlan(PlanFor(source_, kFourBit), options);
      } catch (...) {
        _exit(1);
      }
      _exit(0);
    }
    usleep(random() % static_cast<unsigned>(whole.count()));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    kills += WIFSIGNALED(status) ? 1 : 0;
    // Else it ended: well, or with "already exists" where an earlier one was killed after the move.
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0 || PathExists(name)) << round;
    if (round % 5 == 4 || !WIFSIGNALED(status)) {
      try {
        resumed += RunPlan(PlanFor(source_, kFourBit), Options("killed")).resumed_bytes;
      } catch (const Error& error) {  // the killed run had finished: the output is there
        ASSERT_EQ(error.code(), ErrorCode::kIo) << error.what();
        ASSERT_TRUE(PathExists(name)) << error.what();
      }
      ExpectReference("killed");
      RemoveTree(name);
    }
  }
  EXPECT_GT(kills, 30);
  EXPECT_GT(resumed, 0U);
}

TEST(Bands, CoverEveryElementOnceWhateverTheShape) {
  TempDir folder;
  const std::string path = folder / "m.safetensors";
  WriteSafetensors(path, {RandomTensor("a.weight", DType::kF32, {3, 64}),
                          RandomTensor("b.weight", DType::kBF16, {1000, 1088}),
                          RandomTensor("c", DType::kF16, {1'100'001}),
                          {"empty", DType::kF32, Shape{0, 4}, ""},
                          {"scalar", DType::kF32, Shape{}, std::string(4, '\0')}});
  const Plan plan = PlanFor(path, kFourBit);
  std::vector<uint64_t> next(plan.tensors.size(), 0);
  std::vector<uint64_t> bytes(plan.tensors.size(), 0);
  for (const Band& band : CutIntoBands(plan)) {
    EXPECT_EQ(band.first, next[band.tensor]);
    EXPECT_GT(band.count, 0U);
    next[band.tensor] = band.first + band.count;
    bytes[band.tensor] += ProgressBytes(plan, band);
  }
  for (size_t i = 0; i < next.size(); ++i) {
    EXPECT_EQ(next[i], plan.tensors[i].output.shape.elements());
    EXPECT_EQ(bytes[i], plan.tensors[i].value->SourceBytes());
  }
}

}  // namespace
}  // namespace lbrx

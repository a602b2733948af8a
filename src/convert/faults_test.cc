// Every system call of a conversion failing in turn: the old output or none, the right error, and
// the next run gives the same bytes.

#include "support/faults.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "convert/convert.h"
#include "core/base/format.h"
#include "core/io/partial.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

struct Output {
  bool force = false;  // an earlier output is there and to be replaced
  bool file = false;   // a GGUF file instead of a folder
};

class FaultWalk : public ::testing::TestWithParam<Output> {
 protected:
  bool Force() const { return GetParam().force; }

  bool IsFile() const { return GetParam().file; }

  // What any run has more than; a folder has more files.
  uint64_t LeastWrites() const { return IsFile() ? 10 : 30; }

  uint64_t LeastSyncs() const { return IsFile() ? 1 : 5; }

  void SetUp() override {
    TinyLlama{.layers = 1}.Write(source_);
    // What a GGUF file needs, and without the tokenizer, which is empty.
    std::string config = ReadTestFile(source_ + "/config.json");
    config.insert(1, R"("max_position_embeddings": 512, )");
    WriteTestFile(source_ + "/config.json", config);
    std::filesystem::remove(source_ + "/tokenizer.json");
    Run("reference" + end_);
    reference_ = ReadTree(folder_ / ("reference" + end_));
  }

  void Run(const std::string& name, bool force = false) const {
    ConvertRequest request;
    request.source = source_;
    request.destination = folder_ / name;
    request.scheme = IsFile() ? "Q4_0" : "4bit";
    if (!IsFile()) {
      request.shard_size = 20'000;
    }
    RunOptions options;
    options.destination = request.destination;
    options.threads = 1;
    options.force = force;
    options.sync = sync_;
    RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(source_))), options);
  }

  void StartWithOldOutput() const {
    std::filesystem::remove_all(output_);
    std::filesystem::remove_all(output_ + PartialOutput::kSuffix);
    if (Force() && IsFile()) {
      WriteTestFile(output_, "precious");
    } else if (Force()) {
      std::filesystem::create_directory(output_);
      WriteTestFile(output_ + "/old", "precious");
    }
  }

  // The output is the old one (or none), or, where the fault came after the move, the new one.
  void ExpectOldOrNew() const {
    if (!std::filesystem::exists(output_)) {
      EXPECT_FALSE(Force()) << "the old output is gone";
      return;
    }
    const auto files = ReadTree(output_);
    const std::map<std::string, std::string> old = {{IsFile() ? "" : "old", "precious"}};
    const bool is_old = Force() && files == old;
    EXPECT_TRUE(is_old || files == reference_) << "half-written output";
  }

  void ExpectNextRunToSucceed() const {
    try {
      Run("output" + end_, Force());
    } catch (const Error& error) {  // only where the failed run had got to its end
      EXPECT_EQ(error.code(), ErrorCode::kIo) << error.what();
      EXPECT_NE(std::string(error.what()).find("exists"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(ReadTree(output_) == reference_);
    EXPECT_FALSE(std::filesystem::exists(output_ + PartialOutput::kSuffix));
  }

  // Fails call after call of `kind` until a run gets through without meeting one.
  uint64_t Walk(IoCall kind, int error_number, ErrorCode expected, bool onwards) const {
    for (uint64_t n = 1;; ++n) {
      SCOPED_TRACE(Format("call {} of kind {} fails", n, static_cast<int>(kind)));
      StartWithOldOutput();
      bool reached = false;
      {
        FaultyIo faults;
        onwards ? faults.FailFrom(kind, n, error_number) : faults.FailOnce(kind, n, error_number);
        try {
          Run("output" + end_, Force());
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), expected) << error.what();
        }
        reached = faults.Count(kind) >= n;
      }
      if (!reached) {
        return n - 1;
      }
      ExpectOldOrNew();
      ExpectNextRunToSucceed();
      if (HasFailure()) {
        return n;
      }
    }
  }

  bool sync_ = false;  // fsync takes its time; the calls are the same but for it
  TempDir folder_;
  std::string source_ = folder_ / "source";
  std::string end_ = IsFile() ? ".gguf" : "";
  std::string output_ = folder_ / ("output" + end_);
  std::map<std::string, std::string> reference_;
};

TEST_P(FaultWalk, DiskFullAtEveryWrite) {
  EXPECT_GT(Walk(IoCall::kWrite, ENOSPC, ErrorCode::kNoSpace, /*onwards=*/true), LeastWrites());
  EXPECT_GE(Walk(IoCall::kAllocate, EDQUOT, ErrorCode::kNoSpace, /*onwards=*/false), 1U);
}

TEST_P(FaultWalk, WriteErrorAtEveryWrite) {
  EXPECT_GT(Walk(IoCall::kWrite, EIO, ErrorCode::kIo, /*onwards=*/false), LeastWrites());
}

TEST_P(FaultWalk, EverySync) {
  sync_ = true;
  EXPECT_GT(Walk(IoCall::kSync, EIO, ErrorCode::kIo, /*onwards=*/false), LeastSyncs());
  EXPECT_GE(Walk(IoCall::kSyncDirectory, EIO, ErrorCode::kIo, /*onwards=*/false), 1U);
}

TEST_P(FaultWalk, EveryRenameAndFolder) {
  EXPECT_GE(Walk(IoCall::kRename, EACCES, ErrorCode::kPermission, /*onwards=*/false), 1U);
  EXPECT_GE(Walk(IoCall::kMakeDirectory, EIO, ErrorCode::kIo, /*onwards=*/false), 1U);
}

TEST_P(FaultWalk, EveryReadAndOpen) {
  EXPECT_GT(Walk(IoCall::kRead, EIO, ErrorCode::kIo, /*onwards=*/false), 10U);
  EXPECT_GT(Walk(IoCall::kOpen, EIO, ErrorCode::kIo, /*onwards=*/false), 5U);
}

TEST_P(FaultWalk, ShortAndInterruptedCallsChangeNothing) {
  for (const size_t most : {size_t{1000}, size_t{37}}) {
    StartWithOldOutput();
    FaultyIo faults;
    faults.LimitTransfers(most);
    faults.FailOnce(IoCall::kWrite, 5, EINTR);
    faults.FailOnce(IoCall::kRead, 7, EINTR);
    Run("output" + end_, Force());
    EXPECT_TRUE(ReadTree(output_) == reference_) << most;
  }
}

TEST_P(FaultWalk, PowerLossAtEverySyncLosesNothing) {
  sync_ = true;
  for (uint64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    StartWithOldOutput();
    bool reached = false;
    {
      FaultyIo faults;
      faults.RecordUnsynced();
      faults.FailFrom(IoCall::kSync, n, EIO);
      try {
        Run("output" + end_, Force());
      } catch (const Error&) {  // the run stops here, and the machine with it
      }
      reached = faults.Count(IoCall::kSync) >= n;
      faults.Crash();
    }
    ExpectOldOrNew();
    if (!reached) {
      EXPECT_GT(n, LeastSyncs());
      return;
    }
    ExpectNextRunToSucceed();
    if (HasFailure()) {
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Output, FaultWalk,
                         ::testing::Values(Output{}, Output{.force = true}, Output{.file = true},
                                           Output{.force = true, .file = true}),
                         [](const auto& info) {
                           return std::string(info.param.file ? "Gguf" : "") +
                                  (info.param.force ? "Replaced" : "New");
                         });

}  // namespace
}  // namespace lbrx

// A source that is truncated, replaced or changed while a command reads it: exit 5 or 3, never a
// crash or an output, and the next run gives the bytes of an undisturbed one.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "core/base/format.h"
#include "core/io/fault.h"
#include "trust/workplace.h"

namespace lbrx {
namespace {

// Does something to the file of weights that the n-th read of the work is from.
class Meddler final : public FaultInjector {
 public:
  using Deed = std::function<void(const std::string& path)>;

  Meddler(std::string folder, uint64_t n, Deed deed)
      : folder_(std::move(folder)), n_(n), deed_(std::move(deed)) {
    SetFaultInjector(this);
  }

  ~Meddler() override { SetFaultInjector(nullptr); }

  Meddler(const Meddler&) = delete;
  Meddler& operator=(const Meddler&) = delete;

  int Before(IoCall call, const std::string& path) override {
    // What is read before that is the plan's and may still change.
    at_work_ = at_work_ || call == IoCall::kMakeDirectory;
    if (at_work_ && call == IoCall::kRead && IsSource(path) && ++reads_ == n_) {
      deed_(path);
    }
    return 0;
  }

  uint64_t reads() const { return reads_; }

 private:
  bool IsSource(const std::string& path) const {
    return path.starts_with(folder_) && path.find(".lbrx-partial") == std::string::npos;
  }

  const std::string folder_;
  const uint64_t n_;
  const Deed deed_;
  bool at_work_ = false;
  uint64_t reads_ = 0;
};

void Truncate(const std::string& path) {
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
}

void Change(const std::string& path) {
  std::string content = ReadTestFile(path);
  content.back() = static_cast<char>(content.back() ^ 1);
  WriteTestFile(path, content);
}

void Replace(const std::string& path) {
  std::string content = ReadTestFile(path);
  content.back() = static_cast<char>(content.back() ^ 1);
  WriteTestFile(path + ".other", content);
  std::filesystem::rename(path + ".other", path);
}

void Remove(const std::string& path) {
  std::filesystem::remove(path);
}

class SourceChanges : public ::testing::TestWithParam<size_t> {
 protected:
  SourceChanges() : place_(WritingCommands()[GetParam()], {.replace = GetParam() % 2 == 0}) {}

  uint64_t CountReads() const {
    place_.Reset();
    const Meddler counter(place_.folder(), 0, {});
    place_.Run();
    return counter.reads();
  }

  // A run during which the n-th file read is not what it was.
  void ExpectRefusalAt(uint64_t n, void (*deed)(const std::string& path),
                       const std::vector<int>& codes) {
    place_.Reset();
    std::string touched;
    std::string content;
    AppRun run;
    {
      const Meddler meddler(place_.folder(), n, [&](const std::string& path) {
        touched = path;
        content = ReadTestFile(path);
        deed(path);
      });
      run = place_.Run();
    }
    ASSERT_NE(touched, "") << "nothing was read";
    WriteTestFile(touched, content);
    place_.AcceptSources();
    EXPECT_NE(run.code, place_.command().exit_code) << "of " << touched;
    EXPECT_EQ(place_.CheckAfter(run, {codes, {touched}}), "");
    EXPECT_EQ(place_.CheckNextRun(), "");
  }

  // At some of the reads, the first ones and the last among them.
  void ExpectRefusal(void (*deed)(const std::string& path), const std::vector<int>& codes) {
    constexpr uint64_t kPlaces = 8;
    const uint64_t reads = CountReads();
    const uint64_t step = reads / kPlaces + 1;
    for (uint64_t n = 1; n <= reads && !HasFailure();
         n += n > 2 && n + step + 2 < reads ? step : 1) {
      SCOPED_TRACE(Format("at read {} of {}", n, reads));
      ExpectRefusalAt(n, deed, codes);
    }
  }

  Workplace place_;
};

TEST_P(SourceChanges, TruncatedWhileReadIsRefused) {
  ExpectRefusal(Truncate, {3, 5});
}

TEST_P(SourceChanges, ChangedInPlaceWhileReadIsRefused) {
  ExpectRefusal(Change, {3});
}

TEST_P(SourceChanges, ReplacedWhileReadIsRefused) {
  ExpectRefusal(Replace, {3});
}

TEST_P(SourceChanges, RemovedWhileReadIsRefused) {
  ExpectRefusal(Remove, {3, 5});
}

INSTANTIATE_TEST_SUITE_P(Commands, SourceChanges,
                         ::testing::Range(size_t{0}, WritingCommands().size()),
                         [](const auto& info) {
                           return std::string(WritingCommands()[info.param].name);
                         });

}  // namespace
}  // namespace lbrx

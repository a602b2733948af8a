// The same command gives the same bytes: every row of the matrix under few settings, with
// LBRX_DETERMINISM=full under all of them (`make determinism`).
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "determinism/rows.h"
#include "determinism/setting.h"

namespace lbrx::determinism {
namespace {

bool IsFull() {
  const char* wanted = std::getenv("LBRX_DETERMINISM");  // NOLINT(concurrency-mt-unsafe)
  return wanted != nullptr && std::string(wanted) == "full";
}

// Counts, and tells at the very end.
class Count : public ::testing::Environment {
 public:
  static size_t& Rows() {
    static size_t rows = 0;
    return rows;
  }

  static size_t& Runs() {
    static size_t runs = 0;
    return runs;
  }

  void TearDown() override {
    std::cout << "determinism: " << Runs() << " runs of " << Rows() << " rows compared\n";
  }
};

const ::testing::Environment* const kCount =
    ::testing::AddGlobalTestEnvironment(new Count);  // gtest owns it

void ExpectSame(const Result& expected, const Result& result, const std::string& setting) {
  for (const auto& [file, content] : expected) {
    const auto found = result.find(file);
    ASSERT_NE(found, result.end()) << file << " is missing: " << setting;
    EXPECT_TRUE(found->second == content) << file << " differs: " << setting;
  }
  EXPECT_EQ(result.size(), expected.size()) << setting;
}

class Determinism : public ::testing::TestWithParam<Row> {};

TEST_P(Determinism, SameBytes) {
  const std::vector<Setting> settings = IsFull() ? AllSettings() : FewSettings();
  ASSERT_GE(settings.size(), 2U);
  const Result expected = RunRow(GetParam(), settings[0]);
  ASSERT_FALSE(expected.empty());
  ++Count::Rows();
  ++Count::Runs();
  for (size_t i = 1; i < settings.size() && !HasFailure(); ++i) {
    ExpectSame(expected, RunRow(GetParam(), settings[i]), settings[i].Name());
    ++Count::Runs();
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, Determinism, ::testing::ValuesIn(AllRows()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lbrx::determinism

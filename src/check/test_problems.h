// What validation finds in a small model, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "check/test_model.h"

namespace lbrx {

inline std::vector<Problem> ValidateModel(const TestModel& model,
                                          const std::string& tokenizer = "") {
  const TempDir folder;
  model.Write(folder);
  if (!tokenizer.empty()) {
    WriteTestFile(folder / "tokenizer.json", tokenizer);
  }
  TestOptions test;
  return Validate(OpenForCheck(folder.path()), /*deep=*/false, test.options);
}

inline std::string Text(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += problem.severity == Severity::kError ? "error: " : "warning: ";
    text += FormatMessage(problem.detail) + "\n";
  }
  return text;
}

// The one problem found, whose message must hold `words`.
inline void ExpectOne(const std::vector<Problem>& problems, Severity severity,
                      const std::string& object, const std::vector<std::string>& words) {
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].severity, severity) << Text(problems);
  EXPECT_EQ(problems[0].detail.object, object);
  EXPECT_FALSE(problems[0].detail.file.empty());
  for (const std::string& word : words) {
    EXPECT_NE(Text(problems).find(word), std::string::npos) << word << " in " << Text(problems);
  }
}

}  // namespace lbrx

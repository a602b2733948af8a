// Making outputs and verifying them, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/test_app.h"
#include "core/text/json.h"
#include "formats/checkpoint.h"
#include "support/temp_dir.h"

namespace lbrx {

inline const std::string kSmallModel = LBRX_TEST_DATA "/merge/base";  // float32, hidden 64
inline const std::string kModel = LBRX_TEST_DATA "/bard-base";        // bf16, hidden 256, tokenizer

using Words = std::vector<std::string>;

inline Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Runs a command that must succeed.
inline void Must(const Words& args) {
  const AppRun run = RunForTest(args + Words{"--quiet"});
  ASSERT_EQ(run.code, 0) << run.err;
}

// What `validate --json` says.
struct Validated {
  explicit Validated(const Words& args) {
    const AppRun run = RunForTest(Words{"validate"} + args + Words{"--json"});
    code = run.code;
    err = run.err;
    json = run.out.empty() ? Json() : ParseJson(run.out, "stdout");
  }

  const Json& At(const char* key) const { return Member(json, key); }

  const Json::Array& Problems() const { return At("problems").AsArray(); }

  const Json& Against(const char* key) const { return Member(At("against"), key); }

  const Json::Array& Differences() const { return Against("differences").AsArray(); }

  // The problems of a severity, "file|object|message" each.
  Words Of(const std::string& severity) const {
    Words out;
    for (const Json& row : Problems()) {
      if (row.Find("severity")->AsString() == severity) {
        const auto text = [&](const char* key) {
          return row.Find(key)->is_null() ? "" : row.Find(key)->AsString();
        };
        out.push_back(text("file") + "|" + text("object") + "|" + text("message"));
      }
    }
    return out;
  }

  std::string Text() const { return err + WriteJson(json); }

  int code = 0;
  std::string err;
  Json json;

 private:
  // null, and a failure, where there is none.
  const Json& Member(const Json& from, const char* key) const {
    static const Json none;
    const Json* member = from.is_object() ? from.Find(key) : nullptr;
    EXPECT_NE(member, nullptr) << key << " in " << Text();
    return member == nullptr ? none : *member;
  }
};

// Flips the lowest bit of a byte.
inline void FlipBit(const std::string& path, uint64_t offset) {
  std::string content = ReadTestFile(path);
  content.at(offset) = static_cast<char>(content[offset] ^ 1);
  WriteTestFile(path, content);
}

}  // namespace lbrx

// A model that tests damage before they have it repaired.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "cli/test_app.h"
#include "core/base/error.h"
#include "core/io/file.h"
#include "core/text/json.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {

// A copy of tests/data/bard-base (57 tensors), or of the same in shards.
class DamagedModel {
 public:
  explicit DamagedModel(bool sharded = false) {
    std::filesystem::copy(sharded ? Sharded() : Whole(), path());
  }

  static std::string Whole() { return LBRX_TEST_DATA "/bard-base"; }

  // Made by the program itself, once.
  static const std::string& Sharded() {
    static const TempDir folder;
    static const std::string path = [] {
      std::string made = folder / "sharded";
      EXPECT_EQ(RunForTest({"convert", Whole(), made, "--shard-size", "3MB", "--no-sync"}).code, 0);
      return made;
    }();
    return path;
  }

  static std::string Shard(int number) {
    static const size_t count = [] {
      size_t shards = 0;
      for (const std::string& name : ListDirectory(Sharded())) {
        shards += name.ends_with(".safetensors") ? 1 : 0;
      }
      return shards;
    }();
    return "model-0000" + std::to_string(number) + "-of-0000" + std::to_string(count) +
           ".safetensors";
  }

  // The tensors as they were.
  static const std::map<std::string, std::string>& Original() {
    static const auto tensors = ReadSafetensors(Whole() + "/model.safetensors");
    return tensors;
  }

  // Names of the tensors of a shard.
  static std::set<std::string> NamesIn(int number) {
    std::set<std::string> names;
    for (const auto& [name, bytes] : ReadSafetensors(Sharded() + "/" + Shard(number))) {
      names.insert(name);
    }
    return names;
  }

  std::string path() const { return dir_ / "model"; }

  std::string out() const { return dir_ / "out"; }

  std::string File(const std::string& name) const { return path() + "/" + name; }

  std::string Read(const std::string& name) const { return ReadTestFile(File(name)); }

  void Write(const std::string& name, const std::string& content) const {
    std::filesystem::remove(File(name));
    WriteTestFile(File(name), content);
  }

  void Remove(const std::string& name) const { std::filesystem::remove(File(name)); }

  void Rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(File(from), File(to));
  }

  void Cut(const std::string& name, uint64_t size) const {
    Write(name, Read(name).substr(0, size));
  }

  // Overwrites bytes.
  void Poke(const std::string& name, size_t at, const std::string& bytes) const {
    std::string content = Read(name);
    content.replace(at, bytes.size(), bytes);
    Write(name, content);
  }

  // Replaces the first `from` by `to`, of any length.
  void Replace(const std::string& name, const std::string& from, const std::string& to) const {
    std::string content = Read(name);
    const size_t at = content.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    content.replace(at, from.size(), to);
    Write(name, content);
  }

 private:
  const TempDir dir_;
};

// What a repair says on standard output.
struct RepairRun {
  int code = 0;
  std::string err;
  Json json;

  explicit RepairRun(const DamagedModel& model, std::vector<std::string> options = {}) {
    std::vector<std::string> args{"repair", model.path(), model.out(), "--json", "--no-sync"};
    args.insert(args.end(), options.begin(), options.end());
    const AppRun run = RunForTest(args);
    code = run.code;
    err = run.err;
    json = run.out.empty() ? Json() : ParseJson(run.out, "stdout");
  }

  const Json::Array& Rows(const char* key) const { return json.Find(key)->AsArray(); }

  std::set<std::string> Lost() const {
    std::set<std::string> names;
    for (const Json& row : Rows("lost")) {
      names.insert(row.Find("tensor")->AsString());
    }
    return names;
  }

  // All that was mended, as text.
  std::string Mended() const { return WriteJson(*json.Find("mended")); }
};

}  // namespace lbrx

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "core/base/error.h"
#include "formats/checkpoint.h"
#include "hostile/raw_file.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

namespace fs = std::filesystem;

const std::string kCommit(40, 'a');
const std::string kOther = std::string(39, 'b') + "0";

class Hub : public testing::Test {
 protected:
  Hub() {
    for (const char* name : kVariables) {
      const char* value = getenv(name);
      saved_.emplace_back(name, value == nullptr ? "" : value);
      unsetenv(name);
    }
    setenv("HF_HUB_CACHE", cache_.path().c_str(), 1);
  }

  ~Hub() override {
    for (const auto& [name, value] : saved_) {
      if (value.empty()) {
        unsetenv(name.c_str());
      } else {
        setenv(name.c_str(), value.c_str(), 1);
      }
    }
  }

  // A snapshot with a model, and a ref to it where `ref` is not empty.
  void AddSnapshot(const std::string& cache, const std::string& commit, const std::string& ref) {
    const std::string repository = cache + "/models--org--name";
    fs::create_directories(repository + "/snapshots/" + commit);
    WriteTestFile(repository + "/snapshots/" + commit + "/model.safetensors",
                  RawSafetensors("{" + RawEntry("a", "U8", "[1]", 0, 1) + "}", 1));
    WriteTestFile(repository + "/snapshots/" + commit + "/config.json", "{}");
    if (!ref.empty()) {
      const std::string path = repository + "/refs/" + ref;
      fs::create_directories(fs::path(path).parent_path());
      WriteTestFile(path, commit);
    }
  }

  std::string Snapshot(const std::string& commit) {
    return cache_ / "models--org--name/snapshots/" + commit;
  }

  static std::string ExpectNotCached(const std::string& name) {
    try {
      ResolveHubName(name);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      return error.what();
    }
    ADD_FAILURE() << name;
    return "";
  }

  static constexpr const char* kVariables[] = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME",
                                               "XDG_CACHE_HOME", "HOME"};
  TempDir cache_;
  std::vector<std::pair<std::string, std::string>> saved_;
};

TEST_F(Hub, OnlyNamesOfRepositories) {
  for (const char* text : {"name",          "/abs/path",
                           "a/b/c",         "./name",
                           "../name",       "org/",
                           "/name",         "org/..",
                           "-org/name",     "org/na me",
                           "org/name.",     "o--rg/name",
                           "org/na..me",    "",
                           "org/name@",     "~/name",
                           "org\\name",     "org/name@/etc",
                           "org/name@../x", "org/name@a\nb"}) {
    EXPECT_EQ(ResolveHubName(text), std::nullopt) << text;
  }
}

TEST_F(Hub, ResolvesRevisions) {
  AddSnapshot(cache_.path(), kCommit, "main");
  AddSnapshot(cache_.path(), kOther, "refs/pr/1");
  EXPECT_EQ(ResolveHubName("org/name"), Snapshot(kCommit));
  EXPECT_EQ(ResolveHubName("org/name@main"), Snapshot(kCommit));
  EXPECT_EQ(ResolveHubName("org/name@refs/pr/1"), Snapshot(kOther));
  EXPECT_EQ(ResolveHubName("org/name@" + kOther), Snapshot(kOther));
  EXPECT_NE(ExpectNotCached("org/name@v2").find("hf download org/name --revision v2"),
            std::string::npos);
}

TEST_F(Hub, TheOnlySnapshotIsTheMainOne) {
  AddSnapshot(cache_.path(), kOther, "");
  EXPECT_EQ(ResolveHubName("org/name"), Snapshot(kOther));
  AddSnapshot(cache_.path(), kCommit, "");
  EXPECT_NE(ExpectNotCached("org/name").find("hf download org/name"), std::string::npos);
}

TEST_F(Hub, SaysHowToGetWhatIsNotThere) {
  const std::string message = ExpectNotCached("org/absent");
  EXPECT_NE(message.find("hf download org/absent"), std::string::npos) << message;
  EXPECT_NE(message.find(cache_.path()), std::string::npos) << message;
}

TEST_F(Hub, RefusesARefThatIsNoCommit) {
  AddSnapshot(cache_.path(), kCommit, "main");
  WriteTestFile(cache_ / "models--org--name/refs/main", "../../../etc");
  EXPECT_THROW(ResolveHubName("org/name"), Error);
  WriteTestFile(cache_ / "models--org--name/refs/main", kCommit + "\n");
  EXPECT_EQ(ResolveHubName("org/name"), Snapshot(kCommit));
}

TEST_F(Hub, FoldersByEnvironment) {
  TempDir home;
  const std::vector<std::pair<const char*, std::string>> places = {
      // Each goes before those above it.
      {"HOME", ".cache/huggingface/hub"},
      {"XDG_CACHE_HOME", "huggingface/hub"},
      {"HF_HOME", "hub"},
      {"HUGGINGFACE_HUB_CACHE", ""},
      {"HF_HUB_CACHE", ""},
  };
  unsetenv("HF_HUB_CACHE");
  for (const auto& [variable, below] : places) {
    const std::string root = home / variable;
    const std::string cache = below.empty() ? root : root + "/" + below;
    AddSnapshot(cache, kCommit, "main");
    setenv(variable, root.c_str(), 1);
    EXPECT_EQ(ResolveHubName("org/name"), cache + "/models--org--name/snapshots/" + kCommit);
  }
  unsetenv("HF_HUB_CACHE");
  unsetenv("HUGGINGFACE_HUB_CACHE");
  setenv("HF_HOME", "~/hf", 1);
  AddSnapshot(home / "HOME/hf/hub", kCommit, "main");
  EXPECT_EQ(ResolveHubName("org/name"),
            home / "HOME/hf/hub/models--org--name/snapshots/" + kCommit);
}

TEST_F(Hub, OpenCheckpointTakesNames) {
  AddSnapshot(cache_.path(), kCommit, "main");
  const Checkpoint checkpoint = OpenCheckpoint("org/name");
  EXPECT_EQ(checkpoint.path, "org/name");
  EXPECT_EQ(checkpoint.folder, Snapshot(kCommit));
  EXPECT_EQ(checkpoint.tensors.size(), 1U);
}

TEST_F(Hub, KnowsWhoseSnapshotAFolderIs) {
  AddSnapshot(cache_.path(), kCommit, "main");
  const std::optional<HubSnapshot> found = HubSnapshotOf(Snapshot(kCommit));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->name, "org/name");
  EXPECT_EQ(found->revision, kCommit);
  fs::create_symlink(Snapshot(kCommit), cache_ / "link");
  EXPECT_TRUE(HubSnapshotOf(cache_ / "link").has_value());
  for (const std::string folder :
       {"models--org--name", "models--org--name/snapshots", "absent",
        "models--name/snapshots/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "models--a--b--c/snapshots/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "models--a--b: c/snapshots/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "models--a--b/snapshots/main"}) {
    if (folder != "absent") {
      fs::create_directories(fs::path(cache_ / folder));
    }
    EXPECT_FALSE(HubSnapshotOf(cache_ / folder).has_value()) << folder;
  }
}

}  // namespace
}  // namespace lbrx

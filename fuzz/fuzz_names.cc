// Names that come with files: of shards and parts, in an index, of models in the local cache of the
// hub with the ref that leads to a snapshot; and the heads by which foreign files are recognised.
// The input is each of these.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "check.h"
#include "core/base/error.h"
#include "formats/detect.h"
#include "formats/gguf/gguf.h"
#include "formats/huggingface/folder_listing.h"
#include "formats/huggingface/huggingface.h"
#include "input_folder.h"
#include "target.h"

namespace lbrx {
namespace {

void CheckNames(const std::string& text) {
  if (IsSafeShardName(text)) {
    const std::filesystem::path path = std::filesystem::path("folder") / text;
    FUZZ_CHECK(path.lexically_normal().parent_path() == "folder");
    FUZZ_CHECK(text.find('\0') == std::string::npos);
  }
  if (const std::optional<ShardNumber> shard = ParseShardName(text)) {
    FUZZ_CHECK(text.starts_with(shard->stem));
  }
  if (const std::optional<GgufPartName> part = ParseGgufPartName(text)) {
    FUZZ_CHECK(FormatGgufPartName(*part) == text);
  }
  FUZZ_CHECK(!NaturalLess(text, text));
  const size_t half = text.size() / 2;
  FUZZ_CHECK(!NaturalLess(text.substr(0, half), text.substr(half)) ||
             !NaturalLess(text.substr(half), text.substr(0, half)));
}

void CheckForeign(std::string_view head) {
  const ForeignFile foreign = RecogniseForeign(head);
  FUZZ_CHECK(!foreign.kind.empty() || (foreign.advice.empty() && !foreign.stand_in));
}

// A cache with one model that has one snapshot.
class Cache {
 public:
  Cache() : repository_(JoinPath(folder_.path(), "models--a--b")) {
    std::filesystem::create_directories(JoinPath(repository_, "snapshots/" + std::string(40, 'a')));
    std::filesystem::create_directories(JoinPath(repository_, "refs"));
    setenv("HF_HUB_CACHE", folder_.path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }

  void SetRef(std::string_view content) const { folder_.Write("models--a--b/refs/main", content); }

  // A folder in the cache's snapshots.
  void Resolve(const std::string& name) const {
    try {
      if (const std::optional<std::string> folder = ResolveHubName(name)) {
        const std::string path = std::filesystem::path(*folder).lexically_normal().string();
        FUZZ_CHECK(path.starts_with(JoinPath(repository_, "snapshots/")));
        FUZZ_CHECK(HubSnapshotOf(*folder).has_value());
      }
    } catch (const Error& error) {
      FUZZ_CHECK(error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kIo);
    }
  }

 private:
  InputFolder folder_;
  std::string repository_;
};

void Run(std::string_view input) {
  static const Cache cache;
  CheckNames(std::string(input));
  CheckForeign(input);
  cache.SetRef(input);
  cache.Resolve("a/b");
  cache.Resolve(std::string(input));
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kText);

// The Hugging Face hub's local cache: models--org--name/{refs,snapshots,blobs}.
// Convention: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
#include <algorithm>
#include <cstdlib>

#include "core/base/format.h"
#include "formats/checkpoint.h"

namespace lbrx {

namespace {

constexpr uint64_t kRefLimit = 1024;  // a ref is a line of 40 hex digits
constexpr size_t kLongestPart = 96;   // of a repository name, as the hub allows

std::string Environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets variables
  return value == nullptr ? "" : value;
}

// A leading "~" is the home folder, as in huggingface_hub.
std::string ExpandHome(const std::string& path) {
  if (path == "~" || path.starts_with("~/")) {
    return Environment("HOME") + path.substr(1);
  }
  return path;
}

std::string CacheFolder() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const std::string cache = Environment(name); !cache.empty()) {
      return ExpandHome(cache);
    }
  }
  if (const std::string home = Environment("HF_HOME"); !home.empty()) {
    return JoinPath(ExpandHome(home), "hub");
  }
  if (const std::string cache = Environment("XDG_CACHE_HOME"); !cache.empty()) {
    return JoinPath(ExpandHome(cache), "huggingface/hub");
  }
  return JoinPath(Environment("HOME"), ".cache/huggingface/hub");
}

bool IsRepositoryPart(std::string_view part) {
  const bool good = std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  return good && !part.empty() && part.size() <= kLongestPart && part.front() != '.' &&
         part.front() != '-' && part.back() != '.' && part.back() != '-' &&
         part.find("--") == std::string_view::npos && part.find("..") == std::string_view::npos;
}

struct HubName {
  std::string organisation;
  std::string name;
  std::string revision;  // empty: the main one

  std::string Text() const { return organisation + "/" + name; }
};

std::optional<HubName> ParseHubName(std::string_view text) {
  HubName out;
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    out.revision = std::string(text.substr(at + 1));
    text = text.substr(0, at);
    if (out.revision.empty()) {
      return std::nullopt;
    }
  }
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.find('/', slash + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  out.organisation = std::string(text.substr(0, slash));
  out.name = std::string(text.substr(slash + 1));
  if (!IsRepositoryPart(out.organisation) || !IsRepositoryPart(out.name)) {
    return std::nullopt;
  }
  return out;
}

bool IsCommit(std::string_view text) {
  return text.size() == 40 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// A revision that names a file below refs/: "main", "refs/pr/1", "v1.0".
bool IsSafeRevision(std::string_view revision) {
  const bool odd = std::any_of(revision.begin(), revision.end(), [](char c) {
    return static_cast<uint8_t>(c) < 0x20 || c == '\\' || c == ':';
  });
  return !odd && revision.front() != '/' && revision.find("..") == std::string_view::npos;
}

// The commit that a revision stands for, as far as the cache knows; empty: it does not.
std::string CommitOf(const std::string& repository, const std::string& revision) {
  if (IsCommit(revision)) {
    return revision;
  }
  const std::string ref =
      JoinPath(JoinPath(repository, "refs"), revision.empty() ? "main" : revision);
  if (!IsRegularFile(ref)) {
    return "";
  }
  std::string commit = ReadWholeFile(ref, kRefLimit);
  commit.erase(commit.find_last_not_of(" \t\r\n") + 1);
  if (!IsCommit(commit)) {
    ErrorDetail detail;
    detail.file = ref;
    detail.what = "the cached revision is no commit";
    detail.expected = "40 hexadecimal digits";
    detail.found = "\"" + Printable(commit, 60) + "\"";
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  return commit;
}

// The snapshot of a repository that has exactly one (downloaded by commit, so without a ref).
std::string OnlySnapshot(const std::string& snapshots) {
  if (!IsDirectory(snapshots)) {
    return "";
  }
  const std::vector<std::string> commits = ListDirectory(snapshots);
  return commits.size() == 1 ? commits.front() : "";
}

[[noreturn]] void ThrowNotCached(const HubName& name, const std::string& cache) {
  const std::string revision = name.revision.empty() ? "" : " --revision " + name.revision;
  ErrorDetail detail;
  detail.file = name.Text() + (name.revision.empty() ? "" : "@" + name.revision);
  detail.what = Format("neither a file or folder here nor a model in the Hugging Face cache {}",
                       Printable(cache));
  detail.advice = Format("run: hf download {}{}", name.Text(), Printable(revision));
  throw Error(ErrorCode::kIo, std::move(detail));
}

}  // namespace

std::optional<std::string> ResolveHubName(const std::string& text) {
  const std::optional<HubName> name = ParseHubName(text);
  if (!name || (!name->revision.empty() && !IsSafeRevision(name->revision))) {
    return std::nullopt;
  }
  const std::string cache = CacheFolder();
  const std::string repository =
      JoinPath(cache, "models--" + name->organisation + "--" + name->name);
  const std::string snapshots = JoinPath(repository, "snapshots");
  std::string commit = CommitOf(repository, name->revision);
  if (commit.empty() && name->revision.empty()) {
    commit = OnlySnapshot(snapshots);
  }
  const std::string folder = JoinPath(snapshots, commit);
  if (commit.empty() || !IsDirectory(folder)) {
    ThrowNotCached(*name, cache);
  }
  return folder;
}

std::optional<HubSnapshot> HubSnapshotOf(const std::string& folder) {
  constexpr std::string_view kModels = "models--";
  if (!IsDirectory(folder)) {
    return std::nullopt;
  }
  const std::string path = RealPath(folder);
  const std::string snapshots = ParentPath(path);
  const std::string repository = BaseName(ParentPath(snapshots));
  if (BaseName(snapshots) != "snapshots" || !repository.starts_with(kModels)) {
    return std::nullopt;
  }
  std::string name = repository.substr(kModels.size());
  if (const size_t dashes = name.find("--"); dashes != std::string::npos) {
    name.replace(dashes, 2, "/");
  }
  if (!IsHubName(name) || !IsCommit(BaseName(path))) {
    return std::nullopt;
  }
  return HubSnapshot{.name = name, .revision = BaseName(path)};
}

bool IsHubName(const std::string& text) {
  const std::optional<HubName> name = ParseHubName(text);
  return name && name->revision.empty();
}

}  // namespace lbrx

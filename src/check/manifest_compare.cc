#include <algorithm>
#include <map>
#include <set>

#include "check/manifest.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

using TensorsByName = std::map<std::string_view, const TensorHash*>;
using FilesByName = std::map<std::string_view, const ModelFile*>;

template <typename Map, typename Items>
Map ByName(const Items& items) {
  Map map;
  for (const auto& item : items) {
    map.emplace(item.name, &item);
  }
  return map;
}

std::set<std::string_view> DataFiles(const Manifest& manifest) {
  std::set<std::string_view> names;
  for (const ModelFile& file : manifest.files) {
    if (file.data) {
      names.insert(file.name);
    }
  }
  return names;
}

std::string FolderOf(const std::string& path) {
  if (IsDirectory(path)) {
    return path;
  }
  const bool hub = !PathExists(path) && IsHubName(path);
  return hub ? ResolveHubName(path).value_or(path) : ParentPath(path);
}

class Comparison {
 public:
  Comparison(const Manifest& wanted, const Manifest& found, const std::string& path)
      : wanted_(wanted),
        found_(found),
        path_(path),
        folder_(FolderOf(path)),
        files_(ByName<FilesByName>(found.files)) {}

  std::vector<Problem> Everything() {
    CompareTensors();
    const bool agree = std::none_of(problems_.begin(), problems_.end(), [](const Problem& each) {
      return each.severity == Severity::kError;
    });
    const bool elsewhere =
        wanted_.format != found_.format || DataFiles(wanted_) != DataFiles(found_);
    if (agree && elsewhere) {
      TellOtherFiles();
    }
    CompareFiles(agree && elsewhere);
    return std::move(problems_);
  }

  std::vector<Problem> FilesAlone() {
    CompareFiles(/*elsewhere=*/false);
    return std::move(problems_);
  }

 private:
  void Add(Severity severity, const std::string& file, const std::string& object, std::string what,
           std::string expected = {}, std::string found = {}) {
    problems_.push_back({severity,
                         {.file = file,
                          .object = object,
                          .what = std::move(what),
                          .expected = std::move(expected),
                          .found = std::move(found),
                          .offset = {},
                          .advice = {}}});
  }

  void CompareTensors() {
    const auto wanted = ByName<TensorsByName>(wanted_.tensors);
    const auto found = ByName<TensorsByName>(found_.tensors);
    for (const TensorHash& tensor : wanted_.tensors) {
      const auto other = found.find(tensor.name);
      if (other == found.end()) {
        Add(Severity::kError, path_, tensor.name, "is missing",
            Format("{} {}", tensor.scheme, tensor.shape.ToString()));
      } else {
        CompareTensor(tensor, *other->second);
      }
    }
    for (const TensorHash& tensor : found_.tensors) {
      if (!wanted.contains(tensor.name)) {
        Add(Severity::kError, PlaceOf(tensor), tensor.name, "the manifest has no such tensor");
      }
    }
    if (recoded_ != 0) {
      const auto& [before, now] = first_recoded_;
      Add(Severity::kWarning, PlaceOf(*now), now->name,
          Format("{} tensors have the same values, but are stored in another way; this one first",
                 recoded_),
          before->scheme, now->scheme);
    }
  }

  void CompareTensor(const TensorHash& wanted, const TensorHash& found) {
    if (!(wanted.shape == found.shape)) {
      Add(Severity::kError, PlaceOf(found), found.name, "has another shape",
          wanted.shape.ToString(), found.shape.ToString());
    } else if (wanted.xxh3_128 != found.xxh3_128) {
      Add(Severity::kError, PlaceOf(found), found.name, "has other values",
          "XXH3-128 " + wanted.xxh3_128, found.xxh3_128);
    } else if (wanted.scheme != found.scheme && recoded_++ == 0) {
      first_recoded_ = {&wanted, &found};
    }
  }

  // The file that a tensor is in. Where it is made of parts: the one that changed, if it is one.
  const std::string& PlaceOf(const TensorHash& tensor) const {
    if (!tensor.file.empty()) {
      return tensor.file;
    }
    const std::string* place = nullptr;
    for (const ModelFile& file : wanted_.files) {
      const auto now = files_.find(file.name);
      if (file.data && now != files_.end() && now->second->sha256 != file.sha256) {
        if (place != nullptr) {
          return path_;
        }
        place = &now->second->path;
      }
    }
    return place == nullptr ? path_ : *place;
  }

  void TellOtherFiles() {
    const auto listed = [](const Manifest& manifest) {
      const std::set<std::string_view> names = DataFiles(manifest);
      return Format("{} in {} file{}, {} first", manifest.format, names.size(),
                    names.size() == 1 ? "" : "s", names.empty() ? "none" : *names.begin());
    };
    Add(Severity::kWarning, path_, "",
        Format("all {} tensors have the same values, but lie in other files",
               wanted_.tensors.size()),
        listed(wanted_), listed(found_));
  }

  void CompareFiles(bool elsewhere) {
    const auto wanted = ByName<FilesByName>(wanted_.files);
    const Severity severity = elsewhere ? Severity::kWarning : Severity::kError;
    for (const ModelFile& file : wanted_.files) {
      if (elsewhere && file.data) {
        continue;
      }
      const auto now = files_.find(file.name);
      if (now == files_.end()) {
        Add(severity, JoinPath(folder_, file.name), "", "is missing",
            Format("{} bytes", file.bytes));
      } else if (now->second->bytes != file.bytes) {
        Add(severity, now->second->path, "", "has another size", Format("{} bytes", file.bytes),
            Format("{} bytes", now->second->bytes));
      } else if (now->second->sha256 != file.sha256) {
        Add(severity, now->second->path, "", "has other bytes", "SHA-256 " + file.sha256,
            now->second->sha256);
      }
    }
    for (const ModelFile& file : found_.files) {
      if (!wanted.contains(file.name) && !(elsewhere && file.data)) {
        Add(Severity::kWarning, file.path, "", "the manifest has no such file");
      }
    }
  }

  const Manifest& wanted_;
  const Manifest& found_;
  const std::string& path_;
  const std::string folder_;
  FilesByName files_;   // of `found_`
  size_t recoded_ = 0;  // tensors whose values are the same in another scheme
  std::pair<const TensorHash*, const TensorHash*> first_recoded_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> CompareManifests(const Manifest& wanted, const Manifest& found,
                                      const std::string& path) {
  return Comparison(wanted, found, path).Everything();
}

std::vector<Problem> CompareFiles(const Manifest& wanted, const std::string& path,
                                  const CheckOptions& options) {
  Manifest found;
  for (const ModelFile& listed : wanted.files) {
    ModelFile file = listed;
    file.path = JoinPath(FolderOf(path), listed.name);
    if (IsRegularFile(file.path)) {
      file.bytes = File::OpenRead(file.path)->Size();
      file.sha256 = Sha256File(file.path, options);
      found.files.push_back(std::move(file));
    }
  }
  return Comparison(wanted, found, path).FilesAlone();
}

}  // namespace lbrx

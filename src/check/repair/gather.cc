#include "check/repair/gather.h"

#include <algorithm>
#include <set>

#include "check/repair/mend_json.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "formats/huggingface/folder_listing.h"
#include "formats/huggingface/huggingface.h"

namespace lbrx {
namespace {

constexpr uint64_t kIndexLimit = uint64_t{256} << 20;

class Gatherer {
 public:
  explicit Gatherer(const std::string& path) { out_.path = path; }

  Gathered Run() {
    std::string path = out_.path;
    if (!PathExists(path)) {
      path = ResolveHubName(path).value_or("");
    }
    if (path.empty()) {
      ErrorDetail detail;
      detail.file = out_.path;
      detail.what = "no such file or folder";
      throw Error(ErrorCode::kIo, std::move(detail));
    }
    out_.config = Json::MakeObject();
    if (IsDirectory(path)) {
      out_.folder = path;
      ReadFolder();
    } else {
      out_.config_damaged = true;
      out_.files.push_back(ScanFile(path));
      out_.primary = 1;
    }
    return std::move(out_);
  }

 private:
  void ReadFolder() {
    FolderListing listing = SortFolder(out_.folder);
    out_.side_files = std::move(listing.side_files);
    out_.index_name = listing.index;
    ReadIndex();
    ReadConfig(listing.has_config);
    std::vector<std::string> weights = listing.weights;
    if (listing.torch) {
      weights.clear();
    }
    if (weights.empty() && listing.unfinished.empty() && listing.other.empty()) {
      ListFolder(out_.folder);  // which says what is there instead
      ErrorDetail detail;
      detail.file = out_.folder;
      detail.what = listing.torch ? "the folder holds PyTorch files, which cannot be mended"
                                  : "the folder holds no weights";
      detail.advice = listing.torch ? "`lbrx convert` reads those that are whole"
                                    : "download the files of the index, with `hf download`";
      throw Error(ErrorCode::kInvalid, std::move(detail));
    }
    ScanAll(weights);
    out_.primary = out_.files.size();
    ScanAll(listing.unfinished);
    ScanAll(listing.other);
  }

  // Files of the index first: a folder may hold what is left of another download.
  void ScanAll(std::vector<std::string> names) {
    std::set<std::string> indexed;
    for (const auto& [tensor, file] : out_.index) {
      indexed.insert(file);
    }
    std::stable_partition(names.begin(), names.end(),
                          [&](const std::string& name) { return indexed.count(name) != 0; });
    for (const std::string& name : names) {
      const std::string path = JoinPath(out_.folder, name);
      if (IsRegularFile(path)) {
        out_.files.push_back(ScanFile(path));
      }
    }
  }

  void Mend(const std::string& file, std::string what) {
    out_.mended.push_back({JoinPath(out_.folder, file), "", std::move(what)});
  }

  // The text of a JSON file and what of it can be read. False: nothing.
  bool ReadLoose(const std::string& name, uint64_t limit, std::string& text, MendedJson& json) {
    const std::string path = JoinPath(out_.folder, name);
    const ForeignFile foreign = RecogniseFile(path);
    if (foreign.stand_in) {
      Mend(name, Format("is {}; made anew", foreign.kind));
      return false;
    }
    text = ReadWholeFile(path, limit);
    json = MendJson(text);
    if (!json.json.is_object()) {
      Mend(name, "cannot be read; made anew");
      return false;
    }
    if (!json.wrong.empty()) {
      Mend(name, Format("damaged: {}", json.wrong.front()));
    }
    return true;
  }

  void ReadConfig(bool there) {
    std::string text;
    MendedJson json;
    if (!there) {
      Mend("config.json", "missing; made anew");
      out_.config_damaged = true;
    } else if (!ReadLoose("config.json", kIndexLimit, text, json)) {
      out_.config_damaged = true;
    } else {
      out_.config = std::move(json.json);
      out_.config_damaged = !json.complete;
      if (json.wrong.empty()) {
        out_.config_text = std::move(text);
      }
    }
  }

  void ReadIndex() {
    std::string text;
    MendedJson json;
    if (out_.index_name.empty() || !ReadLoose(out_.index_name, kIndexLimit, text, json)) {
      return;
    }
    const Json* map = json.json.Find("weight_map");
    if (map == nullptr || !map->is_object()) {
      return;
    }
    if (const Json* metadata = json.json.Find("metadata")) {
      const Json* size = metadata->Find("total_size");
      out_.total_size = size == nullptr ? Json() : *size;
    }
    std::set<std::string> missing;
    for (const auto& [name, file] : map->AsObject()) {
      if (!file.is_string() || !IsSafeShardName(file.AsString())) {
        continue;
      }
      out_.index[name] = file.AsString();
      if (!PathExists(JoinPath(out_.folder, file.AsString()))) {
        missing.insert(file.AsString());
      }
    }
    out_.missing_files.assign(missing.begin(), missing.end());
  }

  Gathered out_;
};

}  // namespace

Gathered Gather(const std::string& path) {
  return Gatherer(path).Run();
}

}  // namespace lbrx

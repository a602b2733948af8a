#include <algorithm>
#include <filesystem>

#include "core/base/format.h"
#include "formats/huggingface/shards.h"

namespace lbrx {

namespace {

ErrorDetail Detail(std::string file, std::string object, std::string what,
                   std::string expected = {}, std::string found = {}) {
  ErrorDetail detail;
  detail.file = std::move(file);
  detail.object = std::move(object);
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  return detail;
}

std::string FileNameOf(const Checkpoint& checkpoint, const StoredArray& array) {
  return BaseName(checkpoint.files[array.file].path);
}

void CheckDuplicates(const NameTable& table, const Checkpoint& checkpoint, ProblemSink& problems) {
  for (const auto& [earlier, later] : table.Duplicates()) {
    const StoredArray& first = checkpoint.arrays[earlier];
    const StoredArray& second = checkpoint.arrays[later];
    problems.Fail(Detail(checkpoint.files[second.file].path, second.name,
                         "the same tensor is in two shards, also in " +
                             Printable(FileNameOf(checkpoint, first), 100),
                         "every tensor once"));
  }
}

// An entry of the index against the headers. Names in shards that were not opened are passed over.
void CheckEntry(const std::string& index, const Json::Member& entry,
                const std::vector<std::string>& opened, const std::string& found_in,
                ProblemSink& problems) {
  const std::string& file = entry.second.AsString();
  const bool known = !found_in.empty() || std::binary_search(opened.begin(), opened.end(), file);
  if (!known || found_in == file) {
    return;
  }
  problems.Fail(Detail(index, entry.first, "the tensor is not in the shard that the index names",
                       "it in " + Printable(file, 100),
                       found_in.empty() ? "it in no shard" : "it in " + Printable(found_in, 100)));
}

void CheckTotalSize(const ShardList& shards, const std::string& index, const Checkpoint& checkpoint,
                    ProblemSink& problems) {
  if (!shards.total_size.is_number()) {
    return;
  }
  uint64_t total = 0;
  for (const StoredArray& array : checkpoint.arrays) {
    total += array.bytes;  // spans of real files: no overflow
  }
  if (shards.total_size.AsDouble() != static_cast<double>(total)) {
    problems.Warn(Detail(index, "metadata.total_size",
                         "the index tells a wrong size; what the shards hold is used",
                         std::to_string(total), WriteJson(shards.total_size)));
  }
}

}  // namespace

bool CheckSymlink(const std::string& folder, const std::string& path, ProblemSink& problems) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::symlink_status(path, error).type() != fs::file_type::symlink) {
    return true;
  }
  const fs::path target = fs::canonical(path, error);
  if (error) {
    const bool loop = error == std::errc::too_many_symbolic_link_levels;
    ErrorDetail detail = Detail(
        path, "", loop ? "the symbolic link leads in a circle" : "the symbolic link is broken",
        "a file", Printable(fs::read_symlink(path, error).string()));
    detail.advice = "download the file again, with `hf download`";
    problems.Fail(std::move(detail));
    return false;
  }
  const fs::path real_folder = fs::canonical(folder, error);
  const bool inside = target.parent_path() == real_folder;
  if (!inside && target.parent_path().filename() != "blobs") {
    problems.Warn(Detail(path, "", "the shard is a symbolic link out of the folder",
                         "a file in the folder, or in blobs of a Hugging Face cache",
                         Printable(target.string())));
  }
  return true;
}

void CheckIndex(const ShardList& shards, const std::string& index, const Checkpoint& checkpoint,
                ProblemSink& problems) {
  const NameTable table(checkpoint.arrays);
  CheckDuplicates(table, checkpoint, problems);
  if (!shards.from_index) {
    return;
  }
  std::vector<bool> named(checkpoint.arrays.size());
  for (const Json::Member& entry : shards.weight_map) {
    std::string found_in;
    if (const std::optional<uint32_t> found = table.Find(entry.first)) {
      named[*found] = true;
      found_in = FileNameOf(checkpoint, checkpoint.arrays[*found]);
    }
    CheckEntry(index, entry, shards.files, found_in, problems);
  }
  for (uint32_t i = 0; i < named.size(); ++i) {
    if (!named[i]) {
      const StoredArray& array = checkpoint.arrays[i];
      problems.Warn(Detail(checkpoint.files[array.file].path, array.name,
                           "the tensor is in the shard but not in the index; it is used"));
    }
  }
  CheckTotalSize(shards, index, checkpoint, problems);
}

}  // namespace lbrx

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/base/format.h"
#include "core/parallel/executor.h"
#include "formats/detect.h"
#include "formats/huggingface/huggingface.h"
#include "formats/huggingface/quantized.h"
#include "formats/huggingface/shards.h"
#include "formats/mlx/mlx.h"
#include "formats/weight_file.h"

namespace lbrx {

namespace {

struct OpenedShard {
  DataFile file;
  WeightFile content;
  std::vector<Problem> problems;
  std::optional<Error> error;
};

void OpenShard(const std::string& path, uint32_t index, bool collect, OpenedShard& out) {
  try {
    const std::shared_ptr<File> file = File::OpenRead(path);
    out.file = {path, file->GetFingerprint()};
    out.content = ReadWeightFile(*file, index, out.problems, collect);
    AddUnfinished(path, out.problems);
  } catch (const Error& error) {
    out.file.path = path;
    out.error = error;
  }
}

// Opens all shards; what is wrong with them is told in their order, whatever thread found it.
std::vector<OpenedShard> OpenShards(const std::string& folder,
                                    const std::vector<std::string>& names,
                                    const OpenOptions& options) {
  std::vector<OpenedShard> shards(names.size());
  const auto open = [&](uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) {
      OpenShard(JoinPath(folder, names[i]), static_cast<uint32_t>(i), options.collect_problems,
                shards[i]);
    }
  };
  if (options.executor == nullptr || names.size() < 2) {
    open(0, names.size());
  } else {
    ParallelFor(*options.executor, 0, names.size(), 1, open);
  }
  return shards;
}

void AddShards(std::vector<OpenedShard>& shards, Checkpoint& checkpoint, ProblemSink& problems) {
  size_t arrays = 0;
  for (OpenedShard& shard : shards) {
    if (shard.error) {
      problems.Caught(*shard.error);
    }
    for (Problem& problem : shard.problems) {
      problems.Add(std::move(problem));
    }
    arrays += shard.content.arrays.size();
  }
  checkpoint.metadata = shards.empty() ? std::map<std::string, std::string>()
                                       : std::move(shards.front().content.metadata);
  checkpoint.files.reserve(shards.size());
  checkpoint.arrays.reserve(arrays);
  for (OpenedShard& shard : shards) {
    checkpoint.files.push_back(std::move(shard.file));
    std::move(shard.content.arrays.begin(), shard.content.arrays.end(),
              std::back_inserter(checkpoint.arrays));
    shard.content.arrays = {};
  }
}

Json ReadConfig(const FolderListing& listing, ProblemSink& problems) {
  const std::string path = JoinPath(listing.path, "config.json");
  if (!listing.has_config) {
    ErrorDetail detail;
    detail.file = listing.path;
    detail.what = "the folder has no config.json";
    problems.Warn(std::move(detail));
    return {};
  }
  try {
    Json config = ParseJson(ReadWholeFile(path), path);
    if (!config.is_object()) {
      ErrorDetail detail;
      detail.file = path;
      detail.what = "the configuration is no JSON object";
      throw Error(ErrorCode::kInvalid, std::move(detail));
    }
    return config;
  } catch (const Error& error) {
    problems.Caught(ExplainJson(error, path));
    return {};
  }
}

std::string FolderReason(const FolderListing& listing, const ShardList& shards) {
  std::string reason =
      listing.has_config ? "the folder holds config.json and " : "the folder holds ";
  if (shards.from_index) {
    reason += listing.index;
  } else if (shards.files.size() == 1) {
    reason += shards.files.front();
  } else {
    reason += Format("{} {} files", shards.files.size(), listing.torch ? "torch" : ".safetensors");
  }
  if (listing.passed_over_torch) {
    reason += "; its pytorch_model.bin is passed over";
  }
  return reason;
}

}  // namespace

Checkpoint OpenHuggingFaceFolder(const std::string& path, const OpenOptions& options) {
  Checkpoint checkpoint;
  checkpoint.path = path;
  checkpoint.folder = path;
  ProblemSink problems(options, checkpoint.problems);

  FolderListing listing = ListFolder(path);
  ShardList shards = ListShards(listing, problems);
  std::erase_if(shards.files, [&](const std::string& name) {
    return !CheckSymlink(path, JoinPath(path, name), problems);
  });
  std::vector<OpenedShard> opened = OpenShards(path, shards.files, options);
  const bool torch = std::any_of(opened.begin(), opened.end(), [](const OpenedShard& shard) {
    return !shard.content.torch_layout.empty();
  });
  checkpoint.format = torch || listing.torch ? "torch" : "huggingface";
  AddShards(opened, checkpoint, problems);
  std::erase_if(shards.files, [&, i = size_t{0}](const std::string& /*name*/) mutable {
    return opened[i++].error.has_value();
  });
  CheckIndex(shards, JoinPath(path, listing.index), checkpoint, problems);

  checkpoint.config = ReadConfig(listing, problems);
  checkpoint.side_files = std::move(listing.side_files);
  const std::string mlx = MlxReason(checkpoint.config, checkpoint);
  if (mlx.empty()) {
    checkpoint.reason = FolderReason(listing, shards);
    if (!GroupQuantizedTensors(checkpoint, options)) {
      AddPlainTensors(checkpoint);
    }
  } else {
    checkpoint.format = "mlx";
    checkpoint.reason = mlx;
    GroupMlxTensors(checkpoint, checkpoint.config, options.collect_problems);
  }
  checkpoint.BuildIndex();
  return checkpoint;
}

}  // namespace lbrx

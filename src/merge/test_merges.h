// What tests of whole merges share.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "convert/convert.h"
#include "core/io/file.h"
#include "merge/merge.h"
#include "model/open_model.h"
#include "stream/engine.h"

namespace lbrx {

inline constexpr char kMergeData[] = LBRX_TEST_DATA "/merge/";

// The configuration with the models' names made paths.
inline std::string ConfigOf(const std::string& name) {
  const std::string text = ReadWholeFile(kMergeData + name + ".yml");
  return std::regex_replace(text, std::regex("model: (base|a|b|c)\\b"),
                            "model: " + std::string(kMergeData) + "$1");
}

inline MergeRequest RequestOf(const std::string& text) {
  MergeRequest merge;
  merge.config_file = "merge.yml";
  merge.config_text = text;
  return merge;
}

// Merges into `destination`; returns the notices, one a line.
inline std::string Execute(const MergeRequest& merge, const std::string& destination,
                           unsigned threads = 2, uint64_t memory = uint64_t{64} << 20,
                           std::optional<std::string> scheme = std::nullopt) {
  ConvertRequest request;
  request.command = "merge";
  request.source = merge.config_file;
  request.destination = destination;
  request.merge = merge.ToJson();
  request.scheme = std::move(scheme);
  Merge planned = PlanMerge(merge, {});
  std::string notices;
  for (const std::string& notice : planned.notices) {
    notices += notice + "\n";
  }
  const Plan plan = PlanConvert(request, std::move(planned.source));
  for (const std::string& notice : plan.notices) {
    notices += notice + "\n";
  }
  RunOptions options;
  options.destination = destination;
  options.sync = false;
  options.threads = threads;
  options.memory = memory;
  RunPlan(plan, options);
  return notices;
}

struct ReadTensor {
  DType dtype = DType::kF32;
  Shape shape;
  std::vector<float> values;
};

inline std::map<std::string, ReadTensor> TensorsOf(const std::string& path) {
  const SourceFiles::Checkpoints sources = {std::make_shared<Checkpoint>(OpenModel(path))};
  SourceFiles files(sources);
  Pool pool;
  ReadContext context{files, pool};
  std::map<std::string, ReadTensor> out;
  for (const SourceTensor& tensor : sources[0]->tensors) {
    const ValuePtr value = CastTo(LoadTensor(sources, 0, tensor), DType::kF32);
    ReadTensor& read = out[tensor.name];
    read.dtype = tensor.encoding.dtype;
    read.shape = tensor.shape;
    read.values.resize(tensor.shape.elements());
    value->Read(context, 0, read.values.size(), reinterpret_cast<std::byte*>(read.values.data()));
  }
  return out;
}

}  // namespace lbrx

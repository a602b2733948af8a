// For tests: the models and results of tests/data/merge, see README.md there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "merge/methods/test_kernel_runs.h"
#include "support/tiny_json.h"

namespace lbrx::testing {

inline constexpr char kMergeData[] = LBRX_TEST_DATA "/merge/";
inline constexpr int kLayers = 4;

struct ModelTensor {
  Shape shape;
  Floats values;
};

using Model = std::map<std::string, ModelTensor>;

inline const Model& ReadModel(const std::string& name) {
  static std::map<std::string, Model> models;
  Model& model = models[name];
  if (model.empty()) {
    const Checkpoint checkpoint = OpenCheckpoint(kMergeData + name);
    for (const StoredArray& array : checkpoint.arrays) {
      std::ifstream file(checkpoint.files[array.file].path, std::ios::binary);
      file.seekg(static_cast<std::streamoff>(array.offset));
      ModelTensor& tensor = model[array.name];
      tensor.shape = array.shape;
      tensor.values.resize(array.shape.elements());
      file.read(reinterpret_cast<char*>(tensor.values.data()),
                static_cast<std::streamsize>(array.bytes));
    }
  }
  return model;
}

// Of "model.layers.2.mlp.up_proj.weight" 2; -1 outside of layers.
inline int LayerOf(const std::string& name) {
  const size_t at = name.find("layers.");
  return at == std::string::npos ? -1 : std::stoi(name.substr(at + 7));
}

// A value that changes from layer to layer; the first one outside of layers.
inline double Gradient(const std::vector<double>& values, const std::string& name) {
  const double place =
      std::max(LayerOf(name), 0) / (kLayers - 1.0) * static_cast<double>(values.size() - 1);
  const auto i = static_cast<size_t>(place);
  const double part = place - std::floor(place);
  return (1 - part) * values[i] + part * values[std::min(i + 1, values.size() - 1)];
}

inline bool Contains(const std::string& name, const char* part) {
  return name.find(part) != std::string::npos;
}

inline TinyJson ReadExpected(const std::string& name) {
  return TinyJson::FromFile(kMergeData + name + ".expected.json");
}

inline void ExpectLike(const TinyJson& expected, const ModelTensor& merged, const std::string& what,
                       double norm_tolerance = 1e-5) {
  double squares = 0;
  float largest = 0;
  for (float value : merged.values) {
    squares += static_cast<double>(value) * value;
    largest = std::max(largest, std::abs(value));
  }
  const double norm = std::stod(expected["l2"].text);
  EXPECT_NEAR(std::sqrt(squares), norm, norm_tolerance * norm) << what;
  for (size_t i = 0; i < 64; ++i) {
    const float value = merged.values[i * merged.values.size() / 64];
    EXPECT_NEAR(value, std::stod(expected["sample"][i].text), 1e-5 * largest) << what << " " << i;
  }
}

}  // namespace lbrx::testing

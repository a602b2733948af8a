// config.json and the grouping of MLX arrays. Input: the JSON text up to the first NUL byte, then
// arrays of 8 bytes each: module and suffix, dtype, rank, up to 4 dimensions, a shift for the last.
#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "check.h"
#include "core/base/error.h"
#include "formats/mlx/mlx.h"
#include "formats/writer.h"
#include "target.h"

namespace lbrx {
namespace {

constexpr size_t kRecord = 8;
constexpr std::array<const char*, 6> kSuffixes = {".weight", ".scales",       ".biases",
                                                  ".bias",   ".global_scale", ""};
constexpr std::array<const char*, 4> kModules = {"m", "model.layers.0.mlp.up_proj", "lm_head", ""};

StoredArray ArrayOf(const uint8_t* record) {
  StoredArray array;
  array.name = std::string(kModules[(record[0] >> 4) % kModules.size()]) +
               kSuffixes[(record[0] & 15) % kSuffixes.size()];
  array.dtype = static_cast<DType>(record[1] % kDTypeCount);
  for (int i = 0; i < record[2] % 5; ++i) {
    array.shape.push_back(record[3 + std::min(i, 3)]);
  }
  if (array.shape.rank() > 0) {
    array.shape[array.shape.rank() - 1] <<= record[7] % 60;
  }
  return array;
}

Checkpoint CheckpointOf(const Json& config, std::string_view records) {
  Checkpoint checkpoint;
  checkpoint.folder = "folder";
  checkpoint.files.push_back({"folder/model.safetensors", {}});
  checkpoint.config = config;
  std::set<std::string> names;
  for (size_t i = 0; i + kRecord <= records.size(); i += kRecord) {
    StoredArray array = ArrayOf(reinterpret_cast<const uint8_t*>(records.data()) + i);
    if (array.shape.CheckedElements() && names.insert(array.name).second) {
      checkpoint.arrays.push_back(std::move(array));
    }
  }
  return checkpoint;
}

// Every array belongs to exactly one tensor, and planes are those that the encoding asks for.
void CheckGroups(const Checkpoint& checkpoint) {
  std::vector<int> uses(checkpoint.arrays.size());
  for (const SourceTensor& tensor : checkpoint.tensors) {
    const std::vector<Plane> planes = PlanesOf(tensor.encoding, tensor.shape);
    FUZZ_CHECK(planes.size() == tensor.planes.size());
    for (size_t i = 0; i < planes.size(); ++i) {
      const StoredArray& array = checkpoint.arrays[tensor.planes[i]];
      FUZZ_CHECK(array.shape == planes[i].shape);
      FUZZ_CHECK(array.name == PlaneName(tensor.name, planes[i].suffix));
      ++uses[tensor.planes[i]];
    }
    FUZZ_CHECK(checkpoint.Find(tensor.name) == &tensor);
  }
  FUZZ_CHECK(std::all_of(uses.begin(), uses.end(), [](int count) { return count == 1; }));
}

void Run(std::string_view input) {
  const size_t nul = std::min(input.find('\0'), input.size());
  Json config;
  try {
    config = ParseJson(input.substr(0, nul), "config.json");
  } catch (const Error&) {
    return;
  }
  if (config.is_object()) {
    const std::string text = WriteConfig(TargetKind::kMlx, config);
    FUZZ_CHECK(ParseJson(text, "again") == config);
  }
  Checkpoint checkpoint = CheckpointOf(config, input.substr(std::min(nul + 1, input.size())));
  (void)MlxReason(config, checkpoint);
  GroupMlxTensors(checkpoint, checkpoint.config, true);
  CheckGroups(checkpoint);
  const bool refused = !checkpoint.problems.empty();
  try {
    GroupMlxTensors(checkpoint, checkpoint.config, false);
    FUZZ_CHECK(!refused);
    CheckGroups(checkpoint);
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    FUZZ_CHECK(refused);
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kText);

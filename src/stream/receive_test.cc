// RunOptions::receive: whoever asks is given every byte that a run writes, once.
#include <gtest/gtest.h>

#include <cstring>
#include <mutex>

#include "stream/engine.h"
#include "stream/layout.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

// The matrices of `path` in 3 bits, or its tensors copied as they are.
Plan PlanFor(const std::string& path, bool copy) {
  Plan plan;
  plan.command = "test";
  plan.request = Json::MakeObject();
  plan.sources = {std::make_shared<Checkpoint>(OpenCheckpoint(path))};
  std::vector<OutputTensor> outputs;
  for (const NamedValue& tensor : AsStored(plan.sources, 0)) {
    const Encoding coded = Affine(3, 64, tensor.value->dtype());
    const bool encode = !copy && CanEncode(coded, tensor.value->shape());
    PlannedTensor planned;
    planned.value = copy ? nullptr : tensor.value;
    planned.copies = copy ? std::vector<ValuePtr>{tensor.value} : std::vector<ValuePtr>();
    outputs.emplace_back(tensor.name, encode ? coded : Plain(tensor.value->dtype()),
                         tensor.value->shape());
    plan.tensors.push_back(std::move(planned));
  }
  plan.layout = LayOut(TargetKind::kSafetensors, outputs, UINT64_MAX, {});
  for (size_t i = 0; i < outputs.size(); ++i) {
    plan.tensors[i].output = outputs[i];
  }
  return plan;
}

TEST(Receive, GetsEveryByteOnce) {
  const TempDir folder;
  std::vector<TestTensor> tensors = TinyLlama().Tensors();
  tensors.push_back(RandomTensor("large.weight", DType::kBF16, {1100, 1024}));  // several bands
  WriteSafetensors(folder / "source.safetensors", tensors);
  for (const bool copy : {false, true}) {
    const Plan plan = PlanFor(folder / "source.safetensors", copy);
    std::string received;
    uint64_t bytes = 0;
    std::mutex mutex;
    RunOptions options;
    options.threads = 3;
    options.sync = false;
    options.destination = folder / (copy ? "copy.safetensors" : "coded.safetensors");
    options.receive = [&](const BandResult& band) {
      const std::lock_guard lock(mutex);
      for (const PlaneRun& run : band.planes) {
        const OutputPlane& plane = plan.tensors[band.tensor].output.planes.at(run.plane);
        const uint64_t at = plane.offset + run.offset;
        received.resize(std::max<size_t>(received.size(), at + run.bytes.size()));
        std::memcpy(received.data() + at, run.bytes.data(), run.bytes.size());
        bytes += run.bytes.size();
      }
    };
    RunPlan(plan, options);
    const std::string written = ReadTestFile(options.destination);
    const size_t header = plan.layout.files[0].header.size();
    EXPECT_EQ(bytes, written.size() - header);
    ASSERT_EQ(received.size(), written.size());
    EXPECT_TRUE(received.substr(header) == written.substr(header));
  }
}

}  // namespace
}  // namespace lbrx

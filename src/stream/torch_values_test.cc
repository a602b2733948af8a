// Values of torch files against what torch itself gives for them, in the safetensors file beside
// each (tests/data/make_torch.py).
#include <gtest/gtest.h>

#include <map>

#include "core/base/error.h"
#include "stream/value.h"
#include "support/checkpoints.h"

namespace lbrx {
namespace {

class TorchValues : public ::testing::TestWithParam<const char*> {
 protected:
  static std::string PathOf(const char* ending) {
    return std::string(LBRX_TEST_DATA) + "/torch/" + GetParam() + ending;
  }

  // The whole tensor, read in runs of `run` elements.
  static std::string Read(const SourceFiles::Checkpoints& sources, const ValuePtr& value,
                          uint64_t run) {
    SourceFiles files(sources);
    Pool pool;
    ReadContext context{.files = files, .pool = pool, .policy = NonFinitePolicy::kKeep};
    const uint64_t elements = value->shape().elements();
    std::string out(ElementBytes(value->dtype(), elements), '\0');
    for (uint64_t first = 0; first < elements; first += run) {
      value->Read(context, first, std::min(run, elements - first),
                  reinterpret_cast<std::byte*>(out.data()) + ElementBytes(value->dtype(), first));
    }
    return out;
  }
};

TEST_P(TorchValues, AreThoseOfTorch) {
  const std::map<std::string, std::string> expected = ReadSafetensors(PathOf(".safetensors"));
  const Checkpoint twin = OpenCheckpoint(PathOf(".safetensors"));
  const SourceFiles::Checkpoints sources = {
      std::make_shared<Checkpoint>(OpenCheckpoint(PathOf(".bin")))};
  ASSERT_EQ(sources[0]->tensors.size(), expected.size());
  for (const SourceTensor& tensor : sources[0]->tensors) {
    const SourceTensor* other = twin.Find(tensor.name);
    ASSERT_NE(other, nullptr) << tensor.name;
    EXPECT_EQ(tensor.shape, other->shape) << tensor.name;
    EXPECT_EQ(tensor.encoding, other->encoding) << tensor.name;
    const ValuePtr value = LoadTensor(sources, 0, tensor);
    for (const uint64_t run : {uint64_t{1}, uint64_t{3}, uint64_t{7}, uint64_t{1000}}) {
      EXPECT_EQ(Read(sources, value, run), expected.at(tensor.name)) << tensor.name << " " << run;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, TorchValues,
                         ::testing::Values("zip_dtypes", "legacy_dtypes", "zip_strided",
                                           "legacy_strided", "zip_parameters", "legacy_parameters",
                                           "zip_nested", "legacy_nested", "protocol3", "protocol4",
                                           "protocol5", "legacy_protocol4", "without_crc"));

}  // namespace
}  // namespace lbrx

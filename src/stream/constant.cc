#include "stream/constant.h"

#include <algorithm>
#include <cstring>

#include "core/base/format.h"
#include "core/base/hash.h"
#include "core/tensor/convert.h"

namespace lbrx {
namespace {

class Constant final : public Value {
 public:
  explicit Constant(std::vector<float> values)
      : Value(DType::kF32, Shape{values.size()}), values_(std::move(values)) {}

  uint64_t granule() const override { return 1; }

  uint64_t WorkingBytes(uint64_t /*count*/) const override { return 0; }

  uint64_t SourceBytes() const override { return 0; }

  void Read(ReadContext& /*context*/, uint64_t first, uint64_t count,
            std::byte* out) const override {
    std::memcpy(out, values_.data() + first, count * sizeof(float));
  }

  void WillNeed(SourceFiles& /*files*/, uint64_t /*first*/, uint64_t /*count*/) const override {}

  std::string Describe() const override {
    Sha256 hash;
    hash.Update(std::as_bytes(std::span(values_)));
    return Format("constant({}, {})", shape().ToString(), hash.FinishHex());
  }

 private:
  std::vector<float> values_;
};

}  // namespace

ValuePtr ConstantOf(std::vector<float> values) {
  return std::make_shared<Constant>(std::move(values));
}

bool IsExactIn(const SourceFiles::Checkpoints& sources, const Value& value, DType dtype) {
  constexpr uint64_t kPiece = uint64_t{1} << 18;
  SourceFiles files(sources);
  Pool pool;
  ReadContext context{files, pool, NonFinitePolicy::kKeep, nullptr};
  const uint64_t elements = value.shape().elements();
  const uint64_t step = std::max<uint64_t>(kPiece / value.granule(), 1) * value.granule();
  const uint64_t width = Info(value.dtype()).bits / 8;
  std::vector<std::byte> read(std::min(step, elements) * width);
  std::vector<std::byte> narrow(std::min(step, elements) * (Info(dtype).bits / 8));
  std::vector<std::byte> back(read.size());
  for (uint64_t first = 0; first < elements; first += step) {
    const uint64_t count = std::min(step, elements - first);
    value.Read(context, first, count, read.data());
    Convert(value.dtype(), read.data(), dtype, narrow.data(), count);
    Convert(dtype, narrow.data(), value.dtype(), back.data(), count);
    if (std::memcmp(read.data(), back.data(), count * width) != 0 ||
        HasNonFinite(value.dtype(), read.data(), count)) {
      return false;
    }
  }
  return true;
}

}  // namespace lbrx

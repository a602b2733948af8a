#include "stream/constant.h"

#include <algorithm>
#include <cstring>
#include <numeric>

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

bool AreSame(const SourceFiles::Checkpoints& sources, const Value& a, const Value& b) {
  constexpr uint64_t kPiece = uint64_t{1} << 18;
  SourceFiles files(sources);
  Pool pool;
  ReadContext context{files, pool, NonFinitePolicy::kKeep, nullptr};
  const uint64_t elements = a.shape().elements();
  const uint64_t granule = std::max<uint64_t>(std::lcm(a.granule(), b.granule()), 1);
  const uint64_t step = std::max<uint64_t>(kPiece / granule, 1) * granule;
  std::vector<std::byte> first_bytes(ElementBytes(a.dtype(), std::min(step, elements)));
  std::vector<std::byte> second_bytes(first_bytes.size());
  for (uint64_t first = 0; first < elements; first += step) {
    const uint64_t count = std::min(step, elements - first);
    a.Read(context, first, count, first_bytes.data());
    b.Read(context, first, count, second_bytes.data());
    if (std::memcmp(first_bytes.data(), second_bytes.data(), ElementBytes(a.dtype(), count)) != 0 ||
        HasNonFinite(a.dtype(), first_bytes.data(), count)) {
      return false;
    }
  }
  return true;
}

bool IsExactIn(const SourceFiles::Checkpoints& sources, const ValuePtr& value, DType dtype) {
  return AreSame(sources, *value, *CastTo(CastTo(value, dtype), value->dtype()));
}

}  // namespace lbrx

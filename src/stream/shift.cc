#include "stream/shift.h"

#include <algorithm>
#include <cstring>

#include "core/base/format.h"
#include "core/tensor/convert.h"

namespace lbrx {
namespace {

class Shifted final : public Value {
 public:
  Shifted(ValuePtr input, float amount)
      : Value(input->dtype(), input->shape()), input_(std::move(input)), amount_(amount) {}

  uint64_t granule() const override { return input_->granule(); }

  uint64_t WorkingBytes(uint64_t count) const override {
    return input_->WorkingBytes(count) + Pool::ClassSize(ElementBytes(DType::kF32, count));
  }

  uint64_t SourceBytes() const override { return input_->SourceBytes(); }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    input_->Read(context, first, count, out);
    Pool::Buffer buffer = context.pool.Get(ElementBytes(DType::kF32, count));
    auto* floats = reinterpret_cast<float*>(buffer.data());
    Convert(dtype(), out, DType::kF32, buffer.data(), count);
    for (uint64_t i = 0; i < count; ++i) {
      floats[i] += amount_;
    }
    Convert(DType::kF32, buffer.data(), dtype(), out, count);
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    input_->WillNeed(files, first, count);
  }

  std::string Describe() const override {
    return Format("add({}, {})", input_->Describe(), amount_);
  }

 private:
  ValuePtr input_;
  float amount_;
};

class Scaled final : public Value {
 public:
  Scaled(ValuePtr input, std::vector<float> factors)
      : Value(input->dtype(), input->shape()),
        input_(std::move(input)),
        factors_(std::move(factors)),
        part_(std::max<uint64_t>(shape().elements() / factors_.size(), 1)) {}

  uint64_t granule() const override { return input_->granule(); }

  uint64_t WorkingBytes(uint64_t count) const override { return input_->WorkingBytes(count); }

  uint64_t SourceBytes() const override { return input_->SourceBytes(); }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    input_->Read(context, first, count, out);
    for (uint64_t i = 0; i < count; ++i) {
      float value;
      std::memcpy(&value, out + i * sizeof(float), sizeof(float));
      value *= factors_[(first + i) / part_];
      std::memcpy(out + i * sizeof(float), &value, sizeof(float));
    }
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    input_->WillNeed(files, first, count);
  }

  std::string Describe() const override {
    std::string factors;
    for (const float factor : factors_) {
      factors += Format("{}{}", factors.empty() ? "" : ", ", factor);
    }
    return Format("scale({}, [{}])", input_->Describe(), factors);
  }

 private:
  ValuePtr input_;
  std::vector<float> factors_;
  uint64_t part_;
};

}  // namespace

ValuePtr ScaledBy(ValuePtr value, std::vector<float> factors) {
  return std::make_shared<Scaled>(std::move(value), std::move(factors));
}

ValuePtr AddedTo(ValuePtr value, float amount) {
  return std::make_shared<Shifted>(std::move(value), amount);
}

}  // namespace lbrx

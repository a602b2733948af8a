// For tests: merged values read as the engine reads them.
#pragma once

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "merge/merged_value.h"
#include "merge/methods/test_kernel_runs.h"

namespace lbrx::testing {

// Elements held in memory, in any dtype.
class HeldValue final : public Value {
 public:
  HeldValue(DType dtype, const Shape& shape, std::vector<std::byte> bytes, uint64_t granule = 1)
      : Value(dtype, shape), bytes_(std::move(bytes)), granule_(granule) {}

  static ValuePtr Of(const Shape& shape, const Floats& floats) {
    const auto* bytes = reinterpret_cast<const std::byte*>(floats.data());
    return std::make_shared<HeldValue>(
        DType::kF32, shape, std::vector<std::byte>(bytes, bytes + floats.size() * sizeof(float)));
  }

  uint64_t granule() const override { return granule_; }

  uint64_t WorkingBytes(uint64_t /*count*/) const override { return 0; }

  uint64_t SourceBytes() const override { return bytes_.size(); }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    const bool whole =
        first % granule_ == 0 && (count % granule_ == 0 || first + count == shape().elements());
    if (!whole) {
      throw std::logic_error("a run that does not begin and end at the granule");
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(ElementBytes(dtype(), first)),
                ElementBytes(dtype(), count), out);
    CheckFinite(context, dtype(), out, first, count, /*from_cast=*/false);
  }

  void WillNeed(SourceFiles& /*files*/, uint64_t /*first*/, uint64_t /*count*/) const override {}

  std::string Describe() const override { return "held"; }

 private:
  std::vector<std::byte> bytes_;
  uint64_t granule_;
};

// How a value is read: runs of about `run` elements, drawn in order by threads.
struct Reading {
  unsigned threads = 1;
  uint64_t run = 5000;
  NonFinitePolicy policy = NonFinitePolicy::kReject;
  NonFiniteTally* tally = nullptr;
};

inline std::vector<std::byte> ReadWhole(const ValuePtr& value, const Reading& reading = {}) {
  SourceFiles files({});
  Pool pool;
  const uint64_t elements = value->shape().elements();
  const uint64_t run = (reading.run + value->granule() - 1) / value->granule() * value->granule();
  std::vector<std::byte> out(ElementBytes(value->dtype(), elements));
  std::mutex mutex;
  uint64_t next = 0;
  std::exception_ptr error;
  const auto work = [&] {
    try {
      while (true) {
        std::unique_lock lock(mutex);
        const uint64_t first = next;
        next = std::min(elements, next + run);
        lock.unlock();
        if (first == elements) {
          return;
        }
        ReadContext context{files, pool, reading.policy, reading.tally};
        value->Read(context, first, std::min(run, elements - first),
                    out.data() + ElementBytes(value->dtype(), first));
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      error = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned t = 1; t < reading.threads; ++t) {
    threads.emplace_back(work);
  }
  work();
  for (std::thread& thread : threads) {
    thread.join();
  }
  if (error != nullptr) {
    std::rethrow_exception(error);
  }
  return out;
}

inline Floats AsFloats(const std::vector<std::byte>& bytes) {
  Floats floats(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(floats.data()));
  return floats;
}

// The method over the inputs, as a value.
inline ValuePtr ValueOf(const MergeMethod& method, MergeTensor tensor, const MergeInputs& inputs,
                        DType dtype = DType::kF32) {
  tensor.shape = inputs.shape;
  tensor.has_base = !inputs.base.empty();
  tensor.members.resize(inputs.members.size());
  std::vector<ValuePtr> members;
  for (const Floats& member : inputs.members) {
    members.push_back(HeldValue::Of(inputs.shape, member));
  }
  return MergedValue(method.make(tensor), members,
                     tensor.has_base ? HeldValue::Of(inputs.shape, inputs.base) : nullptr,
                     std::string(method.name), dtype);
}

}  // namespace lbrx::testing

#include "quant/test_runs.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lbrx {
namespace {

// Takes the guard off, after a look at it.
void CloseGuard(std::vector<std::byte>& bytes) {
  const auto guard = bytes.end() - kGuard;
  EXPECT_TRUE(std::all_of(guard, bytes.end(), [](std::byte b) { return b == kGuardByte; }))
      << "written beyond the end";
  bytes.erase(guard, bytes.end());
}

std::vector<std::byte> Guarded(size_t bytes) {
  return std::vector<std::byte>(bytes + kGuard, kGuardByte);
}

}  // namespace

Planes EncodeRun(const Encoding& encoding, MlxRule rule, const std::vector<std::byte>& values,
                 bool reference, const std::vector<float>& importance) {
  const uint64_t elements = values.size() * 8 / Info(encoding.dtype).bits;
  Planes planes;
  std::vector<std::byte*> begins;
  for (const Plane& plane : PlanesOf(encoding, Shape{1, elements})) {
    planes.push_back(Guarded(PlaneBytes(plane)));
  }
  for (auto& plane : planes) {
    begins.push_back(plane.data());
  }
  const Codec* codec = FindCodec(encoding.scheme);
  EncodeJob job{encoding, {rule}, values.data(), elements, begins};
  job.importance = importance.empty() ? nullptr : importance.data();
  job.columns = importance.size();
  (reference ? codec->encode_reference : codec->encode)(job);
  for (auto& plane : planes) {
    CloseGuard(plane);
  }
  return planes;
}

std::vector<std::byte> DecodeRun(const Encoding& encoding, DType dtype, const Planes& planes,
                                 uint64_t elements, bool reference) {
  std::vector<const std::byte*> begins;
  for (const auto& plane : planes) {
    begins.push_back(plane.data());
  }
  std::vector<std::byte> values = Guarded(elements * Info(dtype).bits / 8);
  const Codec* codec = FindCodec(encoding.scheme);
  (reference ? codec->decode_reference
             : codec->decode)(DecodeJob{encoding, dtype, begins, elements, values.data()});
  CloseGuard(values);
  return values;
}

}  // namespace lbrx

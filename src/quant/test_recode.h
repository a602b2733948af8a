// What tests of carried codes share: tensors of both sides decoded, and codes carried to blocks.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "core/tensor/convert.h"
#include "core/tensor/ggml_types.h"
#include "quant/codec.h"
#include "quant/recode.h"
#include "quant/test_runs.h"

namespace lbrx {

using Bytes = std::vector<std::byte>;

inline uint64_t PlaneSize(const Encoding& encoding, uint64_t elements, size_t plane) {
  return PlaneBytes(PlanesOf(encoding, Shape{1, elements})[plane]);
}

inline std::vector<float> Decode(const Encoding& encoding, const Planes& planes,
                                 uint64_t elements) {
  std::vector<const std::byte*> pointers;
  for (const Bytes& plane : planes) {
    pointers.push_back(plane.data());
  }
  std::vector<float> values(elements);
  FindCodec(encoding.scheme)
      ->decode_reference({.encoding = encoding,
                          .dtype = DType::kF32,
                          .planes = pointers,
                          .elements = elements,
                          .values = reinterpret_cast<std::byte*>(values.data())});
  return values;
}

inline std::vector<float> DecodeBlocks(Scheme scheme, const Bytes& blocks) {
  const GgmlType& ggml = FindGgmlType(scheme);
  return Decode(ggml.encoding, {blocks}, blocks.size() / ggml.bytes * ggml.block);
}

// What an MLX tensor's numbers are, without the roundings of arithmetic in its dtype.
inline std::vector<float> DecodeMlx(Encoding encoding, Planes planes, uint64_t elements) {
  if (encoding.scheme == Scheme::kAffine) {
    for (size_t i = 1; i < 3; ++i) {
      const uint64_t count = elements / encoding.group;
      Bytes wide(count * sizeof(float));
      Convert(encoding.dtype, planes[i].data(), DType::kF32, wide.data(), count);
      planes[i] = wide;
    }
  }
  encoding.dtype = DType::kF32;
  return Decode(encoding, planes, elements);
}

// Zeros of either sign are equal.
inline void ExpectEqual(const std::vector<float>& got, const std::vector<float>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], wanted[i]) << "element " << i;
  }
}

inline std::optional<Scheme> TwinOf(const Encoding& mlx, const Planes& planes) {
  const uint64_t groups = planes[1].size() / (Info(PlanesOf(mlx, {1, 256})[1].dtype).bits / 8);
  BlockTwinScan scan(mlx);
  scan.Add(planes[1].data(), planes.size() > 2 ? planes[2].data() : nullptr, groups);
  return scan.Twin();
}

// Blocks [first, first + count) of the tensor.
inline Bytes BlocksFrom(const Encoding& mlx, Scheme block, const Planes& planes, uint64_t first,
                        uint64_t count) {
  const GgmlType& ggml = FindGgmlType(block);
  const uint64_t element = first * ggml.block;
  const uint64_t group = element / mlx.group;
  std::vector<const std::byte*> pointers = {planes[0].data() + element / 8 * mlx.bits};
  for (size_t i = 1; i < planes.size(); ++i) {
    pointers.push_back(planes[i].data() + PlaneSize(mlx, mlx.group, i) * group);
  }
  Bytes out(count * ggml.bytes + kGuard, kGuardByte);
  BlocksFromPlanes({.mlx = mlx,
                    .block = block,
                    .planes = pointers,
                    .skip = element % mlx.group,
                    .count = count,
                    .blocks = out.data()});
  EXPECT_EQ(Bytes(out.end() - kGuard, out.end()), Bytes(kGuard, kGuardByte));
  out.resize(out.size() - kGuard);
  return out;
}

}  // namespace lbrx

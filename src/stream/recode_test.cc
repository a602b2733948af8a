#include "stream/recode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/tensor/ggml_types.h"
#include "quant/recode.h"
#include "stream/rearrange.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

using Bytes = std::vector<std::byte>;

const Scheme kCarried[] = {Scheme::kQ40, Scheme::kQ41,        Scheme::kQ50,       Scheme::kQ51,
                           Scheme::kQ80, Scheme::kQ20,        Scheme::kTq20,      Scheme::kTq10,
                           Scheme::kQ10, Scheme::kBlockMxfp4, Scheme::kBlockNvfp4};

class RecodeTest : public ::testing::Test {
 protected:
  ValuePtr Stored(DType dtype, const Shape& shape, const Bytes& bytes) {
    TestTensor tensor{"t", dtype, shape, std::string(bytes.size(), '\0')};
    std::memcpy(tensor.bytes.data(), bytes.data(), bytes.size());
    const std::string path = folder_ / (std::to_string(sources_.size()) + ".safetensors");
    WriteSafetensors(path, {tensor});
    sources_.push_back(std::make_shared<Checkpoint>(OpenCheckpoint(path)));
    return LoadArray(sources_, static_cast<uint32_t>(sources_.size() - 1), 0, true);
  }

  // [3, rows, columns] of blocks; every byte is one that any field can have.
  Codes Blocks(Scheme scheme, uint64_t rows, uint64_t columns) {
    const GgmlType& type = FindGgmlType(scheme);
    const Shape shape{3, rows, columns / type.block * type.bytes};
    Bytes bytes(shape.elements());
    uint32_t state = 1;
    for (std::byte& byte : bytes) {
      state = state * 1664525 + 1013904223;
      byte = static_cast<std::byte>(state >> 24 & 0x3F);
    }
    return {type.encoding, {Stored(DType::kU8, shape, bytes)}};
  }

  // The planes of an MLX tensor, stored as what `codes` reads.
  Codes Written(const Codes& codes) {
    Codes out{codes.encoding, {}};
    for (const ValuePtr& plane : codes.planes) {
      out.planes.push_back(Stored(plane->dtype(), plane->shape(), Read(*plane)));
    }
    return out;
  }

  Bytes Read(const Value& value) { return ReadInRuns(value, value.shape().elements()); }

  // Checks on the way that no more memory is taken than announced.
  Bytes ReadInRuns(const Value& value, uint64_t run) {
    SourceFiles files(sources_);
    const uint64_t elements = value.shape().elements();
    Bytes out(ElementBytes(value.dtype(), elements));
    for (uint64_t first = 0; first < elements; first += run) {
      Pool pool;
      ReadContext context{files, pool};
      const uint64_t count = std::min(run, elements - first);
      value.WillNeed(files, first, count);
      value.Read(context, first, count, out.data() + ElementBytes(value.dtype(), first));
      EXPECT_LE(pool.counters().peak_bytes_in_use, value.WorkingBytes(count));
    }
    return out;
  }

  bool CanCarry(const Codes& codes) {
    SourceFiles files(sources_);
    Pool pool;
    return CanCarryToMlx(codes, files, pool);
  }

  std::optional<Scheme> Twin(const Codes& codes) {
    SourceFiles files(sources_);
    Pool pool;
    return BlockTwinOf(codes, files, pool);
  }

  TempDir folder_;
  SourceFiles::Checkpoints sources_;
};

// The rows of each matrix in two halves, woven into each other: how GGUF has those of llama's q
// and k.
ValuePtr WeaveRows(const ValuePtr& value) {
  const Shape& shape = value->shape();
  const uint64_t row = shape[2];
  const uint64_t half = shape[1] / 2;
  return Reshape(ViewOf(value, 0, {shape[0], half, 2, row}, {shape[1] * row, row, half * row, 1}),
                 shape);
}

Codes WeaveRows(Codes codes) {
  for (ValuePtr& plane : codes.planes) {
    plane = WeaveRows(plane);
  }
  return codes;
}

TEST_F(RecodeTest, PlanesReadInRunsAreTheWholeOnes) {
  for (const Scheme scheme : kCarried) {
    SCOPED_TRACE(SchemeName(scheme));
    const Codes blocks = Blocks(scheme, 4, 512);
    const GgmlType& type = FindGgmlType(scheme);
    ASSERT_TRUE(CanCarry(blocks));
    const std::optional<Codes> mlx = CodesForMlx(blocks);
    ASSERT_TRUE(mlx);
    ASSERT_EQ(mlx->encoding, MlxTwin(scheme));
    const std::vector<Plane> wanted = PlanesOf(mlx->encoding, {3, 4, 512});
    ASSERT_EQ(mlx->planes.size(), wanted.size());
    const Bytes all = Read(*blocks.planes[0]);
    for (size_t i = 0; i < wanted.size(); ++i) {
      const Value& plane = *mlx->planes[i];
      EXPECT_EQ(plane.shape(), wanted[i].shape);
      EXPECT_EQ(plane.dtype(), wanted[i].dtype);
      Bytes expected(PlaneBytes(wanted[i]));
      PlaneFromBlocks(scheme, all.data(), all.size() / type.bytes, i, expected.data());
      for (const uint64_t granules : {1, 3, 7, 1000}) {
        EXPECT_EQ(ReadInRuns(plane, granules * plane.granule()), expected) << i;
      }
    }
  }
}

TEST_F(RecodeTest, BlocksComeBackInRunsOfAnyLength) {
  for (const Scheme scheme : kCarried) {
    SCOPED_TRACE(SchemeName(scheme));
    const Codes blocks = Blocks(scheme, 4, 512);
    const Codes mlx = Written(*CodesForMlx(blocks));
    const std::optional<Scheme> twin = Twin(mlx);
    ASSERT_TRUE(twin);
    const Codes back = CodesForGguf(mlx, *twin);
    if (*twin == scheme) {
      EXPECT_EQ(back.planes[0]->shape(), blocks.planes[0]->shape());
      EXPECT_EQ(Read(*back.planes[0]), Read(*blocks.planes[0]));
    }
    const Bytes whole = Read(*back.planes[0]);
    for (const uint64_t granules : {1, 3, 7}) {
      EXPECT_EQ(ReadInRuns(*back.planes[0], granules * back.planes[0]->granule()), whole);
    }
  }
}

// Groups that span several blocks: runs begin within one.
TEST_F(RecodeTest, WideGroupsAreRepeated) {
  const Encoding wide = Affine(3, 128, DType::kBF16);
  const std::vector<Plane> planes = PlanesOf(wide, {2, 2, 256});
  Codes mlx{wide, {}};
  for (const Plane& plane : planes) {
    Bytes bytes(PlaneBytes(plane));
    for (size_t i = 0; i < bytes.size(); ++i) {
      // Of a scale: the lower byte varies, the upper one makes numbers around 1.
      bytes[i] = static_cast<std::byte>(plane.suffix.empty() || i % 2 == 0 ? 37 * i : 0x3F);
    }
    mlx.planes.push_back(Stored(plane.dtype, plane.shape, bytes));
  }
  ASSERT_EQ(Twin(mlx), Scheme::kQ41);
  const Codes blocks = CodesForGguf(mlx, Scheme::kQ41);
  const Bytes whole = Read(*blocks.planes[0]);
  EXPECT_EQ(ReadInRuns(*blocks.planes[0], 20), whole);
  EXPECT_EQ(ReadInRuns(*blocks.planes[0], 60), whole);
  for (size_t block = 0; block < whole.size() / 20; ++block) {
    ASSERT_EQ(std::memcmp(&whole[20 * block], &whole[20 * (block / 4 * 4)], 4), 0) << block;
  }
  EXPECT_NE(std::memcmp(&whole[0], &whole[80], 4), 0);
}

TEST_F(RecodeTest, RowsMayBeMovedBeforeOrAfter) {
  for (const Scheme scheme : {Scheme::kQ40, Scheme::kQ51, Scheme::kTq10, Scheme::kBlockNvfp4}) {
    SCOPED_TRACE(SchemeName(scheme));
    const Codes blocks = Blocks(scheme, 6, 256);
    const std::optional<Codes> before = CodesForMlx(WeaveRows(blocks));
    const Codes after = WeaveRows(*CodesForMlx(blocks));
    for (size_t i = 0; i < after.planes.size(); ++i) {
      const Bytes wanted = Read(*after.planes[i]);
      EXPECT_EQ(Read(*before->planes[i]), wanted);
      EXPECT_EQ(ReadInRuns(*before->planes[i], 3 * before->planes[i]->granule()), wanted);
      EXPECT_NE(Read(*CodesForMlx(blocks)->planes[i]), wanted);
    }
    const Codes mlx = Written(*CodesForMlx(blocks));
    const std::optional<Scheme> twin = Twin(WeaveRows(mlx));
    ASSERT_TRUE(twin);
    const Codes moved = CodesForGguf(WeaveRows(mlx), *twin);
    EXPECT_EQ(ReadInRuns(*moved.planes[0], moved.planes[0]->granule() * 5),
              Read(*WeaveRows(CodesForGguf(mlx, *twin)).planes[0]));
  }
}

TEST_F(RecodeTest, TheLastScaleCounts) {
  // Several windows: 100000 blocks, of which the last one has an infinite scale.
  Bytes bytes(uint64_t{100000} * 18, std::byte{0x21});
  const Codes good{FindGgmlType(Scheme::kQ40).encoding, {Stored(DType::kU8, {100, 18000}, bytes)}};
  EXPECT_TRUE(CanCarry(good));
  Codes mlx = Written(*CodesForMlx(good));
  EXPECT_EQ(Twin(mlx), Scheme::kQ40);
  bytes[bytes.size() - 17] = std::byte{0x7C};
  const Codes bad{good.encoding, {Stored(DType::kU8, {100, 18000}, bytes)}};
  EXPECT_FALSE(CanCarry(bad));
  try {
    Read(*CodesForMlx(bad)->planes[1]);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_NE(error.detail().object.find("t, U8"), std::string::npos) << error.what();
  }

  Bytes biases = Read(*mlx.planes[2]);
  biases[biases.size() - 2] ^= std::byte{1};
  mlx.planes[2] = Stored(DType::kF16, mlx.planes[2]->shape(), biases);
  EXPECT_EQ(Twin(mlx), Scheme::kQ41);
  biases[biases.size() - 1] = std::byte{0x7E};  // NaN: refused by the scan, not by the reader
  mlx.planes[2] = Stored(DType::kF16, mlx.planes[2]->shape(), biases);
  EXPECT_EQ(Twin(mlx), std::nullopt);
}

TEST_F(RecodeTest, WhatHasNoTwin) {
  const Codes k_quant = Blocks(Scheme::kQ6K, 2, 256);
  EXPECT_FALSE(CodesForMlx(k_quant));
  EXPECT_FALSE(CanCarry(k_quant));
  // A vector, which MLX does not quantize.
  const Codes vector{FindGgmlType(Scheme::kQ80).encoding,
                     {Stored(DType::kU8, {34}, Bytes(34, std::byte{1}))}};
  EXPECT_FALSE(CodesForMlx(vector));
  // Rows of nvfp4 that are no whole blocks of 64.
  const Encoding nvfp4 = {Scheme::kNvfp4, 4, 16, DType::kBF16};
  Codes short_rows{nvfp4, {}};
  for (const Plane& plane : PlanesOf(nvfp4, {4, 96})) {
    short_rows.planes.push_back(
        Stored(plane.dtype, plane.shape, Bytes(PlaneBytes(plane), std::byte{1})));
  }
  EXPECT_EQ(Twin(short_rows), std::nullopt);
  EXPECT_THROW(CodesForGguf(short_rows, Scheme::kBlockNvfp4), Error);
}

TEST_F(RecodeTest, PlanesThatAreNotTheEncodingsAreAnInternalError) {
  Codes codes = *CodesForMlx(Blocks(Scheme::kQ40, 2, 64));
  EXPECT_THROW(CodesForGguf(codes, Scheme::kQ40), Error);  // planes that are read in granules
  codes = Written(codes);
  std::swap(codes.planes[0], codes.planes[1]);
  EXPECT_THROW(CodesForGguf(codes, Scheme::kQ40), Error);
  codes.planes.pop_back();
  EXPECT_THROW(CodesForGguf(codes, Scheme::kQ40), Error);
}

TEST_F(RecodeTest, SourceBytesAreCountedOnce) {
  const Codes blocks = Blocks(Scheme::kQ41, 2, 64);
  const std::optional<Codes> mlx = CodesForMlx(blocks);
  ASSERT_TRUE(mlx);
  uint64_t bytes = 0;
  for (const ValuePtr& plane : mlx->planes) {
    bytes += plane->SourceBytes();
  }
  EXPECT_EQ(bytes, blocks.planes[0]->SourceBytes());
}

}  // namespace
}  // namespace lbrx

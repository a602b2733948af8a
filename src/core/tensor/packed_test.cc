#include "core/tensor/packed.h"

#include <gtest/gtest.h>

#include <set>

namespace lbrx {
namespace {

std::string ShapesOf(const Encoding& encoding, const Shape& shape) {
  std::string text;
  for (const Plane& plane : PlanesOf(encoding, shape)) {
    text += std::string(plane.suffix) + plane.shape.ToString() + " ";
  }
  return text;
}

TEST(PackedTest, Planes) {
  Encoding encoding{Scheme::kGptq, 3, 32, DType::kF16};
  encoding.extended = true;
  EXPECT_EQ(ShapesOf(encoding, {64, 96}), "qweight[9, 64] scales[3, 64] qzeros[3, 6] g_idx[96] ");
  encoding = {Scheme::kAwq, 4, 0, DType::kF16};
  EXPECT_EQ(ShapesOf(encoding, {64, 96}), "qweight[96, 8] scales[1, 64] qzeros[1, 8] ");
  encoding = {Scheme::kFp8, 8, 48, DType::kBF16, 16};
  EXPECT_EQ(ShapesOf(encoding, {2, 40, 64}), "[2, 40, 64] _scale[2, 3, 2] ");
  encoding.group_rows = encoding.group = 0;
  EXPECT_EQ(ShapesOf(encoding, {40, 64}), "[40, 64] _scale[1, 1] ");
  encoding = {Scheme::kNf4, 4, 64, DType::kBF16};
  EXPECT_EQ(ShapesOf(encoding, {3, 33}), "[50, 1] .absmax[2] ");
  encoding.extended = true;
  EXPECT_EQ(ShapesOf(encoding, {300, 64}),
            "[9600, 1] .absmax[300] .nested_absmax[2] .nested_quant_map[256] ");
}

TEST(PackedTest, IsNeitherWrittenNorParsed) {
  std::set<std::string> names;
  for (const SchemeRow& row : PackedSchemeTable()) {
    EXPECT_FALSE(IsWritable(row.encoding.scheme)) << row.name;
    EXPECT_FALSE(CanEncode(row.encoding, {128, 128})) << row.name;
    EXPECT_FALSE(ParseScheme(row.name, 0).has_value()) << row.name;
    EXPECT_FALSE(SchemeByName(SchemeName(row.encoding.scheme)).has_value()) << row.name;
    EXPECT_EQ(SchemeName(row.encoding.scheme), row.name);
    EXPECT_EQ(Granule(row.encoding), 1U);
    names.insert(SchemeLabel(row.encoding));
  }
  EXPECT_EQ(names.size(), PackedSchemeTable().size());
  EXPECT_TRUE(IsWritable(Scheme::kNvfp4));
}

TEST(PackedTest, Names) {
  EXPECT_EQ(PlaneName("m.weight", "_scale_inv"), "m.weight_scale_inv");
  EXPECT_EQ(PlaneName("m.weight", ".absmax"), "m.weight.absmax");
  EXPECT_EQ(PlaneName("m.weight", "qzeros"), "m.qzeros");
}

}  // namespace
}  // namespace lbrx

#include "core/tensor/encoding.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace lbrx {
namespace {

TEST(EncodingTest, PlanesOfAffine) {
  const auto planes = PlanesOf(Affine(3, 64, DType::kF16), Shape{5, 7, 128});
  ASSERT_EQ(planes.size(), 3U);
  EXPECT_EQ(planes[0].suffix, "");
  EXPECT_EQ(planes[0].dtype, DType::kU32);
  EXPECT_EQ(planes[0].shape, (Shape{5, 7, 12}));
  EXPECT_EQ(planes[1].suffix, "scales");
  EXPECT_EQ(planes[2].suffix, "biases");
  EXPECT_EQ(planes[2].dtype, DType::kF16);
  EXPECT_EQ(planes[2].shape, (Shape{5, 7, 2}));
}

TEST(EncodingTest, PlanesOfTheFloatingModes) {
  const auto mxfp4 = PlanesOf({Scheme::kMxfp4, 4, 32, DType::kBF16}, Shape{3, 96});
  ASSERT_EQ(mxfp4.size(), 2U);
  EXPECT_EQ(mxfp4[0].shape, (Shape{3, 12}));
  EXPECT_EQ(mxfp4[1].shape, (Shape{3, 3}));
  EXPECT_EQ(mxfp4[1].dtype, DType::kU8);
  const auto mxfp8 = PlanesOf({Scheme::kMxfp8, 8, 32, DType::kBF16}, Shape{3, 96});
  EXPECT_EQ(mxfp8[0].shape, (Shape{3, 24}));
  const auto nvfp4 = PlanesOf({Scheme::kNvfp4, 4, 16, DType::kBF16}, Shape{3, 48});
  EXPECT_EQ(nvfp4[0].shape, (Shape{3, 6}));
  EXPECT_EQ(nvfp4[1].shape, (Shape{3, 3}));
}

TEST(EncodingTest, BitsPerWeightOfMlxFiles) {
  const Shape shape{64, 4096};
  const double elements = 64 * 4096;
  const auto bits = [&](const Encoding& e) { return EncodedBytes(e, shape) * 8 / elements; };
  EXPECT_EQ(bits(Affine(4, 64, DType::kBF16)), 4.5);
  EXPECT_EQ(bits(Affine(8, 32, DType::kF32)), 10);
  EXPECT_EQ(bits({Scheme::kMxfp4, 4, 32, DType::kBF16}), 4.25);
  EXPECT_EQ(bits({Scheme::kMxfp8, 8, 32, DType::kBF16}), 8.25);
  EXPECT_EQ(bits({Scheme::kNvfp4, 4, 16, DType::kBF16}), 4.5);
  EXPECT_EQ(bits(Plain(DType::kBF16)), 16);
}

TEST(EncodingTest, SizesAreCheckedAndRoundedUp) {
  EXPECT_EQ(PlaneBytes({"", DType::kF4, Shape{3}}), 2U);
  EXPECT_EQ(PlaneBytes({"", DType::kF6E2M3, Shape{4}}), 3U);
  EXPECT_EQ(PlaneBytes({"", DType::kF32, Shape{}}), 4U);
  EXPECT_EQ(PlaneBytes({"", DType::kF32, Shape{0, 5}}), 0U);
  EXPECT_EQ(PlaneBytes({"", DType::kU8, Shape{UINT64_MAX}}), UINT64_MAX);
  for (const Plane& plane : {Plane{"", DType::kU16, Shape{UINT64_MAX}},
                             Plane{"", DType::kU8, Shape{uint64_t{1} << 40, uint64_t{1} << 40}}}) {
    try {
      PlaneBytes(plane);
      FAIL() << plane.shape.ToString();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    }
  }
}

TEST(EncodingTest, NamesOfPlanes) {
  EXPECT_EQ(PlaneName("a.b.weight", ""), "a.b.weight");
  EXPECT_EQ(PlaneName("a.b.weight", "scales"), "a.b.scales");
  EXPECT_EQ(PlaneName("a.b", "biases"), "a.b.biases");
  EXPECT_EQ(PlaneName("a.reweight", "scales"), "a.reweight.scales");
}

TEST(EncodingTest, WhatCanBeEncoded) {
  const Encoding affine = Affine(4, 64, DType::kBF16);
  EXPECT_TRUE(CanEncode(affine, Shape{1, 64}));
  EXPECT_TRUE(CanEncode(affine, Shape{2, 3, 128}));
  EXPECT_FALSE(CanEncode(affine, Shape{64}));
  EXPECT_FALSE(CanEncode(affine, Shape{64, 96}));
  EXPECT_FALSE(CanEncode(affine, Shape{64, 0}));
  EXPECT_FALSE(CanEncode(Affine(7, 64, DType::kBF16), Shape{1, 64}));
  EXPECT_FALSE(CanEncode(Affine(4, 48, DType::kBF16), Shape{1, 48}));
  EXPECT_FALSE(CanEncode(Affine(4, 64, DType::kI32), Shape{1, 64}));
  EXPECT_FALSE(CanEncode(affine, Shape{uint64_t{1} << 60, 64}));
  EXPECT_TRUE(CanEncode(Plain(DType::kBF16), Shape{}));
  EXPECT_FALSE(CanEncode(Plain(DType::kF4), Shape{3}));
  EXPECT_EQ(Granule(affine), 64U);
  EXPECT_EQ(Granule(Plain(DType::kF32)), 1U);
  EXPECT_EQ(Granule(Plain(DType::kF4)), 2U);
  EXPECT_EQ(Granule(Plain(DType::kF6E3M2)), 4U);
}

TEST(EncodingTest, TableRowsParseAndEncode) {
  EXPECT_EQ(SchemeTable().size(), 10U);
  for (const SchemeRow& row : SchemeTable()) {
    EXPECT_EQ(ParseScheme(row.name, 0), row.encoding) << row.name;
    EXPECT_TRUE(CanEncode(row.encoding, Shape{2, 128})) << row.name;
    EXPECT_FALSE(row.summary.empty());
    const std::string_view name = SchemeName(row.encoding.scheme);
    EXPECT_EQ(SchemeByName(name), row.encoding.scheme);
  }
  EXPECT_EQ(SchemeByName("q4_0"), std::nullopt);
}

TEST(EncodingTest, SchemesAsUsersWriteThem) {
  EXPECT_EQ(ParseScheme("4BIT", 32), Affine(4, 32, DType::kBF16));
  EXPECT_EQ(ParseScheme("MXFP4", 32)->scheme, Scheme::kMxfp4);
  EXPECT_EQ(ParseScheme("7bit", 0), std::nullopt);
  EXPECT_EQ(ParseScheme("Q4_K_M", 0), std::nullopt);
  for (const auto& [name, group] : {std::pair{"4bit", 48}, {"mxfp4", 64}, {"nvfp4", 32}}) {
    try {
      ParseScheme(name, static_cast<uint16_t>(group));
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
    }
  }
}

TEST(EncodingTest, Labels) {
  EXPECT_EQ(SchemeLabel(Plain(DType::kBF16)), "bf16");
  EXPECT_EQ(SchemeLabel(Affine(4, 64, DType::kF16)), "4bit/64");
  EXPECT_EQ(SchemeLabel({Scheme::kNvfp4, 4, 16, DType::kF16}), "nvfp4");
  EXPECT_EQ(SchemeName(Scheme::kPlain), "plain");
}

}  // namespace
}  // namespace lbrx

#include "core/tensor/dtype.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lbrx {
namespace {

TEST(DTypeTest, NamesFindThemselves) {
  std::set<std::string_view> long_names;
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(DTypeByName(Name(dtype)), dtype) << Name(dtype);
    long_names.insert(Info(dtype).long_name);
  }
  EXPECT_EQ(long_names.size(), static_cast<size_t>(kDTypeCount));
  EXPECT_EQ(DTypeByName("bf16"), std::nullopt);
  EXPECT_EQ(DTypeByName(""), std::nullopt);
}

TEST(DTypeTest, SizesOfKnownTypes) {
  EXPECT_EQ(Info(DType::kF4).bits, 4);
  EXPECT_EQ(Info(DType::kF6E3M2).bits, 6);
  EXPECT_EQ(Info(DType::kBool).bits, 8);
  EXPECT_EQ(Info(DType::kBF16).bits, 16);
  EXPECT_EQ(Info(DType::kC64).bits, 64);
  EXPECT_EQ(Info(DType::kU64).bits, 64);
  EXPECT_TRUE(Info(DType::kF8E4M3).floating);
  EXPECT_FALSE(Info(DType::kU32).floating);
  EXPECT_EQ(Info(DType::kBF16).long_name, "bfloat16");
}

TEST(DTypeTest, UsersSpellings) {
  EXPECT_EQ(ParseDType("bf16"), DType::kBF16);
  EXPECT_EQ(ParseDType("BFloat16"), DType::kBF16);
  EXPECT_EQ(ParseDType("fp16"), DType::kF16);
  EXPECT_EQ(ParseDType("F32"), DType::kF32);
  EXPECT_EQ(ParseDType("float32"), DType::kF32);
  EXPECT_EQ(ParseDType("int8"), std::nullopt);
  EXPECT_EQ(ParseDType(""), std::nullopt);
}

}  // namespace
}  // namespace lbrx

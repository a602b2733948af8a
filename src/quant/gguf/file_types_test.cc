#include "quant/gguf/file_types.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"

namespace lbrx {
namespace {

TEST(FileTypes, EachHasANumberANameAndABase) {
  std::set<uint32_t> numbers;
  std::set<std::string_view> names;
  for (const FileType& type : FileTypes()) {
    EXPECT_TRUE(numbers.insert(static_cast<uint32_t>(type.id)).second) << type.name;
    EXPECT_TRUE(names.insert(type.name).second) << type.name;
    EXPECT_FALSE(type.summary.empty()) << type.name;
    EXPECT_EQ(type.BaseType() == nullptr, type.id == FileTypeId::kCopy) << type.name;
    EXPECT_EQ(FindFileType(type.name), &type);
    EXPECT_EQ(FindFileType(type.id), &type);
  }
}

TEST(FileTypes, AreFoundByNameAliasAndNumber) {
  EXPECT_EQ(FindFileType("q4_k_m")->id, FileTypeId::kQ4KM);
  EXPECT_EQ(FindFileType("Q4_k")->id, FileTypeId::kQ4KM);
  EXPECT_EQ(FindFileType("15")->id, FileTypeId::kQ4KM);
  EXPECT_EQ(FindFileType("0")->id, FileTypeId::kF32);
  EXPECT_EQ(FindFileType("COPY")->id, FileTypeId::kCopy);
  EXPECT_EQ(FindFileType(""), nullptr);
  EXPECT_EQ(FindFileType("4294967295"), nullptr);
  EXPECT_EQ(FindFileType("Q4"), nullptr);
}

TEST(FileTypes, AnUnknownNameIsAnsweredWithTheNearest) {
  try {
    ParseFileType("Q4_KM");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(error.detail().advice.find("Q4_K_M"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace lbrx

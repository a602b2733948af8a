#include "convert/edit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stream/engine.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/gguf/";

std::string Refusal(const std::string& text) {
  try {
    ParseGgufEdit(text);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
}

TEST(GgufEdits, AreKeyTypeAndValue) {
  EXPECT_EQ(ParseGgufEdit("a.b=u32:7").key, "a.b");
  EXPECT_EQ(ParseGgufEdit("a=u64:18446744073709551615").value->AsUint(), ~uint64_t{0});
  EXPECT_EQ(ParseGgufEdit("a=i8:-128").value->AsInt(), -128);
  EXPECT_EQ(ParseGgufEdit("a=f32:0.1").value->AsNumber(), double{0.1F});
  EXPECT_EQ(ParseGgufEdit("a=f64:-1e-300").value->AsNumber(), -1e-300);
  EXPECT_EQ(ParseGgufEdit("a=bool:true").value->AsBool(), true);
  EXPECT_EQ(*ParseGgufEdit("a=str:x:y=z, \\").value->AsString(), "x:y=z, \\");
  EXPECT_EQ(*ParseGgufEdit("a=str:").value->AsString(), "");
  EXPECT_EQ(ParseGgufEdit("a=i32[]:1,-2").value->AsInts(), (std::vector<int64_t>{1, -2}));
  EXPECT_EQ(ParseGgufEdit("a=u8[]:").value->size(), 0U);
  EXPECT_EQ(*ParseGgufEdit("a=str[]:a\\,b,,c\\\\").value->AsStrings(),
            (std::vector<std::string>{"a,b", "", "c\\"}));
  EXPECT_TRUE(std::isinf(*ParseGgufEdit("a=f32:inf").value->AsNumber()));
}

TEST(GgufEdits, AreRefusedWithWhatWasExpected) {
  EXPECT_NE(Refusal("a").find("KEY=TYPE:VALUE"), std::string::npos);
  EXPECT_NE(Refusal("=u8:1").find("KEY=TYPE:VALUE"), std::string::npos);
  EXPECT_NE(Refusal("a=1").find("KEY=TYPE:VALUE"), std::string::npos);
  EXPECT_NE(Refusal("a=int:1").find("found 'int'"), std::string::npos);
  EXPECT_NE(Refusal("a=array:1").find("found 'array'"), std::string::npos);
  EXPECT_NE(Refusal("a=u8:256").find("from 0 to 255"), std::string::npos);
  EXPECT_NE(Refusal("a=u32:-1").find("from 0 to 4294967295"), std::string::npos);
  EXPECT_NE(Refusal("a=i32:1.5").find("whole number"), std::string::npos);
  EXPECT_NE(Refusal("a=i32[]:1,,2").find("whole number"), std::string::npos);
  EXPECT_NE(Refusal("a=f32:1e39").find("a number"), std::string::npos);
  EXPECT_NE(Refusal("a=f32: 1").find("a number"), std::string::npos);
  EXPECT_NE(Refusal("a=bool:yes").find("true or false"), std::string::npos);
}

// Runs the edits on a golden file; returns the new one's content.
std::string Edit(const std::string& name, const std::vector<GgufEdit>& edits) {
  TempDir folder;
  EditRequest request{kFolder + name, folder / "out.gguf", edits, std::nullopt};
  const Plan plan =
      PlanEdit(request, std::make_shared<const Checkpoint>(OpenCheckpoint(request.source)));
  RunOptions options;
  options.destination = request.destination;
  RunPlan(plan, options);
  return ReadTestFile(request.destination);
}

TEST(GgufEditing, ChangesNothingUnasked) {
  for (const char* name : {"plain.gguf", "every_type.gguf", "version2.gguf", "aligned_8.gguf",
                           "aligned_4096.gguf", "no_tensors.gguf", "llama_no_tensors.gguf"}) {
    EXPECT_EQ(Edit(name, {}), ReadTestFile(kFolder + name)) << name;
  }
}

TEST(GgufEditing, PutsSetsTogether) {
  EXPECT_EQ(Edit("set-00002-of-00003.gguf", {}), ReadTestFile(kFolder + "llama_plain.gguf"));
}

TEST(GgufEditing, MovesTensorsToAnotherAlignment) {
  // gguf-py wrote the alignment behind the architecture; here it comes last.
  TempDir folder;
  WriteTestFile(folder / "a.gguf",
                Edit("plain.gguf", {ParseGgufEdit("general.alignment=u32:4096")}));
  const Checkpoint moved = OpenCheckpoint(folder / "a.gguf");
  const Checkpoint plain = OpenCheckpoint(kFolder + "plain.gguf");
  ASSERT_EQ(moved.arrays.size(), plain.arrays.size());
  const std::string before = ReadTestFile(kFolder + "plain.gguf");
  const std::string after = ReadTestFile(folder / "a.gguf");
  for (size_t i = 0; i < moved.arrays.size(); ++i) {
    EXPECT_EQ(moved.arrays[i].offset % 4096, 0U);
    EXPECT_EQ(after.substr(moved.arrays[i].offset, moved.arrays[i].bytes),
              before.substr(plain.arrays[i].offset, plain.arrays[i].bytes));
  }
  EXPECT_EQ(moved.gguf->entries().back().first, "general.alignment");
}

TEST(GgufEditing, SetsAndRemovesKeys) {
  TempDir folder;
  WriteTestFile(folder / "a.gguf", Edit("plain.gguf", {ParseGgufEdit("t.u8=u8:5"),
                                                       {"t.i8", std::nullopt},
                                                       ParseGgufEdit("new=str:x")}));
  const Checkpoint edited = OpenCheckpoint(folder / "a.gguf");
  GgufKeys expected = *OpenCheckpoint(kFolder + "plain.gguf").gguf;
  expected.Set("t.u8", ParseGgufEdit("a=u8:5").value.value());
  expected.Remove("t.i8");
  expected.Append("new", GgufValue::String("x"));
  EXPECT_TRUE(*edited.gguf == expected);
}

TEST(GgufEditing, RefusesWhatCannotBe) {
  const auto refused = [](const std::string& source, const std::string& edit) {
    EditRequest request{source, "unused.gguf", {ParseGgufEdit(edit)}, std::nullopt};
    try {
      PlanEdit(request, std::make_shared<const Checkpoint>(OpenCheckpoint(source)));
    } catch (const Error& error) {
      return error.code() == ErrorCode::kUsage;
    }
    return false;
  };
  EXPECT_FALSE(refused(kFolder + "plain.gguf", "a=u32:1"));
  EXPECT_TRUE(refused(kFolder + "plain.gguf", "general.alignment=u32:48"));
  EXPECT_TRUE(refused(kFolder + "plain.gguf", "general.alignment=i32:64"));
  EXPECT_TRUE(refused(kFolder + "plain.gguf", "split.count=u16:2"));
  EXPECT_TRUE(refused(LBRX_TEST_DATA "/bard-base", "a=u32:1"));
}

}  // namespace
}  // namespace lbrx

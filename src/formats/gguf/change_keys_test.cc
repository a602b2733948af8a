#include "formats/gguf/change_keys.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace lbrx {
namespace {

TEST(SetLast, MovesAKeyToTheEnd) {
  GgufKeys keys;
  keys.Set("a", GgufValue::U32(1));
  keys.Set("b", GgufValue::U32(2));
  SetLast(keys, "a", GgufValue::U32(3));
  ASSERT_EQ(keys.entries().size(), 2U);
  EXPECT_EQ(keys.entries()[1].first, "a");
  EXPECT_EQ(keys.Uint("a"), 3U);
}

TEST(KeyOverride, IsTypedAsLlamaQuantizeTypesIt) {
  EXPECT_EQ(ParseKeyOverride("llama.expert_used_count=int:3"),
            GgufKeys::Entry("llama.expert_used_count", GgufValue::U32(3)));
  EXPECT_EQ(ParseKeyOverride("x=float:-1.5e-3"), GgufKeys::Entry("x", GgufValue::F32(-1.5e-3F)));
  EXPECT_EQ(ParseKeyOverride("x=bool:false"), GgufKeys::Entry("x", GgufValue::Bool(false)));
  EXPECT_EQ(ParseKeyOverride("x=str:a=b:c"), GgufKeys::Entry("x", GgufValue::String("a=b:c")));
  EXPECT_EQ(ParseKeyOverride("x=str:"), GgufKeys::Entry("x", GgufValue::String("")));
}

TEST(KeyOverride, RefusesWhatWouldBeAltered) {
  for (const char* bad : {"", "x", "=int:1", "x=1", "x=int", "x=i32:1", "x=int:", "x=int:1x",
                          "x=int:-1", "x=int:4294967296", "x=float:", "x=float:1e99", "x=float:nan",
                          "x=float:1,5", "x=bool:1", "x=bool:True"}) {
    try {
      ParseKeyOverride(bad);
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << bad;
    }
  }
}

TEST(LayerList, IsSortedAndEachOnce) {
  EXPECT_EQ(ParseLayerList("7,3,7"), (std::vector<uint32_t>{3, 7}));
  for (const char* bad : {"", ",", "1,", "1,,2", "-1", "a", "1 2", "4294967296"}) {
    EXPECT_THROW(ParseLayerList(bad), Error) << bad;
  }
}

std::vector<std::string> Names() {
  return {"token_embd.weight",    "blk.0.attn_q.weight", "blk.1.attn_q.weight",
          "blk.10.attn_q.weight", "blk.2.attn_q.weight", "enc.blk.2.ffn_up.weight"};
}

TEST(LayerPruning, RenumbersWhatIsLeft) {
  const std::vector<uint32_t> pruned = {1};
  const std::vector<std::string> names = Names();
  const LayerPruning pruning(pruned, names);
  EXPECT_EQ(pruning.Rename("token_embd.weight"), "token_embd.weight");
  EXPECT_EQ(pruning.Rename("blk.0.attn_q.weight"), "blk.0.attn_q.weight");
  EXPECT_EQ(pruning.Rename("blk.1.attn_q.weight"), std::nullopt);
  EXPECT_EQ(pruning.Rename("blk.2.attn_q.weight"), "blk.1.attn_q.weight");
  EXPECT_EQ(pruning.Rename("enc.blk.2.ffn_up.weight"), "enc.blk.1.ffn_up.weight");
  EXPECT_EQ(pruning.Rename("blk.10.attn_q.weight"), "blk.2.attn_q.weight");
}

TEST(LayerPruning, ChangesTheCountAndArraysOfLayers) {
  const std::vector<uint32_t> pruned = {0, 2};
  const std::vector<std::string> whole = {"blk.0.a.weight", "blk.1.a.weight", "blk.2.a.weight",
                                          "blk.3.a.weight"};
  GgufKeys keys;
  keys.Set("general.architecture", GgufValue::String("x"));
  keys.Set("x.block_count", GgufValue::U32(4));
  keys.Set("x.attention.head_count_kv", GgufValue::I32s(std::vector<int32_t>{1, 2, 3, 4}));
  keys.Set("x.rope.dimension_sections", GgufValue::I32s(std::vector<int32_t>{1, 2, 3, 4}));
  keys.Set("x.names", GgufValue::Strings({"a", "b", "c", "d"}));
  keys.Set("x.other", GgufValue::I32s(std::vector<int32_t>{1, 2, 3}));
  keys.Set("y.other", GgufValue::I32s(std::vector<int32_t>{1, 2, 3, 4}));
  LayerPruning(pruned, whole).ChangeKeys(keys);
  EXPECT_EQ(keys.entries().back(), GgufKeys::Entry("x.block_count", GgufValue::U32(2)));
  EXPECT_EQ(keys.Find("x.attention.head_count_kv")->AsInts(), (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(*keys.Find("x.names")->AsStrings(), (std::vector<std::string>{"b", "d"}));
  EXPECT_EQ(keys.Find("x.rope.dimension_sections")->size(), 4U);
  EXPECT_EQ(keys.Find("x.other")->size(), 3U);
  EXPECT_EQ(keys.Find("y.other")->size(), 4U);
  const std::vector<uint32_t> none = {4};
  EXPECT_THROW(LayerPruning(none, whole), Error);
  const std::vector<uint32_t> all = {0, 1, 2, 3};
  EXPECT_THROW(LayerPruning(all, whole), Error);
}

}  // namespace
}  // namespace lbrx

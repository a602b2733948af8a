#include "check/place.h"

#include <gtest/gtest.h>

namespace lbrx {
namespace {

TEST(Place, ReadsLayerAndKindFromTheName) {
  const TensorPlace query = PlaceOf("model.layers.31.self_attn.q_proj.weight");
  EXPECT_EQ(query.stack, "model.layers");
  EXPECT_EQ(query.layer, 31U);
  EXPECT_EQ(query.kind, "self_attn.q_proj");
  EXPECT_EQ(PlaceOf("model.layers.0.self_attn.q_proj.bias").kind, "self_attn.q_proj.bias");
  EXPECT_EQ(PlaceOf("h.7.attn.c_attn.weight").layer, 7U);
}

TEST(Place, JoinsTheExpertsOfALayer) {
  const TensorPlace expert = PlaceOf("model.layers.2.mlp.experts.63.up_proj.weight");
  EXPECT_EQ(expert.layer, 2U);
  EXPECT_EQ(expert.kind, "mlp.experts.*.up_proj");
  EXPECT_EQ(expert, PlaceOf("model.layers.2.mlp.experts.5.up_proj.weight"));
  EXPECT_NE(expert, PlaceOf("model.layers.3.mlp.experts.5.up_proj.weight"));
}

TEST(Place, TakesAnyName) {
  EXPECT_EQ(PlaceOf("lm_head.weight").kind, "lm_head");
  EXPECT_FALSE(PlaceOf("lm_head.weight").layer);
  EXPECT_EQ(PlaceOf("weight").kind, "weight");
  EXPECT_EQ(PlaceOf(".weight").kind, "weight");
  EXPECT_EQ(PlaceOf("").kind, "");
  EXPECT_EQ(PlaceOf("0").layer, 0U);
  EXPECT_EQ(PlaceOf("a.99999999999999999999.b").kind, "a.99999999999999999999.b");
  EXPECT_EQ(PlaceOf("a.-1.b").kind, "a.-1.b");
}

TEST(Place, ListsEachPlaceOnceInOrder) {
  PlaceList list;
  EXPECT_EQ(list.Add("b.1.x.weight"), 0U);
  EXPECT_EQ(list.Add("b.0.x.weight"), 1U);
  EXPECT_EQ(list.Add("b.1.e.4.y"), 2U);
  EXPECT_EQ(list.Add("b.1.e.5.y"), 2U);
  EXPECT_EQ(list.Add("b.1.x"), 0U);
  ASSERT_EQ(list.places().size(), 3U);
  EXPECT_EQ(list.places()[1].layer, 0U);
}

}  // namespace
}  // namespace lbrx

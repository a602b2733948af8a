#include "convert/mlx_fit.h"

#include <gtest/gtest.h>

#include "convert/convert.h"
#include "model/wrapper.h"

namespace lbrx {
namespace {

// A folder's configuration, the names that it has, and what stands in each refusal.
struct Case {
  std::string_view config;
  std::vector<std::string> names;
  std::vector<std::string> refusals;
};

std::vector<std::string> RefusalsOf(const Case& row) {
  const Json config = ParseJson(row.config, "config.json");
  Checkpoint checkpoint;
  checkpoint.format = "mlx";
  checkpoint.config = config;
  std::vector<PlannedTensor> tensors(row.names.size());
  for (size_t i = 0; i < row.names.size(); ++i) {
    tensors[i].output.name = row.names[i];
  }
  return MlxRefusals(NamingOf(checkpoint), config, tensors);
}

const std::string kHead = "lm_head.weight";
const std::string kQuery = "model.layers.0.self_attn.q_proj.";
const std::string kOut = "model.layers.0.self_attn.o_proj.";
const std::string kUp = "model.layers.0.mlp.up_proj.";

void Expect(const Case& row) {
  SCOPED_TRACE(row.config);
  const std::vector<std::string> refusals = RefusalsOf(row);
  ASSERT_EQ(refusals.size(), row.refusals.size()) << ::testing::PrintToString(refusals);
  for (size_t i = 0; i < refusals.size(); ++i) {
    EXPECT_NE(refusals[i].find(row.refusals[i]), std::string::npos) << refusals[i];
  }
}

TEST(MlxFit, BiasesAreThoseThatTheClassHas) {
  const std::vector<std::string> both = {kQuery + "weight", kQuery + "bias"};
  const std::vector<Case> rows = {
      {R"({"model_type": "llama", "attention_bias": true})", both, {}},
      {R"({"model_type": "llama", "attention_bias": false})",
       both,
       {"MLX's class for llama has no model.layers.0.self_attn.q_proj.bias: mlx-lm will refuse"}},
      {R"({"model_type": "llama", "mlp_bias": true})", {kUp + "weight", kUp + "bias"}, {}},
      {R"({"model_type": "llama", "attention_bias": true})",
       {kQuery + "weight", kOut + "weight"},
       {"requires model.layers.0.self_attn.q_proj.bias and 1 more such tensor"}},
      {R"({"model_type": "qwen2"})", both, {}},
      {R"({"model_type": "qwen2"})", {kQuery + "weight", kOut + "weight"}, {"q_proj.bias:"}},
      {R"({"model_type": "qwen3", "attention_bias": true})", both, {"has no"}},
      {R"({"model_type": "glm4", "attention_bias": true})", {kOut + "weight", kHead}, {}},
      {R"({"model_type": "deepseek_v3", "attention_bias": true})", {kQuery + "weight", kHead}, {}},
      {R"({"model_type": "deepseek_v3", "attention_bias": true})",
       {kOut + "weight", kHead},
       {"requires model.layers.0.self_attn.o_proj.bias"}},
  };
  for (const Case& row : rows) {
    Expect(row);
  }
}

TEST(MlxFit, HeadIsWhatTheClassHas) {
  const std::vector<Case> rows = {
      {R"({"model_type": "llama"})", {kHead}, {}},
      {R"({"model_type": "llama"})", {}, {}},
      {R"({"model_type": "gemma3_text"})", {kHead}, {}},
      {R"({"model_type": "gemma2"})", {kHead}, {"has no lm_head.weight"}},
      {R"({"model_type": "glm4"})", {}, {"requires lm_head.weight"}},
      {R"({"model_type": "glm4"})", {kHead}, {}},
  };
  for (const Case& row : rows) {
    Expect(row);
  }
}

TEST(MlxFit, UnknownTensorsAreRefusedButThoseBesideTheText) {
  Expect({R"({"model_type": "llama"})", {"model.adapter.weight"}, {"has no model.adapter.weight"}});
  Expect({R"({"model_type": "qwen2_moe"})", {kUp + "weight", kHead}, {"has no"}});
  const std::string_view qwen = R"({"model_type": "qwen2_vl", "text_config": {}})";
  Expect({qwen, {"vision_tower.merger.weight"}, {}});
  Expect({qwen, {"adapter.weight"}, {"has no adapter.weight"}});
  const std::string_view experts = R"({"model_type": "qwen3_vl_moe", "text_config": {}})";
  const std::string head = "language_model.lm_head.weight";
  Expect({experts, {"adapter.weight", head}, {}});
  Expect({experts, {"language_model.model.adapter.weight", head}, {"has no language_model.model"}});
  Expect({experts, {}, {"requires language_model.lm_head.weight"}});
}

TEST(MlxFit, SizesThatTheClassDoesNotRead) {
  const std::vector<Case> rows = {
      {R"({"model_type": "qwen2", "hidden_size": 64, "num_attention_heads": 4, "head_dim": 16})",
       {},
       {}},
      {R"({"model_type": "qwen2", "hidden_size": 64, "num_attention_heads": 4, "head_dim": 32})",
       {},
       {"does not read head_dim, 32, but takes hidden_size / num_attention_heads, 16"}},
      {R"({"model_type": "qwen3", "hidden_size": 64, "num_attention_heads": 4, "head_dim": 32})",
       {},
       {}},
      {R"({"model_type": "qwen2", "hidden_size": 64, "num_attention_heads": 0, "head_dim": 32})",
       {},
       {}},
      {R"({"model_type": "qwen2", "hidden_size": 64, "num_attention_heads": 4, "head_dim": -1})",
       {},
       {}},
      {R"({"model_type": "gpt2", "n_embd": 64, "n_inner": 128})", {}, {"4 x n_embd for n_inner"}},
      {R"({"model_type": "gpt2", "n_embd": 64, "n_inner": 258})", {}, {"which is 258"}},
      {R"({"model_type": "gpt2", "n_embd": 64, "n_inner": 256})", {}, {}},
      {R"({"model_type": "gpt2", "n_embd": 64, "n_inner": null})", {}, {}},
  };
  for (const Case& row : rows) {
    Expect(row);
  }
}

TEST(MlxFit, RopeTypes) {
  const std::vector<Case> rows = {
      {R"({"model_type": "llama", "rope_scaling": {"type": "yarn", "factor": 2.0}})", {}, {}},
      {R"({"model_type": "llama", "rope_scaling": {"rope_type": "su"}})", {}, {"type su"}},
      {R"({"model_type": "llama", "rope_scaling": {"type": "linear"}})", {}, {"without factor"}},
      {R"({"model_type": "llama", "rope_scaling": {"type": 3}})", {}, {}},
      {R"({"model_type": "llama", "rope_scaling": {}})", {}, {}},
      {R"({"model_type": "llama", "rope_scaling": null})", {}, {}},
      {R"({"model_type": "mixtral", "rope_scaling": {"type": "su"}})", {}, {}},
      {R"({"model_type": "phi3", "rope_scaling": {"type": "su", "long_factor": []}})",
       {},
       {"without short_factor"}},
      {R"({"model_type": "phi3", "rope_scaling": {"type": "yarn", "long_factor": []}})", {}, {}},
  };
  for (const Case& row : rows) {
    Expect(row);
  }
  Expect({R"({"model_type": "qwen2_moe", "rope_scaling": {"type": "linear", "factor": 2.0}})",
          {kHead},
          {}});
  Expect({R"({"model_type": "qwen2_moe", "rope_scaling": {"type": "yarn", "factor": 2.0}})",
          {kHead},
          {"only linear"}});
}

TEST(MlxFit, LayerTypes) {
  Expect({R"({"model_type": "llama", "layer_types": ["sliding_attention"]})",
          {},
          {"requires a layer with full_attention"}});
  Expect({R"({"model_type": "llama", "layer_types": ["full_attention"]})", {}, {}});
  Expect({R"({"model_type": "gpt_oss", "layer_types": []})",
          {kHead},
          {"sliding_attention", "full_attention"}});
}

// Of models that mlx-lm loads (tests/peers) nothing is said.
void ExpectNothingSaid(const std::string& source, bool text_only) {
  SCOPED_TRACE(source);
  ConvertRequest request;
  request.source = source;
  request.destination = "/none";
  request.target = TargetKind::kMlx;
  request.text_only = text_only;
  const Plan plan = PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(source)));
  EXPECT_EQ(plan.notices,
            std::vector<std::string>({"the source has no tokenizer; the result has none either"}));
}

TEST(MlxFit, EveryModelOfTheTestsFits) {
  const std::string data = LBRX_TEST_DATA;
  for (const Architecture* architecture : Architectures()) {
    ExpectNothingSaid(data + "/arch/" + std::string(architecture->name), false);
  }
  for (const Wrapper* wrapper : Wrappers()) {
    ExpectNothingSaid(data + "/multimodal/" + std::string(wrapper->name), false);
    ExpectNothingSaid(data + "/multimodal/" + std::string(wrapper->name), true);
  }
}

}  // namespace
}  // namespace lbrx

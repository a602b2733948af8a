// Models that differ from tests/data/arch in what a configuration can say, and the text of
// multimodal ones, to GGUF and back.

#include <functional>

#include "convert/test_gguf.h"
#include "formats/gguf/keys.h"
#include "model/config.h"

namespace lbrx {
namespace {

using Tensors = std::vector<TestTensor>;

// An architecture's model of tests/data with other tensors and another config.json.
class Variant {
 public:
  explicit Variant(const std::string& architecture) {
    CopyArchitecture(architecture, folder_ / "hf");
    config_ = ReadJson(folder_ / "hf/config.json");
    for (const auto& [name, array] : ArraysOf(folder_ / "hf")) {
      tensors_.push_back({name, array.dtype, array.shape, array.bytes});
    }
  }

  Json& config() { return config_; }

  void Add(const std::string& name, const Shape& shape) {
    tensors_.push_back(RandomTensor(name, DType::kBF16, shape));
  }

  void Remove(const std::string& name) {
    EXPECT_EQ(
        std::erase_if(tensors_, [&](const TestTensor& tensor) { return tensor.name == name; }), 1U);
  }

  void Replace(const std::string& name, std::string bytes) {
    for (TestTensor& tensor : tensors_) {
      if (tensor.name == name) {
        ASSERT_EQ(tensor.bytes.size(), bytes.size());
        tensor.bytes = std::move(bytes);
        return;
      }
    }
    ADD_FAILURE() << "no " << name;
  }

  // Writes it; returns the folder.
  std::string Write() {
    WriteTestFile(folder_ / "hf/config.json", WriteJson(config_));
    WriteSafetensors(folder_ / "hf/model.safetensors", tensors_);
    return folder_ / "hf";
  }

  // To GGUF and back; returns the notices of the way there.
  std::string There() {
    std::filesystem::remove(gguf());
    return Execute(RequestFor(Write(), gguf()));
  }

  std::string Back() {
    ConvertRequest request = RequestFor(gguf(), folder_ / "back");
    request.target = TargetKind::kHuggingFace;
    Execute(request);
    return request.destination;
  }

  void ExpectBack() {
    There();
    ExpectSameArrays(ArraysOf(folder_ / "hf"), ArraysOf(Back()));
  }

  std::string gguf() const { return folder_ / "model.gguf"; }

  Json ConfigBack() const { return ReadJson(folder_ / "back/config.json"); }

 private:
  TempDir folder_;
  Json config_;
  Tensors tensors_;
};

TEST(GgufVariants, TiedEmbeddings) {
  Variant model("llama");
  model.config().Set("tie_word_embeddings", true);
  model.Remove("lm_head.weight");
  model.ExpectBack();
  EXPECT_EQ(OpenCheckpoint(model.gguf()).Find("output.weight"), nullptr);
  EXPECT_TRUE(TiedEmbeddings(model.ConfigBack(), false));
}

TEST(GgufVariants, BiasesMoveWithTheirRows) {
  Variant model("llama");
  model.config().Set("attention_bias", true);
  model.config().Set("mlp_bias", true);
  for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
    model.Add(layer + "self_attn.q_proj.bias", {64});
    model.Add(layer + "self_attn.k_proj.bias", {32});
    model.Add(layer + "self_attn.v_proj.bias", {32});
    model.Add(layer + "self_attn.o_proj.bias", {64});
    model.Add(layer + "mlp.gate_proj.bias", {128});
    model.Add(layer + "mlp.up_proj.bias", {128});
    model.Add(layer + "mlp.down_proj.bias", {64});
  }
  model.ExpectBack();
  EXPECT_TRUE(model.ConfigBack().Find("attention_bias")->AsBool());
  EXPECT_TRUE(model.ConfigBack().Find("mlp_bias")->AsBool());
  // Queries of 4 heads of 16: row 2i + s of a head was row 8s + i.
  const auto before = ArraysOf(model.Write()).at("model.layers.0.self_attn.q_proj.bias").bytes;
  const auto after = ArraysOf(model.gguf()).at("blk.0.attn_q.bias").bytes;
  for (size_t head = 0; head < 4; ++head) {
    for (size_t row = 0; row < 16; ++row) {
      const size_t was = head * 16 + row % 2 * 8 + row / 2;
      // BF16 is the upper half of F32.
      EXPECT_EQ(after.substr((head * 16 + row) * 4 + 2, 2), before.substr(was * 2, 2));
    }
  }
}

TEST(GgufVariants, FactorsOfRopeAreATensor) {
  Variant model("llama");
  model.There();
  const auto factors = ArraysOf(model.gguf()).at("rope_freqs.weight");
  EXPECT_EQ(factors.shape, Shape{8});
  EXPECT_EQ(factors.dtype, DType::kF32);
  Json rope = Json::MakeObject();
  rope.Set("rope_type", "default");
  rope.Set("rope_theta", 20000.0);
  model.config().Set("rope_parameters", rope);
  model.ExpectBack();
  EXPECT_FALSE(ArraysOf(model.gguf()).contains("rope_freqs.weight"));
  EXPECT_EQ(*model.ConfigBack().Find("rope_parameters"), rope);
}

// Values near 0 lose bits when 1 is added; others do not.
TEST(GgufVariants, NormsThatLoseBitsAreNamed) {
  Variant model("gemma2");
  std::string small;
  for (int i = 0; i < 64; ++i) {
    small += std::string("\x01\x37", 2);  // BF16 1.0000001b * 2^-17, whose last bit is 2^-24
  }
  EXPECT_EQ(model.There().find("lose the last bits"), std::string::npos);
  model.Replace("model.layers.1.input_layernorm.weight", small);
  const std::string notices = model.There();
  EXPECT_NE(notices.find("model.layers.1.input_layernorm.weight"), std::string::npos) << notices;
  EXPECT_EQ(notices.find("model.layers.0.input_layernorm.weight"), std::string::npos) << notices;
}

class GgufMultimodal : public ::testing::TestWithParam<std::string> {
 protected:
  std::string Source() const { return TestData("multimodal/" + GetParam()); }

  TempDir folder_;
};

TEST_P(GgufMultimodal, WholeIsRefused) {
  try {
    Execute(RequestFor(Source(), folder_ / "model.gguf"));
    ADD_FAILURE() << "written without its parts";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    const std::string what = error.what();
    EXPECT_NE(what.find("mmproj"), std::string::npos) << what;
    EXPECT_NE(what.find("--text-only"), std::string::npos) << what;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

// The same as from a folder of the text alone, and back.
TEST_P(GgufMultimodal, TextIsATextModel) {
  ConvertRequest text = RequestFor(Source(), folder_ / "text");
  text.target = TargetKind::kHuggingFace;
  text.text_only = true;
  Execute(text);
  ConvertRequest direct = RequestFor(Source(), folder_ / "direct.gguf");
  direct.text_only = true;
  try {
    Execute(direct);
  } catch (const Error& error) {
    FAIL() << error.what();
  }
  const std::string from_text = Made(RequestFor(folder_ / "text", folder_ / "text.gguf"));
  ExpectSameArrays(ArraysOf(direct.destination), ArraysOf(from_text));
  ConvertRequest back = RequestFor(direct.destination, folder_ / "back");
  back.target = TargetKind::kHuggingFace;
  ExpectSameArrays(ArraysOf(folder_ / "text"), ArraysOf(Made(back)));
}

std::vector<std::string> WrapperNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(TestData("multimodal"))) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Each, GgufMultimodal, ::testing::ValuesIn(WrapperNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lbrx

// --embed-hf: the small files of a Hugging Face folder go through a GGUF file unchanged.

#include "convert/test_gguf.h"
#include "formats/gguf/keys.h"
#include "model/gguf/embedded.h"

namespace lbrx {
namespace {

constexpr const char* kFiles[] = {"config.json", "generation_config.json", "tokenizer.json",
                                  "tokenizer_config.json", "chat_template.jinja"};

class GgufEmbedding : public ::testing::Test {
 protected:
  void SetUp() override {
    CopyArchitecture("mistral", folder_ / "hf");
    // A member and a style that no key carries.
    std::string config = ReadTestFile(folder_ / "hf/config.json");
    config.insert(config.find('{') + 1, "\n      \"note\": \"of the author\",");
    WriteTestFile(folder_ / "hf/config.json", config);
    WriteTestFile(folder_ / "hf/generation_config.json", "{ \"temperature\": 0.6 }\n");
  }

  ConvertRequest ToGguf() const {
    ConvertRequest request = RequestFor(folder_ / "hf", folder_ / "model.gguf");
    request.gguf.embed_hf = true;
    return request;
  }

  std::string Back(const std::string& source, std::optional<DType> dtype = {}) {
    ConvertRequest request = RequestFor(source, folder_ / "back");
    request.target = TargetKind::kHuggingFace;
    request.dtype = dtype;
    notices_ = Execute(request);
    return request.destination;
  }

  void ExpectFiles(const std::string& back) const {
    for (const char* name : kFiles) {
      EXPECT_EQ(ReadTestFile(folder_ / "hf/" + name), ReadTestFile(back + "/" + name)) << name;
    }
  }

  TempDir folder_;
  std::string notices_;
};

TEST_F(GgufEmbedding, GivesEveryFileBack) {
  const std::string back = Back(Made(ToGguf()));
  ExpectFiles(back);
  ExpectSameArrays(ArraysOf(folder_ / "hf"), ArraysOf(back));
}

TEST_F(GgufEmbedding, GoesThroughQuantizing) {
  ConvertRequest request = RequestFor(Made(ToGguf()), folder_ / "q8.gguf");
  request.scheme = "Q8_0";
  ExpectFiles(Back(Made(request)));
}

TEST_F(GgufEmbedding, AnotherDTypeIsSaidInTheConfig) {
  const std::string back = Back(Made(ToGguf()), DType::kF32);
  const Json config = ReadJson(back + "/config.json");
  EXPECT_EQ(config.Find("dtype")->AsString(), "float32");
  EXPECT_EQ(config.Find("note")->AsString(), "of the author");
  EXPECT_EQ(config.Find("model_type")->AsString(), "mistral");
}

TEST_F(GgufEmbedding, IsLeftWhereKeysHaveChanged) {
  ConvertRequest request = ToGguf();
  request.gguf.prune_layers = {1};
  const std::string back = Back(Made(request));
  const Json config = ReadJson(back + "/config.json");
  EXPECT_EQ(config.Find("num_hidden_layers")->AsUint64(), 1U);
  EXPECT_EQ(config.Find("note"), nullptr);
  EXPECT_NE(notices_.find("embedded files are not used"), std::string::npos) << notices_;
}

TEST_F(GgufEmbedding, NothingIsEmbeddedUnasked) {
  ConvertRequest request = ToGguf();
  request.gguf.embed_hf = false;
  const Checkpoint made = OpenCheckpoint(Made(request));
  EXPECT_EQ(EmbeddingIn(*made.gguf), Embedding::kNone);
  EXPECT_TRUE(EmbeddedFiles(*made.gguf).empty());
}

}  // namespace
}  // namespace lbrx

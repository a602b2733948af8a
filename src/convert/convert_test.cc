#include "convert/convert.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/base/format.h"
#include "core/io/file.h"
#include "core/tensor/convert.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

class ConvertTest : public ::testing::Test {
 protected:
  ConvertRequest Request(const std::string& destination) const {
    ConvertRequest request;
    request.source = source_;
    request.destination = folder_ / destination;
    return request;
  }

  static Plan PlanOf(const ConvertRequest& request) {
    return PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(request.source)));
  }

  static void Run(const ConvertRequest& request) {
    RunOptions options;
    options.destination = request.destination;
    options.sync = false;
    options.threads = 2;
    RunPlan(PlanOf(request), options);
  }

  // The error that planning gives, or "" where it succeeds.
  static std::string ErrorOf(const ConvertRequest& request, ErrorCode code) {
    try {
      PlanOf(request);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    return "";
  }

  static bool HasNotice(const Plan& plan, const std::string& words) {
    return std::any_of(plan.notices.begin(), plan.notices.end(), [&](const std::string& notice) {
      return notice.find(words) != std::string::npos;
    });
  }

  static std::string LabelOf(const Plan& plan, const std::string& name) {
    for (const PlannedTensor& tensor : plan.tensors) {
      if (tensor.output.name == name) {
        return SchemeLabel(tensor.output.encoding);
      }
    }
    return "absent";
  }

  void EditConfig(const std::string& key, Json value) const {
    const std::string path = source_ + "/config.json";
    Json config = ParseJson(ReadTestFile(path), path);
    if (value.is_null()) {
      config.Erase(key);
    } else {
      config.Set(key, std::move(value));
    }
    WriteTestFile(path, WriteJson(config));
  }

  static Json ConfigOf(const std::string& folder) {
    return ParseJson(ReadTestFile(folder + "/config.json"), "config.json");
  }

  TempDir folder_;
  std::string source_ = folder_ / "source";
};

TEST_F(ConvertTest, HuggingFaceToItselfGivesTheSameTensorFile) {
  TinyLlama().Write(source_);
  const ConvertRequest request = Request("copy");
  Run(request);
  EXPECT_EQ(ReadTestFile(folder_ / "copy/model.safetensors"),
            ReadTestFile(source_ + "/model.safetensors"));
  EXPECT_EQ(ReadTestFile(folder_ / "copy/tokenizer.json"),
            ReadTestFile(source_ + "/tokenizer.json"));
  const Json config = ConfigOf(folder_ / "copy");
  EXPECT_EQ(config.Find("torch_dtype")->AsString(), "bfloat16");
  EXPECT_EQ(config.Find("rope_theta")->AsDouble(), 10000.0);
}

TEST_F(ConvertTest, FourBitMlxQuantizesLinearAndEmbeddingWeights) {
  TinyLlama().Write(source_);
  ConvertRequest request = Request("q4");
  request.scheme = "4bit";
  const Plan plan = PlanOf(request);
  EXPECT_EQ(LabelOf(plan, "model.embed_tokens.weight"), "4bit/64");
  EXPECT_EQ(LabelOf(plan, "lm_head.weight"), "4bit/64");
  EXPECT_EQ(LabelOf(plan, "model.layers.1.mlp.down_proj.weight"), "4bit/64");
  EXPECT_EQ(LabelOf(plan, "model.norm.weight"), "bf16");
  Run(request);
  const Json config = ConfigOf(folder_ / "q4");
  EXPECT_EQ(WriteJson(*config.Find("quantization")),
            R"({"group_size":64,"bits":4,"mode":"affine"})");
  EXPECT_EQ(*config.Find("quantization"), *config.Find("quantization_config"));
  EXPECT_FALSE(config.Find("tie_word_embeddings")->AsBool());
  const auto tensors = ReadSafetensors(folder_ / "q4/model.safetensors");
  EXPECT_EQ(tensors.at("lm_head.weight").size(), 96U * 64 / 2);
  EXPECT_EQ(tensors.at("lm_head.scales").size(), 96U * 2);
  EXPECT_EQ(tensors.at("lm_head.biases").size(), 96U * 2);
  const Checkpoint read = OpenCheckpoint(folder_ / "q4");
  EXPECT_EQ(read.format, "mlx");
  EXPECT_EQ(SchemeLabel(read.Find("lm_head.weight")->encoding), "4bit/64");
}

TEST_F(ConvertTest, RowsThatTheGroupDoesNotDivideStayFloat) {
  TinyLlama().Write(source_);
  ConvertRequest request = Request("q4");
  request.scheme = "4bit";
  request.group_size = 128;
  const Plan plan = PlanOf(request);
  EXPECT_EQ(LabelOf(plan, "model.embed_tokens.weight"), "bf16");
  EXPECT_EQ(LabelOf(plan, "model.layers.0.mlp.down_proj.weight"), "4bit/128");
}

TEST_F(ConvertTest, CodesAreCarriedOrDecodedOrQuantizedAnew) {
  TinyLlama().Write(source_);
  ConvertRequest first = Request("q4");
  first.scheme = "4bit";
  Run(first);

  ConvertRequest again = Request("again");
  again.source = first.destination;
  again.scheme = "4bit";
  EXPECT_FALSE(HasNotice(PlanOf(again), "quantized anew"));
  Run(again);
  EXPECT_EQ(ReadTree(folder_ / "again"), ReadTree(folder_ / "q4"));

  ConvertRequest eight = again;
  eight.destination = folder_ / "q8";
  eight.scheme = "8bit";
  EXPECT_TRUE(HasNotice(PlanOf(eight), "quantized anew"));

  ConvertRequest floats = again;
  floats.destination = folder_ / "floats";
  floats.scheme.reset();
  const Plan plan = PlanOf(floats);
  EXPECT_TRUE(HasNotice(plan, "decoded to floats"));
  EXPECT_EQ(LabelOf(plan, "lm_head.weight"), "bf16");
  Run(floats);
  EXPECT_EQ(ConfigOf(folder_ / "floats").Find("quantization"), nullptr);

  floats.target = TargetKind::kMlx;
  EXPECT_EQ(LabelOf(PlanOf(floats), "lm_head.weight"), "4bit/64");
  floats.dequantize = true;
  EXPECT_EQ(LabelOf(PlanOf(floats), "lm_head.weight"), "bf16");
}

TEST_F(ConvertTest, DTypeCastsFloatsAndScales) {
  TinyLlama().Write(source_);
  ConvertRequest request = Request("f16");
  request.dtype = DType::kF16;
  Run(request);
  const auto before = ReadSafetensors(source_ + "/model.safetensors");
  const auto after = ReadSafetensors(folder_ / "f16/model.safetensors");
  for (const auto& [name, bytes] : before) {
    std::string expected(bytes.size(), '\0');
    for (size_t i = 0; i < bytes.size(); i += 2) {
      uint16_t bf16 = 0;
      std::copy_n(bytes.data() + i, 2, reinterpret_cast<char*>(&bf16));
      const uint16_t f16 = FloatToF16(BF16ToFloat(bf16));
      std::copy_n(reinterpret_cast<const char*>(&f16), 2, expected.data() + i);
    }
    EXPECT_EQ(after.at(name), expected) << name;
  }
  EXPECT_EQ(ConfigOf(folder_ / "f16").Find("dtype")->AsString(), "float16");

  ConvertRequest quantized = request;
  quantized.scheme = "4bit";
  for (const PlannedTensor& tensor : PlanOf(quantized).tensors) {
    EXPECT_EQ(tensor.output.encoding.dtype, DType::kF16) << tensor.output.name;
  }
}

TEST_F(ConvertTest, OverflowInANarrowingCastIsRefused) {
  TinyLlama().Write(source_);
  std::vector<TestTensor> tensors = TinyLlama().Tensors();
  const uint16_t large = FloatToBF16(1e6F);
  std::copy_n(reinterpret_cast<const char*>(&large), 2, tensors[0].bytes.data() + 10);
  WriteSafetensors(source_ + "/model.safetensors", tensors);
  ConvertRequest request = Request("f16");
  request.dtype = DType::kF16;
  try {
    Run(request);
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_NE(std::string(error.what()).find("1 values do not fit float16"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("element 5"), std::string::npos) << error.what();
  }
}

TEST_F(ConvertTest, RulesDecideInOrder) {
  TinyLlama().Write(source_);
  ConvertRequest request = Request("mixed");
  request.scheme = "4bit";
  request.rules = {{"layers\\.0\\..*down_proj", ""}, {"down_proj", "8bit/32"}, {"nowhere", "2bit"}};
  const Plan plan = PlanOf(request);
  EXPECT_EQ(LabelOf(plan, "model.layers.0.mlp.down_proj.weight"), "bf16");
  EXPECT_EQ(LabelOf(plan, "model.layers.1.mlp.down_proj.weight"), "8bit/32");
  EXPECT_EQ(LabelOf(plan, "model.layers.1.mlp.up_proj.weight"), "4bit/64");
  EXPECT_TRUE(HasNotice(plan, "\"nowhere\" matches no tensor"));
  request.strict = true;
  EXPECT_NE(ErrorOf(request, ErrorCode::kInvalid).find("nowhere"), std::string::npos);
  request.strict = false;
  Run(request);
  const Json block = *ConfigOf(folder_ / "mixed").Find("quantization");
  EXPECT_EQ(WriteJson(*block.Find("model.layers.1.mlp.down_proj")),
            R"({"group_size":32,"bits":8,"mode":"affine"})");
  EXPECT_EQ(
      SchemeLabel(
          OpenCheckpoint(folder_ / "mixed").Find("model.layers.1.mlp.down_proj.weight")->encoding),
      "8bit/32");
}

TEST_F(ConvertTest, TiedHeads) {
  TinyLlama{.layers = 1, .tied = true}.Write(source_);
  EXPECT_EQ(LabelOf(PlanOf(Request("x")), "lm_head.weight"), "absent");
  EditConfig("tie_word_embeddings", false);
  EXPECT_NE(ErrorOf(Request("x"), ErrorCode::kInvalid).find("output matrix is missing"),
            std::string::npos);

  std::filesystem::remove_all(source_);
  TinyLlama{.layers = 1}.Write(source_);
  EditConfig("tie_word_embeddings", true);
  ConvertRequest request = Request("x");
  EXPECT_EQ(LabelOf(PlanOf(request), "lm_head.weight"), "bf16");
  EXPECT_TRUE(HasNotice(PlanOf(request), "both are kept"));
  request.target = TargetKind::kMlx;
  EXPECT_EQ(LabelOf(PlanOf(request), "lm_head.weight"), "absent");
}

TEST_F(ConvertTest, UnknownTensorsAreCarriedUnquantizedWithANotice) {
  TinyLlama().Write(source_);
  std::vector<TestTensor> tensors = TinyLlama().Tensors();
  tensors.push_back(RandomTensor("vision_tower.proj.weight", DType::kBF16, {64, 64}));
  tensors.push_back({"counter", DType::kI64, Shape{1}, std::string(8, '\1')});
  WriteSafetensors(source_ + "/model.safetensors", tensors);
  ConvertRequest request = Request("x");
  request.scheme = "4bit";
  const Plan plan = PlanOf(request);
  EXPECT_EQ(LabelOf(plan, "vision_tower.proj.weight"), "bf16");
  EXPECT_TRUE(HasNotice(plan, "2 tensors that architecture llama does not know"));
  request.strict = true;
  EXPECT_NE(ErrorOf(request, ErrorCode::kInvalid).find("not known"), std::string::npos);
}

TEST_F(ConvertTest, UnknownArchitectureKeepsNames) {
  TinyLlama().Write(source_);
  EditConfig("model_type", "somethingnew");
  ConvertRequest request = Request("x");
  request.scheme = "4bit";
  const Plan plan = PlanOf(request);
  EXPECT_TRUE(HasNotice(plan, "architecture \"somethingnew\" is not known"));
  EXPECT_EQ(LabelOf(plan, "model.layers.0.mlp.up_proj.weight"), "4bit/64");
  EXPECT_EQ(LabelOf(plan, "model.norm.weight"), "bf16");
  request.strict = true;
  EXPECT_NE(ErrorOf(request, ErrorCode::kInvalid).find("not known"), std::string::npos);
}

TEST_F(ConvertTest, ContradictionsOfTheConfigAreRefused) {
  TinyLlama().Write(source_);
  EditConfig("vocab_size", 97);
  EXPECT_NE(ErrorOf(Request("x"), ErrorCode::kInvalid).find("vocab_size"), std::string::npos);
  EditConfig("vocab_size", 96);
  EditConfig("num_hidden_layers", 3);
  EXPECT_NE(ErrorOf(Request("x"), ErrorCode::kInvalid).find("num_hidden_layers"),
            std::string::npos);
  EditConfig("num_hidden_layers", 2);
  Json method = Json::MakeObject();
  method.Set("quant_method", "spqr");
  EditConfig("quantization_config", std::move(method));
  EXPECT_NE(ErrorOf(Request("x"), ErrorCode::kInvalid).find("spqr"), std::string::npos);
  std::filesystem::remove(source_ + "/config.json");
  EXPECT_NE(ErrorOf(Request("x"), ErrorCode::kInvalid).find("config.json"), std::string::npos);
}

TEST_F(ConvertTest, TargetsRefuseWhatTheyCannotHold) {
  TinyLlama().Write(source_);
  ConvertRequest request = Request("x.gguf");
  request.scheme = "3bit";
  EXPECT_NE(ErrorOf(request, ErrorCode::kUsage).find("Q3_K_M"), std::string::npos);
  request = Request("x");
  request.scheme = "4bit";
  request.target = TargetKind::kHuggingFace;
  EXPECT_NE(ErrorOf(request, ErrorCode::kUsage).find("--to mlx"), std::string::npos);
  request.target.reset();
  request.scheme = "4bits";
  EXPECT_NE(ErrorOf(request, ErrorCode::kUsage).find("did you mean"), std::string::npos);
  request.scheme = "4bit";
  request.group_size = 48;
  EXPECT_NE(ErrorOf(request, ErrorCode::kUsage).find("48"), std::string::npos);
}

TEST_F(ConvertTest, SearchLowersTheErrorAndIsForAffineSchemesOnly) {
  TinyLlama().Write(source_);
  ConvertRequest request = Request("x");
  request.scheme = "4bit";
  RunOptions options;
  options.no_output = options.measure = true;
  const auto squared_error = [&] {
    double sum = 0;
    for (const ErrorSums& errors : RunPlan(PlanOf(request), options).errors) {
      sum += errors.squared_error;
    }
    return sum;
  };
  const double plain = squared_error();
  request.search = true;
  EXPECT_LT(squared_error(), 0.9 * plain);
  request.scheme = "mxfp4";
  EXPECT_NE(ErrorOf(request, ErrorCode::kUsage).find("--search"), std::string::npos);
}

TEST_F(ConvertTest, BareFilesDescribeTheirSchemesThemselves) {
  TinyLlama().Write(source_);
  ConvertRequest request = Request("q4.safetensors");
  request.source = source_ + "/model.safetensors";
  request.scheme = "4bit";
  Run(request);
  const Checkpoint read = OpenCheckpoint(folder_ / "q4.safetensors");
  EXPECT_EQ(SchemeLabel(read.Find("lm_head.weight")->encoding), "4bit/64");

  ConvertRequest back = Request("back.safetensors");
  back.source = request.destination;
  back.dequantize = true;
  Run(back);
  EXPECT_EQ(ReadSafetensors(folder_ / "back.safetensors").at("lm_head.weight").size(),
            96U * 64 * 2);
}

TEST_F(ConvertTest, ShardsKeepATensorTogetherAndAnIndexLastButOne) {
  TinyLlama().Write(source_);
  ConvertRequest request = Request("shards");
  request.scheme = "4bit";
  request.shard_size = 6000;
  const Plan plan = PlanOf(request);
  EXPECT_GT(plan.layout.files.size(), 3U);
  for (const PlannedTensor& tensor : plan.tensors) {
    for (const OutputPlane& plane : tensor.output.planes) {
      EXPECT_EQ(plane.file, tensor.output.planes[0].file) << tensor.output.name;
    }
  }
  ASSERT_EQ(plan.texts.size(), 3U);
  EXPECT_EQ(plan.texts[0].name, "README.md");
  EXPECT_EQ(plan.texts[1].name, "model.safetensors.index.json");
  EXPECT_EQ(plan.texts[2].name, "config.json");
  Run(request);
  ConvertRequest single = Request("single");
  single.scheme = "4bit";
  Run(single);
  std::map<std::string, std::string> joined;
  for (const OutputFile& file : plan.layout.files) {
    joined.merge(ReadSafetensors((folder_ / "shards") + "/" + file.name));
  }
  EXPECT_TRUE(joined == ReadSafetensors(folder_ / "single/model.safetensors"));
}

TEST_F(ConvertTest, RequestSurvivesJson) {
  ConvertRequest request = Request("x");
  request.scheme = "4bit";
  request.group_size = 32;
  request.rule = MlxRule::kCpu;
  request.dtype = DType::kF16;
  request.target = TargetKind::kMlx;
  request.rules = {{"a", "8bit"}, {"b", ""}};
  request.shard_size = 12;
  request.strict = request.dequantize = true;
  EXPECT_EQ(ConvertRequest::FromJson(request.ToJson()).ToJson(), request.ToJson());
  Json damaged = request.ToJson();
  damaged.Set("mlx_rule", "cuda");
  EXPECT_THROW(ConvertRequest::FromJson(damaged), Error);
  damaged.Erase("mlx_rule");
  EXPECT_THROW(ConvertRequest::FromJson(damaged), Error);
}

TEST_F(ConvertTest, PathsThatOverlapAreRefused) {
  TinyLlama().Write(source_);
  ASSERT_EQ(symlink(source_.c_str(), (folder_ / "alias").c_str()), 0);
  const std::string file = source_ + "/model.safetensors";
  ASSERT_EQ(link(file.c_str(), (folder_ / "hard.safetensors").c_str()), 0);
  const auto refused = [](const std::string& from, const std::string& to) {
    try {
      CheckPathsApart(from, to);
    } catch (const Error& error) {
      return error.code() == ErrorCode::kUsage;
    }
    return false;
  };
  EXPECT_TRUE(refused(source_, source_));
  EXPECT_TRUE(refused(source_, source_ + "/"));
  EXPECT_TRUE(refused(source_, folder_ / "alias"));
  EXPECT_TRUE(refused(folder_ / "alias", source_ + "/../source"));
  EXPECT_TRUE(refused(source_, source_ + "/inner"));
  EXPECT_TRUE(refused(source_, folder_.path()));
  EXPECT_TRUE(refused(file, folder_ / "hard.safetensors"));
  EXPECT_TRUE(refused(file, source_));
  EXPECT_FALSE(refused(source_, folder_ / "other"));
  EXPECT_FALSE(refused(source_, source_ + "2"));
  EXPECT_FALSE(refused(file, source_ + "/other.safetensors"));
}

}  // namespace
}  // namespace lbrx

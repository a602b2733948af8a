#include "convert/retrace.h"

#include "convert/test_gguf.h"

namespace lbrx {
namespace {

// How every tensor comes about.
std::map<std::string, std::string> RecipesOf(const Plan& plan) {
  std::map<std::string, std::string> recipes;
  for (const PlannedTensor& tensor : plan.tensors) {
    std::string& recipe = recipes[tensor.output.name];
    recipe = SchemeLabel(tensor.output.encoding) + " " +
             std::string(Name(tensor.output.encoding.dtype)) + " " + tensor.output.shape.ToString();
    for (const ValuePtr& copy : tensor.copies) {
      recipe += " copy " + copy->Describe();
    }
    if (tensor.value != nullptr) {
      recipe += " " + tensor.value->Describe();
    }
  }
  return recipes;
}

class RetraceTest : public ::testing::Test {
 protected:
  static ModelSource Open(const ConvertRequest& request) {
    return SourceOf(std::make_shared<const Checkpoint>(OpenModel(request.source)));
  }

  // Makes an output, and finds the plan again that made it.
  void Check(const ConvertRequest& asked) const {
    const std::string path = Made(asked);
    ConvertRequest request = RequestFor(asked.source, path);
    const Checkpoint made = OpenCheckpoint(path);
    SetTargetAs(made, path, request);
    EXPECT_EQ(RecipesOf(Retrace(request, made, Open)), RecipesOf(PlanConvert(asked, Open(asked))))
        << path;
  }

  ConvertRequest Request(const std::string& name) const {
    return RequestFor(TestData("merge/base"), folder_ / name);
  }

  const TempDir folder_;
};

TEST_F(RetraceTest, FindsSchemes) {
  int count = 0;
  for (const char* scheme : {"2bit", "4bit", "6bit", "mixed_2_6", "mxfp4", "mxfp8", "nvfp4"}) {
    ConvertRequest request = Request("scheme" + std::to_string(count++));
    request.scheme = scheme;
    Check(request);
  }
}

TEST_F(RetraceTest, FindsGroupsAndRules) {
  ConvertRequest request = Request("rules");
  request.scheme = "4bit";
  request.group_size = 32;
  request.rules = {{.regex = "v_proj", .scheme = "8bit/64"}, {.regex = "embed", .scheme = ""}};
  Check(request);
}

TEST_F(RetraceTest, FindsTheDType) {
  int count = 0;
  for (const DType dtype : {DType::kF16, DType::kBF16, DType::kF32}) {
    for (const char* scheme : {"", "4bit", "mxfp4"}) {
      ConvertRequest request = Request("dtype" + std::to_string(count++));
      request.dtype = dtype;
      if (*scheme != '\0') {
        request.scheme = scheme;
      }
      Check(request);
    }
  }
}

TEST_F(RetraceTest, FindsKindsOfOutputs) {
  ConvertRequest request = Request("floats");
  request.target = TargetKind::kMlx;
  Check(request);
  Check(Request("bare.safetensors"));
  Check(Request("file.gguf"));
  request = Request("types.gguf");
  request.scheme = "Q8_0";
  request.gguf.tensor_types = {{.regex = "ffn_up", .type = "Q4_0"},
                               {.regex = "attn_k", .type = "F16"}};
  Check(request);
}

TEST_F(RetraceTest, FindsWhatCameOfGguf) {
  ConvertRequest quantized = Request("q.gguf");
  quantized.scheme = "Q4_1";
  Made(quantized);
  ConvertRequest request = RequestFor(quantized.destination, folder_ / "back");
  Check(request);
  request = RequestFor(quantized.destination, folder_ / "mlx");
  request.target = TargetKind::kMlx;
  Check(request);
  request = RequestFor(folder_ / "mlx", folder_ / "again.gguf");
  Check(request);
}

// What the options ask for comes before what the output shows.
TEST_F(RetraceTest, FollowsOptionsThatChooseSchemes) {
  ConvertRequest request = Request("4bit");
  request.scheme = "4bit";
  const Checkpoint made = OpenCheckpoint(Made(request));
  request.scheme = "8bit";
  const Plan plan = Retrace(request, made, Open);
  EXPECT_EQ(SchemeLabel(plan.tensors[0].output.encoding), "8bit/64");
}

TEST_F(RetraceTest, RefusesWhatNothingWrites) {
  Checkpoint torch;
  torch.format = "torch";
  ConvertRequest request;
  try {
    SetTargetAs(torch, "pytorch_model.bin", request);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace lbrx

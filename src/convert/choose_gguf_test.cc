// --target-bpw and --target-size over GGUF's types, against llama-quantize's file types.
#include <array>
#include <mutex>
#include <set>

#include "convert/test_choose.h"
#include "convert/test_gguf.h"
#include "core/base/format.h"
#include "core/tensor/ggml_types.h"
#include "formats/gguf/keys.h"
#include "quant/gguf/file_types.h"

namespace lbrx {
namespace {

// The summed squared error of a plan's tensors, each column's weighted by its importance.
double TotalError(const Plan& plan) {
  std::vector<double> errors(plan.tensors.size(), 0);
  std::mutex mutex;
  RunOptions options;
  options.threads = 1;
  options.no_output = true;
  options.measure = true;
  options.observe = [&](size_t tensor, std::span<const float> values,
                        std::span<const float> decoded) {
    const auto& weights = plan.tensors[tensor].importance;
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const double off = double{decoded[i]} - double{values[i]};
      sum += off * off * (weights == nullptr ? 1.0 : double{(*weights)[i % weights->size()]});
    }
    const std::lock_guard lock(mutex);
    errors[tensor] += sum;
  };
  RunPlan(plan, options);
  double total = 0;
  for (const double error : errors) {
    total += error;
  }
  return total;
}

uint64_t WeightsOf(const Plan& plan) {
  uint64_t weights = 0;
  for (const PlannedTensor& tensor : plan.tensors) {
    weights += tensor.output.shape.elements();
  }
  return weights;
}

uint64_t TensorBytes(const Plan& plan) {
  uint64_t bytes = 0;
  for (const PlannedTensor& tensor : plan.tensors) {
    bytes += tensor.output.planes[0].bytes;
  }
  return bytes;
}

std::set<std::string> ChosenTypes(const ConvertRequest& request) {
  std::set<std::string> types;
  for (const ConvertRequest::Choice& choice : request.choices) {
    types.insert(choice.scheme);
  }
  return types;
}

class ChooseGguf : public ::testing::Test {
 protected:
  ChooseGguf() { request_.command = "quantize"; }

  static ModelSource Open(const std::string& path) {
    return SourceOf(std::make_shared<const Checkpoint>(OpenModel(path)));
  }

  ConvertRequest Chosen() const { return lbrx::Chosen(request_, source_); }

  // At least as good as a file type at its size, from `family`.
  void ExpectBeaten(const char* family, std::initializer_list<const char*> file_types) {
    request_.scheme = family;
    request_.target_size = 1;  // stands for any: the survey is the same
    const Plan survey = PlanSurvey(request_, source_);
    const RunResult measured = Measure(survey);
    for (const char* file_type : file_types) {
      ConvertRequest fixed_request = request_;
      fixed_request.target_size.reset();
      fixed_request.scheme = file_type;
      const Plan fixed = PlanConvert(fixed_request, source_);
      request_.target_size = fixed.OutputBytes();
      const Plan plan = PlanConvert(ChooseSchemes(request_, source_, survey, measured), source_);
      EXPECT_LE(plan.OutputBytes(), fixed.OutputBytes()) << file_type;
      EXPECT_LE(TotalError(plan), TotalError(fixed)) << file_type;
    }
  }

  TempDir folder_;
  ConvertRequest request_ = RequestFor(TestData("bard-base"), folder_ / "model.gguf");
  ModelSource source_ = Open(TestData("bard-base"));
};

TEST_F(ChooseGguf, BeatsEveryFileTypeAtItsSize) {
  ExpectBeaten("Q4_K_M", {"Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S",
                          "Q5_K_M", "Q6_K", "Q8_0"});
  ExpectBeaten("Q4_0", {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"});
  ExpectBeaten("IQ4_XS", {"IQ3_S", "IQ3_M", "IQ4_XS", "IQ4_NL"});
}

TEST_F(ChooseGguf, BeatsThemWithImportanceToo) {
  request_.gguf.imatrix = TestData("imatrix/imatrix.gguf");
  ExpectBeaten("Q4_K_M", {"Q2_K_S", "Q4_K_M"});
  ExpectBeaten("IQ4_XS", {"IQ1_S", "IQ2_XXS", "IQ2_M", "IQ3_XXS"});
}

TEST_F(ChooseGguf, WhatTheSurveySaysIsWhatTheRunMeasures) {
  request_.target_bpw = 4.25;
  for (const char* imatrix : {"", "imatrix/imatrix.gguf"}) {
    request_.gguf.imatrix = *imatrix == '\0' ? "" : TestData(imatrix);
    const ConvertRequest chosen = Chosen();
    double said = 0;
    for (const ConvertRequest::Choice& choice : chosen.choices) {
      said += choice.squared_error;
    }
    const double measured = TotalError(PlanConvert(chosen, source_));
    EXPECT_NEAR(said, measured, measured * 1e-6) << imatrix;
  }
}

TEST_F(ChooseGguf, TheTensorsKeepToTheBits) {
  for (const double bits : {3.25, 4.5, 6.0, 12.0, 16.5}) {
    request_.target_bpw = bits;
    const Plan plan = PlanConvert(Chosen(), source_);
    const double spent =
        static_cast<double>(TensorBytes(plan)) * 8 / static_cast<double>(WeightsOf(plan));
    EXPECT_LE(spent, bits);
    if (bits < 16) {
      EXPECT_GT(spent, bits * 0.97) << "bits were left unused";
    }
  }
}

TEST_F(ChooseGguf, TheFileKeepsToTheSizeAndSaysWhatItIs) {
  request_.target_size = 4'000'000;
  const ConvertRequest chosen = Chosen();
  Execute(chosen);
  EXPECT_LE(std::filesystem::file_size(chosen.destination), 4'000'000U);
  const Checkpoint made = OpenCheckpoint(chosen.destination);
  std::map<Scheme, uint64_t> weights;
  for (const SourceTensor& tensor : made.tensors) {
    weights[tensor.encoding.scheme] += tensor.shape.elements();
    if (tensor.name.find("norm") != std::string::npos) {
      EXPECT_EQ(tensor.encoding, Plain(DType::kF32)) << tensor.name;
    }
  }
  const auto most =
      std::max_element(weights.begin(), weights.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  EXPECT_GT(weights.size(), 2U) << "one type for all is no choice";
  EXPECT_EQ(made.gguf->Uint("general.file_type"),
            static_cast<uint32_t>(FindFileType(FindGgmlType(most->first).name)->id));
}

TEST_F(ChooseGguf, DoesNotDependOnThreadsAndSurvivesThePlanFile) {
  request_.target_bpw = 3.5;
  const ConvertRequest one = lbrx::Chosen(request_, source_, 1);
  const ConvertRequest seven = lbrx::Chosen(request_, source_, 7);
  EXPECT_EQ(WriteJson(one.ToJson()), WriteJson(seven.ToJson()));
  const ConvertRequest read = ConvertRequest::FromJson(one.ToJson());
  EXPECT_FALSE(NeedsSurvey(read));
  EXPECT_EQ(PlanHash(PlanConvert(read, source_)).Hex(), PlanHash(PlanConvert(one, source_)).Hex());
}

TEST_F(ChooseGguf, TheFileTypeNamesOnlyTheFamily) {
  request_.target_bpw = 5;
  const std::map<std::string, std::set<std::string>> families = {
      {"", {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_0", ""}},
      {"Q3_K_L", {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_0", ""}},
      {"Q5_1", {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q6_K", "Q8_0", ""}},
      {"IQ4_NL", {"IQ3_S", "IQ4_XS", "IQ4_NL", "Q5_K", "Q6_K", "Q8_0", ""}}};
  for (const auto& [name, family] : families) {
    request_.scheme = name.empty() ? std::nullopt : std::optional(name);
    const Plan survey = PlanSurvey(request_, source_);
    for (const PlannedTensor& tensor : survey.tensors) {
      for (const Encoding& candidate : tensor.candidates) {
        const std::string label = IsBlock(candidate.scheme) ? SchemeLabel(candidate) : "";
        EXPECT_TRUE(family.contains(label)) << name << ": " << label;
      }
    }
  }
}

TEST_F(ChooseGguf, TypesThatNeedImportanceAreTakenOnlyWithIt) {
  request_.scheme = "IQ2_S";
  request_.target_bpw = 3.9;
  const std::set<std::string> needy = {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS"};
  for (const std::string& type : ChosenTypes(Chosen())) {
    EXPECT_FALSE(needy.contains(type)) << type;
  }
  request_.gguf.imatrix = TestData("imatrix/imatrix.gguf");
  request_.target_bpw = 2.5;
  size_t found = 0;
  for (const std::string& type : ChosenTypes(Chosen())) {
    found += needy.count(type);
  }
  EXPECT_GT(found, 1U);
  // The matrix has no weights for these, as llama-imatrix measures the layers alone.
  for (const ConvertRequest::Choice& choice : Chosen().choices) {
    if (choice.tensor == "token_embd.weight" || choice.tensor == "output.weight") {
      EXPECT_FALSE(needy.contains(choice.scheme)) << choice.tensor << " " << choice.scheme;
    }
  }
}

TEST_F(ChooseGguf, RulesComeFirst) {
  request_.target_bpw = 5;
  request_.gguf.tensor_types = {{.regex = "attn_v", .type = "Q8_0"}};
  request_.gguf.token_embedding_type = "Q5_1";
  request_.gguf.leave_output_tensor = true;
  const ConvertRequest chosen = Chosen();
  for (const ConvertRequest::Choice& choice : chosen.choices) {
    EXPECT_EQ(choice.tensor.find("attn_v"), std::string::npos);
    EXPECT_NE(choice.tensor, "token_embd.weight");
    EXPECT_NE(choice.tensor, "output.weight");
  }
  for (const PlannedTensor& tensor : PlanConvert(chosen, source_).tensors) {
    const std::string label = SchemeLabel(tensor.output.encoding);
    if (tensor.output.name.find("attn_v") != std::string::npos) {
      EXPECT_EQ(label, "Q8_0");
    } else if (tensor.output.name == "token_embd.weight") {
      EXPECT_EQ(label, "Q5_1");
    } else if (tensor.output.name == "output.weight") {
      EXPECT_EQ(label, "bf16");
    }
  }
}

// Blocks of 256 do not divide its rows.
TEST_F(ChooseGguf, TakesOnlyTypesThatDivideTheRows) {
  CopyArchitecture("llama", folder_ / "tiny");
  request_.source = folder_ / "tiny";
  request_.target_bpw = 6;
  source_ = Open(request_.source);
  const ConvertRequest chosen = Chosen();
  const std::set<std::string> fitting = {"Q4_0", "Q5_0", "Q5_1", "Q8_0", ""};
  EXPECT_FALSE(chosen.choices.empty());
  for (const std::string& type : ChosenTypes(chosen)) {
    EXPECT_TRUE(fitting.contains(type)) << type;
  }
  EXPECT_EQ(Execute(chosen).find("in place of"), std::string::npos);
}

// A tensor that has the best type already is copied, which costs no error.
TEST_F(ChooseGguf, AQuantizedSourceStaysWhereItFits) {
  ConvertRequest first = request_;
  first.scheme = "Q6_K";
  first.destination = folder_ / "q6.gguf";
  Execute(first);
  request_.source = first.destination;
  source_ = Open(request_.source);
  request_.target_size = std::filesystem::file_size(first.destination) + 100;
  EXPECT_EQ(ChosenTypes(Chosen()), std::set<std::string>{""});
  Execute(Chosen());
  ExpectSameArrays(ArraysOf(request_.destination), ArraysOf(first.destination));
  request_.target_size = std::filesystem::file_size(first.destination) * 3 / 4;
  EXPECT_GT(ChosenTypes(Chosen()).size(), 1U);
}

TEST_F(ChooseGguf, ASizeThatNothingReachesIsRefusedNamingTheSmallest) {
  request_.target_size = 1000;
  std::string said;
  try {
    Chosen();
    FAIL() << "1000 bytes were enough";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    said = error.what();
  }
  const size_t at = said.find("at least ");
  ASSERT_NE(at, std::string::npos) << said;
  request_.target_size = std::stoull(said.substr(at + 9));
  EXPECT_EQ(PlanConvert(Chosen(), source_).OutputBytes(), *request_.target_size);
  *request_.target_size -= 1;
  EXPECT_THROW(Chosen(), Error);
}

TEST_F(ChooseGguf, FileTypesWithoutAFamilyAreRefused) {
  request_.target_bpw = 5;
  for (const char* scheme : {"F16", "TQ1_0", "Q2_0", "NVFP4", "mxfp4", "COPY", "4bit"}) {
    request_.scheme = scheme;
    EXPECT_THROW(PlanSurvey(request_, source_), Error) << scheme;
  }
}

}  // namespace
}  // namespace lbrx

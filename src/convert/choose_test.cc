#include "convert/choose.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "convert/test_choose.h"
#include "formats/checkpoint.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

using Source = ModelSource;

// Over all tensors that are quantized; the others are exact.
double TotalError(const Plan& plan) {
  double total = 0;
  for (const ErrorSums& errors : Measure(plan).errors) {
    total += errors.squared_error;
  }
  return total;
}

ConvertRequest RequestFor(const std::string& source) {
  ConvertRequest request;
  request.command = "quantize";
  request.source = source;
  request.destination = "out";
  return request;
}

class ChooseModelTest : public ::testing::TestWithParam<std::string> {
 protected:
  ConvertRequest request_ = RequestFor(GetParam());
  Source source_ = SourceOf(std::make_shared<const Checkpoint>(OpenCheckpoint(GetParam())));
};

TEST_P(ChooseModelTest, BeatsEveryFixedSchemeAndRecipeAtItsSize) {
  request_.target_size = 1;  // stands for any: the survey is the same
  const Plan survey = PlanSurvey(request_, source_);
  const RunResult measured = Measure(survey);
  for (const char* scheme :
       {"2bit", "3bit", "4bit", "5bit", "6bit", "8bit", "mxfp4", "mxfp8", "nvfp4", "mixed_2_6",
        "mixed_3_4", "mixed_3_6", "mixed_4_6", "mixed_4_8"}) {
    ConvertRequest fixed_request = RequestFor(GetParam());
    fixed_request.scheme = scheme;
    const Plan fixed = PlanConvert(fixed_request, source_);
    request_.target_size = fixed.OutputBytes();
    const ConvertRequest chosen = ChooseSchemes(request_, source_, survey, measured);
    const Plan plan = PlanConvert(chosen, source_);
    EXPECT_LE(plan.OutputBytes(), fixed.OutputBytes()) << scheme;
    EXPECT_LT(TotalError(plan), TotalError(fixed)) << scheme;
  }
}

TEST_P(ChooseModelTest, WhatTheSurveySaysIsWhatTheRunMeasures) {
  request_.target_bpw = 4.25;
  const ConvertRequest chosen = Chosen(request_, source_);
  double said = 0;
  for (const ConvertRequest::Choice& choice : chosen.choices) {
    said += choice.squared_error;
  }
  const double measured = TotalError(PlanConvert(chosen, source_));
  EXPECT_NEAR(said, measured, measured * 1e-6);
}

TEST_P(ChooseModelTest, AllBytesOfTheTensorFilesCount) {
  for (const double bits : {2.75, 4.0, 5.5, 9.0, 16.5}) {
    request_.target_bpw = bits;
    const Plan plan = PlanConvert(Chosen(request_, source_), source_);
    uint64_t weights = 0;
    uint64_t bytes = 0;
    for (const PlannedTensor& tensor : plan.tensors) {
      weights += tensor.output.shape.elements();
    }
    for (const OutputFile& file : plan.layout.files) {
      bytes += file.size;
    }
    const double spent = static_cast<double>(bytes) * 8 / static_cast<double>(weights);
    EXPECT_LE(spent, bits);
    if (bits < 16) {
      EXPECT_GT(spent, bits * 0.97) << "bits were left unused";
    }
  }
}

TEST_P(ChooseModelTest, DoesNotDependOnThreadsAndSurvivesThePlanFile) {
  request_.target_bpw = 3.5;
  const ConvertRequest one = Chosen(request_, source_, 1);
  const ConvertRequest seven = Chosen(request_, source_, 7);
  EXPECT_EQ(WriteJson(one.ToJson()), WriteJson(seven.ToJson()));
  const ConvertRequest read = ConvertRequest::FromJson(one.ToJson());
  EXPECT_FALSE(NeedsSurvey(read));
  EXPECT_EQ(PlanHash(PlanConvert(read, source_)).Hex(), PlanHash(PlanConvert(one, source_)).Hex());
}

INSTANTIATE_TEST_SUITE_P(Models, ChooseModelTest,
                         ::testing::Values(LBRX_TEST_DATA "/bard-base",
                                           LBRX_TEST_DATA "/../../models/tiny-llama"),
                         [](const auto& row) {
                           return std::string(row.index == 0 ? "BardBase" : "TinyLlama");
                         });

class ChooseTest : public ::testing::Test {
 protected:
  ChooseTest() { TinyLlama().Write(folder_ / "model"); }

  Source Open() const {
    return SourceOf(std::make_shared<const Checkpoint>(OpenCheckpoint(path_)));
  }

  TempDir folder_;
  std::string path_ = folder_ / "model";
};

TEST_F(ChooseTest, TheSchemeNamesOnlyTheFamily) {
  ConvertRequest request = RequestFor(path_);
  request.target_bpw = 5;
  request.scheme = "4bit";
  for (const ConvertRequest::Choice& choice : Chosen(request, Open()).choices) {
    EXPECT_TRUE(choice.scheme.empty() || choice.scheme.find("bit") != std::string::npos)
        << choice.scheme;
  }
  request.scheme = "mxfp4";
  for (const ConvertRequest::Choice& choice : Chosen(request, Open()).choices) {
    EXPECT_EQ(choice.scheme.find("bit"), std::string::npos) << choice.scheme;
  }
  request.scheme = "4bit";
  request.group_size = 32;
  for (const ConvertRequest::Choice& choice : Chosen(request, Open()).choices) {
    EXPECT_TRUE(choice.scheme.empty() || choice.scheme.ends_with("/32")) << choice.scheme;
  }
}

TEST_F(ChooseTest, RulesComeFirst) {
  ConvertRequest request = RequestFor(path_);
  request.target_bpw = 7;
  request.rules = {{.regex = "lm_head", .scheme = ""}, {.regex = "q_proj", .scheme = "2bit/32"}};
  const Source source = Open();
  const ConvertRequest chosen = Chosen(request, source);
  for (const ConvertRequest::Choice& choice : chosen.choices) {
    EXPECT_EQ(choice.tensor.find("lm_head"), std::string::npos);
    EXPECT_EQ(choice.tensor.find("q_proj"), std::string::npos);
  }
  for (const PlannedTensor& tensor : PlanConvert(chosen, source).tensors) {
    if (tensor.output.name == "lm_head.weight") {
      EXPECT_EQ(SchemeLabel(tensor.output.encoding), "bf16");
    }
    if (tensor.output.name.find("q_proj") != std::string::npos) {
      EXPECT_EQ(SchemeLabel(tensor.output.encoding), "2bit/32");
    }
  }
}

TEST_F(ChooseTest, ASizeThatNothingReachesIsRefusedNamingTheSmallest) {
  ConvertRequest request = RequestFor(path_);
  request.target_size = 1000;
  try {
    Chosen(request, Open());
    FAIL() << "1000 bytes were enough";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("--target-size: too small"), std::string::npos)
        << error.what();
  }
  request.target_size.reset();
  request.target_bpw = 0.5;
  EXPECT_THROW(Chosen(request, Open()), Error);
}

}  // namespace
}  // namespace lbrx

#include "convert/choose.h"

#include <cmath>

#include "convert/allocate.h"
#include "convert/target.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// Bytes that count against the limit. Not a GGUF file's header, which has the tokenizer in it.
uint64_t CountedBytes(const ConvertRequest& request, const Plan& plan) {
  if (request.target_size) {
    return plan.OutputBytes();
  }
  uint64_t bytes = 0;
  if (IsGgufName(request.destination)) {
    for (const PlannedTensor& tensor : plan.tensors) {
      bytes += EncodedBytes(tensor.output.encoding, tensor.output.shape);
    }
    return bytes;
  }
  for (const OutputFile& file : plan.layout.files) {
    bytes += file.size;
  }
  return bytes;
}

uint64_t Limit(const ConvertRequest& request, const Plan& plan) {
  if (request.target_size) {
    return *request.target_size;
  }
  uint64_t weights = 0;
  for (const PlannedTensor& tensor : plan.tensors) {
    weights += tensor.output.shape.elements();
  }
  return static_cast<uint64_t>(*request.target_bpw * static_cast<double>(weights) / 8);
}

std::string Figure(const ConvertRequest& request, const Plan& plan, uint64_t bytes) {
  if (request.target_size) {
    return Format("{} bytes", bytes);
  }
  ConvertRequest one = request;
  one.target_bpw = 8;
  return Format("{:.3f} bits per weight",
                static_cast<double>(bytes) * 8 / static_cast<double>(Limit(one, plan)));
}

[[noreturn]] void ThrowTooSmall(const ConvertRequest& request, const Plan& smallest) {
  ErrorDetail detail;
  detail.object = request.target_size ? "--target-size" : "--target-bpw";
  detail.what = "too small for this model";
  detail.expected =
      Format("at least {}", Figure(request, smallest, CountedBytes(request, smallest)));
  detail.found = request.target_size ? Format("{} bytes", *request.target_size)
                                     : Format("{}", *request.target_bpw);
  detail.advice = "nothing was written";
  throw Error(ErrorCode::kUsage, std::move(detail));
}

class Chooser {
 public:
  Chooser(const ConvertRequest& request, const ModelSource& source, const Plan& survey,
          const RunResult& measured)
      : request_(request), source_(source), survey_(survey), measured_(measured) {
    for (size_t i = 0; i < survey.tensors.size(); ++i) {
      const PlannedTensor& tensor = survey.tensors[i];
      std::vector<Choosable>& ways = ways_.emplace_back();
      for (size_t k = 0; k < tensor.candidates.size(); ++k) {
        ways.push_back({.bytes = EncodedBytes(tensor.candidates[k], tensor.output.shape),
                        .error = measured.surveyed[i][k]});
      }
    }
  }

  // Headers and the config depend a little on what is chosen: the budget shrinks until all fits.
  ConvertRequest Choose() {
    Fill(*Allocate(ways_, Smallest()));
    Plan plan = PlanConvert(request_, source_);
    const uint64_t limit = Limit(request_, plan);
    if (CountedBytes(request_, plan) > limit) {
      ThrowTooSmall(request_, plan);
    }
    uint64_t budget = limit - (CountedBytes(request_, plan) - Smallest());
    for (;;) {
      const auto taken = Allocate(ways_, std::max(budget, Smallest()));
      Fill(*taken);
      plan = PlanConvert(request_, source_);
      const uint64_t bytes = CountedBytes(request_, plan);
      if (bytes <= limit || budget <= Smallest()) {
        return request_;
      }
      budget = budget > bytes - limit ? budget - (bytes - limit) : 0;
    }
  }

 private:
  uint64_t Smallest() const {
    uint64_t bytes = 0;
    for (const std::vector<Choosable>& ways : ways_) {
      bytes += std::min_element(ways.begin(), ways.end(), [](const auto& a, const auto& b) {
                 return a.bytes < b.bytes;
               })->bytes;
    }
    return bytes;
  }

  void Fill(const std::vector<size_t>& taken) {
    request_.choices.clear();
    for (size_t i = 0; i < taken.size(); ++i) {
      const PlannedTensor& tensor = survey_.tensors[i];
      const bool stays = taken[i] + 1 == tensor.candidates.size();
      request_.choices.push_back({.tensor = tensor.output.name,
                                  .scheme = stays ? "" : SchemeLabel(tensor.candidates[taken[i]]),
                                  .squared_error = measured_.surveyed[i][taken[i]]});
    }
  }

  ConvertRequest request_;
  const ModelSource& source_;
  const Plan& survey_;
  const RunResult& measured_;
  std::vector<std::vector<Choosable>> ways_;
};

}  // namespace

bool NeedsSurvey(const ConvertRequest& request) {
  return (request.target_bpw || request.target_size) && request.choices.empty();
}

ConvertRequest ChooseSchemes(const ConvertRequest& request, const ModelSource& source,
                             const Plan& survey, const RunResult& measured) {
  return Chooser(request, source, survey, measured).Choose();
}

}  // namespace lbrx

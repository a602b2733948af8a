#include "check/verify.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "check/band_comparison.h"
#include "core/base/format.h"
#include "core/base/hash.h"

namespace lbrx {
namespace {

// What tensors of a kind have in common.
std::string KindOf(const PlannedTensor& tensor) {
  std::string kind;
  for (const char c : tensor.output.name) {
    if (c < '0' || c > '9') {
      kind += c;
    }
  }
  return kind + " " + SchemeLabel(tensor.output.encoding) + (tensor.copies.empty() ? "" : " copy");
}

uint64_t BytesOf(const OutputTensor& tensor) {
  return EncodedBytes(tensor.encoding, tensor.shape);
}

// Whether the stored bytes mean the same. Only plain and affine tensors show their dtype.
bool IsSameEncoding(const Encoding& a, const Encoding& b) {
  const bool typed = a.scheme == Scheme::kPlain || a.scheme == Scheme::kAffine;
  return a.scheme == b.scheme && a.bits == b.bits && a.group == b.group &&
         (!typed || a.dtype == b.dtype);
}

// A scheme and the type of its scales, where it has one.
std::string Label(const Encoding& encoding) {
  const std::string label = SchemeLabel(encoding);
  return encoding.scheme == Scheme::kAffine ? Format("{} {}", label, Name(encoding.dtype)) : label;
}

std::string PlaneLabel(const std::vector<Plane>& planes, size_t i) {
  const std::string_view main = planes.size() == 1 ? "data" : "weight";
  return std::string(planes[i].suffix.empty() ? main : planes[i].suffix);
}

class Verifier {
 public:
  Verifier(Plan plan, const Checkpoint& made, bool all, const RunOptions& options)
      : plan_(std::move(plan)), made_(made), all_(all), options_(options) {}

  Verification Run() {
    result_.tensors = plan_.tensors.size();
    CompareNames();
    KeepComparable();
    result_.compared = plan_.tensors.size();
    CompareBytes();
    return std::move(result_);
  }

 private:
  void Report(const std::string& file, const std::string& object, std::string what,
              std::string expected, std::string found, std::optional<uint64_t> offset = {}) {
    result_.problems.push_back({Severity::kError,
                                {.file = file,
                                 .object = object,
                                 .what = std::move(what),
                                 .expected = std::move(expected),
                                 .found = std::move(found),
                                 .offset = offset,
                                 .advice = {}}});
  }

  void CompareNames() {
    std::set<std::string_view> planned;
    for (const PlannedTensor& tensor : plan_.tensors) {
      planned.insert(tensor.output.name);
    }
    for (const SourceTensor& tensor : made_.tensors) {
      if (!planned.contains(tensor.name)) {
        Report(FileOf(tensor), tensor.name, "the source gives no such tensor", {}, {});
      }
    }
  }

  const std::string& FileOf(const SourceTensor& tensor) const {
    return made_.files[made_.arrays[tensor.planes[0]].file].path;
  }

  // Whether there are bytes to compare; else it is a problem.
  bool IsComparable(const PlannedTensor& tensor) {
    const OutputTensor& wanted = tensor.output;
    const SourceTensor* found = made_.Find(wanted.name);
    if (found == nullptr) {
      Report(made_.path, wanted.name, "is missing",
             Format("{} {}", Label(wanted.encoding), wanted.shape.ToString()), {});
    } else if (!(found->shape == wanted.shape)) {
      Report(FileOf(*found), wanted.name, "has another shape", wanted.shape.ToString(),
             found->shape.ToString());
    } else if (!IsSameEncoding(found->encoding, wanted.encoding)) {
      Report(FileOf(*found), wanted.name, "is stored in another way", Label(wanted.encoding),
             Label(found->encoding));
    } else {
      return true;
    }
    return false;
  }

  void KeepComparable() {
    std::erase_if(plan_.tensors,
                  [&](const PlannedTensor& tensor) { return !IsComparable(tensor); });
    if (!all_) {
      std::vector<PlannedTensor> sample;
      for (const size_t i : SampleTensors(plan_)) {
        sample.push_back(std::move(plan_.tensors[i]));
      }
      plan_.tensors = std::move(sample);
    }
  }

  void CompareBytes() {
    std::vector<const SourceTensor*> stored;
    for (const PlannedTensor& tensor : plan_.tensors) {
      stored.push_back(made_.Find(tensor.output.name));
    }
    const SourceFiles::Checkpoints files = {{std::shared_ptr<const void>(), &made_}};
    BandComparison comparison(plan_, files, stored);
    RunOptions options = options_;
    options.no_output = true;
    options.receive = [&](const BandResult& band) { comparison.Take(band); };
    RunPlan(plan_, options);
    comparison.CheckUnchanged();
    result_.bytes = comparison.bytes();
    for (size_t i = 0; i < stored.size(); ++i) {
      ReportDifferences(*stored[i], comparison.sums()[i]);
    }
  }

  void ReportDifferences(const SourceTensor& tensor, const BandComparison::TensorSums& sums) {
    const std::vector<Plane> planes = PlanesOf(tensor.encoding, tensor.shape);
    for (size_t i = 0; i < planes.size(); ++i) {
      if (sums.planes[i].different == 0) {
        continue;
      }
      const StoredArray& array = made_.arrays[tensor.planes[i]];
      const PlaneDifference difference = {.tensor = tensor.name,
                                          .plane = PlaneLabel(planes, i),
                                          .file = made_.files[array.file].path,
                                          .offset = array.offset + sums.planes[i].first,
                                          .bytes = sums.planes[i].different,
                                          .size = array.bytes,
                                          .max_difference = sums.max_difference};
      Report(difference.file, difference.tensor,
             Format("{} of {} bytes of its {} differ from what the source gives, its values by up "
                    "to {:.4g}",
                    difference.bytes, difference.size, difference.plane, sums.max_difference),
             {}, {}, difference.offset);
      result_.differences.push_back(difference);
    }
  }

  Plan plan_;
  const Checkpoint& made_;
  bool all_;
  const RunOptions& options_;
  Verification result_;
};

}  // namespace

std::vector<size_t> SampleTensors(const Plan& plan) {
  std::vector<std::pair<uint64_t, size_t>> order;  // by hash of the name
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    order.emplace_back(Hash64(std::as_bytes(std::span(plan.tensors[i].output.name))), i);
  }
  std::sort(order.begin(), order.end());
  std::set<std::string> kinds;
  std::vector<size_t> sample;
  std::vector<size_t> others;
  uint64_t bytes = 0;
  for (const auto& [hash, i] : order) {
    const bool first = kinds.insert(KindOf(plan.tensors[i])).second;
    (first ? sample : others).push_back(i);
    bytes += first ? BytesOf(plan.tensors[i].output) : 0;
  }
  for (const size_t i : others) {
    bytes += BytesOf(plan.tensors[i].output);
    if (sample.size() >= kSampleTensors || bytes > kSampleBytes) {
      break;
    }
    sample.push_back(i);
  }
  std::sort(sample.begin(), sample.end());
  return sample;
}

Verification VerifyOutput(Plan plan, const Checkpoint& made, bool all, const RunOptions& options) {
  return Verifier(std::move(plan), made, all, options).Run();
}

}  // namespace lbrx

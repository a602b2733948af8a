#include "check/repair/gguf_repair.h"

#include <algorithm>
#include <set>
#include <span>

#include "check/repair/fill.h"
#include "check/repair/gguf_places.h"
#include "core/base/format.h"
#include "formats/gguf/gguf.h"
#include "stream/lay_out_plan.h"

namespace lbrx {
namespace {

class GgufRepairer {
 public:
  GgufRepairer(const RepairRequest& request, std::shared_ptr<const Checkpoint> reference)
      : request_(request), reference_(std::move(reference)) {
    source_.path = request.source;
    source_.format = "gguf";
    source_.reason = "being repaired";
  }

  Repair Run() {
    const std::optional<GgufPartName> name = ParseGgufPartName(request_.source);
    if (name && name->count > 1) {
      ReadSet(*name);
    } else {
      RequireGguf();
      ReadPart(request_.source, nullptr);
    }
    if (source_.arrays.empty() && out_.lost.empty() && !has_keys_) {
      ThrowNothing("no header can be read");
    }
    TakeKeys();
    LoseWhatReferenceHas();
    BuildPlan();
    return std::move(out_);
  }

 private:
  [[noreturn]] void ThrowNothing(const std::string& why) const {
    throw Error(ErrorCode::kInvalid, {.file = request_.source,
                                      .object = {},
                                      .what = "nothing of it can be saved: " + why,
                                      .expected = {},
                                      .found = {},
                                      .offset = {},
                                      .advice = "download it again"});
  }

  // Of a file by itself a header that cannot be read leaves nothing.
  void RequireGguf() const {
    std::vector<Problem> problems;
    OpenOptions options;
    options.collect_problems = true;
    ProblemSink sink(options, problems);
    ReadGgufDirectory(*File::OpenRead(request_.source), sink);
  }

  void ReadSet(GgufPartName name) {
    std::string missing;
    for (name.number = 1; name.number <= name.count; ++name.number) {
      const std::string path = FormatGgufPartName(name);
      if (!IsRegularFile(path) || !ReadPart(path, &name)) {
        missing += (missing.empty() ? "" : ", ") + std::to_string(name.number);
      }
    }
    if (!missing.empty()) {
      const uint64_t known = source_.arrays.size() + out_.lost.size();
      unnamed_ = Lost{"?",
                      {},
                      total_ > known ? Format("{} tensors of part {}, which is missing or damaged",
                                              total_ - known, missing)
                                     : Format("part {} is missing or damaged", missing)};
    }
  }

  // False: nothing can be known of the part.
  bool ReadPart(const std::string& path, const GgufPartName* name) {
    const std::shared_ptr<File> file = File::OpenRead(path);
    std::vector<Problem> problems;
    OpenOptions options;
    options.collect_problems = true;
    ProblemSink sink(options, problems);
    GgufDirectory directory;
    try {
      directory = ReadGgufDirectory(*file, sink);
    } catch (const Error& error) {
      out_.files.push_back({BaseName(path), 0, 0, error.detail().what});
      return false;
    }
    if (name != nullptr && directory.keys.Uint("split.no") != name->number - 1) {
      out_.files.push_back({BaseName(path), 0, 0, "not this part of the set"});
      return false;
    }
    const DataFile data{path, file->GetFingerprint()};
    GgufPlaces places =
        PlaceGgufTensors(data, directory, static_cast<uint32_t>(source_.files.size()));
    for (const Problem& problem : problems) {
      if (problem.severity == Severity::kError) {
        places.mended.push_back({path, problem.detail.object, problem.detail.what + "; left out"});
      }
    }
    TellFile(path, places);
    source_.files.push_back(data);
    total_ = std::max(total_, directory.keys.Uint("split.tensors.count").value_or(0));
    if (name == nullptr || name->number == 1) {
      has_keys_ = true;
      version_ = directory.version;
      keys_ = std::move(directory.keys);
    }
    Add(std::move(places));
    return true;
  }

  void TellFile(const std::string& path, const GgufPlaces& places) {
    uint64_t bytes = 0;
    for (const GgufArray& made : places.arrays) {
      bytes += made.array.bytes;
    }
    const bool whole = places.lost.empty() && places.mended.empty();
    out_.files.push_back(
        {BaseName(path), places.arrays.size(), bytes, whole ? "whole" : "damaged"});
    out_.tensors += places.arrays.size();
    out_.bytes += bytes;
  }

  void Add(GgufPlaces places) {
    for (GgufArray& made : places.arrays) {
      source_.tensors.push_back(
          GgufTensor(made.array, *made.type, static_cast<uint32_t>(source_.arrays.size())));
      source_.arrays.push_back(std::move(made.array));
    }
    out_.mended.insert(out_.mended.end(), places.mended.begin(), places.mended.end());
    out_.lost.insert(out_.lost.end(), places.lost.begin(), places.lost.end());
    for (GgufArray& made : places.cut) {
      cut_.push_back(std::move(made));
    }
  }

  void TakeKeys() {
    if (!has_keys_ && reference_ != nullptr && reference_->gguf != nullptr) {
      keys_ = *reference_->gguf;
      out_.mended.push_back({request_.source, "keys", "taken from the reference"});
    } else if (!has_keys_) {
      out_.lost.push_back({"keys of the model", {}, "part 1, which holds them, is missing"});
    }
    for (const char* key : {"split.no", "split.count", "split.tensors.count"}) {
      keys_.Remove(key);
    }
    const GgufValue* alignment = keys_.Find(kGgufAlignmentKey);
    if (alignment != nullptr && CheckGgufAlignment(*alignment)) {
      keys_.Remove(kGgufAlignmentKey);
    }
  }

  // Of a part that is gone only another file can tell what was in it.
  void LoseWhatReferenceHas() {
    if (!unnamed_) {
      return;
    }
    if (reference_ == nullptr) {
      out_.lost.push_back(*unnamed_);
      return;
    }
    std::set<std::string_view> known;
    for (const SourceTensor& tensor : source_.tensors) {
      known.insert(tensor.name);
    }
    for (const Lost& lost : out_.lost) {
      known.insert(lost.tensor);
    }
    std::vector<Lost> more;
    for (const SourceTensor& tensor : reference_->tensors) {
      if (known.count(tensor.name) == 0) {
        more.push_back({tensor.name, EncodedBytes(tensor.encoding, tensor.shape),
                        "its part is missing or damaged"});
      }
    }
    out_.lost.insert(out_.lost.end(), more.begin(), more.end());
  }

  void BuildPlan() {
    Plan& plan = out_.plan;
    plan.command = "repair";
    plan.request = request_.ToJson();
    source_.BuildIndex();
    plan.sources.push_back(std::make_shared<const Checkpoint>(std::move(source_)));
    if (reference_ != nullptr) {
      plan.sources.push_back(reference_);
    }
    for (const SourceTensor* tensor : GgufFileOrder(*plan.sources[0])) {
      PlanCopy(*tensor, LoadArray(plan.sources, 0, tensor->planes.front(), /*check=*/false));
    }
    for (Lost& lost : out_.lost) {
      Fill(lost);
    }
    GgufTarget target;
    target.keys = &keys_;
    target.version = version_;
    LayOutPlan(plan,
               [&](std::vector<OutputTensor>& outputs) { return LayOutGguf(outputs, target); });
  }

  void PlanCopy(const SourceTensor& tensor, ValuePtr copy) {
    PlannedTensor planned;
    planned.output = OutputTensor(tensor.name, tensor.encoding, tensor.shape);
    planned.source_label = SchemeLabel(tensor.encoding);
    planned.copies = {std::move(copy)};
    out_.plan.tensors.push_back(std::move(planned));
  }

  void Fill(Lost& lost) {
    const auto kind = std::find_if(cut_.begin(), cut_.end(), [&](const GgufArray& made) {
      return made.array.name == lost.tensor;
    });
    const bool known = kind != cut_.end();
    if (request_.fill == RepairRequest::Fill::kZeros && known) {
      PlanCopy(GgufTensor(kind->array, *kind->type, 0),
               Zeros(kind->array.dtype, kind->array.shape));
      lost.filled = "zeros";
    }
    const SourceTensor* other =
        request_.fill == RepairRequest::Fill::kReference ? reference_->Find(lost.tensor) : nullptr;
    if (other == nullptr || reference_->format != "gguf") {
      return;
    }
    const SourceTensor wanted = known ? GgufTensor(kind->array, *kind->type, 0) : *other;
    if (wanted.encoding == other->encoding && wanted.shape == other->shape) {
      PlanCopy(*other, LoadArray(out_.plan.sources, 1, other->planes.front(), /*check=*/false));
      lost.filled = "reference";
    }
  }

  const RepairRequest& request_;
  std::shared_ptr<const Checkpoint> reference_;
  Checkpoint source_;
  GgufKeys keys_;
  bool has_keys_ = false;
  uint32_t version_ = 3;
  uint64_t total_ = 0;           // tensors of the set, as its parts say
  std::optional<Lost> unnamed_;  // what missing parts held
  std::vector<GgufArray> cut_;   // lost, but of known kind
  Repair out_;
};

}  // namespace

bool IsGgufSource(const std::string& path) {
  if (ParseGgufPartName(path)) {
    return true;
  }
  if (!IsRegularFile(path)) {
    return false;
  }
  const std::shared_ptr<File> file = File::OpenRead(path);
  std::string head(std::min<uint64_t>(file->Size(), 4), '\0');
  file->ReadAt(0, std::as_writable_bytes(std::span(head)));
  return IsGgufFile(head);
}

Repair PlanGgufRepair(const RepairRequest& request, std::shared_ptr<const Checkpoint> reference) {
  if (request.fill == RepairRequest::Fill::kReference && reference == nullptr) {
    throw Error(ErrorCode::kUsage, "--fill reference needs a --reference");
  }
  return GgufRepairer(request, std::move(reference)).Run();
}

}  // namespace lbrx

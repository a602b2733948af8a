#include "convert/convert.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "convert/arrange.h"
#include "convert/choose.h"
#include "convert/folder.h"
#include "convert/gguf_plan.h"
#include "convert/selection.h"
#include "convert/target.h"
#include "core/base/format.h"
#include "core/tensor/convert.h"
#include "core/tensor/ggml_types.h"
#include "formats/mlx/mlx.h"
#include "quant/recode.h"
#include "stream/lay_out_plan.h"
#include "stream/layout.h"
#include "stream/recode.h"

namespace lbrx {
namespace {

// What a GGUF block type became in MLX.
struct Change {
  std::string from;
  std::string to;
  std::string_view how;

  bool operator<(const Change& other) const {
    return std::tie(from, to, how) < std::tie(other.from, other.to, other.how);
  }
};

// Plans a folder, or a bare file, step by step; one object a conversion.
class Planner {
 public:
  Planner(const ConvertRequest& request, ModelSource source, const Checkpoint* made = nullptr)
      : request_(request),
        made_(request.AsksForSchemes() ? nullptr : made),
        selection_(request),
        target_(ResolveTarget(request, selection_)),
        from_(request, std::move(source), target_, plan_) {}

  Plan Build() {
    const std::vector<NamedValue> arranged = from_.Tensors(plan_);
    plan_.tensors.reserve(arranged.size());
    for (const NamedValue& tensor : arranged) {
      Add(tensor);
    }
    RefuseEmpty(plan_, from_.source());
    NoteLosses();
    selection_.Finish(request_.strict, plan_.notices);
    LayOutTensors();
    if (target_ != TargetKind::kSafetensors) {
      AddFolderFiles(request_, from_, target_, quantization_, plan_);
    }
    return std::move(plan_);
  }

  Plan BuildSurvey() {
    for (const NamedValue& tensor : from_.Tensors(plan_)) {
      AddToSurvey(tensor);
    }
    return std::move(plan_);
  }

 private:
  static bool IsConvertible(const NamedValue& tensor) {
    return tensor.encoded || Info(tensor.value->dtype()).floating;
  }

  // What the selection needs to know; refers to `tensor`.
  Selection::Candidate CandidateOf(const NamedValue& tensor) const {
    return {.name = tensor.name,
            .source_name = tensor.stored == nullptr ? tensor.name : tensor.stored->name,
            .shape = tensor.value->shape(),
            .known_architecture = from_.facts().naming.architecture != nullptr,
            .meaning = from_.naming().Resolve(tensor.name),
            .layers = from_.facts().layers};
  }

  void AddToSurvey(const NamedValue& tensor) {
    if (!IsConvertible(tensor)) {
      return;
    }
    const DType dtype = from_.types().ForEncoding(tensor.value->dtype());
    std::vector<Encoding> candidates = selection_.CandidatesFor(CandidateOf(tensor));
    if (candidates.empty()) {
      return;
    }
    for (Encoding& candidate : candidates) {
      candidate.dtype = dtype;
    }
    const auto coarsest =
        std::max_element(candidates.begin(), candidates.end(),
                         [](const Encoding& a, const Encoding& b) { return a.group < b.group; });
    PlannedTensor planned = BeginTensor(tensor, *coarsest);
    planned.value = CastTo(tensor.value, dtype);
    planned.encode = {.rule = request_.rule, .search = request_.search};
    planned.candidates = std::move(candidates);
    planned.candidates.push_back(Plain(dtype));
    plan_.tensors.push_back(std::move(planned));
  }

  void Add(const NamedValue& tensor) {
    if (const SourceTensor* made = made_ == nullptr ? nullptr : made_->Find(tensor.name)) {
      AddAsMade(tensor, made->encoding);
      return;
    }
    std::optional<Encoding> encoding;
    bool is_nearest = false;
    if (IsConvertible(tensor) && !request_.dequantize) {
      encoding = selection_.For(CandidateOf(tensor));
      if (!encoding && !selection_.wants_schemes() && target_ == TargetKind::kMlx) {
        encoding = NearestOf(tensor);
        is_nearest = encoding.has_value();
      }
    }
    const std::optional<Codes> codes = CodesInMlx(tensor, /*rounded=*/is_nearest);
    const bool carried = CanCarry(codes, encoding);
    if (carried) {
      Carry(tensor, *codes);
    } else if (encoding) {
      Encode(tensor, *encoding);
    } else {
      Float(tensor);
    }
    if (target_ == TargetKind::kMlx && tensor.encoded && IsBlock(tensor.encoding.scheme)) {
      ++blocks_[{std::string(FindGgmlType(tensor.encoding.scheme).name),
                 SchemeLabel(plan_.tensors.back().output.encoding),
                 HowCarried(tensor.encoding.scheme, carried)}];
    }
  }

  // In the scheme that was made of it, by the way that needs no -q where there is one.
  void AddAsMade(const NamedValue& tensor, const Encoding& made) {
    const bool scheme = IsConvertible(tensor) && made.scheme != Scheme::kPlain &&
                        !IsBlock(made.scheme) && CanEncode(made, tensor.value->shape());
    const std::optional<Codes> codes = CodesInMlx(tensor, /*rounded=*/true);
    if (codes && IsSameScheme(codes->encoding, made)) {
      Carry(tensor, *codes);
    } else if (scheme) {
      Encode(tensor, made);
    } else {
      Float(tensor);
    }
  }

  static bool IsSameScheme(const Encoding& a, const Encoding& b) {
    return a.scheme == b.scheme && a.bits == b.bits && a.group == b.group;
  }

  static std::string_view HowCarried(Scheme block, bool carried) {
    if (!carried) {
      return "rounded anew";
    }
    return MlxTwin(block) ? "the same numbers" : "the same codes, scales rounded to f16";
  }

  // What a block type of GGUF's becomes where nothing else is asked for.
  std::optional<Encoding> NearestOf(const NamedValue& tensor) const {
    const TensorMeaning meaning = from_.naming().Resolve(tensor.name);
    const std::optional<Encoding> nearest = NearestInMlx(tensor.encoding.scheme);
    const bool fits = nearest && meaning.rule != nullptr &&
                      meaning.rule->kind != ModuleKind::kOther &&
                      CanEncode(*nearest, tensor.value->shape());
    return fits ? nearest : std::nullopt;
  }

  // A tensor's codes as MLX has them; nullopt: it has none, or MLX no scheme for the same numbers,
  // nor, where scales may be `rounded`, for the same codes.
  std::optional<Codes> CodesInMlx(const NamedValue& tensor, bool rounded) const {
    if (tensor.planes.empty() || request_.dequantize || target_ == TargetKind::kHuggingFace) {
      return std::nullopt;
    }
    Codes codes{tensor.encoding, tensor.planes};
    if (!IsBlock(tensor.encoding.scheme)) {
      return codes;
    }
    if (!rounded && !MlxTwin(tensor.encoding.scheme)) {
      return std::nullopt;
    }
    SourceFiles files(plan_.sources);
    Pool pool;
    return target_ == TargetKind::kMlx && CanCarryToMlx(codes, files, pool) ? CodesForMlx(codes)
                                                                            : std::nullopt;
  }

  // Codes go over as they are where the scheme stays, or nothing else was asked for.
  bool CanCarry(const std::optional<Codes>& codes, const std::optional<Encoding>& wanted) const {
    if (!codes) {
      return false;
    }
    if (!wanted || !selection_.wants_schemes()) {
      return !request_.scheme;
    }
    return IsSameScheme(codes->encoding, *wanted);
  }

  void Carry(const NamedValue& tensor, const Codes& codes) {
    PlannedTensor planned = BeginTensor(tensor, codes.encoding);
    planned.copies = codes.planes;
    plan_.tensors.push_back(std::move(planned));
  }

  void Encode(const NamedValue& tensor, Encoding encoding) {
    if (request_.search && encoding.scheme != Scheme::kAffine) {
      throw Error(ErrorCode::kUsage,
                  Format("--search is for the affine schemes, not {}; leave it out",
                         SchemeLabel(encoding)));
    }
    encoding.dtype = from_.types().ForEncoding(tensor.value->dtype());
    requantized_ += tensor.encoded ? 1 : 0;
    PlannedTensor planned = BeginTensor(tensor, encoding);
    planned.value = CastTo(tensor.value, encoding.dtype);
    planned.encode = {.rule = request_.rule, .search = request_.search};
    plan_.tensors.push_back(std::move(planned));
  }

  void Float(const NamedValue& tensor) {
    decoded_ += tensor.encoded ? 1 : 0;
    plan_.tensors.push_back(FloatTensor(tensor, from_.types().For(tensor)));
  }

  void NoteLosses() {
    for (const auto& [change, count] : blocks_) {
      plan_.notices.push_back(Format("{} {} as {}: {}", count, change.from, change.to, change.how));
    }
    if (requantized_ > 0 && selection_.wants_schemes()) {
      plan_.notices.push_back(Format(
          "{} tensors are quantized already: they are quantized anew from their values, which "
          "adds the error of {} to the one they have; start from the floats if you can",
          requantized_, selection_.label()));
    }
    if (decoded_ > 0 && !request_.dequantize && blocks_.empty()) {
      plan_.notices.push_back(Format(
          "{} quantized tensors are decoded to floats, as {}", decoded_,
          IsForeign() ? "their scheme cannot be written; -q quantizes them anew"
                      : "a Hugging Face folder cannot hold their scheme; --to mlx keeps it"));
    }
  }

  // Whether another library quantized the source.
  bool IsForeign() const {
    return std::any_of(from_.source().tensors.begin(), from_.source().tensors.end(),
                       [](const SourceTensor& tensor) {
                         return tensor.transposed || !IsWritable(tensor.encoding.scheme);
                       });
  }

  void LayOutTensors() {
    LayOutPlan(plan_, [&](std::vector<OutputTensor>& outputs) {
      if (const std::optional<Encoding> main = MainEncoding(selection_, outputs)) {
        quantization_ = MlxQuantizationBlock(outputs, *main);
      }
      return LayOut(target_, outputs, request_.shard_size.value_or(kShardSize), Metadata());
    });
    plan_.texts = std::move(plan_.layout.texts);
    plan_.layout.texts.clear();
  }

  // A bare file cannot describe its schemes in a config.json: its own metadata does.
  std::map<std::string, std::string> Metadata() const {
    if (target_ != TargetKind::kSafetensors) {
      return SpellingMetadata();
    }
    std::map<std::string, std::string> metadata = from_.source().metadata;
    metadata.erase("quantization");
    metadata["format"] = quantization_.is_object() ? "mlx" : "pt";
    if (quantization_.is_object()) {
      metadata["quantization"] = WriteJson(quantization_);
    }
    return metadata;
  }

  // Names in MLX are the same whatever the source's were: they are given back from this.
  std::map<std::string, std::string> SpellingMetadata() const {
    if (target_ != TargetKind::kMlx || from_.naming() == from_.naming().Usual().InMlx()) {
      return {};
    }
    return {{std::string(kSpellingKey), std::string(from_.naming().hugging_face->name)}};
  }

  const ConvertRequest& request_;
  const Checkpoint* made_;  // where its schemes are to be followed; else null
  Selection selection_;
  TargetKind target_;
  Plan plan_;
  Arrangement from_;
  std::map<Change, size_t> blocks_;
  size_t requantized_ = 0;
  size_t decoded_ = 0;
  Json quantization_;
};

}  // namespace

Plan PlanSurvey(const ConvertRequest& request, ModelSource source) {
  return IsGgufName(request.destination) ? PlanGgufSurvey(request, std::move(source))
                                         : Planner(request, std::move(source)).BuildSurvey();
}

Plan PlanConvert(const ConvertRequest& request, ModelSource source, const Checkpoint* made) {
  return IsGgufName(request.destination) ? PlanGguf(request, std::move(source), made)
                                         : Planner(request, std::move(source), made).Build();
}

Plan PlanConvert(const ConvertRequest& request, std::shared_ptr<const Checkpoint> source) {
  return PlanConvert(request, SourceOf(std::move(source)));
}

}  // namespace lbrx

#include "convert/convert.h"

#include <algorithm>

#include "convert/choose.h"
#include "convert/facts.h"
#include "convert/float_types.h"
#include "convert/folder.h"
#include "convert/gguf_file.h"
#include "convert/selection.h"
#include "convert/target.h"
#include "core/base/format.h"
#include "core/tensor/convert.h"
#include "formats/mlx/mlx.h"
#include "stream/layout.h"

namespace lbrx {
namespace {

// Builds the plan step by step; one object a conversion.
class Planner {
 public:
  Planner(const ConvertRequest& request, std::shared_ptr<const Checkpoint> source)
      : request_(request),
        selection_(request),
        target_(ResolveTarget(request, selection_)),
        source_(std::move(source)) {
    plan_.command = request.command;
    plan_.request = request.ToJson();
    plan_.sources = {source_};
    facts_ = CheckSource(*source_, target_, request.strict, plan_.notices);
    if (request.text_only) {
      CheckTextOnly(facts_, plan_.notices);
    }
    naming_ = NamingInTarget(request, target_, facts_);
    types_.emplace(request_, plan_.sources, facts_, target_, naming_);
  }

  Plan Build() {
    NoteUnknownTensors();
    const std::vector<NamedValue> arranged = Arranged();
    plan_.tensors.reserve(arranged.size());
    for (const NamedValue& tensor : arranged) {
      Add(tensor);
    }
    RefuseNothing();
    NoteLosses();
    selection_.Finish(request_.strict, plan_.notices);
    LayOutTensors();
    if (target_ != TargetKind::kSafetensors && target_ != TargetKind::kGguf) {
      AddFolderFiles(request_, *source_, facts_, target_, quantization_, plan_);
    }
    return std::move(plan_);
  }

  Plan BuildSurvey() {
    for (const NamedValue& tensor : Arranged()) {
      AddToSurvey(tensor);
    }
    return std::move(plan_);
  }

 private:
  // The source's tensors under the names and in the shapes of the target.
  std::vector<NamedValue> Arranged() {
    std::vector<NamedValue> tensors = AsStored(plan_.sources, 0);
    if (request_.text_only) {
      std::erase_if(tensors,
                    [&](const NamedValue& tensor) { return facts_.naming.IsOther(tensor.name); });
    }
    std::erase_if(tensors, [&](const NamedValue& tensor) { return IsDropped(tensor.name); });
    const Json& config = TextConfig(source_->config);
    tensors = Rearrange(facts_.naming, naming_, config, std::move(tensors));
    if (IsToGguf()) {
      std::vector<NamedValue> rotary = RotaryTensors(facts_, config);
      std::move(rotary.begin(), rotary.end(), std::back_inserter(tensors));
    }
    return tensors;
  }

  // Whether another container's model becomes a GGUF file.
  bool IsToGguf() const { return target_ == TargetKind::kGguf && source_->gguf == nullptr; }

  bool IsFromGguf() const { return target_ != TargetKind::kGguf && source_->gguf != nullptr; }

  // What the target has no place for.
  bool IsDropped(const std::string& name) {
    if (IsFromGguf() && IsRotaryTensor(name)) {
      return true;
    }
    if (target_ != TargetKind::kMlx && !IsToGguf()) {
      return false;
    }
    const TensorMeaning meaning = facts_.naming.Resolve(name);
    if (meaning.rule == nullptr) {
      return false;
    }
    if (meaning.layer && *meaning.layer >= facts_.layers) {
      ++dropped_;
      return true;
    }
    const Role role = meaning.rule->role;
    return role == Role::kRopeFrequencies || role == Role::kAttentionMask ||
           (role == Role::kOutput && facts_.tied);
  }

  static bool IsConvertible(const NamedValue& tensor) {
    return tensor.encoded || Info(tensor.value->dtype()).floating;
  }

  // What the selection needs to know; refers to `tensor`.
  Selection::Candidate CandidateOf(const NamedValue& tensor) const {
    return {.name = tensor.name,
            .source_name = tensor.stored == nullptr ? tensor.name : tensor.stored->name,
            .shape = tensor.value->shape(),
            .known_architecture = facts_.naming.architecture != nullptr,
            .meaning = naming_.Resolve(tensor.name),
            .layers = facts_.layers};
  }

  void AddToSurvey(const NamedValue& tensor) {
    if (!IsConvertible(tensor)) {
      return;
    }
    const DType dtype = types_->ForEncoding(tensor.value->dtype());
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
    PlannedTensor planned = Begin(tensor, *coarsest);
    planned.value = CastTo(tensor.value, dtype);
    planned.encode = {.rule = request_.rule, .search = request_.search};
    planned.candidates = std::move(candidates);
    planned.candidates.push_back(Plain(dtype));
    plan_.tensors.push_back(std::move(planned));
  }

  void Add(const NamedValue& tensor) {
    std::optional<Encoding> encoding;
    if (IsConvertible(tensor) && !request_.dequantize) {
      encoding = selection_.For(CandidateOf(tensor));
    }
    if (CanCarry(tensor, encoding)) {
      Carry(tensor);
    } else if (encoding) {
      Encode(tensor, *encoding);
    } else {
      Float(tensor);
    }
  }

  // Codes go over as they are where the scheme stays, or nothing else was asked for.
  bool CanCarry(const NamedValue& tensor, const std::optional<Encoding>& wanted) const {
    if (tensor.planes.empty() || request_.dequantize || target_ == TargetKind::kHuggingFace ||
        IsBlock(tensor.encoding.scheme) != (target_ == TargetKind::kGguf)) {
      return false;
    }
    const Encoding& has = tensor.encoding;
    if (!wanted) {
      return !request_.scheme;
    }
    return wanted->scheme == has.scheme && wanted->bits == has.bits && wanted->group == has.group;
  }

  void Carry(const NamedValue& tensor) {
    PlannedTensor planned = Begin(tensor, tensor.encoding);
    planned.copies = tensor.planes;
    plan_.tensors.push_back(std::move(planned));
  }

  void Encode(const NamedValue& tensor, Encoding encoding) {
    if (request_.search && encoding.scheme != Scheme::kAffine) {
      throw Error(ErrorCode::kUsage,
                  Format("--search is for the affine schemes, not {}; leave it out",
                         SchemeLabel(encoding)));
    }
    encoding.dtype = types_->ForEncoding(tensor.value->dtype());
    requantized_ += tensor.encoded ? 1 : 0;
    PlannedTensor planned = Begin(tensor, encoding);
    planned.value = CastTo(tensor.value, encoding.dtype);
    planned.encode = {.rule = request_.rule, .search = request_.search};
    plan_.tensors.push_back(std::move(planned));
  }

  void Float(const NamedValue& tensor) {
    decoded_ += tensor.encoded ? 1 : 0;
    const DType dtype = types_->For(tensor);
    PlannedTensor planned = Begin(tensor, Plain(dtype));
    planned.value = CastTo(tensor.value, dtype);
    plan_.tensors.push_back(std::move(planned));
  }

  static PlannedTensor Begin(const NamedValue& tensor, const Encoding& encoding) {
    PlannedTensor planned;
    planned.output = OutputTensor(tensor.name, encoding, tensor.value->shape());
    planned.source_label = tensor.label;
    return planned;
  }

  void RefuseNothing() const {
    if (plan_.tensors.empty()) {
      throw Error(ErrorCode::kInvalid, {.file = source_->path,
                                        .object = "",
                                        .what = "has no tensors",
                                        .expected = "at least one",
                                        .found = "0",
                                        .offset = {},
                                        .advice = "nothing was written"});
    }
  }

  void NoteUnknownTensors() {
    std::vector<std::string> unknown;
    for (const SourceTensor& tensor : source_->tensors) {
      if (facts_.naming.architecture != nullptr && !facts_.naming.IsOther(tensor.name) &&
          facts_.naming.Resolve(tensor.name).rule == nullptr && !IsRotaryTensor(tensor.name)) {
        unknown.push_back(tensor.name);
      }
    }
    if (unknown.empty()) {
      return;
    }
    const std::string_view architecture = facts_.naming.architecture->name;
    if (request_.strict || IsToGguf()) {
      throw Error(
          ErrorCode::kInvalid,
          {.file = source_->path,
           .object = unknown[0],
           .what =
               Format("{} tensors are not known to architecture {}", unknown.size(), architecture),
           .expected = IsToGguf() ? "names that GGUF has too" : "known names only (--strict)",
           .found = "this one first",
           .offset = {},
           .advice = IsToGguf() ? "" : "leave out --strict to carry them as they are"});
    }
    plan_.notices.push_back(
        Format("{} tensors that architecture {} does not know are carried as they are, {} first",
               unknown.size(), architecture, Printable(unknown[0])));
  }

  void NoteLosses() {
    if (requantized_ > 0) {
      plan_.notices.push_back(Format(
          "{} tensors are quantized already: they are quantized anew from their values, which "
          "adds the error of {} to the one they have; start from the floats if you can",
          requantized_, selection_.label()));
    }
    if (decoded_ > 0 && !request_.dequantize) {
      plan_.notices.push_back(Format(
          "{} quantized tensors are decoded to floats, as {}", decoded_,
          IsForeign() ? "their scheme cannot be written; -q quantizes them anew"
                      : "a Hugging Face folder cannot hold their scheme; --to mlx keeps it"));
    }
    if (dropped_ > 0) {
      plan_.notices.push_back(
          Format("{} tensors of {} prediction layers beyond the last are left out, as MLX has no "
                 "place for "
                 "them",
                 dropped_, facts_.prediction_layers));
    }
  }

  // Whether another library quantized the source.
  bool IsForeign() const {
    return std::any_of(source_->tensors.begin(), source_->tensors.end(),
                       [](const SourceTensor& tensor) {
                         return tensor.transposed || !IsWritable(tensor.encoding.scheme);
                       });
  }

  void LayOutTensors() {
    if (target_ == TargetKind::kGguf) {
      OrderForGguf(*source_, plan_.tensors);
      keys_ = KeysForGguf(request_, *source_, facts_, plan_);
    }
    std::vector<OutputTensor> outputs;
    outputs.reserve(plan_.tensors.size());
    for (PlannedTensor& tensor : plan_.tensors) {
      outputs.push_back(std::move(tensor.output));
    }
    if (const std::optional<Encoding> main = MainEncoding(selection_, outputs)) {
      quantization_ = MlxQuantizationBlock(outputs, *main);
    }
    if (target_ == TargetKind::kGguf) {
      plan_.layout = LayOutForGguf(request_, *source_, keys_, outputs);
    } else {
      plan_.layout = LayOut(target_, outputs, request_.shard_size.value_or(kShardSize), Metadata());
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      plan_.tensors[i].output = std::move(outputs[i]);
    }
    plan_.texts = std::move(plan_.layout.texts);
    plan_.layout.texts.clear();
  }

  // A bare file cannot describe its schemes in a config.json: its own metadata does.
  std::map<std::string, std::string> Metadata() const {
    if (target_ != TargetKind::kSafetensors) {
      return SpellingMetadata();
    }
    std::map<std::string, std::string> metadata = source_->metadata;
    metadata.erase("quantization");
    metadata["format"] = quantization_.is_object() ? "mlx" : "pt";
    if (quantization_.is_object()) {
      metadata["quantization"] = WriteJson(quantization_);
    }
    return metadata;
  }

  // Names in MLX are the same whatever the source's were: they are given back from this.
  std::map<std::string, std::string> SpellingMetadata() const {
    if (target_ != TargetKind::kMlx || naming_ == naming_.Usual().InMlx()) {
      return {};
    }
    return {{std::string(kSpellingKey), std::string(naming_.hugging_face->name)}};
  }

  const ConvertRequest& request_;
  Selection selection_;
  TargetKind target_;
  std::shared_ptr<const Checkpoint> source_;
  SourceFacts facts_;
  Naming naming_;  // in the output
  size_t requantized_ = 0;
  size_t decoded_ = 0;
  size_t dropped_ = 0;
  Json quantization_;
  std::optional<FloatTypes> types_;
  GgufKeys keys_;
  Plan plan_;
};

}  // namespace

Plan PlanSurvey(const ConvertRequest& request, std::shared_ptr<const Checkpoint> source) {
  return Planner(request, std::move(source)).BuildSurvey();
}

Plan PlanConvert(const ConvertRequest& request, std::shared_ptr<const Checkpoint> source) {
  return Planner(request, std::move(source)).Build();
}

}  // namespace lbrx

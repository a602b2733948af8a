#include "convert/gguf_plan.h"

#include <algorithm>

#include "convert/arrange.h"
#include "convert/gguf_file.h"
#include "convert/gguf_types.h"
#include "convert/importance.h"
#include "core/base/format.h"
#include "formats/gguf/change_keys.h"
#include "stream/lay_out_plan.h"
#include "stream/recode.h"

namespace lbrx {
namespace {

class GgufPlanner {
 public:
  GgufPlanner(const ConvertRequest& request, ModelSource source, const Checkpoint* made = nullptr)
      : request_(request),
        made_(made),
        from_(request, std::move(source), TargetKind::kGguf, plan_),
        types_(request),
        importance_(request.gguf, plan_.notices) {
    if (request.target && *request.target != TargetKind::kGguf) {
      throw Error(ErrorCode::kUsage,
                  "--to names a folder, but the destination is a .gguf file; drop one");
    }
  }

  Plan Build() {
    const std::vector<NamedValue> tensors = Begin();
    const GgufTypes::File file = FileOf(tensors);
    const std::vector<const GgmlType*> types = made_ == nullptr || request_.AsksForSchemes()
                                                   ? types_.For(file, plan_.notices)
                                                   : TypesMade(file);
    for (size_t i = 0; i < tensors.size(); ++i) {
      const bool same = types[i] == file.tensors[i].type;
      Add(tensors[i], sources_[i], stored_[i], same ? stored_[i].encoding : types[i]->encoding);
    }
    if (from_.source().gguf == nullptr) {  // a file of keys alone can be copied
      RefuseEmpty(plan_, from_.source());
    }
    NoteLosses();
    LayOut();
    return std::move(plan_);
  }

  Plan BuildSurvey() {
    const std::vector<NamedValue> tensors = Begin();
    std::vector<std::vector<Encoding>> candidates = types_.Candidates(FileOf(tensors));
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (!candidates[i].empty()) {
        AddToSurvey(tensors[i], sources_[i], std::move(candidates[i]));
      }
    }
    return std::move(plan_);
  }

 private:
  // The file's tensors, while no types are asked for; fills keys_, model_, sources_ and stored_.
  std::vector<NamedValue> Begin() {
    std::vector<NamedValue> tensors = from_.Tensors(plan_);
    OrderForGguf(from_.source(), tensors);
    keys_ =
        KeysForGguf(request_, from_.source(), from_.texts(), from_.facts(), tensors, plan_.notices);
    model_ = MixModelOf(keys_, importance_.any());  // of the source: with all its layers
    sources_ = Prune(tensors);
    for (const NamedValue& tensor : tensors) {
      stored_.push_back(AsStoredIn(tensor));
    }
    NoteForeignImportance();
    return tensors;
  }

  void NoteForeignImportance() {
    if (importance_.any() && !importance_.KnowsOneOf(sources_)) {
      plan_.notices.push_back(
          Format("{} has no weights for any tensor of this model; is it another model's?",
                 request_.gguf.imatrix));
    }
  }

  // How a tensor comes into the file while no other type is asked for.
  struct Stored {
    Encoding encoding;
    std::vector<ValuePtr> planes;  // where codes are carried
  };

  Stored AsStoredIn(const NamedValue& tensor) const {
    Stored plain{Plain(from_.types().For(tensor)), {}};
    if (tensor.planes.empty() || request_.dequantize) {
      return plain;
    }
    if (IsBlock(tensor.encoding.scheme)) {
      return {tensor.encoding, tensor.planes};
    }
    if (types_.asked()) {
      return plain;
    }
    const Codes codes{tensor.encoding, tensor.planes};
    SourceFiles files(plan_.sources);
    Pool pool;
    if (const std::optional<Scheme> twin = BlockTwinOf(codes, files, pool)) {
      Codes carried = CodesForGguf(codes, *twin);
      return {carried.encoding, std::move(carried.planes)};
    }
    return plain;
  }

  // Leaves out layers. Returns what the tensors that are left were called before.
  std::vector<std::string> Prune(std::vector<NamedValue>& tensors) {
    std::vector<std::string> names;
    names.reserve(tensors.size());
    for (const NamedValue& tensor : tensors) {
      names.push_back(tensor.name);
    }
    if (request_.gguf.prune_layers.empty()) {
      return names;
    }
    pruning_.emplace(request_.gguf.prune_layers, names);
    std::vector<std::string> left;
    std::vector<NamedValue> kept;
    for (NamedValue& tensor : tensors) {
      if (const std::optional<std::string> renamed = pruning_->Rename(tensor.name)) {
        left.push_back(tensor.name);
        tensor.name = *renamed;
        kept.push_back(std::move(tensor));
      }
    }
    tensors = std::move(kept);
    return left;
  }

  // The types that `made_` has.
  std::vector<const GgmlType*> TypesMade(const GgufTypes::File& file) const {
    std::vector<const GgmlType*> types;
    for (size_t i = 0; i < file.tensors.size(); ++i) {
      const MixTensor& tensor = file.tensors[i];
      const SourceTensor* made = made_->Find(tensor.name);
      const GgmlType* type = made == nullptr ? nullptr : TypeOf(made->encoding);
      types.push_back(type != nullptr && CanBecome(*type, tensor.shape) ? type : tensor.type);
    }
    return types;
  }

  static bool CanBecome(const GgmlType& type, const Shape& shape) {
    const Encoding& encoding = type.encoding;
    return encoding.scheme == Scheme::kPlain ? Info(encoding.dtype).floating
                                             : CanEncode(encoding, shape);
  }

  GgufTypes::File FileOf(const std::vector<NamedValue>& tensors) const {
    GgufTypes::File file{
        .model = model_, .tensors = {}, .sources = sources_, .importance = importance_};
    for (size_t i = 0; i < tensors.size(); ++i) {
      file.tensors.push_back({.name = tensors[i].name,
                              .shape = tensors[i].value->shape(),
                              .type = TypeOf(stored_[i].encoding)});
    }
    return file;
  }

  void Add(const NamedValue& tensor, const std::string& name, const Stored& stored,
           const Encoding& encoding) {
    if (encoding == stored.encoding && !stored.planes.empty()) {
      PlannedTensor planned = BeginTensor(tensor, encoding);
      planned.copies = stored.planes;
      plan_.tensors.push_back(std::move(planned));
    } else if (encoding.scheme == Scheme::kPlain) {
      decoded_ += tensor.encoded ? 1 : 0;
      plan_.tensors.push_back(FloatTensor(tensor, encoding.dtype));
    } else {
      requantized_ += tensor.encoded ? 1 : 0;
      PlannedTensor planned = BeginTensor(tensor, encoding);
      planned.value = CastTo(tensor.value, DType::kF32);
      planned.importance = importance_.WeightsOf(name, tensor.value->shape());
      plan_.tensors.push_back(std::move(planned));
    }
  }

  void AddToSurvey(const NamedValue& tensor, const std::string& name,
                   std::vector<Encoding> candidates) {
    const auto coarsest =
        std::max_element(candidates.begin(), candidates.end(),
                         [](const Encoding& a, const Encoding& b) { return a.group < b.group; });
    PlannedTensor planned = BeginTensor(tensor, *coarsest);
    planned.value = CastTo(tensor.value, DType::kF32);
    planned.importance = importance_.WeightsOf(name, tensor.value->shape());
    planned.candidates = std::move(candidates);
    plan_.tensors.push_back(std::move(planned));
  }

  void NoteLosses() {
    if (requantized_ > 0 && !request_.gguf.allow_requantize) {
      plan_.notices.push_back(Format(
          "{} tensors are quantized already: they are quantized anew from their values, which "
          "adds the error of {} to the one they have; start from the floats if you can",
          requantized_, types_.label()));
    }
    if (decoded_ > 0 && !request_.dequantize) {
      plan_.notices.push_back(
          Format("{} quantized tensors are decoded to floats, as GGUF has no type for the same "
                 "numbers; -q quantizes them anew",
                 decoded_));
    }
  }

  void LayOut() {
    SetStorageKeys(from_.source(), types_.file_type(), plan_.tensors, keys_);
    for (const std::string& text : request_.gguf.override_kv) {
      GgufKeys::Entry entry = ParseKeyOverride(text);
      SetLast(keys_, entry.first, std::move(entry.second));
    }
    importance_.AddProvenance(keys_);
    if (pruning_) {
      pruning_->ChangeKeys(keys_);
    }
    LayOutPlan(plan_, [&](std::vector<OutputTensor>& outputs) {
      return LayOutForGguf(request_, from_.source(), keys_, sources_, outputs);
    });
    if (made_ != nullptr) {
      plan_.gguf_keys = std::make_shared<const GgufKeys>(std::move(keys_));
    }
  }

  const ConvertRequest& request_;
  const Checkpoint* made_;  // what the plan is compared with; else null
  Plan plan_;
  Arrangement from_;
  GgufTypes types_;
  Importance importance_;
  std::optional<LayerPruning> pruning_;
  GgufKeys keys_;
  MixModel model_;
  std::vector<std::string> sources_;  // names before layers were left out
  std::vector<Stored> stored_;
  size_t requantized_ = 0;
  size_t decoded_ = 0;
};

}  // namespace

Plan PlanGguf(const ConvertRequest& request, ModelSource source, const Checkpoint* made) {
  return GgufPlanner(request, std::move(source), made).Build();
}

Plan PlanGgufSurvey(const ConvertRequest& request, ModelSource source) {
  return GgufPlanner(request, std::move(source)).BuildSurvey();
}

}  // namespace lbrx

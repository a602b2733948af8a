#include "convert/gguf_plan.h"

#include <algorithm>
#include <functional>
#include <map>

#include "convert/arrange.h"
#include "convert/gguf_file.h"
#include "convert/importance.h"
#include "core/base/format.h"
#include "core/tensor/ggml_types.h"
#include "core/text/suggest.h"
#include "formats/gguf/change_keys.h"
#include "quant/gguf/mix.h"
#include "quant/gguf/type_rules.h"
#include "stream/recode.h"

namespace lbrx {
namespace {

const GgmlType& TypeOf(const Encoding& encoding) {
  return IsBlock(encoding.scheme) ? FindGgmlType(encoding.scheme) : *FindGgmlType(encoding.dtype);
}

// A file type of llama-quantize's, and how MLX's schemes are spelt with them.
struct AskedType {
  const FileType* type = nullptr;
  bool pure = false;
};

[[noreturn]] void RefuseScheme(const std::string& scheme, const Encoding& encoding) {
  static const std::map<uint8_t, std::string_view> nearest = {
      {1, "Q1_0"}, {2, "Q2_K"}, {3, "Q3_K_M"}, {4, "Q4_K_M"}, {5, "Q5_K_M"}, {6, "Q6_K"}};
  const auto found = nearest.find(encoding.bits);
  throw Error(ErrorCode::kUsage,
              Format("a GGUF file cannot hold {}; the nearest that it can is -q {}", scheme,
                     found == nearest.end() ? "Q8_0" : found->second));
}

AskedType ParseAskedType(const std::string& scheme) {
  if (FindFileType(scheme) == nullptr) {
    if (const std::optional<Encoding> encoding = ParseScheme(scheme, 0)) {
      if (encoding->scheme == Scheme::kMxfp4) {
        return {FindFileType(FileTypeId::kMxfp4Moe), true};
      }
      if (encoding->scheme != Scheme::kNvfp4) {
        RefuseScheme(scheme, *encoding);
      }
    }
  }
  const FileType& type = ParseFileType(scheme);
  return {&type, type.id == FileTypeId::kNvfp4};
}

// nullptr for an empty name.
const GgmlType* TypeNamed(const std::string& name) {
  const GgmlType* type = FindGgmlType(name);
  if (type == nullptr && !name.empty()) {
    std::vector<std::string> known;
    for (const GgmlType& row : GgmlTypes()) {
      known.emplace_back(row.name);
    }
    throw Error(ErrorCode::kUsage, Format("unknown GGML type \"{}\"; {}", Printable(name),
                                          Suggestion(name, known, "Q4_K, Q6_K, Q8_0, F16...")));
  }
  return type;
}

class GgufPlanner {
 public:
  GgufPlanner(const ConvertRequest& request, ModelSource source)
      : request_(request),
        from_(request, std::move(source), TargetKind::kGguf, plan_),
        importance_(request.gguf, plan_.notices) {
    if (request.target && *request.target != TargetKind::kGguf) {
      throw Error(ErrorCode::kUsage,
                  "--to names a folder, but the destination is a .gguf file; drop one");
    }
    if (request.scheme) {
      asked_ = ParseAskedType(*request.scheme);
    }
  }

  Plan Build() {
    std::vector<NamedValue> tensors = from_.Tensors(plan_);
    OrderForGguf(from_.source(), tensors);
    keys_ = KeysForGguf(request_, from_.source(), from_.facts(), tensors, plan_.notices);
    const MixModel model = ModelOfMix();  // of the source: with all its layers
    const std::vector<std::string> names = Prune(tensors);
    for (const NamedValue& tensor : tensors) {
      stored_.push_back(AsStoredIn(tensor));
    }
    const std::vector<Encoding> encodings = Encodings(model, tensors, names);
    for (size_t i = 0; i < tensors.size(); ++i) {
      Add(tensors[i], names[i], stored_[i], encodings[i]);
    }
    if (from_.source().gguf == nullptr) {  // a file of keys alone can be copied
      RefuseEmpty(plan_, from_.source());
    }
    NoteLosses();
    LayOut();
    return std::move(plan_);
  }

 private:
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
    if (request_.scheme && asked_.type->id != FileTypeId::kCopy) {
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

  // What each tensor becomes. `names` are those before layers were left out.
  std::vector<Encoding> Encodings(const MixModel& model, const std::vector<NamedValue>& tensors,
                                  const std::vector<std::string>& names) {
    std::vector<Encoding> out;
    for (const Stored& stored : stored_) {
      out.push_back(stored.encoding);
    }
    if (asked_.type == nullptr || asked_.type->id == FileTypeId::kCopy) {
      return out;
    }
    const std::vector<MixTensor> mixed = MixTensors(tensors);
    const MixOptions options = OptionsOfMix();
    const TypeMix mix = MixTypes(model, options, mixed);
    std::map<std::string, size_t> places;
    for (size_t i = 0; i < mixed.size(); ++i) {
      places.emplace(mixed[i].name, i);
    }
    std::function<bool(const std::string&)> has_weights;  // none where there is no matrix
    if (importance_.any()) {
      has_weights = [&](const std::string& name) {
        const size_t i = places.at(name);
        return importance_.Has(names[i], mixed[i].shape);
      };
    }
    RequireImportance(options, mixed, mix, has_weights);
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (mix.choices[i].type != mixed[i].type) {
        out[i] = mix.choices[i].type->encoding;
      }
    }
    NoteFallbacks(mixed, mix);
    return out;
  }

  std::vector<MixTensor> MixTensors(const std::vector<NamedValue>& tensors) const {
    std::vector<MixTensor> out;
    for (size_t i = 0; i < tensors.size(); ++i) {
      out.push_back({.name = tensors[i].name,
                     .shape = tensors[i].value->shape(),
                     .type = &TypeOf(stored_[i].encoding)});
    }
    return out;
  }

  MixModel ModelOfMix() const {
    MixModel model;
    model.architecture = keys_.String("general.architecture");
    const auto number = [&](const std::string& key) {
      return static_cast<uint32_t>(FirstUint(model.architecture + "." + key).value_or(0));
    };
    model.layers = number("block_count");
    model.heads = number("attention.head_count");
    model.kv_heads = number("attention.head_count_kv");
    model.kv_heads = model.kv_heads == 0 ? model.heads : model.kv_heads;
    model.experts = number("expert_count");
    model.importance = importance_.any();
    return model;
  }

  // Of a number, or of the first layer's where there is one for each.
  std::optional<uint64_t> FirstUint(const std::string& key) const {
    const GgufValue* value = keys_.Find(key);
    if (value == nullptr || !value->is_array()) {
      return keys_.Uint(key);
    }
    const auto numbers = value->AsInts();
    return numbers && !numbers->empty() ? std::optional(static_cast<uint64_t>(numbers->front()))
                                        : std::nullopt;
  }

  MixOptions OptionsOfMix() const {
    MixOptions options;
    options.file_type = asked_.type;
    options.pure = asked_.pure || request_.gguf.pure;
    options.leave_output = request_.gguf.leave_output_tensor;
    options.output_type = TypeNamed(request_.gguf.output_tensor_type);
    options.embedding_type = TypeNamed(request_.gguf.token_embedding_type);
    for (const GgufOptions::TensorType& row : request_.gguf.tensor_types) {
      options.rules.push_back({Regex(row.regex), TypeNamed(row.type)});
    }
    return options;
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

  // A line for each pair of types, however many tensors there are.
  void NoteFallbacks(const std::vector<MixTensor>& tensors, const TypeMix& mix) {
    std::map<std::pair<std::string_view, std::string_view>, std::vector<const MixTensor*>> pairs;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const TypeChoice& choice = mix.choices[i];
      if (choice.type != choice.wanted) {
        pairs[{choice.wanted->name, choice.type->name}].push_back(&tensors[i]);
      }
    }
    for (const auto& [types, list] : pairs) {
      const MixTensor& first = *list.front();
      const std::string text = Format(
          "{} tensors become {} in place of {}, into whose blocks their rows do not divide; "
          "{} of {} columns first",
          list.size(), types.second, types.first, first.name, first.shape.back());
      if (request_.strict) {
        throw Error(ErrorCode::kInvalid, text + "; leave out --strict to go on");
      }
      plan_.notices.push_back(text);
    }
  }

  void NoteLosses() {
    if (requantized_ > 0 && !request_.gguf.allow_requantize) {
      plan_.notices.push_back(Format(
          "{} tensors are quantized already: they are quantized anew from their values, which "
          "adds the error of {} to the one they have; start from the floats if you can",
          requantized_, *request_.scheme));
    }
    if (decoded_ > 0 && !request_.dequantize) {
      plan_.notices.push_back(
          Format("{} quantized tensors are decoded to floats, as GGUF has no type for the same "
                 "numbers; -q quantizes them anew",
                 decoded_));
    }
  }

  void LayOut() {
    SetStorageKeys(from_.source(), asked_.type, plan_.tensors, keys_);
    for (const std::string& text : request_.gguf.override_kv) {
      GgufKeys::Entry entry = ParseKeyOverride(text);
      SetLast(keys_, entry.first, std::move(entry.second));
    }
    importance_.AddProvenance(keys_);
    if (pruning_) {
      pruning_->ChangeKeys(keys_);
    }
    std::vector<OutputTensor> outputs;
    outputs.reserve(plan_.tensors.size());
    for (PlannedTensor& tensor : plan_.tensors) {
      outputs.push_back(std::move(tensor.output));
    }
    plan_.layout = LayOutForGguf(request_, from_.source(), keys_, outputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      plan_.tensors[i].output = std::move(outputs[i]);
    }
  }

  const ConvertRequest& request_;
  Plan plan_;
  Arrangement from_;
  Importance importance_;
  std::optional<LayerPruning> pruning_;
  AskedType asked_;
  GgufKeys keys_;
  std::vector<Stored> stored_;
  size_t requantized_ = 0;
  size_t decoded_ = 0;
};

}  // namespace

Plan PlanGguf(const ConvertRequest& request, ModelSource source) {
  return GgufPlanner(request, std::move(source)).Build();
}

}  // namespace lbrx

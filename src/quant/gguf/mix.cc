#include "quant/gguf/mix.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/error.h"
#include "core/base/format.h"
#include "quant/gguf/fallback.h"
#include "quant/gguf/mix_rules.h"
#include "quant/gguf/tensor_names.h"

namespace lbrx {
namespace {

bool IsQuantized(const GgmlType& type) {
  return IsBlock(type.encoding.scheme);
}

bool IsFloat(const GgmlType& type) {
  const DType dtype = type.encoding.dtype;
  return !IsQuantized(type) &&
         (dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16);
}

bool CanWrite(const GgmlType& type) {
  return IsFloat(type) || (IsQuantized(type) && IsWritable(type.encoding.scheme));
}

// Dimensions but those of length 1 on the outside.
size_t Rank(const Shape& shape) {
  const auto dims = shape.dims();
  return static_cast<size_t>(
      dims.end() - std::find_if(dims.begin(), dims.end(), [](uint64_t dim) { return dim != 1; }));
}

bool IsStacked(const Shape& shape) {
  return shape.rank() >= 3 && shape[shape.rank() - 3] > 1;
}

// The models that llama.cpp calls 70B, whose value projections are small beside the queries.
bool Is70B(const MixModel& model) {
  const std::string& name = model.architecture;
  if (name == "llama" || name == "llama-embed") {
    return model.layers == 80 && model.heads != model.kv_heads && model.experts != 8;
  }
  if (name == "qwen2" || name == "deci" || name == "olmo") {
    return model.layers == 80;
  }
  return name == "jais2" && model.layers == 68;
}

class Mixer {
 public:
  Mixer(const MixModel& model, const MixOptions& options, std::span<const MixTensor> tensors)
      : model_(model), options_(options), base_(options.file_type->BaseType()) {
    mix_.rule_uses.resize(options.rules.size());
    for (const MixTensor& tensor : tensors) {
      const TensorKind kind = KindOfTensor(tensor.name);
      values_ += kind == TensorKind::kValue ? 1 : 0;
      tied_ = tied_ && kind != TensorKind::kOutput;
    }
    for (const MixTensor& tensor : tensors) {
      mix_.choices.push_back(Choose(tensor));
    }
  }

  TypeMix Take() { return std::move(mix_); }

 private:
  struct Position {
    int index;
    int count;
  };

  TypeChoice Choose(const MixTensor& tensor) {
    if (!MayChange(tensor)) {
      return {tensor.type, tensor.type};
    }
    const GgmlType* const named = Named(tensor);
    const GgmlType* const wanted = named != nullptr ? named : ByFileType(tensor);
    TypeChoice choice{.type = wanted, .wanted = wanted, .by_file_type = named == nullptr};
    if (wanted != tensor.type) {
      CheckConvertible(tensor, *wanted);
      choice.type = FallbackType(*wanted, tensor.shape.back(), tensor.name);
      choice.needs_importance = choice.type != tensor.type && IsGarbage(tensor, *choice.type);
    }
    return choice;
  }

  bool MayChange(const MixTensor& tensor) const {
    return options_.file_type->id != FileTypeId::kCopy && Rank(tensor.shape) >= 2 &&
           IsQuantizable(tensor.name, model_.architecture) &&
           !(options_.leave_output && tensor.name == "output.weight");
  }

  // What an option says of this tensor; nullptr: nothing.
  const GgmlType* Named(const MixTensor& tensor) {
    const TensorKind kind = KindOfTensor(tensor.name);
    const std::optional<size_t> rule = MatchingRule(tensor.name);
    // The second embedding is large and separate: a rule may name it apart from the first.
    const bool ruled = rule && tensor.name == "per_layer_token_embd.weight";
    if (kind == TensorKind::kEmbedding && options_.embedding_type != nullptr && !ruled) {
      return options_.embedding_type;
    }
    if (kind == TensorKind::kOutput && options_.output_type != nullptr) {
      return options_.output_type;
    }
    if (rule && IsQuantized(*base_)) {
      ++mix_.rule_uses[*rule];
      return options_.rules[*rule].type;
    }
    const bool is_output = Mixes() && kind == TensorKind::kEmbedding && tied_;
    return is_output ? options_.output_type : nullptr;
  }

  const GgmlType* ByFileType(const MixTensor& tensor) {
    return Mixes() ? Ruled(tensor, KindOfTensor(tensor.name)) : base_;
  }

  bool Mixes() const { return IsQuantized(*base_) && !options_.pure; }

  std::optional<size_t> MatchingRule(const std::string& name) const {
    for (size_t i = 0; i < options_.rules.size(); ++i) {
      if (options_.rules[i].pattern.Search(name)) {
        return i;
      }
    }
    return std::nullopt;
  }

  const GgmlType* Ruled(const MixTensor& tensor, TensorKind kind) {
    const FileTypeId file_type = options_.file_type->id;
    const Position position = NextPosition(tensor, kind);
    kind = kind == TensorKind::kEmbedding && tied_ ? TensorKind::kOutput : kind;
    const auto scheme = RuledScheme(kind, file_type, Conditions(tensor, position));
    const GgmlType* type = scheme ? &FindGgmlType(*scheme) : base_;
    const bool narrow =
        type->encoding.scheme == Scheme::kQ3K || type->encoding.scheme == Scheme::kQ4K;
    if (kind == TensorKind::kValue && narrow && Is70B(model_) && !IsTiny()) {
      return &FindGgmlType(Scheme::kQ5K);
    }
    return type;
  }

  bool IsTiny() const { return (FileTypeSet({options_.file_type->id}) & kTinyFileTypes) != 0; }

  // Of a tensor among those of its kind. Only tensors that come to the rules are counted. With
  // experts a layer has several tensors of a feed-forward kind, so there the name tells the layer;
  // file types below 3 bits count all the same.
  Position NextPosition(const MixTensor& tensor, TensorKind kind) {
    const int counted = next_[static_cast<size_t>(kind)]++;
    if (kind == TensorKind::kValue) {
      return {counted, values_};
    }
    const int layers = static_cast<int>(model_.layers);
    const bool feed_forward =
        kind == TensorKind::kUp || kind == TensorKind::kGate || kind == TensorKind::kDown;
    const bool by_name = feed_forward && model_.experts > 1 && !IsTiny() &&
                         options_.file_type->id != FileTypeId::kMxfp4Moe;
    return {by_name ? LayerByName(tensor.name) : counted, layers};
  }

  int LayerByName(const std::string& name) const {
    const std::optional<int> layer = GgufLayer(name);
    if (layer && *layer < static_cast<int>(model_.layers)) {
      return *layer;
    }
    throw Error(ErrorCode::kInvalid,
                {.file = "",
                 .object = name,
                 .what = "the layer of a feed-forward tensor, which decides its type, is not there",
                 .expected = Format("blk.N. with N below {} (block_count)", model_.layers),
                 .found = layer ? std::to_string(*layer) : "no number",
                 .offset = {},
                 .advice = "choose its type with --tensor-type"});
  }

  uint32_t Conditions(const MixTensor& tensor, Position position) const {
    const bool falcon = model_.architecture == "falcon";
    const bool glm = model_.architecture == "glm5-next";
    const auto has = [&](const char* part) { return tensor.name.find(part) != std::string::npos; };
    const uint32_t sharing = model_.kv_heads == 0 ? 0 : model_.heads / model_.kv_heads;
    uint32_t set = PositionConditions(position);
    const auto add = [&set](bool holds, MixCondition condition) { set |= holds ? condition : 0U; };
    add(sharing >= 4, kSharedHeads);
    add(model_.experts >= 4, kManyExperts);
    add(model_.experts == 8, kEightExperts);
    add(model_.experts != 8, kNotEightExperts);
    add(falcon, kFalcon);
    add(!falcon, kNotFalcon);
    add(model_.importance, kImportance);
    add(!model_.importance, kNoImportance);
    add(!Divides(*base_, tensor.shape.back()), kUneven);
    add(IsStacked(tensor.shape), kStacked);
    add(glm && (has("attn_q_a") || has("attn_q_b") || has("nextn.eh_proj")), kGlm5Next);
    add(model_.architecture == "bailingmoe3", kBailingMoe3);
    return set;
  }

  static uint32_t PositionConditions(Position position) {
    const int i = position.index;
    const int n = position.count;
    uint32_t set = 0;
    const auto add = [&set](bool holds, MixCondition condition) { set |= holds ? condition : 0U; };
    add(i < 2, kFirstTwo);
    add(i < 4, kFirstFour);
    add(i < n / 16, kFirstSixteenth);
    add(i < n / 8, kFirstEighth);
    add(i >= n / 8 && i < 7 * n / 8, kMiddle);
    add(i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2, kMoreBits);
    return set;
  }

  static void CheckConvertible(const MixTensor& tensor, const GgmlType& wanted) {
    if (!CanWrite(wanted)) {
      throw Error(ErrorCode::kUsage,
                  {.file = "",
                   .object = tensor.name,
                   .what = Format("tensors cannot be quantized to {}", wanted.name),
                   .expected = "",
                   .found = "",
                   .offset = {},
                   .advice = "choose one of the types that `lbrx schemes` lists"});
    }
    if (!IsFloat(*tensor.type) && !IsQuantized(*tensor.type)) {
      throw Error(ErrorCode::kInvalid,
                  {.file = "",
                   .object = tensor.name,
                   .what = "a tensor that is to be quantized is not of floats",
                   .expected = "F32, F16, BF16 or a quantized type",
                   .found = std::string(tensor.type->name),
                   .offset = {},
                   .advice = Format("leave it as it is with --tensor-type '{}={}'", tensor.name,
                                    tensor.type->name)});
    }
  }

  // Without importance weights; embeddings and outputs are let through.
  bool IsGarbage(const MixTensor& tensor, const GgmlType& type) const {
    const TensorKind kind = KindOfTensor(tensor.name);
    const Scheme scheme = type.encoding.scheme;
    return kind != TensorKind::kEmbedding && kind != TensorKind::kOutput &&
           (WantsImportance(scheme) ||
            (scheme == Scheme::kQ2K && options_.file_type->id == FileTypeId::kQ2KS));
  }

  const MixModel& model_;
  const MixOptions& options_;
  const GgmlType* base_;  // nullptr: COPY
  int values_ = 0;        // tensors of that kind
  bool tied_ = true;
  std::array<int, static_cast<size_t>(TensorKind::kOther) + 1> next_{};  // position, by kind
  TypeMix mix_;
};

}  // namespace

TypeMix MixTypes(const MixModel& model, const MixOptions& options,
                 std::span<const MixTensor> tensors) {
  return Mixer(model, options, tensors).Take();
}

bool WantsImportance(Scheme scheme) {
  switch (scheme) {
    case Scheme::kIq1S:
    case Scheme::kIq1M:
    case Scheme::kIq2Xxs:
    case Scheme::kIq2Xs:
    case Scheme::kIq2S:
    case Scheme::kIq3Xxs:
      return true;
    default:
      return false;
  }
}

void RequireImportance(const MixOptions& options, std::span<const MixTensor> tensors,
                       const TypeMix& mix,
                       const std::function<bool(const std::string& name)>& has_weights) {
  const MixTensor* first = nullptr;
  const GgmlType* type = nullptr;
  size_t more = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!mix.choices[i].needs_importance || (has_weights && has_weights(tensors[i].name))) {
      continue;
    }
    if (first == nullptr) {
      first = &tensors[i];
      type = mix.choices[i].type;
    } else {
      ++more;
    }
  }
  if (first == nullptr) {
    return;
  }
  const std::string others = more == 0 ? "" : Format(" (and {} tensors more)", more);
  throw Error(
      ErrorCode::kUsage,
      {.file = "",
       .object = first->name + others,
       .what = Format("{} in {} is garbage without importance weights", type->name,
                      options.file_type->name),
       .expected = "weights of an importance matrix",
       .found = has_weights ? "a matrix without them" : "none",
       .offset = {},
       .advice = has_weights
                     ? "make one of this model, or give these tensors a larger type with "
                       "--tensor-type"
                     : "give one with --imatrix FILE (llama-imatrix makes it), or choose a larger "
                       "file type"});
}

}  // namespace lbrx

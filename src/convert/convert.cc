#include "convert/convert.h"

#include <algorithm>
#include <cctype>

#include "convert/selection.h"
#include "core/base/format.h"
#include "core/tensor/convert.h"
#include "formats/mlx/mlx.h"
#include "model/config.h"

namespace lbrx {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

// What the destination's name and --to ask for.
TargetKind ResolveTarget(const ConvertRequest& request, const Selection& selection) {
  const std::string name = Lower(request.destination);
  if (name.ends_with(".gguf")) {
    throw Error(ErrorCode::kUsage,
                "GGUF output is not available in this version; choose a folder "
                "(--to hf or mlx) or a .safetensors file");
  }
  if (name.ends_with(".safetensors")) {
    if (request.target && *request.target != TargetKind::kSafetensors) {
      throw Error(ErrorCode::kUsage,
                  "--to names a folder, but the destination is a .safetensors file; drop one");
    }
    return TargetKind::kSafetensors;
  }
  const bool wants_scheme =
      selection.global() || std::any_of(request.rules.begin(), request.rules.end(),
                                        [](const auto& rule) { return !rule.scheme.empty(); });
  const TargetKind target =
      request.target.value_or(wants_scheme ? TargetKind::kMlx : TargetKind::kHuggingFace);
  if (target == TargetKind::kHuggingFace && wants_scheme) {
    throw Error(ErrorCode::kUsage,
                Format("--to hf cannot hold the scheme {}; use --to mlx, or --to hf with --dtype "
                       "bf16 for floats",
                       selection.global() ? SchemeLabel(*selection.global()) : "of an --override"));
  }
  return target;
}

// Builds the plan step by step; one object a conversion.
class Planner {
 public:
  Planner(const ConvertRequest& request, std::shared_ptr<const Checkpoint> source)
      : request_(request),
        selection_(request),
        target_(ResolveTarget(request, selection_)),
        source_(std::move(source)),
        architecture_(source_->config.is_object() ? FindArchitecture(source_->config) : nullptr),
        config_(source_->config) {
    plan_.command = request.command;
    plan_.request = request.ToJson();
    plan_.sources = {source_};
  }

  Plan Build() {
    CheckSource();
    for (const SourceTensor& tensor : source_->tensors) {
      if (!IsDropped(tensor)) {
        Add(tensor);
      }
    }
    RefuseNothing();
    NoteUnknownTensors();
    NoteLosses();
    selection_.Finish(request_.strict, plan_.notices);
    LayOutTensors();
    if (target_ != TargetKind::kSafetensors) {
      CompleteConfigText();
      AddSideFiles();
    }
    return std::move(plan_);
  }

 private:
  bool HasConfig() const { return source_->config.is_object(); }

  [[noreturn]] void RefuseConfig(const std::string& what, const std::string& expected,
                                 const std::string& found, const std::string& advice) const {
    throw Error(ErrorCode::kInvalid, {.file = JoinPath(source_->folder, "config.json"),
                                      .object = "",
                                      .what = what,
                                      .expected = expected,
                                      .found = found,
                                      .offset = {},
                                      .advice = advice});
  }

  void CheckSource() {
    for (const Problem& problem : source_->problems) {
      plan_.notices.push_back(FormatMessage(problem.detail));
    }
    if (!HasConfig()) {
      if (!source_->folder.empty()) {
        RefuseConfig("is missing", "the model's configuration", "nothing",
                     "download it too; `lbrx inspect` works without it");
      }
      if (target_ != TargetKind::kSafetensors) {
        plan_.notices.emplace_back(
            "the source is a bare tensor file: names are kept, and the folder has no configuration "
            "but what is needed to read the tensors");
      }
      config_ = Json::MakeObject();
      return;
    }
    RefuseForeignQuantization();
    if (architecture_ == nullptr) {
      NoteUnknownArchitecture();
    } else {
      CheckShapes();
      CheckHead();
    }
  }

  // fp8, GPTQ, AWQ...: their values cannot be read yet, and copying them as plain tensors would be
  // wrong.
  void RefuseForeignQuantization() const {
    const Json* block = source_->config.Find("quantization_config");
    const Json* method = block == nullptr ? nullptr : block->Find("quant_method");
    if (method != nullptr && source_->config.Find("quantization") == nullptr) {
      RefuseConfig("the model is quantized by a method that this version cannot read",
                   "floats, or MLX's quantization", WriteJson(*method),
                   "start from the unquantized model");
    }
  }

  void NoteUnknownArchitecture() {
    const Json* type = source_->config.Find("model_type");
    const std::string name =
        type != nullptr && type->is_string() ? Printable(type->AsString()) : "none";
    const std::string text = Format("architecture \"{}\" is not known", name);
    if (request_.strict) {
      RefuseConfig(text, "one that `lbrx architectures` lists", name, "leave out --strict");
    }
    plan_.notices.push_back(text + ": names are kept, matrices are told by their shape");
  }

  const SourceTensor* FindRole(Role role) const {
    for (const TensorRule& rule : architecture_->tensors) {
      if (rule.role == role) {
        return source_->Find(std::string(rule.pattern) + ".weight");
      }
    }
    return nullptr;
  }

  void CheckShapes() const {
    const SourceTensor* embedding = FindRole(Role::kTokenEmbedding);
    const std::optional<uint64_t> rows = ConfigUint(source_->config, "vocab_size");
    const std::optional<uint64_t> columns = ConfigUint(source_->config, "hidden_size");
    if (embedding != nullptr && rows && columns && embedding->shape != Shape{*rows, *columns}) {
      RefuseConfig("vocab_size and hidden_size contradict " + embedding->name,
                   Shape{*rows, *columns}.ToString(), embedding->shape.ToString(),
                   "`lbrx validate` lists every contradiction");
    }
    const std::optional<uint64_t> layers = ConfigUint(source_->config, "num_hidden_layers");
    uint64_t found = 0;
    for (const SourceTensor& tensor : source_->tensors) {
      const TensorMeaning meaning = Resolve(*architecture_, tensor.name);
      if (meaning.rule != nullptr && meaning.layer) {
        found = std::max(found, *meaning.layer + 1);
      }
    }
    if (layers && *layers != found) {
      RefuseConfig("num_hidden_layers contradicts the tensors", std::to_string(*layers),
                   std::to_string(found) + " layers", "`lbrx validate` lists what is missing");
    }
  }

  // The output matrix and what config says of it; also decides whether it is written.
  void CheckHead() {
    tied_ = TiedEmbeddings(source_->config, architecture_->tied_by_default);
    head_ = FindRole(Role::kOutput);
    if (!tied_ && head_ == nullptr && FindRole(Role::kTokenEmbedding) != nullptr) {
      RefuseConfig("tie_word_embeddings is false but the output matrix is missing",
                   "lm_head.weight", "no such tensor",
                   "if the model shares it with the embedding, set tie_word_embeddings to true");
    }
    if (tied_ && head_ != nullptr) {
      plan_.notices.push_back(
          target_ == TargetKind::kMlx
              ? "tie_word_embeddings is true: lm_head.weight is left out, as MLX uses the embedding"
              : "tie_word_embeddings is true but lm_head.weight is there too: both are kept");
    }
  }

  bool IsDropped(const SourceTensor& tensor) const {
    if (architecture_ == nullptr || target_ != TargetKind::kMlx) {
      return false;
    }
    const TensorMeaning meaning = Resolve(*architecture_, tensor.name);
    return meaning.rule != nullptr && (meaning.rule->role == Role::kRopeFrequencies ||
                                       (meaning.rule->role == Role::kOutput && tied_));
  }

  static bool IsEncoded(const Encoding& encoding) { return encoding.scheme != Scheme::kPlain; }

  void Add(const SourceTensor& tensor) {
    if (architecture_ != nullptr && Resolve(*architecture_, tensor.name).rule == nullptr) {
      unknown_.push_back(tensor.name);
    }
    const bool convertible = IsEncoded(tensor.encoding) || Info(tensor.encoding.dtype).floating;
    std::optional<Encoding> encoding;
    if (convertible && !request_.dequantize) {
      encoding = selection_.For(architecture_, tensor.name, tensor.name, tensor.shape);
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
  bool CanCarry(const SourceTensor& tensor, const std::optional<Encoding>& wanted) const {
    if (!IsEncoded(tensor.encoding) || request_.dequantize || target_ == TargetKind::kHuggingFace) {
      return false;
    }
    if (!wanted) {
      return !request_.scheme;
    }
    return wanted->scheme == tensor.encoding.scheme && wanted->bits == tensor.encoding.bits &&
           wanted->group == tensor.encoding.group;
  }

  void Carry(const SourceTensor& tensor) {
    PlannedTensor planned = Begin(tensor, tensor.encoding);
    for (const uint32_t plane : tensor.planes) {
      planned.copies.push_back(LoadArray(plan_.sources, 0, plane, /*check=*/true));
    }
    plan_.tensors.push_back(std::move(planned));
  }

  // The dtype that values have before they are encoded, and that scales are stored in.
  DType ValueDType(const SourceTensor& tensor) const {
    const DType dtype = request_.dtype.value_or(tensor.encoding.dtype);
    if (dtype == DType::kBF16 || dtype == DType::kF16 || dtype == DType::kF32) {
      return dtype;
    }
    return dtype == DType::kF64 ? DType::kF32 : DType::kBF16;
  }

  void Encode(const SourceTensor& tensor, Encoding encoding) {
    encoding.dtype = ValueDType(tensor);
    if (IsEncoded(tensor.encoding)) {
      ++requantized_;
    }
    PlannedTensor planned = Begin(tensor, encoding);
    planned.value = CastTo(LoadTensor(plan_.sources, 0, tensor), encoding.dtype);
    planned.encode.rule = request_.rule;
    plan_.tensors.push_back(std::move(planned));
  }

  void Float(const SourceTensor& tensor) {
    DType dtype = tensor.encoding.dtype;
    if (IsEncoded(tensor.encoding)) {
      ++decoded_;
    }
    if (request_.dtype && Info(dtype).floating && CanConvert(dtype, *request_.dtype)) {
      dtype = *request_.dtype;
    }
    PlannedTensor planned = Begin(tensor, Plain(dtype));
    planned.value = CastTo(LoadTensor(plan_.sources, 0, tensor), dtype);
    plan_.tensors.push_back(std::move(planned));
  }

  PlannedTensor Begin(const SourceTensor& tensor, const Encoding& encoding) const {
    PlannedTensor planned;
    planned.output = {
        .name = tensor.name, .encoding = encoding, .shape = tensor.shape, .planes = {}};
    planned.source_label = SchemeLabel(tensor.encoding);
    for (const Plane& plane : PlanesOf(encoding, tensor.shape)) {
      planned.output.planes.push_back({.name = PlaneName(tensor.name, plane.suffix),
                                       .dtype = plane.dtype,
                                       .shape = plane.shape,
                                       .bytes = PlaneBytes(plane)});
    }
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
    if (unknown_.empty()) {
      return;
    }
    if (request_.strict) {
      throw Error(ErrorCode::kInvalid,
                  {.file = source_->path,
                   .object = unknown_[0],
                   .what = Format("{} tensors are not known to architecture {}", unknown_.size(),
                                  architecture_->name),
                   .expected = "known names only (--strict)",
                   .found = "this one first",
                   .offset = {},
                   .advice = "leave out --strict to carry them as they are"});
    }
    plan_.notices.push_back(
        Format("{} tensors that architecture {} does not know are carried as they are, {} first",
               unknown_.size(), architecture_->name, Printable(unknown_[0])));
  }

  void NoteLosses() {
    if (requantized_ > 0) {
      plan_.notices.push_back(Format(
          "{} tensors are quantized already: they are quantized anew from their values, which "
          "adds the error of {} to the one they have; start from the floats if you can",
          requantized_, selection_.global() ? SchemeLabel(*selection_.global()) : "the rules"));
    }
    if (decoded_ > 0 && !request_.dequantize) {
      plan_.notices.push_back(
          Format("{} quantized tensors are decoded to floats, as {} cannot hold "
                 "their scheme; --to mlx keeps it",
                 decoded_, "a Hugging Face folder"));
    }
  }

  void LayOutTensors() {
    std::vector<OutputTensor> outputs;
    outputs.reserve(plan_.tensors.size());
    for (PlannedTensor& tensor : plan_.tensors) {
      outputs.push_back(std::move(tensor.output));
    }
    plan_.layout = LayOut(target_, outputs, request_.shard_size, Metadata(outputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      plan_.tensors[i].output = std::move(outputs[i]);
    }
    plan_.texts = std::move(plan_.layout.texts);
    plan_.layout.texts.clear();
    quantization_ = QuantizationBlock();
  }

  // A bare file cannot describe its schemes in a config.json: its own metadata does.
  std::map<std::string, std::string> Metadata(const std::vector<OutputTensor>& outputs) const {
    std::map<std::string, std::string> metadata;
    if (target_ != TargetKind::kSafetensors) {
      return metadata;
    }
    metadata = source_->metadata;
    metadata.erase("quantization");
    const std::optional<Encoding> global = GlobalEncoding(outputs);
    metadata["format"] = global ? "mlx" : "pt";
    if (global) {
      metadata["quantization"] = WriteJson(MlxQuantizationBlock(outputs, *global));
    }
    return metadata;
  }

  // The encoding of -q, else the one that most tensors have; nullopt where none is encoded.
  std::optional<Encoding> GlobalEncoding(const std::vector<OutputTensor>& outputs) const {
    std::vector<std::pair<Encoding, size_t>> counts;
    for (const OutputTensor& output : outputs) {
      if (!IsEncoded(output.encoding)) {
        continue;
      }
      const auto row = std::find_if(counts.begin(), counts.end(), [&](const auto& entry) {
        return entry.first == output.encoding;
      });
      if (row == counts.end()) {
        counts.emplace_back(output.encoding, 1);
      } else {
        ++row->second;
      }
    }
    if (counts.empty()) {
      return std::nullopt;
    }
    if (selection_.global()) {
      return selection_.global();
    }
    return std::max_element(counts.begin(), counts.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  }

  Json QuantizationBlock() const {
    std::vector<OutputTensor> outputs;
    for (const PlannedTensor& tensor : plan_.tensors) {
      outputs.push_back(tensor.output);
    }
    const std::optional<Encoding> global = GlobalEncoding(outputs);
    return global ? MlxQuantizationBlock(outputs, *global) : Json();
  }

  void CompleteConfigText() {
    if (HasConfig()) {
      CompleteConfig(config_);
    }
    config_.Erase("quantization");
    config_.Erase("quantization_config");
    if (request_.dtype && HasConfig()) {
      SetConfigDType(config_, *request_.dtype);
    }
    if (target_ == TargetKind::kMlx) {
      config_.Erase("_name_or_path");
      if (architecture_ != nullptr) {
        config_.Set("tie_word_embeddings", tied_);  // MLX's default differs from Hugging Face's
      }
      if (quantization_.is_object()) {
        config_.Set("quantization", quantization_);
        config_.Set("quantization_config", quantization_);
      }
    }
    plan_.texts.push_back({.name = "config.json", .content = WriteConfig(target_, config_)});
  }

  void AddSideFiles() {
    plan_.copies = source_->side_files;
    const bool has_tokenizer =
        std::any_of(plan_.copies.begin(), plan_.copies.end(), [](const SideFile& file) {
          return file.name == "tokenizer.json" || file.name == "tokenizer.model" ||
                 file.name == "vocab.json" || file.name.ends_with(".tiktoken");
        });
    if (!has_tokenizer) {
      plan_.notices.emplace_back("the source has no tokenizer; the result has none either");
    }
  }

  const ConvertRequest& request_;
  Selection selection_;
  TargetKind target_;
  std::shared_ptr<const Checkpoint> source_;
  const Architecture* architecture_;
  Json config_;
  bool tied_ = false;
  const SourceTensor* head_ = nullptr;
  std::vector<std::string> unknown_;
  size_t requantized_ = 0;
  size_t decoded_ = 0;
  Json quantization_;
  Plan plan_;
};

}  // namespace

Plan PlanConvert(const ConvertRequest& request, std::shared_ptr<const Checkpoint> source) {
  return Planner(request, std::move(source)).Build();
}

}  // namespace lbrx

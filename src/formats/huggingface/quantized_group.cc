#include "formats/huggingface/quantized_group.h"

#include <algorithm>
#include <array>

#include "core/base/format.h"
#include "core/tensor/packed.h"

namespace lbrx {

namespace {

constexpr uint64_t kSmallArray = uint64_t{64} << 10;

// Whether an array of `found` can be a plane of `expected`, the `index`-th of `scheme`.
bool TypeFits(Scheme scheme, size_t index, DType expected, DType found) {
  switch (expected) {
    case DType::kF32: {
      const bool exponents = found == DType::kF8E8M0 || found == DType::kU8;
      return found == DType::kF32 || found == DType::kF16 || found == DType::kBF16 ||
             (exponents && scheme == Scheme::kFp8 && index == 1);
    }
    case DType::kF8E4M3:
      return found == DType::kF8E4M3 || (found == DType::kF8E5M2 && scheme == Scheme::kFp8);
    case DType::kI32:
      return found == DType::kI32 || found == DType::kU32;
    default:
      return found == expected;
  }
}

// One run of elements, whatever the shape.
bool IsRun(Scheme scheme) {
  return scheme == Scheme::kNf4 || scheme == Scheme::kBnbFp4;
}

bool PlaneFits(const Encoding& encoding, size_t index, const Plane& expected,
               const StoredArray& found) {
  if (IsRun(encoding.scheme) && index == 0) {
    // Codes may be stored as if they were of another type (bitsandbytes' quant_storage).
    return Info(found.dtype).bits >= 8 && found.bytes == PlaneBytes(expected);
  }
  // A scale per row or for the tensor is written in several shapes of the same size.
  const bool vector = expected.dtype == DType::kF32 && expected.shape.rank() == 2 &&
                      (expected.shape[0] == 1 || expected.shape[1] == 1);
  const bool shape = vector ? found.shape.CheckedElements() == expected.shape.elements()
                            : found.shape == expected.shape;
  return shape && TypeFits(encoding.scheme, index, expected.dtype, found.dtype);
}

std::string TypeText(DType dtype) {
  return dtype == DType::kF32 ? "F32, F16 or BF16" : std::string(Name(dtype));
}

std::vector<std::string> KeptModules(const Json& block) {
  std::vector<std::string> kept;
  for (const char* key : {"modules_to_not_convert", "ignore", "llm_int8_skip_modules"}) {
    const Json* list = block.Find(key);
    if (list == nullptr || !list->is_array()) {
      continue;
    }
    for (const Json& entry : list->AsArray()) {
      if (entry.is_string()) {
        kept.push_back(entry.AsString());
      }
    }
  }
  return kept;
}

}  // namespace

QuantizedGroup::QuantizedGroup(Checkpoint& checkpoint, const Json& block, std::string config_path,
                               const OpenOptions& options)
    : checkpoint_(checkpoint),
      block_(block),
      config_path_(std::move(config_path)),
      table_(checkpoint.arrays),
      problems_(options, checkpoint.problems),
      claimed_(checkpoint.arrays.size()),
      kept_(KeptModules(block)) {
  const Json* type = checkpoint.config.Find("model_type");
  conv1d_ = type != nullptr && type->is_string() && type->AsString() == "gpt2";
}

uint32_t QuantizedGroup::Require(const std::string& name, uint32_t for_array) const {
  const std::optional<uint32_t> found = Find(name);
  if (!found) {
    Throw(for_array, "an array that belongs to it is missing", name, "no such array");
  }
  return *found;
}

void QuantizedGroup::ForEach(std::string_view suffix,
                             const std::function<void(const std::string&, uint32_t)>& function) {
  for (uint32_t i = 0; i < checkpoint_.arrays.size(); ++i) {
    const std::string& name = Array(i).name;
    if (claimed_[i] || !name.ends_with(suffix) || name.size() == suffix.size()) {
      continue;
    }
    try {
      function(name.substr(0, name.size() - suffix.size()), i);
    } catch (const Error& error) {
      claimed_[i] = true;  // reported: not an orphan as well
      problems_.Caught(error);
    }
  }
}

std::optional<size_t> QuantizedGroup::FirstMisfit(const Encoding& encoding, const Shape& shape,
                                                  const std::vector<uint32_t>& planes) const {
  const std::vector<Plane> expected = PackedPlanes(encoding, shape);
  for (size_t i = 0; i < planes.size(); ++i) {
    if (i >= expected.size() || !PlaneFits(encoding, i, expected[i], Array(planes[i]))) {
      return i;
    }
  }
  return std::nullopt;
}

bool QuantizedGroup::Fits(const Encoding& encoding, const Shape& shape,
                          const std::vector<uint32_t>& planes) const {
  return !FirstMisfit(encoding, shape, planes);
}

void QuantizedGroup::Add(std::string name, const Encoding& encoding, const Shape& shape,
                         std::vector<uint32_t> planes) {
  const std::optional<uint64_t> elements = shape.CheckedElements();
  if (!elements || *elements == 0) {
    Throw(planes[0], "a quantized tensor of an impossible shape", "at least one element",
          shape.ToString());
  }
  if (const std::optional<size_t> misfit = FirstMisfit(encoding, shape, planes)) {
    const Plane expected = PackedPlanes(encoding, shape)[*misfit];
    const StoredArray& found = Array(planes[*misfit]);
    Throw(planes[*misfit],
          Format("does not fit a {} tensor of shape {}", SchemeLabel(encoding), shape.ToString()),
          TypeText(expected.dtype) + " " + expected.shape.ToString(),
          std::string(Name(found.dtype)) + " " + found.shape.ToString());
  }
  SourceTensor tensor{std::move(name), encoding, shape, std::move(planes)};
  if (conv1d_ && shape.rank() == 2) {
    // transformers quantizes the transpose of gpt2's matrices.
    tensor.shape = {shape[1], shape[0]};
    tensor.transposed = true;
  }
  Take(std::move(tensor));
}

void QuantizedGroup::Take(SourceTensor tensor) {
  CheckListed(tensor.name, tensor.planes[0]);
  if (Find(tensor.name) && std::find(tensor.planes.begin(), tensor.planes.end(),
                                     *Find(tensor.name)) == tensor.planes.end()) {
    Throw(tensor.planes[0], "the weight is there quantized and unquantized", "one of them",
          tensor.name);
  }
  for (const uint32_t plane : tensor.planes) {
    claimed_[plane] = true;
  }
  checkpoint_.tensors.push_back(std::move(tensor));
}

void QuantizedGroup::CheckListed(const std::string& name, uint32_t array) const {
  constexpr std::string_view kWeight = ".weight";
  std::string_view module = name;
  if (module.ends_with(kWeight)) {
    module.remove_suffix(kWeight.size());
  }
  for (const std::string& kept : kept_) {
    if (module == kept || (!kept.empty() && module.ends_with("." + kept))) {
      Throw(array, "config.json lists the module as not quantized, but it is",
            Format("{} of a floating type", name), Printable(kept));
    }
  }
}

void QuantizedGroup::DropAll(std::initializer_list<std::string_view> suffixes) {
  for (const std::string_view suffix : suffixes) {
    ForEach(suffix, [&](const std::string& /*prefix*/, uint32_t index) { Drop(index); });
  }
}

void QuantizedGroup::Finish(std::initializer_list<std::string_view> orphans) {
  ForEach("", [&](const std::string& /*name*/, uint32_t index) {
    const DType dtype = Array(index).dtype;
    const bool code = dtype == DType::kF8E4M3 || dtype == DType::kF8E5M2 || dtype == DType::kI8;
    if (code && Array(index).shape.rank() >= 2) {
      Throw(index, "a quantized weight without its scales", "an array of scales beside it",
            std::string(Name(dtype)) + " " + Array(index).shape.ToString());
    }
  });
  for (const std::string_view suffix : orphans) {
    ForEach(suffix, [&](const std::string& /*prefix*/, uint32_t index) {
      Throw(index, "belongs to a quantized tensor whose other arrays are missing",
            "all arrays of the tensor", "this one");
    });
  }
  AddPlainTensors(checkpoint_, &claimed_);
}

void QuantizedGroup::WarnOfNone(std::string_view method) {
  const bool none = std::all_of(
      checkpoint_.tensors.begin(), checkpoint_.tensors.end(),
      [](const SourceTensor& tensor) { return tensor.encoding.scheme == Scheme::kPlain; });
  if (none) {
    ErrorDetail detail;
    detail.file = config_path_;
    detail.what = Format("names the quantization method {}, but no tensor is quantized", method);
    detail.advice = "remove quantization_config";
    problems_.Warn(std::move(detail));
  }
}

std::optional<DType> QuantizedGroup::ModelType() const {
  for (const Json* config : {&checkpoint_.config, checkpoint_.config.Find("text_config")}) {
    for (const char* key : {"dtype", "torch_dtype"}) {
      const Json* name = config == nullptr ? nullptr : config->Find(key);
      const auto dtype =
          name == nullptr || !name->is_string() ? std::nullopt : ParseDType(name->AsString());
      if (dtype == DType::kBF16 || dtype == DType::kF16 || dtype == DType::kF32) {
        return dtype;
      }
    }
  }
  return std::nullopt;
}

DType QuantizedGroup::ValueType(DType dtype) const {
  if (dtype == DType::kF16 || dtype == DType::kBF16) {
    return dtype;
  }
  // Scales that are exponents have no type that values could take.
  return ModelType().value_or(dtype == DType::kF32 ? DType::kF32 : DType::kBF16);
}

int64_t QuantizedGroup::Number(const Json& block, std::string_view key, int64_t otherwise) const {
  const Json* value = block.Find(key);
  if (value == nullptr || value->is_null()) {
    return otherwise;
  }
  if (!value->is_integer() || value->AsDouble() < -1 || value->AsDouble() > 1e9) {
    ThrowConfig(key, "is no possible number", "a small integer", Printable(WriteJson(*value), 60));
  }
  return value->AsInt64();
}

uint16_t QuantizedGroup::GroupSize(int64_t value) const {
  constexpr int64_t kMost = 65535;
  if (value == 0 || value > kMost) {
    ThrowConfig("group_size", "is no possible size of groups", "-1, or 1 to 65535",
                std::to_string(value));
  }
  return value < 0 ? 0 : static_cast<uint16_t>(value);
}

std::vector<std::byte> QuantizedGroup::Content(uint32_t array) const {
  const StoredArray& stored = Array(array);
  if (stored.bytes > kSmallArray) {
    Throw(array, "is larger than such an array can be", Format("at most {} bytes", kSmallArray),
          std::to_string(stored.bytes));
  }
  std::vector<std::byte> content(stored.bytes);
  File::OpenRead(checkpoint_.files[stored.file].path)->ReadAt(stored.offset, content);
  return content;
}

void QuantizedGroup::Throw(uint32_t array, std::string what, std::string expected,
                           std::string found) const {
  ErrorDetail detail;
  detail.file = checkpoint_.files[Array(array).file].path;
  detail.object = Array(array).name;
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  detail.offset = Array(array).offset;
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

void QuantizedGroup::ThrowConfig(std::string_view key, std::string what, std::string expected,
                                 std::string found) const {
  ErrorDetail detail;
  detail.file = config_path_;
  detail.object = "quantization_config, " + std::string(key);
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

}  // namespace lbrx

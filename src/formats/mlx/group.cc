#include <algorithm>

#include "core/base/format.h"
#include "formats/mlx/mlx.h"
#include "formats/mlx/quantization.h"
#include "formats/names.h"
#include "formats/problems.h"

namespace lbrx {

namespace {

constexpr std::string_view kWeight = ".weight";
constexpr std::string_view kScales = ".scales";
constexpr std::string_view kBiases = ".biases";
constexpr std::string_view kGlobalScale = ".global_scale";

class Grouper {
 public:
  Grouper(Checkpoint& checkpoint, const Json& config, const OpenOptions& options)
      : checkpoint_(checkpoint),
        config_(config),
        table_(checkpoint.arrays),
        problems_(options, checkpoint.problems),
        claimed_(checkpoint.arrays.size()) {}

  void Run() {
    std::optional<MlxQuantization> block;
    try {
      block.emplace(config_);
    } catch (Error& error) {
      problems_.Caught(error.InFile(ConfigPath()));
    }
    if (block) {
      for (uint32_t i = 0; i < checkpoint_.arrays.size(); ++i) {
        if (checkpoint_.arrays[i].name.ends_with(kScales)) {
          Try([&] { GroupModule(*block, i); });
        }
      }
      for (std::string_view module : block->Listed()) {
        Try([&] { CheckListed(module); });
      }
    }
    AddPlainTensors(checkpoint_, &claimed_);
  }

 private:
  // The arrays of a module and what the config says that they are.
  struct Module {
    std::string name;  // path, without ".weight"
    Encoding encoding;
    uint32_t weight = 0;
    uint32_t scales = 0;
    std::optional<uint32_t> biases;
  };

  template <typename Function>
  void Try(Function function) {
    try {
      function();
    } catch (const Error& error) {
      problems_.Caught(error);
    }
  }

  std::string ConfigPath() const { return JoinPath(checkpoint_.folder, "config.json"); }

  const StoredArray& Array(uint32_t index) const { return checkpoint_.arrays[index]; }

  [[noreturn]] void Throw(uint32_t array, std::string what, std::string expected,
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

  void GroupModule(const MlxQuantization& block, uint32_t scales) {
    Module module;
    module.name = Array(scales).name;
    module.name.resize(module.name.size() - kScales.size());
    module.scales = scales;
    MlxModule entry;
    try {
      entry = block.Find(module.name);
    } catch (Error& error) {
      error.InFile(ConfigPath());
      throw;
    }
    const std::optional<uint32_t> weight = table_.Find(module.name + std::string(kWeight));
    if (entry.kind == MlxModule::Kind::kFloat || !weight) {
      return;  // arrays that happen to be called so
    }
    if (!block.present()) {
      if (Array(*weight).dtype == DType::kU32) {
        Throw(scales, "a quantized module, but config.json does not say how",
              "`quantization` in config.json", "none");
      }
      return;
    }
    if (const auto scale = table_.Find(module.name + std::string(kGlobalScale))) {
      Throw(*scale, "nvfp4 with a scale for the whole tensor cannot be read",
            "modules of weight, scales and biases only", Array(*scale).name);
    }
    module.weight = *weight;
    module.encoding = entry.kind == MlxModule::Kind::kUnlisted
                          ? EncodingOfUnlisted(entry.encoding, Array(*weight), Array(scales))
                          : entry.encoding;
    module.biases = table_.Find(module.name + std::string(kBiases));
    SetValueType(module);
    Claim(module, ShapeOfValues(module));
  }

  // Of a module without an entry: the global one, unless the arrays can only be those of another
  // scheme with 8-bit scales. (Affine ones of other parameters cannot be told apart.)
  static Encoding EncodingOfUnlisted(const Encoding& global, const StoredArray& weight,
                                     const StoredArray& scales) {
    const auto fits = [&](const Encoding& encoding) {
      const uint64_t words = uint64_t{encoding.group} * encoding.bits / 32;  // of a group
      return encoding.scheme != Scheme::kAffine &&
             weight.shape.back() / words == scales.shape.back() && weight.shape.back() % words == 0;
    };
    if (scales.dtype == DType::kU8 && !fits(global)) {
      for (Scheme scheme : {Scheme::kMxfp4, Scheme::kMxfp8, Scheme::kNvfp4}) {
        if (const Encoding encoding = DefaultMlxEncoding(scheme); fits(encoding)) {
          return encoding;
        }
      }
    }
    return global;
  }

  // The dtype of the values; refuses scales of a wrong one.
  void SetValueType(Module& module) const {
    const DType dtype = Array(module.scales).dtype;
    Encoding& encoding = module.encoding;
    if (encoding.scheme != Scheme::kAffine) {
      encoding.dtype = DType::kBF16;
      const DType special =
          encoding.scheme == Scheme::kNvfp4 ? DType::kF8E4M3 : DType::kF8E8M0;  // the same bytes
      if (dtype != DType::kU8 && dtype != special) {
        Throw(module.scales, Format("wrong dtype of {} scales", SchemeName(encoding.scheme)), "U8",
              std::string(Name(dtype)));
      }
      return;
    }
    if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) {
      Throw(module.scales, "wrong dtype of affine scales", "F32, F16 or BF16",
            std::string(Name(dtype)));
    }
    encoding.dtype = dtype;
  }

  Shape ShapeOfValues(const Module& module) const {
    const StoredArray& weight = Array(module.weight);
    const StoredArray& scales = Array(module.scales);
    const Encoding& encoding = module.encoding;
    const std::string label =
        Format("{} {}-bit, group {}", SchemeName(encoding.scheme), encoding.bits, encoding.group);
    if (weight.dtype != DType::kU32) {
      Throw(module.weight, "wrong dtype of the weight of a quantized module", "U32",
            std::string(Name(weight.dtype)));
    }
    const size_t rank = weight.shape.rank();
    if (rank < 2 || scales.shape.rank() != rank ||
        !std::equal(weight.shape.dims().begin(), weight.shape.dims().end() - 1,
                    scales.shape.dims().begin())) {
      Throw(module.scales, "shapes of weight and scales do not go together",
            "all but the last dimension as in " + weight.shape.ToString(), scales.shape.ToString());
    }
    const std::optional<uint64_t> row = CheckedMul(scales.shape.back(), encoding.group);
    const std::optional<uint64_t> row_bits = row ? CheckedMul(*row, encoding.bits) : std::nullopt;
    if (!row_bits || *row_bits % 32 != 0 || *row_bits / 32 != weight.shape.back()) {
      Throw(module.weight, "the weight does not fit its scales and " + label,
            row_bits ? Format("rows of {} words for {} groups of scales", CeilDiv(*row_bits, 32),
                              scales.shape.back())
                     : "a size that fits 64 bits",
            Format("shape {}", weight.shape.ToString()));
    }
    Shape shape = weight.shape;
    shape[rank - 1] = *row;
    if (!CanEncode(encoding, shape)) {
      Throw(module.weight, "a shape that cannot be " + label,
            "rows of at least one group, and a size that fits 64 bits", shape.ToString());
    }
    return shape;
  }

  void Claim(const Module& module, const Shape& shape) {
    SourceTensor tensor{
        Array(module.weight).name, module.encoding, shape, {module.weight, module.scales}};
    if (module.encoding.scheme == Scheme::kAffine) {
      if (!module.biases) {
        Throw(module.scales, "an affine module without biases", module.name + std::string(kBiases),
              "none");
      }
      const StoredArray& biases = Array(*module.biases);
      const StoredArray& scales = Array(module.scales);
      if (biases.dtype != scales.dtype || biases.shape != scales.shape) {
        Throw(*module.biases, "biases do not go with the scales",
              Format("{} {}", Name(scales.dtype), scales.shape.ToString()),
              Format("{} {}", Name(biases.dtype), biases.shape.ToString()));
      }
      tensor.planes.push_back(*module.biases);
    }
    for (uint32_t plane : tensor.planes) {
      claimed_[plane] = true;
    }
    checkpoint_.tensors.push_back(std::move(tensor));
  }

  // A module of which the config says that it is quantized, and which has a weight.
  void CheckListed(std::string_view module) const {
    const std::string name(module);
    const std::optional<uint32_t> weight = table_.Find(name + std::string(kWeight));
    if (weight && !table_.Find(name + std::string(kScales))) {
      Throw(*weight, "config.json lists the module as quantized, but it has no scales",
            name + std::string(kScales), "none");
    }
  }

  Checkpoint& checkpoint_;
  const Json& config_;
  NameTable table_;
  ProblemSink problems_;
  std::vector<bool> claimed_;
};

}  // namespace

std::string MlxReason(const Json& config, const Checkpoint& checkpoint) {
  const Json* block = config.Find("quantization");
  if (block != nullptr && block->is_object()) {
    return "config.json has an MLX `quantization` block";
  }
  const auto format = checkpoint.metadata.find("format");
  if (format != checkpoint.metadata.end() && format->second == "mlx") {
    return "the metadata of the shards says format mlx";
  }
  const NameTable table(checkpoint.arrays);
  for (const StoredArray& array : checkpoint.arrays) {
    if (array.name.ends_with(kScales)) {
      const std::string module = array.name.substr(0, array.name.size() - kScales.size());
      const std::optional<uint32_t> weight = table.Find(module + std::string(kWeight));
      if (weight && checkpoint.arrays[*weight].dtype == DType::kU32) {
        return Format("\"{}\" is quantized as MLX does it", Printable(module));
      }
    }
  }
  return "";
}

void GroupMlxTensors(Checkpoint& checkpoint, const Json& config, bool collect_problems) {
  OpenOptions options;
  options.collect_problems = collect_problems;
  checkpoint.tensors.clear();
  Grouper(checkpoint, config, options).Run();
  checkpoint.BuildIndex();
}

}  // namespace lbrx

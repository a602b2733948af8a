#include "formats/torch/pickle_globals.h"

#include <algorithm>
#include <array>

namespace lbrx {

namespace {

using enum PickleRole;

constexpr PickleGlobal Storage(std::string_view name, std::optional<DType> dtype,
                               std::string_view note = {}) {
  return {"torch", name, kStorageClass, dtype, note};
}

constexpr PickleGlobal TorchDType(std::string_view name, std::optional<DType> dtype,
                                  std::string_view note = {}) {
  return {"torch", name, kDType, dtype, note};
}

constexpr PickleGlobal Rebuild(std::string_view name, PickleRole role, std::string_view note = {}) {
  return {"torch._utils", name, role, std::nullopt, note};
}

constexpr PickleGlobal Harmless(std::string_view module, std::string_view name) {
  return {module, name, kHarmless, std::nullopt, {}};
}

constexpr std::string_view kQuantized = "a tensor that torch quantized";
constexpr std::string_view kNoDType = "a dtype that no other format has";

constexpr std::array kGlobals = {
    PickleGlobal{"collections", "OrderedDict", kDict, std::nullopt, {}},
    PickleGlobal{"collections", "defaultdict", kDict, std::nullopt, {}},
    PickleGlobal{"collections", "Counter", kDict, std::nullopt, {}},
    Rebuild("_rebuild_tensor", kTensor),
    Rebuild("_rebuild_tensor_v2", kTensor2),
    Rebuild("_rebuild_tensor_v3", kTensor3),
    Rebuild("_rebuild_parameter", kParameter),
    Rebuild("_rebuild_parameter_with_state", kParameter),
    Rebuild("_rebuild_qtensor", kUnsupported, kQuantized),
    Rebuild("_rebuild_sparse_tensor", kUnsupported, "a sparse tensor"),
    Rebuild("_rebuild_sparse_csr_tensor", kUnsupported, "a sparse tensor"),
    Rebuild("_rebuild_nested_tensor", kUnsupported, "a nested tensor"),
    Rebuild("_rebuild_meta_tensor_no_storage", kUnsupported, "a tensor on \"meta\", without data"),
    Rebuild("_rebuild_wrapper_subclass", kUnsupported, "a tensor of another class"),
    Rebuild("_rebuild_device_tensor_from_numpy", kUnsupported, "a tensor of another device"),
    Rebuild("_rebuild_device_tensor_from_cpu_tensor", kUnsupported, "a tensor of another device"),
    PickleGlobal{"torch._tensor", "_rebuild_from_type_v2", kUnsupported, std::nullopt,
                 "a tensor of another class"},
    Storage("FloatStorage", DType::kF32),
    Storage("DoubleStorage", DType::kF64),
    Storage("HalfStorage", DType::kF16),
    Storage("BFloat16Storage", DType::kBF16),
    Storage("ByteStorage", DType::kU8),
    Storage("CharStorage", DType::kI8),
    Storage("ShortStorage", DType::kI16),
    Storage("IntStorage", DType::kI32),
    Storage("LongStorage", DType::kI64),
    Storage("BoolStorage", DType::kBool),
    Storage("ComplexFloatStorage", DType::kC64),
    Storage("UntypedStorage", DType::kU8),
    Storage("ComplexDoubleStorage", std::nullopt, kNoDType),
    Storage("QInt8Storage", std::nullopt, kQuantized),
    Storage("QUInt8Storage", std::nullopt, kQuantized),
    Storage("QInt32Storage", std::nullopt, kQuantized),
    Storage("QUInt4x2Storage", std::nullopt, kQuantized),
    Storage("QUInt2x4Storage", std::nullopt, kQuantized),
    PickleGlobal{"torch.storage", "UntypedStorage", kStorageClass, DType::kU8, {}},
    TorchDType("float32", DType::kF32),
    TorchDType("float64", DType::kF64),
    TorchDType("float16", DType::kF16),
    TorchDType("bfloat16", DType::kBF16),
    TorchDType("uint8", DType::kU8),
    TorchDType("uint16", DType::kU16),
    TorchDType("uint32", DType::kU32),
    TorchDType("uint64", DType::kU64),
    TorchDType("int8", DType::kI8),
    TorchDType("int16", DType::kI16),
    TorchDType("int32", DType::kI32),
    TorchDType("int64", DType::kI64),
    TorchDType("bool", DType::kBool),
    TorchDType("complex64", DType::kC64),
    TorchDType("float8_e4m3fn", DType::kF8E4M3),
    TorchDType("float8_e5m2", DType::kF8E5M2),
    TorchDType("float8_e8m0fnu", DType::kF8E8M0),
    TorchDType("float8_e4m3fnuz", std::nullopt, kNoDType),
    TorchDType("float8_e5m2fnuz", std::nullopt, kNoDType),
    TorchDType("float4_e2m1fn_x2", std::nullopt, kNoDType),
    TorchDType("complex32", std::nullopt, kNoDType),
    TorchDType("complex128", std::nullopt, kNoDType),
    TorchDType("qint8", std::nullopt, kQuantized),
    TorchDType("quint8", std::nullopt, kQuantized),
    TorchDType("qint32", std::nullopt, kQuantized),
    TorchDType("quint4x2", std::nullopt, kQuantized),
    TorchDType("quint2x4", std::nullopt, kQuantized),
    PickleGlobal{"torch", "Size", kTuple, std::nullopt, {}},
    // What stands beside the tensors of a training checkpoint.
    Harmless("torch", "device"),
    Harmless("torch.serialization", "_get_layout"),
    Harmless("torch", "per_tensor_affine"),
    Harmless("torch", "per_tensor_symmetric"),
    Harmless("torch", "per_channel_affine"),
    Harmless("torch", "per_channel_symmetric"),
    Harmless("torch", "per_channel_affine_float_qparams"),
    Harmless("torch.torch_version", "TorchVersion"),
    Harmless("_codecs", "encode"),
    Harmless("builtins", "set"),
    Harmless("builtins", "frozenset"),
    Harmless("builtins", "bytearray"),
    Harmless("builtins", "complex"),
    Harmless("__builtin__", "set"),
    Harmless("__builtin__", "frozenset"),
    Harmless("__builtin__", "bytearray"),
    Harmless("__builtin__", "complex"),
    Harmless("numpy", "dtype"),
    Harmless("numpy.core.multiarray", "scalar"),
    Harmless("numpy._core.multiarray", "scalar"),
};

}  // namespace

std::optional<uint64_t> FindPickleGlobal(std::string_view module, std::string_view name) {
  // torch.cuda.FloatStorage and its like, of the time before locations, are the same storages.
  if (module == "torch.cuda" && name.ends_with("Storage")) {
    module = "torch";
  }
  const auto* const found = std::find_if(
      kGlobals.begin(), kGlobals.end(),
      [&](const PickleGlobal& row) { return row.name == name && row.module == module; });
  if (found == kGlobals.end()) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(found - kGlobals.begin());
}

const PickleGlobal& PickleGlobalAt(uint64_t row) {
  return kGlobals[row];
}

}  // namespace lbrx

// Models that other libraries quantized. Input: the config's JSON up to the first NUL byte; a byte
// that counts arrays; for each 8 bytes: suffix of its name, dtype, rank, up to 4 dimensions, a
// shift for the last; the rest is the arrays' content, repeated as often as needed.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "check.h"
#include "core/base/error.h"
#include "formats/huggingface/quantized.h"
#include "input_file.h"
#include "stream/value.h"
#include "target.h"

namespace lbrx {
namespace {

constexpr size_t kRecord = 8;
constexpr uint64_t kMostBytes = uint64_t{1} << 18;  // of all arrays, and of a tensor's values
constexpr std::array<const char*, 24> kSuffixes = {
    ".weight",
    ".qweight",
    ".qzeros",
    ".scales",
    ".g_idx",
    ".weight_scale_inv",
    ".weight_scale",
    ".weight_packed",
    ".weight_shape",
    ".weight_zero_point",
    ".weight_global_scale",
    ".weight.absmax",
    ".weight.quant_map",
    ".weight.nested_absmax",
    ".weight.nested_quant_map",
    ".weight.quant_state.bitsandbytes__nf4",
    ".weight.quant_state.bitsandbytes__fp4",
    ".SCB",
    ".weight_format",
    "_blocks",
    "_scales",
    ".input_scale",
    ".weight_g_idx",
    "",
};

StoredArray ArrayOf(const uint8_t* record) {
  StoredArray array;
  array.name = (record[0] & 0x80 ? "n" : "m") + std::string(kSuffixes[(record[0] & 0x7F) % 24]);
  array.dtype = static_cast<DType>(record[1] % kDTypeCount);
  for (int i = 0; i < record[2] % 5; ++i) {
    array.shape.push_back(record[3 + i]);
  }
  if (array.shape.rank() > 0 && record[2] % 5 < 4) {
    array.shape[array.shape.rank() - 1] <<= record[7] % 12;
  }
  return array;
}

// Arrays one after another in one file; those that do not fit are left out.
void AddArrays(std::string_view records, Checkpoint& checkpoint) {
  uint64_t offset = 0;
  for (size_t at = 0; at + kRecord <= records.size(); at += kRecord) {
    StoredArray array = ArrayOf(reinterpret_cast<const uint8_t*>(records.data()) + at);
    const std::optional<uint64_t> elements = array.shape.CheckedElements();
    const bool known =
        std::any_of(checkpoint.arrays.begin(), checkpoint.arrays.end(),
                    [&](const StoredArray& other) { return other.name == array.name; });
    if (known || !elements || *elements > kMostBytes) {
      continue;
    }
    array.bytes = ElementBytes(array.dtype, *elements);
    if (offset + array.bytes > kMostBytes || *elements * Info(array.dtype).bits % 8 != 0) {
      continue;
    }
    array.offset = offset;
    offset += array.bytes;
    checkpoint.arrays.push_back(std::move(array));
  }
}

void ReadTensors(const Checkpoint& checkpoint) {
  // Not owned: it outlives the values.
  const SourceFiles::Checkpoints sources = {
      std::shared_ptr<const Checkpoint>(&checkpoint, [](const Checkpoint* /*kept*/) {})};
  SourceFiles files(sources);
  Pool pool;
  ReadContext context{files, pool, NonFinitePolicy::kKeep};
  for (const SourceTensor& tensor : checkpoint.tensors) {
    const ValuePtr value = LoadTensor(sources, 0, tensor);
    const uint64_t elements = value->shape().elements();
    FUZZ_CHECK(value->shape() == tensor.shape);
    if (elements == 0 || elements > kMostBytes) {
      continue;
    }
    std::vector<std::byte> whole(ElementBytes(value->dtype(), elements));
    value->Read(context, 0, elements, whole.data());
    // A part of it is the same part.
    const uint64_t granule = value->granule();
    const uint64_t first = elements / 3 / granule * granule;
    const uint64_t count = std::max(elements / 5 / granule, uint64_t{1}) * granule;
    if (first + count <= elements && Info(value->dtype()).bits % 8 == 0) {
      std::vector<std::byte> part(ElementBytes(value->dtype(), count));
      value->Read(context, first, count, part.data());
      FUZZ_CHECK(
          std::equal(part.begin(), part.end(),
                     whole.begin() + static_cast<ptrdiff_t>(ElementBytes(value->dtype(), first))));
    }
    FUZZ_CHECK(pool.counters().bytes_in_use == 0);
  }
}

void Group(Checkpoint checkpoint, bool collect) {
  OpenOptions options;
  options.collect_problems = collect;
  try {
    if (GroupQuantizedTensors(checkpoint, options)) {
      checkpoint.BuildIndex();
      ReadTensors(checkpoint);
    }
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
  }
}

void Run(std::string_view input) {
  static InputFile file(".safetensors");
  const size_t end = std::min(input.find('\0'), input.size());
  Checkpoint checkpoint;
  checkpoint.folder = "/nonexistent";
  try {
    checkpoint.config = ParseJson(input.substr(0, end), "config.json");
  } catch (const Error&) {
    return;
  }
  if (!checkpoint.config.is_object() || end + 2 > input.size()) {
    return;
  }
  const size_t count = static_cast<uint8_t>(input[end + 1]) % 16;
  const std::string_view rest = input.substr(end + 2);
  AddArrays(rest.substr(0, count * kRecord), checkpoint);
  const std::string_view data = rest.substr(std::min(rest.size(), count * kRecord));
  std::string content;
  while (content.size() < kMostBytes) {
    content += data.empty() ? "\x5A" : data;
  }
  content.resize(kMostBytes);
  file.Set(content);
  checkpoint.files.push_back({file.file().path(), file.file().GetFingerprint()});
  Group(checkpoint, false);
  Group(std::move(checkpoint), true);
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kText);

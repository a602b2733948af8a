#include "check/scan.h"

#include <algorithm>

#include "core/base/checked.h"
#include "core/base/format.h"
#include "core/tensor/convert.h"

namespace lbrx {
namespace {

// Pointers that own nothing: the caller keeps the checkpoints alive.
SourceFiles::Checkpoints Borrow(const std::vector<const Checkpoint*>& checkpoints) {
  SourceFiles::Checkpoints out;
  for (const Checkpoint* checkpoint : checkpoints) {
    out.emplace_back(std::shared_ptr<const void>(), checkpoint);
  }
  return out;
}

// Free buffers kept beside those in use; RSS may be 64 MiB above the limit.
uint64_t KeptBytes(uint64_t memory) {
  return std::min<uint64_t>(memory / 4, uint64_t{48} << 20);
}

}  // namespace

uint64_t CountBands(uint64_t elements) {
  return CeilDiv(elements, kBandElements);
}

uint64_t BandMemory(const Value& value) {
  const uint64_t count = std::min(value.shape().elements(), kBandElements);
  return Pool::ClassSize(ElementBytes(value.dtype(), count)) + value.WorkingBytes(count);
}

std::optional<DType> NumberType(DType dtype) {
  DType type = DType::kF32;
  switch (dtype) {
    case DType::kF64:
    case DType::kI32:
    case DType::kU32:
    case DType::kI64:
    case DType::kU64:
      type = DType::kF64;
      break;
    default:
      break;
  }
  return CanConvert(dtype, type) ? std::optional(type) : std::nullopt;
}

Scanner::Scanner(const std::vector<const Checkpoint*>& checkpoints, const CheckOptions& options)
    : options_(options),
      sources_(Borrow(checkpoints)),
      files_(sources_),
      pool_(KeptBytes(options.memory)) {}

Pool::Buffer Scanner::Read(const Value& value, uint64_t first, uint64_t count) {
  Pool::Buffer buffer = pool_.Get(ElementBytes(value.dtype(), count));
  ReadContext context{files_, pool_, NonFinitePolicy::kKeep, nullptr};
  value.Read(context, first, count, buffer.data());
  return buffer;
}

void Scanner::Advance(const Value& value, uint64_t first, uint64_t count) const {
  if (!options_.advance) {
    return;
  }
  // Parts that add up to the whole, whatever the bytes of an element.
  const auto part = [&](uint64_t elements) {
    return static_cast<uint64_t>(
        static_cast<double>(value.SourceBytes()) *
        (static_cast<double>(elements) / static_cast<double>(value.shape().elements())));
  };
  options_.advance(part(first + count) - part(first));
}

void Scanner::Advance(uint64_t bytes) const {
  if (options_.advance) {
    options_.advance(bytes);
  }
}

void Scanner::Run(uint64_t count, uint64_t step_memory, const std::function<void(uint64_t)>& step) {
  if (step_memory > options_.memory) {
    throw Error(ErrorCode::kLimit, {.file = "",
                                    .object = "",
                                    .what = "the memory limit is too small for this check",
                                    .expected = Format("at least {} bytes", step_memory),
                                    .found = Format("{} bytes", options_.memory),
                                    .offset = {},
                                    .advice = "give more with --memory"});
  }
  const uint64_t fitting = options_.memory / std::max<uint64_t>(step_memory, 1);
  const auto window = static_cast<unsigned>(
      std::min<uint64_t>(fitting, std::max(options_.executor->threads(), 1U)));
  RunPipeline(*options_.executor, count, window, options_.cancel, step);
  files_.CheckUnchanged();
}

void Scanner::ForEachBand(const std::vector<uint64_t>& elements, uint64_t step_memory,
                          const std::function<void(const ScanBand&)>& step) {
  std::vector<uint64_t> ends;  // of each item, in bands of all
  uint64_t total = 0;
  for (const uint64_t count : elements) {
    total += CountBands(count);
    ends.push_back(total);
  }
  Run(total, step_memory, [&](uint64_t i) {
    ScanBand band;
    band.item = std::upper_bound(ends.begin(), ends.end(), i) - ends.begin();
    band.index = i - (ends[band.item] - CountBands(elements[band.item]));
    band.first = band.index * kBandElements;
    band.count = std::min(kBandElements, elements[band.item] - band.first);
    step(band);
  });
}

}  // namespace lbrx

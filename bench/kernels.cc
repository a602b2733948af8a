// Speed of the quantization kernels on one thread, next to memcpy of the same values: best of
// several runs over a band of a few MB.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/format.h"
#include "core/tensor/convert.h"
#include "quant/codec.h"

namespace lbrx {
namespace {

constexpr size_t kElements = size_t{1} << 21;
constexpr int kRuns = 15;

// Millions of elements per second.
double Speed(const std::function<void()>& run) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    const Clock::time_point begin = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return static_cast<double>(kElements) / best / 1e6;
}

// About normal: a sum of four uniform draws.
std::vector<float> Weights() {
  std::vector<float> out(kElements);
  uint64_t state = 1;
  for (float& value : out) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    int sum = 0;
    for (int i = 0; i < 4; ++i) {
      sum += static_cast<int>((state >> (16 * i)) & 0xFFFF) - 0x8000;
    }
    value = static_cast<float>(sum) * 1e-6F;
  }
  return out;
}

void Print(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
}

void MeasureScheme(const SchemeRow& row, DType dtype, const std::vector<std::byte>& values) {
  Encoding encoding = row.encoding;
  encoding.dtype = dtype;
  std::vector<std::vector<std::byte>> storage;
  std::vector<std::byte*> planes;
  std::vector<const std::byte*> const_planes;
  for (const Plane& plane : PlanesOf(encoding, Shape{1, kElements})) {
    storage.emplace_back(PlaneBytes(plane));
    planes.push_back(storage.back().data());
    const_planes.push_back(storage.back().data());
  }
  std::vector<std::byte> decoded(values.size());
  const Codec* codec = FindCodec(encoding.scheme);
  std::string line = Format("{:<6} {:<5}", row.name, Name(dtype));
  for (const MlxRule rule : {MlxRule::kMetal, MlxRule::kCpu}) {
    line += Format(" {:>10.0f}", Speed([&] {
                     codec->encode({encoding, {rule}, values.data(), kElements, planes});
                   }));
  }
  line += Format(" {:>10.0f}", Speed([&] {
                   codec->decode({encoding, dtype, const_planes, kElements, decoded.data()});
                 }));
  line += Format(" {:>10.0f}",
                 Speed([&] { std::memcpy(decoded.data(), values.data(), values.size()); }));
  Print(line);
}

void MeasureConversions(const std::vector<float>& weights) {
  constexpr DType kTypes[] = {DType::kF32, DType::kBF16, DType::kF16};
  const auto* floats = reinterpret_cast<const std::byte*>(weights.data());
  std::vector<std::byte> in(kElements * 4);
  std::vector<std::byte> out(kElements * 4);
  for (const DType from : kTypes) {
    Convert(DType::kF32, floats, from, in.data(), kElements);
    for (const DType to : kTypes) {
      Print(Format("{:<4} to {:<4} {:>10.0f}", Name(from), Name(to),
                   Speed([&] { Convert(from, in.data(), to, out.data(), kElements); })));
    }
    Print(Format("{:<4} finite? {:>8.0f}", Name(from),
                 Speed([&] { HasNonFinite(from, in.data(), kElements); })));
  }
}

void MeasureAll() {
  Print(Format("Mweights/s on one thread, {}", SimdTargetName(SimdTarget())));
  Print("scheme dtype  enc metal    enc cpu     decode     memcpy");
  const std::vector<float> weights = Weights();
  for (const DType dtype : {DType::kBF16, DType::kF16, DType::kF32}) {
    std::vector<std::byte> values(kElements * Info(dtype).bits / 8);
    Convert(DType::kF32, reinterpret_cast<const std::byte*>(weights.data()), dtype, values.data(),
            kElements);
    for (const SchemeRow& row : SchemeTable()) {
      MeasureScheme(row, dtype, values);
    }
  }
  MeasureConversions(weights);
}

}  // namespace
}  // namespace lbrx

int main() {
  lbrx::MeasureAll();
  return 0;
}

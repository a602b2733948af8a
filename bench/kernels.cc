// Speed of the quantization kernels on one thread, next to memcpy of the same values: best CPU
// time of several runs over a band of a few MB.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/format.h"
#include "core/tensor/convert.h"
#include "quant/codec.h"
#include "quant/error.h"

namespace lbrx {
namespace {

constexpr size_t kElements = size_t{1} << 21;
constexpr int kRounds = 4;
constexpr int kRuns = 5;

// Of this thread, in seconds: what other programs take of the core is not counted.
double CpuTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Millions of elements per second.
double Speed(const std::function<void()>& run) {
  double best = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    const double begin = CpuTime();
    run();
    best = std::min(best, CpuTime() - begin);
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

// A line of the table: the best speeds of all rounds.
struct Row {
  Encoding encoding;
  std::vector<double> speeds;

  void Measure(size_t column, const std::function<void()>& run) {
    speeds.resize(std::max(speeds.size(), column + 1));
    speeds[column] = std::max(speeds[column], Speed(run));
  }
};

void MeasureScheme(Row& row, const std::vector<std::byte>& values) {
  const Encoding& encoding = row.encoding;
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
  EncodeJob job{encoding, {}, values.data(), kElements, planes};
  row.Measure(0, [&] { codec->encode(job); });
  job.options.rule = MlxRule::kCpu;
  row.Measure(1, [&] { codec->encode(job); });
  row.Measure(2, [&] {
    codec->decode({encoding, encoding.dtype, const_planes, kElements, decoded.data()});
  });
  job.options.rule = MlxRule::kMetal;
  row.Measure(3, [&] { EncodeError(job); });
  row.Measure(4, [&] { std::memcpy(decoded.data(), values.data(), values.size()); });
  if (encoding.scheme == Scheme::kAffine) {
    job.options.search = true;
    row.Measure(5, [&] { codec->encode(job); });
  }
}

// Every group for weights as they usually come, the default one for others.
std::vector<Row> Rows(DType dtype) {
  std::vector<Row> rows;
  for (const SchemeRow& scheme : SchemeTable()) {
    Encoding encoding = scheme.encoding;
    encoding.dtype = dtype;
    if (encoding.scheme != Scheme::kAffine || dtype != DType::kBF16) {
      rows.push_back({encoding, {}});
      continue;
    }
    for (const uint16_t group : {32, 64, 128}) {
      encoding.group = group;
      rows.push_back({encoding, {}});
    }
  }
  return rows;
}

// Rounds lie some time apart: a busy neighbour spoils one of them, not all.
void MeasureSchemes(DType dtype, const std::vector<std::byte>& values) {
  std::vector<Row> rows = Rows(dtype);
  for (int round = 0; round < kRounds; ++round) {
    for (Row& row : rows) {
      MeasureScheme(row, values);
    }
  }
  for (const Row& row : rows) {
    std::string line = Format("{:<9} {:<5}", SchemeLabel(row.encoding), Name(dtype));
    for (const double speed : row.speeds) {
      line += Format(" {:>10.0f}", speed);
    }
    Print(line);
  }
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
  Print("scheme    dtype  enc metal    enc cpu     decode      error     memcpy     search");
  const std::vector<float> weights = Weights();
  for (const DType dtype : {DType::kBF16, DType::kF16, DType::kF32}) {
    std::vector<std::byte> values(kElements * Info(dtype).bits / 8);
    Convert(DType::kF32, reinterpret_cast<const std::byte*>(weights.data()), dtype, values.data(),
            kElements);
    MeasureSchemes(dtype, values);
  }
  MeasureConversions(weights);
}

}  // namespace
}  // namespace lbrx

int main() {
  lbrx::MeasureAll();
  return 0;
}

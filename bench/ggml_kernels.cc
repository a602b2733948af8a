// Speed of GGUF's block types on one thread, next to ggml's own functions for them, which are taken
// from its shared library: lbrx_ggml_bench libggml-base.so [TYPE...]. Best CPU time of several runs
// over the same rows; the bytes of both are compared.
#include <dlfcn.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "core/tensor/ggml_types.h"
#include "quant/codec.h"

namespace lbrx {
namespace {

constexpr uint64_t kColumns = 2048;
constexpr uint64_t kRows = 32;
constexpr uint64_t kElements = kRows * kColumns;
constexpr double kSeconds = 0.05;  // that runs of one kind take together at least
constexpr int kLeastRuns = 2;

using QuantizeChunk = size_t (*)(int type, const float* values, void* out, int64_t start,
                                 int64_t rows, int64_t columns, const float* importance);
using RequiresImportance = bool (*)(int type);
using DecodeRow = void (*)(const void* blocks, float* values, int64_t count);

double CpuTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Millions of elements a second, after one run to warm up.
double Speed(const std::function<void()>& run) {
  run();
  double best = 1e9;
  double total = 0;
  for (int i = 0; i < kLeastRuns || total < kSeconds; ++i) {
    const double begin = CpuTime();
    run();
    const double time = CpuTime() - begin;
    best = std::min(best, time);
    total += time;
  }
  return static_cast<double>(kElements) / best / 1e6;
}

class Random {
 public:
  // About normal: a sum of four uniform draws.
  float Normal() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    int sum = 0;
    for (int i = 0; i < 4; ++i) {
      sum += static_cast<int>((state_ >> (16 * i)) & 0xFFFF) - 0x8000;
    }
    return static_cast<float>(sum) * 1e-6F;
  }

 private:
  uint64_t state_ = 1;
};

class Ggml {
 public:
  explicit Ggml(const char* path) : library_(dlopen(path, RTLD_NOW)) {
    if (library_ == nullptr) {
      Fail(Format("cannot open {}", path));
    }
    quantize_ = Find<QuantizeChunk>("ggml_quantize_chunk");
    requires_ = Find<RequiresImportance>("ggml_quantize_requires_imatrix");
  }

  bool Requires(const GgmlType& type) const { return requires_(static_cast<int>(type.id)); }

  void Encode(const GgmlType& type, const std::vector<float>& values, const float* importance,
              std::vector<std::byte>& out) const {
    quantize_(static_cast<int>(type.id), values.data(), out.data(), 0, kRows, kColumns, importance);
  }

  DecodeRow Decoder(const GgmlType& type) const {
    std::string name(type.name);  // "Q4_K": its function ends in "q4_K"
    const bool k = name.ends_with("_K");
    std::transform(name.begin(), name.end() - (k ? 1 : 0), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return Find<DecodeRow>("dequantize_row_" + name);
  }

  [[noreturn]] static void Fail(const std::string& what) { throw Error(ErrorCode::kInvalid, what); }

 private:
  template <typename Function>
  Function Find(const std::string& name) const {
    void* symbol = dlsym(library_, name.c_str());
    if (symbol == nullptr) {
      Fail(name + ": no such function in ggml");
    }
    return reinterpret_cast<Function>(symbol);
  }

  void* library_;
  QuantizeChunk quantize_ = nullptr;
  RequiresImportance requires_ = nullptr;
};

// Both programs' speed at one thing: "  123.4   12.3  10.0x".
struct Pair {
  double ours = 0;
  double theirs = 0;

  std::string ToString() const {
    if (ours == 0) {
      return Format("{:>9} {:>9} {:>7}", "-", "-", "-");
    }
    return Format("{:>9.1f} {:>9.1f} {:>6.1f}x", ours, theirs, ours / theirs);
  }
};

class TypeBench {
 public:
  TypeBench(const Ggml& ggml, const GgmlType& type, const std::vector<float>& values,
            const std::vector<float>& importance)
      : ggml_(ggml),
        type_(type),
        codec_(*FindCodec(type.encoding.scheme)),
        values_(values),
        importance_(importance),
        ours_(kElements / type.block * type.bytes),
        theirs_(ours_.size()) {}

  std::string Line() {
    const Pair plain = ggml_.Requires(type_) ? Pair() : Encode(nullptr);
    const Pair weighted = Encode(importance_.data());
    return Format("{:<8} {} {} {}", type_.name, plain.ToString(), weighted.ToString(),
                  Decode().ToString());
  }

 private:
  Pair Encode(const float* importance) {
    std::byte* plane = ours_.data();
    const EncodeJob job{.encoding = type_.encoding,
                        .options = {},
                        .values = reinterpret_cast<const std::byte*>(values_.data()),
                        .elements = kElements,
                        .planes = {&plane, 1},
                        .importance = importance,
                        .columns = kColumns};
    const Pair pair{Speed([&] { codec_.encode(job); }),
                    Speed([&] { ggml_.Encode(type_, values_, importance, theirs_); })};
    if (ours_ != theirs_) {
      Ggml::Fail(Format("{}: other bytes than ggml's", type_.name));
    }
    return pair;
  }

  Pair Decode() {
    std::vector<float> out(kElements);
    const std::byte* plane = ours_.data();
    const DecodeRow decode = ggml_.Decoder(type_);
    return {Speed([&] {
              codec_.decode({type_.encoding,
                             DType::kF32,
                             {&plane, 1},
                             kElements,
                             reinterpret_cast<std::byte*>(out.data())});
            }),
            Speed([&] { decode(ours_.data(), out.data(), kElements); })};
  }

  const Ggml& ggml_;
  const GgmlType& type_;
  const Codec& codec_;
  const std::vector<float>& values_;
  const std::vector<float>& importance_;
  std::vector<std::byte> ours_;
  std::vector<std::byte> theirs_;
};

// All types where `names` is empty.
void Measure(const char* library, std::span<const std::string_view> names) {
  const Ggml ggml(library);
  Random random;
  std::vector<float> values(kElements);
  std::generate(values.begin(), values.end(), [&] { return random.Normal(); });
  std::vector<float> importance(kColumns);
  std::generate(importance.begin(), importance.end(), [&] {
    const float root = random.Normal();
    return root * root + 1e-4F;
  });
  std::printf("Mweights/s on one thread, %s; ggml's in the second column of each\n",
              std::string(SimdTargetName(SimdTarget())).c_str());
  std::printf("type                 encode            encode with imatrix                decode\n");
  for (const GgmlType& type : GgmlTypes()) {
    const Scheme scheme = type.encoding.scheme;
    const bool wanted =
        names.empty() || std::find(names.begin(), names.end(), type.name) != names.end();
    if (wanted && IsBlock(scheme) && FindCodec(scheme) != nullptr && scheme != Scheme::kQ81 &&
        scheme != Scheme::kQ8K) {  // which are for activations
      std::printf("%s\n", TypeBench(ggml, type, values, importance).Line().c_str());
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace lbrx

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: lbrx_ggml_bench LIBGGML_BASE.so [TYPE...]\n", stderr);
    return 2;
  }
  try {
    const std::vector<std::string_view> names(argv + 2, argv + argc);
    lbrx::Measure(argv[1], names);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

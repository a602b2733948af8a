// Runs every file of corpus/<target>/, and a few mutations of it, through its fuzz target:
// fuzz_replay CORPUS
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

// fuzz_targets.inc is written by CMake: a line LBRX_FUZZ_TARGET(name) for each target.
#define LBRX_FUZZ_TARGET(name)                                  \
  extern "C" int Fuzz_##name(const uint8_t* data, size_t size); \
  extern "C" size_t Mutate_##name(uint8_t* data, size_t size, size_t max_size, unsigned seed);
#include "fuzz_targets.inc"
#undef LBRX_FUZZ_TARGET

namespace {

std::minstd_rand& Random() {
  static std::minstd_rand random;
  return random;
}

}  // namespace

// In place of libFuzzer's: one byte becomes another, goes or is repeated.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  std::minstd_rand& random = Random();
  if (size == 0 || (random() % 3 == 0 && size < max_size)) {
    data[size] = size == 0 ? uint8_t{'0'} : data[random() % size];
    return size + 1;
  }
  if (random() % 4 == 0) {
    return size - 1;
  }
  data[random() % size] = static_cast<uint8_t>(random() >> 8);
  return size;
}

namespace {

constexpr unsigned kMutations = 8;
constexpr size_t kRoom = 4096;  // by which a mutation may be longer

struct Target {
  const char* name;
  int (*run)(const uint8_t* data, size_t size);
  size_t (*mutate)(uint8_t* data, size_t size, size_t max_size, unsigned seed);
};

#define LBRX_FUZZ_TARGET(name) {#name, &Fuzz_##name, &Mutate_##name},
constexpr Target kTargets[] = {
#include "fuzz_targets.inc"
};
#undef LBRX_FUZZ_TARGET

std::vector<uint8_t> ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void RunMutated(const Target& target, const std::vector<uint8_t>& bytes, unsigned seed) {
  std::printf("  mutation %u\n", seed);
  std::fflush(stdout);
  Random().seed(seed);  // each is the same whatever ran before
  std::vector<uint8_t> mutated(bytes);
  mutated.resize(bytes.size() + kRoom);
  const size_t size = target.mutate(mutated.data(), bytes.size(), mutated.size(), seed);
  mutated.resize(size);
  mutated.shrink_to_fit();  // so that a sanitizer sees its end
  target.run(mutated.data(), mutated.size());
}

// How many files there were. A target that finds something wrong aborts.
size_t Replay(const Target& target, const std::filesystem::path& folder) {
  size_t count = 0;
  if (!std::filesystem::is_directory(folder)) {
    return 0;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::printf("%s %s\n", target.name, entry.path().filename().c_str());
    std::fflush(stdout);  // the last line names the file where a target aborts
    const std::vector<uint8_t> bytes = ReadAll(entry.path());
    target.run(bytes.data(), bytes.size());
    for (unsigned seed = 0; seed < kMutations; ++seed) {
      RunMutated(target, bytes, seed);
    }
    ++count;
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_replay CORPUS\n");
    return 2;
  }
  for (const Target& target : kTargets) {
    if (Replay(target, std::filesystem::path(argv[1]) / target.name) == 0) {
      std::fprintf(stderr, "%s has no corpus\n", target.name);
      return 1;
    }
  }
  return 0;
}

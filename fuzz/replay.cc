// Runs every file of corpus/<target>/ through its fuzz target: fuzz_replay CORPUS
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// fuzz_targets.inc is written by CMake: a line LBRX_FUZZ_TARGET(name) for each target.
#define LBRX_FUZZ_TARGET(name) extern "C" int Fuzz_##name(const uint8_t* data, size_t size);
#include "fuzz_targets.inc"
#undef LBRX_FUZZ_TARGET

namespace {

struct Target {
  const char* name;
  int (*run)(const uint8_t* data, size_t size);
};

#define LBRX_FUZZ_TARGET(name) {#name, &Fuzz_##name},
constexpr Target kTargets[] = {
#include "fuzz_targets.inc"
};
#undef LBRX_FUZZ_TARGET

std::vector<uint8_t> ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
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

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#ifdef __APPLE__
#include <sys/mount.h>
#include <sys/param.h>
#endif

#include "cli/commands/doctor_probe.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/file.h"

namespace lbrx {
namespace {

constexpr uint64_t kTestBytes = uint64_t{64} << 20;
constexpr uint64_t kBlock = uint64_t{4} << 20;

std::string NearestFolder(std::string path) {
  while (!IsDirectory(path)) {
    const std::string parent = ParentPath(path);
    if (parent == path) {
      return "/";
    }
    path = parent;
  }
  return RealPath(path);
}

// The file system's name of the mount that holds `folder` (an absolute path).
std::string FileSystemName(const std::string& folder) {
#ifdef __APPLE__
  struct statfs facts {};

  return statfs(folder.c_str(), &facts) == 0 ? facts.f_fstypename : "";
#else
  // /proc/self/mountinfo: id parent dev root MOUNT options [fields] - TYPE source options
  std::ifstream in("/proc/self/mountinfo");
  std::string line;
  std::string best;
  std::string type;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string word;
    std::string mount;
    for (int i = 0; i < 5; ++i) {
      words >> mount;
    }
    while (words >> word && word != "-") {
    }
    words >> word;
    const bool holds = folder == mount || mount == "/" || folder.starts_with(mount + "/");
    if (holds && mount.size() >= best.size()) {
      best = mount;
      type = word;
    }
  }
  return type;
#endif
}

double Seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

// Drops the file's pages from the system's cache, so that reading means the disk.
bool DropCache(const File& file) {
#ifdef __APPLE__
  return fcntl(file.descriptor(), F_NOCACHE, 1) == 0;
#else
  return posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_DONTNEED) == 0;
#endif
}

void Measure(File& file, uint64_t bytes, const CancelToken& cancel, DiskFacts& facts) {
  std::vector<std::byte> block(kBlock);
  for (size_t i = 0; i < block.size(); ++i) {  // not compressible to nothing
    block[i] = static_cast<std::byte>((i * 2654435761U) >> 13U);
  }
  const double start = Seconds();
  for (uint64_t at = 0; at < bytes; at += kBlock) {
    cancel.ThrowIfCancelled();
    file.WriteAt(at, std::span<const std::byte>(block));
  }
  file.Sync();
  const double written = Seconds();
  facts.read_uncached = DropCache(file);
  const double ready = Seconds();
  for (uint64_t at = 0; at < bytes; at += kBlock) {
    cancel.ThrowIfCancelled();
    file.ReadAt(at, block);
  }
  const double read = Seconds();
  facts.write_speed = static_cast<double>(bytes) / std::max(written - start, 1e-6);
  facts.read_speed = static_cast<double>(bytes) / std::max(read - ready, 1e-6);
}

}  // namespace

DiskFacts ProbeDisk(const std::string& path, const CancelToken& cancel) {
  DiskFacts facts;
  std::string test;
  try {
    facts.path = NearestFolder(path);
    facts.file_system = FileSystemName(facts.path);
    facts.free = FreeSpace(facts.path);
    // Never more than an eighth of what is left.
    const uint64_t bytes = std::min(kTestBytes, facts.free / 8) / kBlock * kBlock;
    if (bytes == 0) {
      facts.problem = "too little free space to measure";
      return facts;
    }
    const std::string name = JoinPath(facts.path, Format(".lbrx-doctor-{}", getpid()));
    const std::shared_ptr<File> file = File::Create(name);
    test = name;
    Measure(*file, bytes, cancel, facts);
    RemoveTree(test);
  } catch (const Error& error) {
    if (!test.empty()) {
      RemoveTree(test);
    }
    if (error.code() == ErrorCode::kCancelled) {
      throw;
    }
    facts.problem = error.what();
  }
  return facts;
}

}  // namespace lbrx

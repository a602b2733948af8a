#include "core/parallel/hardware.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "core/base/checked.h"
#include "core/parallel/executor.h"

namespace lbrx {

namespace {

// "150000 100000" (microseconds of CPU time in each period) is 2; "max 100000" or nonsense 0.
unsigned ParseCpuMax(std::istream& text) {
  uint64_t quota = 0;
  uint64_t period = 0;
  if (!(text >> quota >> period) || quota == 0 || period == 0) {
    return 0;
  }
  return static_cast<unsigned>(std::min<uint64_t>(CeilDiv(quota, period), UINT32_MAX));
}

// The path on the line "0::PATH", which is the one of version 2.
std::string GroupPath(const std::string& membership) {
  std::istringstream lines(membership);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.rfind("0::/", 0) == 0) {
      return line.substr(3);
    }
  }
  return "/";
}

#ifdef __linux__

std::string ReadText(const std::string& path) {
  std::ostringstream text;
  std::ifstream file(path);
  text << file.rdbuf();
  return text.str();
}

#endif

}  // namespace

unsigned CgroupCpus(const std::string& cgroup_root, const std::string& membership) {
  unsigned smallest = 0;
  std::string group = GroupPath(membership);
  for (;;) {
    std::ifstream file(cgroup_root + group + "/cpu.max");
    const unsigned cpus = ParseCpuMax(file);
    if (cpus != 0 && (smallest == 0 || cpus < smallest)) {
      smallest = cpus;
    }
    const size_t slash = group.rfind('/');
    if (slash == std::string::npos || group.empty()) {
      return smallest;
    }
    group.erase(slash);
  }
}

unsigned AffinityCpus() {
#ifdef __linux__
  // The mask must be as long as the kernel's; machines with over 1024 cores exist.
  for (size_t cpus = 1024; cpus <= (size_t{1} << 20); cpus *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(
        CPU_ALLOC(cpus), [](cpu_set_t* mask) { CPU_FREE(mask); });
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    if (set != nullptr && ::sched_getaffinity(0, bytes, set.get()) == 0) {
      return static_cast<unsigned>(std::max(1, CPU_COUNT_S(bytes, set.get())));
    }
    if (errno != EINVAL) {
      break;
    }
  }
#endif
  return std::max(1U, std::thread::hardware_concurrency());
}

unsigned Executor::HardwareThreads() {
  unsigned threads = AffinityCpus();
#ifdef __linux__
  const unsigned quota = CgroupCpus("/sys/fs/cgroup", ReadText("/proc/self/cgroup"));
  if (quota != 0) {
    threads = std::min(threads, quota);
  }
#endif
  return std::max(1U, threads);
}

}  // namespace lbrx

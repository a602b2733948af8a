#include "cli/commands/doctor_probe.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

#ifdef __APPLE__
#include <mach/mach.h>
#include <sys/sysctl.h>
#endif

#include "core/base/cpu.h"
#include "core/base/error.h"
#include "core/io/file.h"
#include "core/parallel/executor.h"

namespace lbrx {
namespace {

#ifdef __APPLE__
std::string Sysctl(const char* name) {
  char text[256] = {};
  size_t size = sizeof(text) - 1;
  return sysctlbyname(name, text, &size, nullptr, 0) == 0 ? std::string(text) : std::string();
}
#else
// Value of the first "key : value" line of a file under /proc.
std::string ProcValue(const char* file, std::string_view key) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    const size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) {
      continue;
    }
    const size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

uint64_t LeadingNumber(const std::string& text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The whole first line of a file; empty where there is none.
std::string FirstLine(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

std::optional<uint64_t> CgroupLimit() {
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const uint64_t limit = LeadingNumber(FirstLine(file));
    if (limit != 0 && limit < uint64_t{1} << 60) {  // a larger figure means "none"
      return limit;
    }
  }
  return std::nullopt;
}
#endif

std::optional<uint64_t> Limit(int resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::nullopt;
  }
  return limit.rlim_cur;
}

}  // namespace

CpuFacts ProbeCpu() {
  CpuFacts facts;
#ifdef __APPLE__
  facts.model = Sysctl("machdep.cpu.brand_string");
#else
  facts.model = ProcValue("/proc/cpuinfo", "model name");
#endif
  facts.simd = SimdTargetName(SimdTarget());
  for (const int64_t target : SupportedSimdTargets()) {
    facts.simds.push_back(SimdTargetName(target));
  }
  facts.usable_cores = Executor::HardwareThreads();
  facts.cores = static_cast<unsigned>(std::max(0L, sysconf(_SC_NPROCESSORS_ONLN)));
  return facts;
}

MemoryFacts ProbeMemory() {
  MemoryFacts facts;
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  facts.total = static_cast<uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES))) * page;
#ifdef __APPLE__
  vm_statistics64_data_t statistics{};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  if (host_statistics64(mach_host_self(), HOST_VM_INFO64,
                        reinterpret_cast<host_info64_t>(&statistics), &count) == KERN_SUCCESS) {
    facts.available = (uint64_t{statistics.free_count} + statistics.inactive_count) * page;
  }
#else
  facts.available = LeadingNumber(ProcValue("/proc/meminfo", "MemAvailable")) * 1024;
  facts.cgroup_limit = CgroupLimit();
#endif
  facts.address_space_limit = Limit(RLIMIT_AS);
  facts.file_size_limit = Limit(RLIMIT_FSIZE);
  facts.open_files_limit = Limit(RLIMIT_NOFILE);
  return facts;
}

HubFacts ProbeHub(const Environment& environment) {
  HubFacts facts;
  const auto variable = [&](const char* name) { return environment(name).value_or(""); };
  const std::string home = variable("HOME");
  std::string root = variable("HF_HOME");
  if (root.empty()) {
    const std::string cache = variable("XDG_CACHE_HOME");
    root = (cache.empty() ? home + "/.cache" : cache) + "/huggingface";
  }
  facts.path = variable("HF_HUB_CACHE");
  if (facts.path.empty()) {
    facts.path = root + "/hub";
  }
  try {
    facts.exists = IsDirectory(facts.path);
    if (facts.exists) {
      for (const std::string& name : ListDirectory(facts.path)) {
        facts.models += name.starts_with("models--") ? 1 : 0;
      }
    }
  } catch (const Error&) {
    // A cache that cannot be read counts as empty.
  }
  return facts;
}

}  // namespace lbrx

// What `lbrx doctor` looks at. Nothing here fails: what cannot be found out is empty or zero.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/term/terminal.h"
#include "core/parallel/cancel.h"

namespace lbrx {

struct CpuFacts {
  std::string model;
  std::string simd;                // Highway's target in use
  std::vector<std::string> simds;  // all that this CPU can run
  unsigned usable_cores = 0;       // affinity and cgroup quota respected
  unsigned cores = 0;              // online
};

CpuFacts ProbeCpu();

struct MemoryFacts {
  uint64_t total = 0;
  uint64_t available = 0;
  std::optional<uint64_t> cgroup_limit;
  std::optional<uint64_t> address_space_limit;  // ulimit -v
  std::optional<uint64_t> file_size_limit;      // ulimit -f
  std::optional<uint64_t> open_files_limit;     // ulimit -n
};

MemoryFacts ProbeMemory();

struct GpuFacts {
  std::string library;  // by which it was asked: "CUDA driver", "Metal"; empty: none there
  std::string problem;  // why there is none, where a library is

  struct Device {
    std::string name;
    uint64_t memory = 0;
  };

  std::vector<Device> devices;
};

GpuFacts ProbeGpu();

struct DiskFacts {
  std::string path;         // the nearest folder that exists
  std::string file_system;  // "ext4"
  uint64_t free = 0;
  double write_speed = 0;      // bytes a second, fsync included; 0: not measured
  double read_speed = 0;       // bytes a second
  bool read_uncached = false;  // the system's cache was dropped before reading
  std::string problem;         // why speeds are missing
};

// Writes and reads a temporary file at `path` of at most 64 MiB; less where space is short.
DiskFacts ProbeDisk(const std::string& path, const CancelToken& cancel);

struct HubFacts {
  std::string path;
  bool exists = false;
  uint64_t models = 0;
};

HubFacts ProbeHub(const Environment& environment);

}  // namespace lbrx

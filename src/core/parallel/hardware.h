// How many cores this process may use. Inner header of core/parallel.
#pragma once

#include <string>

namespace lbrx {

// Cores that cgroup v2 leaves to a process, rounded up: the smallest cpu.max of its group and the
// groups above it. 0: no limit. `cgroup_root` is where the hierarchy is mounted (/sys/fs/cgroup),
// `membership` the content of /proc/self/cgroup.
unsigned CgroupCpus(const std::string& cgroup_root, const std::string& membership);

// Cores in this process's affinity mask, or all of the machine; at least 1.
unsigned AffinityCpus();

}  // namespace lbrx

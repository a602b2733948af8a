// GPUs are asked through the system's own libraries, found at run time: none is required.
#include <dlfcn.h>

#include <memory>

#include "cli/commands/doctor_probe.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

struct CloseLibrary {
  void operator()(void* library) const { dlclose(library); }
};

using Library = std::unique_ptr<void, CloseLibrary>;

template <typename F>
F Find(const Library& library, const char* name) {
  return reinterpret_cast<F>(dlsym(library.get(), name));
}

#ifdef __APPLE__

GpuFacts ProbeMetal() {
  GpuFacts facts;
  const Library library(
      dlopen("/System/Library/Frameworks/Metal.framework/Metal", RTLD_NOW | RTLD_LOCAL));
  if (library == nullptr) {
    return facts;
  }
  facts.library = "Metal";
  const auto create = Find<void* (*)()>(library, "MTLCreateSystemDefaultDevice");
  if (create != nullptr && create() != nullptr) {
    facts.devices.push_back({"default Metal device", 0});
  } else {
    facts.problem = "no device";
  }
  return facts;
}

#else

// The CUDA driver API (cuda.h): int results, 0 = success; devices are ints.
GpuFacts ProbeCuda() {
  GpuFacts facts;
  const Library library(dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL));
  if (library == nullptr) {
    return facts;
  }
  facts.library = "CUDA driver";
  const auto init = Find<int (*)(unsigned)>(library, "cuInit");
  const auto count = Find<int (*)(int*)>(library, "cuDeviceGetCount");
  const auto get = Find<int (*)(int*, int)>(library, "cuDeviceGet");
  const auto name = Find<int (*)(char*, int, int)>(library, "cuDeviceGetName");
  const auto memory = Find<int (*)(size_t*, int)>(library, "cuDeviceTotalMem_v2");
  if (init == nullptr || count == nullptr || get == nullptr || name == nullptr ||
      memory == nullptr) {
    facts.problem = "the library lacks functions";
    return facts;
  }
  int devices = 0;
  int status = init(0);
  if (status == 0) {
    status = count(&devices);
  }
  if (status != 0) {
    facts.problem = Format("the driver answers error {}", status);
    return facts;
  }
  for (int i = 0; i < devices; ++i) {
    int device = 0;
    char text[256] = {};
    size_t bytes = 0;
    if (get(&device, i) == 0 && name(text, static_cast<int>(sizeof(text)) - 1, device) == 0) {
      memory(&bytes, device);
      facts.devices.push_back({text, bytes});
    }
  }
  return facts;
}

#endif

}  // namespace

GpuFacts ProbeGpu() {
#ifdef __APPLE__
  return ProbeMetal();
#else
  return ProbeCuda();
#endif
}

}  // namespace lbrx

#include "cli/build_info.h"

#include "core/base/format.h"
#include "lbrx_build_info.h"  // made by cmake/Version.cmake

namespace lbrx {

std::string VersionNumber() {
  return LBRX_VERSION;
}

std::string BuildCommit() {
  return LBRX_COMMIT;
}

std::string CompilerName() {
#if defined(__apple_build_version__)
  return Format("Apple clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__clang__)
  return Format("clang++ {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return Format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

}  // namespace lbrx

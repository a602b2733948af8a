// How much memory a test has needed.
#pragma once

#include <sys/resource.h>

namespace lbrx {

// Most memory that the process has had, ever.
inline long PeakKilobytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return usage.ru_maxrss / 1024;  // bytes there
#else
  return usage.ru_maxrss;
#endif
}

// AddressSanitizer pads every block and keeps freed ones aside.
#if defined(__SANITIZE_ADDRESS__)
#define LBRX_PADDED_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LBRX_PADDED_MEMORY 1
#endif
#endif
#ifdef LBRX_PADDED_MEMORY
inline constexpr long kMemoryFactor = 4;
#else
inline constexpr long kMemoryFactor = 1;
#endif

}  // namespace lbrx

#include "core/base/cpu.h"

#include <algorithm>
#include <atomic>

#include "core/base/error.h"
#include "core/base/simd.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lbrx {

namespace {

#if defined(__x86_64__)

struct CpuidLeaf {
  uint32_t eax = 0;
  uint32_t ebx = 0;
  uint32_t ecx = 0;
  uint32_t edx = 0;
};

// All zero where the CPU has no such leaf.
CpuidLeaf ReadCpuid(uint32_t leaf) {
  CpuidLeaf out;
  if (__get_cpuid_count(leaf, 0, &out.eax, &out.ebx, &out.ecx, &out.edx) == 0) {
    return {};
  }
  return out;
}

// Register states that the operating system saves (XCR0). Only after OSXSAVE was seen.
uint64_t ReadXcr0() {
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

constexpr bool HasBits(uint64_t value, uint64_t bits) {
  return (value & bits) == bits;
}

// Bits as in Intel's manual, volume 2A, CPUID.
int64_t DetectTargets() {
  const CpuidLeaf basic = ReadCpuid(1);
  const CpuidLeaf extended = ReadCpuid(7);
  constexpr uint32_t kSsse3 = 1U << 9;
  constexpr uint32_t kFma = 1U << 12;
  constexpr uint32_t kSse4 = 3U << 19;  // 4.1 and 4.2
  constexpr uint32_t kOsxsave = 1U << 27;
  constexpr uint32_t kAvx = 1U << 28;
  constexpr uint32_t kF16c = 1U << 29;
  if (!HasBits(basic.ecx, kSsse3 | kFma | kSse4 | kOsxsave | kAvx | kF16c)) {
    return 0;
  }
  constexpr uint32_t kBmi1 = 1U << 3;
  constexpr uint32_t kAvx2 = 1U << 5;
  constexpr uint32_t kBmi2 = 1U << 8;
  constexpr uint64_t kYmmState = 0x6;  // XMM and upper halves of YMM
  const uint64_t saved = ReadXcr0();
  if (!HasBits(extended.ebx, kBmi1 | kAvx2 | kBmi2) || !HasBits(saved, kYmmState)) {
    return 0;
  }
  constexpr uint32_t kAvx512 = (1U << 16) | (1U << 17) | (1U << 30) | (1U << 31);  // F, DQ, BW, VL
  constexpr uint64_t kZmmState = 0xE6;  // and mask registers, upper ZMM, ZMM16 to 31
  if (HasBits(extended.ebx, kAvx512) && HasBits(saved, kZmmState)) {
    return HWY_AVX3 | HWY_AVX2;
  }
  return HWY_AVX2;
}

#elif defined(__aarch64__)

int64_t DetectTargets() {
  return HWY_NEON;
}  // part of every AArch64

#else

int64_t DetectTargets() {
  return 0;
}

#endif

// What the CPU has and the build made, the scalar baseline left out.
int64_t AvailableTargets() {
  static const int64_t available = DetectTargets() & HWY_TARGETS & ~(HWY_SCALAR | HWY_EMU128);
  return available;
}

// In Highway's numbering a lower bit is the better target; 0 stays 0.
int64_t BestOf(int64_t targets) {
  return targets & -targets;
}

std::atomic<int64_t>& ForcedTarget() {
  static std::atomic<int64_t> forced{0};
  return forced;
}

}  // namespace

int64_t SimdTarget() {
  const int64_t forced = ForcedTarget().load(std::memory_order_relaxed);
  if (forced != 0) {
    return forced == kForceScalar ? 0 : forced;
  }
  return BestOf(AvailableTargets());
}

std::vector<int64_t> SupportedSimdTargets() {
  std::vector<int64_t> targets;
  for (int64_t left = AvailableTargets(); left != 0; left &= left - 1) {
    targets.push_back(BestOf(left));
  }
  return targets;
}

void ForceSimdTarget(int64_t target) {
  const std::vector<int64_t> supported = SupportedSimdTargets();
  if (target != 0 && target != kForceScalar &&
      std::find(supported.begin(), supported.end(), target) == supported.end()) {
    throw Error(ErrorCode::kInternal, "this CPU cannot run the SIMD target asked for");
  }
  ForcedTarget().store(target, std::memory_order_relaxed);
}

std::string SimdTargetName(int64_t target) {
  switch (target) {
    case 0:
    case kForceScalar:
      return "scalar";
    case HWY_NEON:
      return "NEON";
    case HWY_AVX2:
      return "AVX2";
    case HWY_AVX3:
      return "AVX3";
    default:
      return "unknown";
  }
}

}  // namespace lbrx

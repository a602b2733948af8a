// How kernels are compiled for several instruction sets and how one is picked at run time.
//
// Write the scalar reference first (it defines the bytes). The Highway version stands in a file of
// its own, which this pattern compiles once for each target:
//
//   #include "core/base/simd.h"  // before anything of Highway: it says which targets there are
//   (... every other header, the standard library's too ...)
//
//   #undef HWY_TARGET_INCLUDE
//   #define HWY_TARGET_INCLUDE "quant/schemes/foo_simd.cc"  // this very file, from src/
//   #include "hwy/foreach_target.h"  // includes this file again for each target
//   #include "hwy/highway.h"
//
//   HWY_BEFORE_NAMESPACE();
//   namespace lbrx {
//   namespace HWY_NAMESPACE {
//   namespace {  // so that files may use the same names
//   #if LBRX_SIMD  // not in the pass for the baseline, whose part the scalar reference plays
//
//   namespace hn = hwy::HWY_NAMESPACE;
//
//   void Decode(const std::byte* in, float* out, size_t count) { ... hn::ScalableTag<float> ... }
//
//   #endif
//   }  // namespace
//   }  // namespace HWY_NAMESPACE
//   }  // namespace lbrx
//   HWY_AFTER_NAMESPACE();
//
//   #if HWY_ONCE
//   namespace lbrx {
//
//   void DecodeFoo(const std::byte* in, float* out, size_t count) {
//     static constexpr auto kTable = LBRX_SIMD_TABLE(DecodeFooReference, Decode);
//     kTable.Get()(in, out, count);
//   }
//
//   }  // namespace lbrx
//   #endif
//
// A kernel that is a template: LBRX_SIMD_TABLE(DecodeReference<4>, Decode<4>). Dispatch costs a few
// nanoseconds: do it once a row or band, never once a value.
//
// Rules: only Highway's header-only parts (HWY_ASSERT, HWY_DYNAMIC_DISPATCH, HWY_EXPORT,
// aligned_allocator.h and targets' functions need its library, which we do not link). No #include
// between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE: code of headers would be compiled for a CPU
// that the user may not have. Calls of standard library templates belong outside, too. Without the
// hn:: operations for it, no FMA arises (-ffp-contract=off); hn::MulAdd does fuse, so where the
// bytes matter write hn::Add(hn::Mul(a, b), c).
#pragma once

#ifdef HIGHWAY_HWY_DETECT_TARGETS_H_
#error "include core/base/simd.h before any header of Highway"
#endif

// AVX2 and AVX-512 on x86-64, NEON on arm64. The steps between save less than they cost to build.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
// No kernel needs AES, so do not ask it of the CPU.
#define HWY_DISABLE_PCLMUL_AES
// Highway's debug assertions call its library.
#define HWY_IS_DEBUG_BUILD 0

#include "core/base/cpu.h"
#include "hwy/detect_targets.h"

// True in the passes for real instruction sets.
#define LBRX_SIMD (HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128)

namespace lbrx {

// One function for each target; nullptr where it was not compiled.
template <typename Function>
struct SimdTable {
  Function reference;
  Function neon;
  Function avx2;
  Function avx3;

  // The version for SimdTarget(). A kernel without one for it gives the next simpler one.
  Function Get() const {
    const int64_t target = SimdTarget();
    if (target == HWY_NEON && neon != nullptr) {
      return neon;
    }
    if (target == HWY_AVX3 && avx3 != nullptr) {
      return avx3;
    }
    if ((target == HWY_AVX3 || target == HWY_AVX2) && avx2 != nullptr) {
      return avx2;
    }
    return reference;
  }
};

}  // namespace lbrx

#if HWY_TARGETS & HWY_NEON
#define LBRX_SIMD_NEON(...) N_NEON::__VA_ARGS__
#else
#define LBRX_SIMD_NEON(...) nullptr
#endif
#if HWY_TARGETS & HWY_AVX2
#define LBRX_SIMD_AVX2(...) N_AVX2::__VA_ARGS__
#else
#define LBRX_SIMD_AVX2(...) nullptr
#endif
#if HWY_TARGETS & HWY_AVX3
#define LBRX_SIMD_AVX3(...) N_AVX3::__VA_ARGS__
#else
#define LBRX_SIMD_AVX3(...) nullptr
#endif

// The table of `reference` (a function of the enclosing namespaces) and of the kernel named by the
// further argument, as defined in each HWY_NAMESPACE of this file.
#define LBRX_SIMD_TABLE(reference, ...)                                  \
  ::lbrx::SimdTable<decltype(&(reference))> {                            \
    reference, LBRX_SIMD_NEON(__VA_ARGS__), LBRX_SIMD_AVX2(__VA_ARGS__), \
        LBRX_SIMD_AVX3(__VA_ARGS__)                                      \
  }

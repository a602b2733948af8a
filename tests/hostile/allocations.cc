#include "hostile/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include "hostile/peak_memory.h"

#ifdef LBRX_PADDED_MEMORY
#include <sanitizer/allocator_interface.h>
#elif defined(__APPLE__)
#include <malloc/malloc.h>
#define malloc_usable_size malloc_size
#else
#include <malloc.h>
#endif

namespace {

std::atomic<uint64_t> live = 0;
std::atomic<uint64_t> peak = 0;
std::atomic<uint64_t> calls = 0;
std::atomic<uint64_t> bytes = 0;

void CountTaken(uint64_t taken) {
  const uint64_t now = live.fetch_add(taken, std::memory_order_relaxed) + taken;
  uint64_t most = peak.load(std::memory_order_relaxed);
  while (now > most && !peak.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
  calls.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(taken, std::memory_order_relaxed);
}

}  // namespace

#ifdef LBRX_PADDED_MEMORY

// AddressSanitizer compares how a block was taken with how it is given back, so the operators stay
// its own, which tell of every block.
namespace {

void OnMalloc(const volatile void* /*block*/, size_t size) {
  CountTaken(size);
}

void OnFree(const volatile void* block) {
  if (block != nullptr) {
    live.fetch_sub(__sanitizer_get_allocated_size(block), std::memory_order_relaxed);
  }
}

[[maybe_unused]] const int kInstalled = __sanitizer_install_malloc_and_free_hooks(OnMalloc, OnFree);

}  // namespace

#else

// The other forms, but for aligned ones, call these.
void* operator new(size_t size) {
  void* block = std::malloc(size > 0 ? size : 1);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  CountTaken(malloc_usable_size(block));
  return block;
}

void operator delete(void* block) noexcept {
  if (block != nullptr) {
    live.fetch_sub(malloc_usable_size(block), std::memory_order_relaxed);
    std::free(block);
  }
}

void operator delete(void* block, size_t /*size*/) noexcept {
  operator delete(block);
}

#endif

namespace lbrx {

Allocations CountedAllocations() {
  return {live, peak, calls, bytes};
}

void ResetPeak() {
  peak = live.load();
}

}  // namespace lbrx

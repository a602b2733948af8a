#include "trust/allocation_faults.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace lbrx {
namespace {

struct State {
  std::atomic<int64_t> live{0};
  std::atomic<bool> counting{false};
  std::atomic<uint64_t> count{0};
  std::atomic<uint64_t> first_failing{0};
  std::atomic<bool> all_from_there{false};
};

State& TheState() {
  static constinit State state;  // needed before main() and after it
  return state;
}

bool IsToFail() {
  State& state = TheState();
  if (!state.counting.load(std::memory_order_relaxed)) {
    return false;
  }
  const uint64_t n = state.count.fetch_add(1) + 1;
  const uint64_t first = state.first_failing.load();
  return first != 0 && (n == first || (n > first && state.all_from_there.load()));
}

void* Allocate(size_t size, size_t alignment) {
  if (IsToFail()) {
    return nullptr;
  }
  size = size == 0 ? 1 : size;
  void* memory =
      alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
          ? std::malloc(size)
          : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  TheState().live += memory == nullptr ? 0 : 1;
  return memory;
}

void* AllocateOrThrow(size_t size, size_t alignment) {
  void* memory = Allocate(size, alignment);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

void Free(void* memory) {
  TheState().live -= memory == nullptr ? 0 : 1;
  std::free(memory);
}

constexpr size_t kDefault = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

}  // namespace

AllocationFaults::AllocationFaults(uint64_t n, bool onwards) {
  State& state = TheState();
  state.count = 0;
  state.first_failing = n;
  state.all_from_there = onwards;
  state.counting = true;
}

AllocationFaults::~AllocationFaults() {
  TheState().counting = false;
}

AppRun RunWithoutMemory(const std::vector<std::string>& line, uint64_t n, bool onwards) {
  StringSink out;
  StringSink err;
  CancelToken cancel;
  Streams streams{&out, &err, [](const std::string&) { return std::nullopt; }, &cancel,
                  [] { return 0; }};
  int code = 0;
  {
    const AllocationFaults faults(n, onwards);
    code = RunApp(line, streams);
  }
  return {code, out.text(), err.text()};
}

uint64_t AllocationFaults::Count() {
  return TheState().count.load();
}

int64_t LiveAllocations() {
  return TheState().live.load();
}

}  // namespace lbrx

// NOLINTBEGIN(misc-new-delete-overloads)
void* operator new(size_t size) {
  return lbrx::AllocateOrThrow(size, lbrx::kDefault);
}

void* operator new[](size_t size) {
  return lbrx::AllocateOrThrow(size, lbrx::kDefault);
}

void* operator new(size_t size, std::align_val_t alignment) {
  return lbrx::AllocateOrThrow(size, static_cast<size_t>(alignment));
}

void* operator new[](size_t size, std::align_val_t alignment) {
  return lbrx::AllocateOrThrow(size, static_cast<size_t>(alignment));
}

void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return lbrx::Allocate(size, lbrx::kDefault);
}

void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return lbrx::Allocate(size, lbrx::kDefault);
}

void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return lbrx::Allocate(size, static_cast<size_t>(alignment));
}

void* operator new[](size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return lbrx::Allocate(size, static_cast<size_t>(alignment));
}

void operator delete(void* memory) noexcept {
  lbrx::Free(memory);
}

void operator delete[](void* memory) noexcept {
  lbrx::Free(memory);
}

void operator delete(void* memory, size_t) noexcept {
  lbrx::Free(memory);
}

void operator delete[](void* memory, size_t) noexcept {
  lbrx::Free(memory);
}

void operator delete(void* memory, std::align_val_t) noexcept {
  lbrx::Free(memory);
}

void operator delete[](void* memory, std::align_val_t) noexcept {
  lbrx::Free(memory);
}

void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  lbrx::Free(memory);
}

void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  lbrx::Free(memory);
}

void operator delete(void* memory, const std::nothrow_t&) noexcept {
  lbrx::Free(memory);
}

void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  lbrx::Free(memory);
}

void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  lbrx::Free(memory);
}

void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  lbrx::Free(memory);
}

// NOLINTEND(misc-new-delete-overloads)

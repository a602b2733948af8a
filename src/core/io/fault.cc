#include "core/io/fault.h"

#include <atomic>

namespace lbrx {

namespace {

std::atomic<FaultInjector*>& Installed() {
  static std::atomic<FaultInjector*> installed{nullptr};
  return installed;
}

}  // namespace

void SetFaultInjector(FaultInjector* injector) {
  Installed().store(injector, std::memory_order_release);
}

FaultInjector* GetFaultInjector() {
  // Relaxed would do for the null case; acquire makes a fresh injector's fields visible and costs
  // the same on the machines we have.
  return Installed().load(std::memory_order_acquire);
}

}  // namespace lbrx

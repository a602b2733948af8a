#include "cli/commands/check_run.h"

#include <array>

namespace lbrx {
namespace {

constexpr uint64_t kMostThreads = 4096;

constexpr std::array<OptionSpec, 2> kOptions = {{
    {.name = "--memory",
     .value = "SIZE",
     .help = "Ceiling of working memory",
     .group = "Running",
     .fallback = "192MiB"},
    {.name = "--threads", .value = "N", .help = "Threads", .group = "Running", .fallback = "all"},
}};

unsigned Threads(const ParsedArgs& args) {
  const auto threads = args.Uint("--threads", 1, kMostThreads);
  return threads ? static_cast<unsigned>(*threads) : Executor::HardwareThreads();
}

}  // namespace

OptionTable CheckingOptions() {
  return kOptions;
}

CheckRun::CheckRun(Context& context) : context_(context), executor_(Threads(context.args())) {
  options_.executor = &executor_;
  options_.memory = context.args().Size("--memory").value_or(options_.memory);
  options_.cancel = &context.cancel();
}

const CheckOptions& CheckRun::Start(std::string_view verb, uint64_t total_bytes) {
  progress_ = &context_.StartProgress(verb);
  progress_->Start(total_bytes, 0);
  options_.advance = [this](uint64_t bytes) { progress_->Advance(bytes); };
  return options_;
}

void CheckRun::Finish() {
  if (progress_ != nullptr) {
    progress_->Done();
    progress_ = nullptr;
  }
}

uint64_t DataBytes(const Checkpoint& checkpoint) {
  uint64_t bytes = 0;
  for (const StoredArray& array : checkpoint.arrays) {
    bytes += array.bytes;
  }
  return bytes;
}

}  // namespace lbrx

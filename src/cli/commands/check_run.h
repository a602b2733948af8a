// What the commands share that look at checkpoints.
#pragma once

#include <memory>
#include <string>

#include "check/check.h"
#include "cli/context.h"

namespace lbrx {

OptionTable CheckingOptions();  // --memory, --threads

// The threads and limits of a looking command, with progress that follows what is read.
class CheckRun {
 public:
  explicit CheckRun(Context& context);

  Executor& executor() { return executor_; }

  // Shows progress over `total_bytes` until Finish().
  const CheckOptions& Start(std::string_view verb, uint64_t total_bytes);

  const CheckOptions& options() const { return options_; }

  void Finish();

 private:
  Context& context_;
  Executor executor_;
  CheckOptions options_;
  ProgressReporter* progress_ = nullptr;
};

// Bytes of tensor data.
uint64_t DataBytes(const Checkpoint& checkpoint);

}  // namespace lbrx

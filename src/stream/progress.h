// Where the engine tells how far it is. The command line draws it; the library never prints.
#pragma once

#include <cstdint>
#include <string>

namespace lbrx {

// All figures are bytes of source data: known before the run, and what reading costs. Every method
// may be called from any thread at any time between Start() and Done(), and must be cheap.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  // The run begins. `bytes_resumed` of `bytes_total` were done by an earlier, interrupted run.
  virtual void Start(uint64_t bytes_total, uint64_t bytes_resumed) = 0;
  // The output tensor `name` is complete.
  virtual void Tensor(const std::string& name) = 0;
  // `bytes` more are done, resumed ones not counted.
  virtual void Advance(uint64_t bytes) = 0;
  // The run succeeded. Not called where it failed or was cancelled.
  virtual void Done() = 0;
};

}  // namespace lbrx

// Progress of a run: counts what the engine reports and has it drawn, at most ten times a second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "cli/formatters/progress_renderer.h"
#include "cli/formatters/rate.h"
#include "core/parallel/cancel.h"
#include "stream/progress.h"

namespace lbrx {

struct ReporterOptions {
  ProgressMode mode = ProgressMode::kNone;
  RendererOptions renderer;
  const CancelToken* cancel = nullptr;  // may be null
  std::function<double()> clock;        // seconds; empty: the steady clock
  bool own_thread = true;               // false: whoever made it calls Tick()
};

// Thread-safe. The screen is as it was, and the cursor visible, once Done(), Fail() or Stop()
// returned or the reporter is gone.
class ProgressReporter : public ProgressSink {
 public:
  explicit ProgressReporter(const ReporterOptions& options);
  ~ProgressReporter() override;
  ProgressReporter(const ProgressReporter&) = delete;
  ProgressReporter& operator=(const ProgressReporter&) = delete;

  void Start(uint64_t bytes_total, uint64_t bytes_resumed) override;
  void Tensor(const std::string& name) override;
  void Advance(uint64_t bytes) override;
  void Done() override;

  // The run failed, or could not even begin. Says nothing after Done().
  void Fail(const Error& error);
  void Stop();  // without an event
  void Tick();  // draws the present state
  // Writes text between two frames.
  void Write(std::string_view text);

 private:
  double Now() const;
  ProgressFrame Frame();  // under mutex_
  void Loop();
  bool TakeRunning();

  const ReporterOptions options_;
  std::atomic<uint64_t> advanced_{0};
  std::mutex mutex_;  // guards all below and the sink
  std::condition_variable wake_;
  std::unique_ptr<ProgressRenderer> renderer_;
  RateEstimator rate_;
  ProgressState state_;  // bytes_done is filled by Frame()
  bool running_ = false;
  bool ended_ = false;  // Done() or Fail() has been told
  std::thread thread_;
};

}  // namespace lbrx

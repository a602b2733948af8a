#include "cli/formatters/progress.h"

#include <chrono>
#include <new>

namespace lbrx {
namespace {

constexpr auto kFrame = std::chrono::milliseconds(100);

}  // namespace

ProgressReporter::ProgressReporter(const ReporterOptions& options)
    : options_(options), renderer_(MakeRenderer(options.mode, options.renderer)) {
  rate_.Start(Now(), 0);
}

ProgressReporter::~ProgressReporter() {
  try {
    Stop();
  } catch (const std::exception&) {  // no memory to restore the screen with
  }
}

void ProgressReporter::Start(uint64_t bytes_total, uint64_t bytes_resumed) {
  Stop();
  {
    const std::lock_guard lock(mutex_);
    advanced_.store(0);
    state_ = {bytes_resumed, bytes_total, bytes_resumed, ""};
    rate_.Start(Now(), bytes_resumed);
    running_ = true;
    ended_ = false;
    renderer_->Start(Frame());
  }
  if (options_.own_thread && options_.mode != ProgressMode::kNone) {
    try {
      thread_ = std::thread([this] { Loop(); });
    } catch (const std::exception&) {
      // No thread to be had, or no memory for one: the work goes on without a moving display.
    }
  }
}

void ProgressReporter::Tensor(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (running_) {
    state_.tensor = name;
    renderer_->Tensor(Frame());
  }
}

void ProgressReporter::Advance(uint64_t bytes) {
  advanced_.fetch_add(bytes, std::memory_order_relaxed);
}

void ProgressReporter::Done() {
  if (TakeRunning()) {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    renderer_->Done(Frame());
  }
}

void ProgressReporter::Fail(const Error& error) {
  TakeRunning();
  const std::lock_guard lock(mutex_);
  if (!ended_) {
    ended_ = true;
    renderer_->Fail(Frame(), error);
  }
}

void ProgressReporter::Stop() {
  if (TakeRunning()) {
    const std::lock_guard lock(mutex_);
    renderer_->Clear();
  }
}

void ProgressReporter::Tick() {
  const std::lock_guard lock(mutex_);
  if (running_) {
    renderer_->Tick(Frame());
  }
}

void ProgressReporter::Write(std::string_view text) {
  const std::lock_guard lock(mutex_);
  renderer_->Clear();
  options_.renderer.sink->Write(text);
}

double ProgressReporter::Now() const {
  if (options_.clock) {
    return options_.clock();
  }
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

ProgressFrame ProgressReporter::Frame() {
  state_.bytes_done = state_.bytes_resumed + advanced_.load(std::memory_order_relaxed);
  rate_.Sample(Now(), state_.bytes_done);
  ProgressFrame frame;
  frame.state = state_;
  frame.seconds = rate_.seconds();
  frame.bytes_per_second = rate_.bytes_per_second();
  frame.eta = rate_.Eta(state_.bytes_total);
  frame.stopping = options_.cancel != nullptr && options_.cancel->cancelled();
  return frame;
}

// Ends the drawing; false where it had not begun.
bool ProgressReporter::TakeRunning() {
  bool was = false;
  {
    const std::lock_guard lock(mutex_);
    was = running_;
    running_ = false;
  }
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
  return was;
}

void ProgressReporter::Loop() {
  std::unique_lock lock(mutex_);
  while (running_) {
    wake_.wait_for(lock, kFrame);
    if (running_) {
      try {
        renderer_->Tick(Frame());
      } catch (const std::bad_alloc&) {  // this frame is left out
      }
    }
  }
}

}  // namespace lbrx

// The ways to show progress. They only write; time and threads are the reporter's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/term/sink.h"
#include "cli/term/terminal.h"
#include "core/base/error.h"

namespace lbrx {

enum class ProgressMode : uint8_t { kBar, kLines, kJson, kNone };

struct ProgressState {
  uint64_t bytes_done = 0;  // bytes_resumed included
  uint64_t bytes_total = 0;
  uint64_t bytes_resumed = 0;  // done by an earlier, interrupted run
  std::string tensor;          // the last one completed
};

struct ProgressFrame {
  ProgressState state;
  double seconds = 0;           // since the start
  double bytes_per_second = 0;  // 0: not known
  std::optional<double> eta;    // seconds
  bool stopping = false;        // cancelled; work in flight is being finished
};

class ProgressRenderer {
 public:
  virtual ~ProgressRenderer() = default;

  virtual void Start(const ProgressFrame&) {}

  virtual void Tick(const ProgressFrame&) {}  // about ten times a second

  virtual void Tensor(const ProgressFrame&) {}  // state.tensor is complete

  virtual void Done(const ProgressFrame&) {}

  virtual void Fail(const ProgressFrame&, const Error&) {}

  // Leaves nothing behind on the screen; the next Tick() may draw again.
  virtual void Clear() {}
};

struct RendererOptions {
  Sink* sink = nullptr;  // not owned
  Terminal terminal;
  std::function<int()> columns;  // asked at each frame: windows are resized; 0: not known
  std::string verb;              // "quantizing"
  bool asked = false;            // a bar asked for by name: drawn however short the work, and left
};

std::unique_ptr<ProgressRenderer> MakeRenderer(ProgressMode mode, const RendererOptions& options);

// The first line of the bar, in at most `width` columns: what does not fit is left out, the least
// important first. At 20 columns: " 42% 59.2 GB".
std::string BarLine(const ProgressFrame& frame, bool utf8, int width);

}  // namespace lbrx

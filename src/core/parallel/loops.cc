// ParallelFor and RunPipeline: both are a few runners that draw the next number from one place.
#include <algorithm>
#include <atomic>

#include "core/parallel/executor.h"

namespace lbrx {

namespace {

// Runs `runner` in `count` tasks at once and waits for them.
void RunTogether(Executor& executor, uint64_t count, const std::function<void()>& runner) {
  TaskGroup group(executor);
  for (uint64_t i = 0; i < count; ++i) {
    group.Run(runner);
  }
  group.Wait();
}

}  // namespace

void ParallelFor(Executor& executor, uint64_t begin, uint64_t end, uint64_t grain,
                 const std::function<void(uint64_t, uint64_t)>& body) {
  if (begin >= end) {
    return;
  }
  const uint64_t step = std::max<uint64_t>(grain, 1);
  const uint64_t pieces = (end - begin - 1) / step + 1;
  const auto run_piece = [&](uint64_t piece) {
    const uint64_t from = begin + piece * step;
    body(from, end - from < step ? end : from + step);
  };
  const uint64_t runners = std::min<uint64_t>(executor.threads(), pieces);
  if (runners == 1) {
    for (uint64_t piece = 0; piece < pieces; ++piece) {
      run_piece(piece);
    }
    return;
  }
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failed{false};
  RunTogether(executor, runners, [&] {
    for (uint64_t piece = next.fetch_add(1); piece < pieces && !failed; piece = next.fetch_add(1)) {
      try {
        run_piece(piece);
      } catch (...) {
        failed = true;
        throw;
      }
    }
  });
}

void RunPipeline(Executor& executor, uint64_t count, unsigned window, const CancelToken* cancel,
                 const std::function<void(uint64_t)>& step) {
  std::atomic<uint64_t> next{0};
  std::atomic<bool> stopped{false};
  const auto runner = [&] {
    while (!stopped) {
      if (cancel != nullptr && cancel->cancelled() && next < count) {
        stopped = true;
        cancel->ThrowIfCancelled();
      }
      const uint64_t item = next.fetch_add(1);
      if (item >= count) {
        return;
      }
      try {
        step(item);
      } catch (...) {
        stopped = true;
        throw;
      }
    }
  };
  const uint64_t runners =
      std::min<uint64_t>({executor.threads(), std::max(window, 1U), std::max<uint64_t>(count, 1)});
  RunTogether(executor, runners, runner);
}

}  // namespace lbrx

// The world outside, as the command line sees it. Tests inject their own.
#pragma once

#include <atomic>
#include <functional>

#include "cli/term/sink.h"
#include "cli/term/terminal.h"
#include "core/parallel/cancel.h"

namespace lbrx {

struct Streams {
  Sink* out;  // not owned
  Sink* err;  // not owned
  Environment environment;
  CancelToken* cancel;                 // set by a signal; not owned
  std::function<int()> signal_number;  // the signal that set it; 0: none
};

}  // namespace lbrx

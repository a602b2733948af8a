// Signals of the process.
#pragma once

#include "core/parallel/cancel.h"

namespace lbrx {

// SIGINT, SIGTERM, SIGHUP: the first one sets ProcessCancelToken(), so that work in flight is
// finished and the partial output kept; the second one ends the process at once (128 + signal).
// SIGPIPE and SIGXFSZ are ignored: the failing write reports them. SIGTSTP shows the cursor again
// before stopping.
void InstallSignalHandlers();

CancelToken& ProcessCancelToken();
int ReceivedSignal();  // the first of them; 0: none

}  // namespace lbrx

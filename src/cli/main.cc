#include <unistd.h>

#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/signals.h"
#include "cli/term/sink.h"

int main(int argc, char** argv) {
  lbrx::InstallSignalHandlers();
  lbrx::FdSink out(STDOUT_FILENO, lbrx::FdSink::Kind::kResult);
  lbrx::FdSink err(STDERR_FILENO, lbrx::FdSink::Kind::kDiagnostic);
  lbrx::Streams streams{&out, &err, lbrx::ProcessEnvironment(), &lbrx::ProcessCancelToken(),
                        lbrx::ReceivedSignal};
  const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
  return lbrx::RunApp(args, streams);
}

// Runs the command line inside a test.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/app.h"

namespace lbrx {

struct AppRun {
  int code = 0;
  std::string out;
  std::string err;
};

struct AppWorld {
  std::map<std::string, std::string> environment = {};
  bool terminal = false;  // both streams
  int columns = 80;
  bool cancelled = false;
  int signal = 0;
};

inline AppRun RunForTest(const std::vector<std::string>& args, const AppWorld& world = {}) {
  StringSink out(world.terminal, world.columns);
  StringSink err(world.terminal, world.columns);
  CancelToken cancel;
  if (world.cancelled) {
    cancel.Cancel();
  }
  const auto environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = world.environment.find(name);
    return found == world.environment.end() ? std::nullopt : std::optional(found->second);
  };
  Streams streams{&out, &err, environment, &cancel, [&] { return world.signal; }};
  const int code = RunApp(args, streams);
  return {code, out.text(), err.text()};
}

}  // namespace lbrx

// The commands that write, each on sources so small that it can be run thousands of times.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace lbrx {

struct WritingCommand {
  std::string name;         // in the names of tests
  std::string destination;  // in the folder that also holds the sources
  // "@/" stands for that folder. Destination and the options of a run are not among them.
  std::vector<std::string> arguments;
  // Makes the sources in an empty folder.
  std::function<void(const std::string& folder)> make_sources;
  int exit_code = 0;  // of an undisturbed run
};

const std::vector<WritingCommand>& WritingCommands();

// Makes the model that the sources of all are derived from, a Hugging Face folder.
void WriteTrustModel(const std::string& path, int layers = 1);
// Another model of the same shapes: some values moved a little, which ones depends on `variant`.
void WriteVariant(const std::string& model, const std::string& path, int variant);
// Runs a command that must succeed. "@/" stands for `folder`.
void Make(const std::string& folder, std::vector<std::string> arguments);

}  // namespace lbrx

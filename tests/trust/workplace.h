// A folder in which one command runs again and again, and what must hold there whatever happened.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/test_app.h"
#include "support/temp_dir.h"
#include "trust/commands.h"

namespace lbrx {

// Replaces "@/" by the folder's name.
std::string InFolder(std::string text, const std::string& folder);

// Descriptors that this process has open, of the first few hundred.
int OpenDescriptors();

// Files below a folder: relative name -> content.
using Files = std::map<std::string, std::string>;

struct WorkplaceOptions {
  bool replace = false;  // an earlier output is there and to be replaced
  bool sync = false;     // fsync takes its time; the calls are the same but for it
};

// Checks return what is wrong, in words, or "".
class Workplace {
 public:
  // Makes the sources, and runs the command once undisturbed for the reference.
  Workplace(const WritingCommand& command, const WorkplaceOptions& options);

  const WritingCommand& command() const { return command_; }

  const std::string& folder() const { return folder_.path(); }

  std::string destination() const { return folder_ / command_.destination; }

  std::string partial() const;

  // The command line, also for other processes.
  std::vector<std::string> CommandLine(unsigned threads = 1) const;

  AppRun Run(unsigned threads = 1) const { return RunForTest(CommandLine(threads)); }

  // The state before a run: no output or the old one, and nothing else.
  void Reset() const;

  // What a failed run may end with.
  struct Failure {
    std::vector<int> codes;
    std::set<std::string> names;  // one of which is in the message
  };

  // After a run that was to fail or to do without what failed: output, exit code and message,
  // sources, and what is left beside them. A run that succeeded has made the reference.
  std::string CheckAfter(const AppRun& run, const Failure& failure) const;
  // After a run that was killed: the same without code and message.
  std::string CheckAfterDeath() const;
  // `lbrx clean` leaves the sources and an output, old or new.
  std::string CheckClean() const;
  // Runs the command again until its end: the reference, and nothing beside it.
  std::string CheckNextRun() const;
  // The output is the reference and nothing is left of the work.
  std::string CheckDone() const;

  // A test has changed the sources and put them right again.
  void AcceptSources();

  bool OutputIsReference() const { return Outputs() == reference_; }

  // Of a set of files some parts are moved; the next run or `lbrx clean` puts it in order.
  bool IsHalfMovedSet() const;

  // Something of an earlier run is there, or the output is not the one that was there at first.
  bool IsTouched() const;

 private:
  Files Outputs() const;
  bool IsSet() const;
  std::string CheckOutput() const;
  std::string CheckSources() const;

  WritingCommand command_;
  WorkplaceOptions options_;
  TempDir folder_;
  std::vector<std::string> sources_;  // names of what is in the folder
  std::string source_state_;
  Files reference_;
  Files old_;
};

}  // namespace lbrx

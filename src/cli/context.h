// What a running command has: its arguments, and every way to speak to the user.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/formatters/progress.h"
#include "cli/streams.h"
#include "cli/term/terminal.h"
#include "core/base/error.h"
#include "core/parallel/cancel.h"
#include "core/text/json.h"

namespace lbrx {

class Context {
 public:
  Context(const CommandInfo& command, ParsedArgs args, Streams& streams);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const CommandInfo& command() const { return command_; }

  const ParsedArgs& args() const { return args_; }

  const Environment& environment() const { return streams_.environment; }

  CancelToken& cancel() { return *streams_.cancel; }

  bool json() const { return json_; }

  int verbosity() const { return verbosity_; }  // -1 quiet, 0, 1, 2

  // Of standard output: whether to colour, and columns (0: no limit).
  bool color() const { return out_terminal_.color; }

  bool utf8() const { return out_terminal_.utf8; }

  int width() const { return WidthOf(*streams_.out, streams_.environment); }

  // Results, on standard output. `text` must be safe to print (Printable()).
  void Print(std::string_view text);
  // The one JSON object of --json; "schema" is put in front.
  void PrintJson(Json::Object members);

  bool json_printed() const { return json_printed_; }

  // On standard error, a line each: "lbrx: note: ...", "lbrx: warning: ...". --quiet drops them.
  // The text is passed through Printable().
  void Notice(std::string_view text);
  void Warning(std::string_view text);
  // Only with -v (level 1) or -vv (2).
  void Detail(int level, std::string_view text);
  // A line of plain text on standard error unless --quiet; `text` must be safe to print.
  void Status(std::string_view text);
  // "lbrx: error: ..." on standard error.
  void ReportError(const Error& error);

  // Progress as --progress asks. Belongs to the context; one at a time.
  ProgressReporter& StartProgress(std::string_view verb);
  // Takes the bar away, if any.
  void StopProgress();
  // Tells that the run failed (an event for --progress json), and takes the bar away.
  void FailProgress(const Error& error);

  // What to tell the user where a signal stops the command: how to continue.
  void set_resume_hint(std::string hint) { resume_hint_ = std::move(hint); }

  const std::string& resume_hint() const { return resume_hint_; }

 private:
  void WriteLine(std::string_view label, Style style, std::string_view text);

  const CommandInfo& command_;
  ParsedArgs args_;
  Streams& streams_;
  Terminal out_terminal_;
  Terminal err_terminal_;
  bool json_ = false;
  int verbosity_ = 0;
  bool json_printed_ = false;
  std::unique_ptr<ProgressReporter> progress_;
  std::string resume_hint_;
};

}  // namespace lbrx

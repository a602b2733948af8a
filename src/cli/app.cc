#include "cli/app.h"

#include <csignal>
#include <new>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/help.h"
#include "core/base/format.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

constexpr int kSignalBase = 128;  // a shell's exit code of a process that a signal ended

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json() : Json(Printable(text, 4096));
}

// The object that takes the result's place where --json was asked for and the command failed.
std::string ErrorJson(const Error& error, int exit_code, std::string_view command) {
  const ErrorDetail& detail = error.detail();
  Json inner = Json::MakeObject();
  inner.Set("code", ErrorCodeName(error.code()));
  inner.Set("exit_code", exit_code);
  inner.Set("message", error.what());
  inner.Set("file", TextOrNull(detail.file));
  inner.Set("object", TextOrNull(detail.object));
  inner.Set("what", TextOrNull(detail.what));
  inner.Set("expected", TextOrNull(detail.expected));
  inner.Set("found", TextOrNull(detail.found));
  inner.Set("offset", detail.offset ? Json(*detail.offset) : Json());
  inner.Set("advice", TextOrNull(detail.advice));
  Json outer = Json::MakeObject();
  outer.Set("schema", Format("lbrx.{}.v1", command.empty() ? "error" : command));
  outer.Set("error", std::move(inner));
  return WriteJson(outer, {.indent = 2, .ascii = true}) + "\n";
}

std::string Interruption(int signal) {
  switch (signal) {
    case SIGINT:
      return "interrupted (SIGINT)";
    case SIGTERM:
      return "terminated (SIGTERM)";
    case SIGHUP:
      return "the terminal hung up (SIGHUP)";
    default:
      return Format("stopped by signal {}", signal);
  }
}

// One invocation: finds the command, runs it, and turns whatever happens into an exit code.
class Invocation {
 public:
  Invocation(std::span<const std::string> args, Streams& streams)
      : args_(args), streams_(streams) {}

  int Run() {
    try {
      return RunAndReport();
    } catch (const std::bad_alloc&) {  // not even the message could be made
      return ReportWithoutMemory();
    }
  }

 private:
  int RunAndReport() {
    try {
      const int code = Dispatch();
      streams_.out->Flush();
      return code;
    } catch (const ClosedPipe&) {
      return Quietly();
    } catch (const Error& error) {
      return Report(error);
    } catch (const std::bad_alloc&) {
      return Report(Error(ErrorCode::kLimit, "out of memory"));
    } catch (const std::exception& error) {
      return Report(Error(ErrorCode::kInternal, Format("unexpected failure: {}", error.what())));
    }
  }

  int ReportWithoutMemory() {
    try {
      streams_.err->Write("lbrx: error: out of memory\n");
    } catch (const std::exception&) {  // then the exit code alone tells
    }
    return ExitCode(ErrorCode::kLimit);
  }

  int Dispatch() {
    const size_t at = FindCommand(args_, GlobalOptions());
    const bool help = HasRawFlag(args_, GlobalOptions(), "--help");
    if (at == args_.size()) {
      return WithoutCommand(help);
    }
    const CommandInfo& command = RequireCommand(args_[at]);
    command_ = command.name;
    if (help) {
      return ShowHelp(CommandHelp(command, OutWidth(), OutColor()));
    }
    std::vector<std::string> rest(args_.begin(), args_.end());
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(at));
    ParsedArgs parsed = ParseOptions(rest, OptionTablesOf(command));
    if (parsed.Has("--version")) {
      return RunCommand(RequireCommand("version"), std::move(parsed));
    }
    CheckPositionals(parsed, command.arguments);
    return RunCommand(command, WithArgumentOptions(std::move(parsed), command.arguments));
  }

  int WithoutCommand(bool help) {
    if (help) {
      return ShowHelp(GeneralHelp(OutWidth(), OutColor()));
    }
    ParsedArgs parsed = ParseOptions(args_, {GlobalOptions()});
    if (parsed.Has("--version")) {
      return RunCommand(RequireCommand("version"), std::move(parsed));
    }
    ErrorDetail detail;
    detail.what = "no command given";
    detail.advice = "lbrx --help lists them";
    throw Error(ErrorCode::kUsage, std::move(detail));
  }

  int RunCommand(const CommandInfo& command, ParsedArgs parsed) {
    command_ = command.name;
    context_ = std::make_unique<Context>(command, std::move(parsed), streams_);
    const int code = command.run(*context_);
    context_->StopProgress();
    return code;
  }

  int ShowHelp(const std::string& text) {
    streams_.out->Write(text);
    streams_.out->Flush();
    return 0;
  }

  int OutWidth() const { return WidthOf(*streams_.out, streams_.environment); }

  // Help is shown however broken the rest of the line is, so --color is not parsed for it.
  bool OutColor() const {
    return ProbeTerminal(*streams_.out, streams_.environment, ColorChoice::kAuto).color;
  }

  int Quietly() {
    if (context_ != nullptr) {
      context_->StopProgress();
    }
    return kSignalBase + SIGPIPE;
  }

  int Report(const Error& thrown) {
    const int signal = thrown.code() == ErrorCode::kCancelled ? streams_.signal_number() : 0;
    const Error error = signal == 0 ? thrown : Error(thrown.code(), Interruption(signal));
    const int code = signal == 0 ? ExitCode(error.code()) : kSignalBase + signal;
    if (context_ != nullptr) {
      context_->FailProgress(error);
      context_->ReportError(error);
      if (error.code() == ErrorCode::kCancelled && !context_->resume_hint().empty()) {
        context_->Notice(context_->resume_hint());
      }
    } else {
      const Terminal terminal =
          ProbeTerminal(*streams_.err, streams_.environment, ColorChoice::kAuto);
      streams_.err->Write(Paint(terminal.color, Style::kRed, "lbrx: error:") + " " + error.what() +
                          "\n");
    }
    return ReportJson(error, code);
  }

  int ReportJson(const Error& error, int code) {
    const bool wanted = context_ != nullptr ? context_->json() && !context_->json_printed()
                                            : HasRawFlag(args_, GlobalOptions(), "--json");
    try {
      if (wanted) {
        streams_.out->Write(ErrorJson(error, code, command_));
      }
      streams_.out->Flush();
    } catch (const ClosedPipe&) {
      return kSignalBase + SIGPIPE;
    } catch (const Error&) {
      // Standard output is broken, which may be what is being reported: nothing more to do.
    }
    return code;
  }

  std::span<const std::string> args_;
  Streams& streams_;
  std::string_view command_;  // empty while not known
  std::unique_ptr<Context> context_;
};

}  // namespace

int RunApp(std::span<const std::string> args, Streams& streams) {
  return Invocation(args, streams).Run();
}

}  // namespace lbrx

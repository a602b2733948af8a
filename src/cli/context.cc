#include "cli/context.h"

#include "core/base/format.h"

namespace lbrx {
namespace {

ColorChoice ChoiceOf(const ParsedArgs& args) {
  const std::string choice = args.ValueOr("--color", "auto");
  if (choice == "always") {
    return ColorChoice::kAlways;
  }
  return choice == "never" ? ColorChoice::kNever : ColorChoice::kAuto;
}

constexpr size_t kLongestMessage = 4000;

}  // namespace

Context::Context(const CommandInfo& command, ParsedArgs args, Streams& streams)
    : command_(command), args_(std::move(args)), streams_(streams) {
  const ColorChoice choice = ChoiceOf(args_);
  out_terminal_ = ProbeTerminal(*streams.out, streams.environment, choice);
  err_terminal_ = ProbeTerminal(*streams.err, streams.environment, choice);
  json_ = args_.Has("--json");
  verbosity_ = args_.Has("--quiet") ? -1 : static_cast<int>(args_.Count("-v"));
}

Context::~Context() = default;

void Context::Print(std::string_view text) {
  streams_.out->Write(text);
}

void Context::PrintJson(Json::Object members) {
  members.insert(members.begin(), {"schema", Format("lbrx.{}.v1", command_.name)});
  Print(WriteJson(Json(std::move(members)), {.indent = 2, .ascii = true}) + "\n");
  json_printed_ = true;
}

void Context::WriteLine(std::string_view label, Style style, std::string_view text) {
  std::string line = Paint(err_terminal_.color, style, label);
  line += " ";
  line += text;
  line += "\n";
  if (progress_ != nullptr) {
    progress_->Write(line);
  } else {
    streams_.err->Write(line);
  }
}

void Context::Notice(std::string_view text) {
  if (verbosity_ >= 0) {
    WriteLine("lbrx: note:", Style::kCyan, Printable(text, kLongestMessage));
  }
}

void Context::Warning(std::string_view text) {
  if (verbosity_ >= 0) {
    WriteLine("lbrx: warning:", Style::kYellow, Printable(text, kLongestMessage));
  }
}

void Context::Detail(int level, std::string_view text) {
  if (verbosity_ >= level) {
    WriteLine("lbrx:", Style::kDim, Printable(text, kLongestMessage));
  }
}

void Context::Status(std::string_view text) {
  if (verbosity_ >= 0) {
    WriteLine("lbrx:", Style::kBold, text);
  }
}

void Context::ReportError(const Error& error) {
  WriteLine("lbrx: error:", Style::kRed, error.what());
}

ProgressReporter& Context::StartProgress(std::string_view verb) {
  const std::string asked = args_.ValueOr("--progress", "auto");
  // Only a terminal is ever animated, whatever was asked for.
  ProgressMode mode = err_terminal_.animate ? ProgressMode::kBar : ProgressMode::kLines;
  if (asked == "json") {
    mode = ProgressMode::kJson;
  } else if (asked == "lines") {
    mode = ProgressMode::kLines;
  } else if (asked == "none" || verbosity_ < 0) {
    mode = ProgressMode::kNone;
  }
  ReporterOptions options;
  options.mode = mode;
  options.renderer = {streams_.err, err_terminal_,
                      [this] { return WidthOf(*streams_.err, streams_.environment); },
                      std::string(verb), asked == "bar"};
  options.cancel = streams_.cancel;
  progress_ = std::make_unique<ProgressReporter>(options);
  return *progress_;
}

void Context::StopProgress() {
  if (progress_ != nullptr) {
    progress_->Stop();
  }
}

void Context::FailProgress(const Error& error) {
  // Whoever reads events learns of every failure, also of one before the work began.
  if (progress_ == nullptr && args_.ValueOr("--progress", "auto") == "json") {
    StartProgress("");
  }
  if (progress_ != nullptr) {
    progress_->Fail(error);
  }
}

}  // namespace lbrx

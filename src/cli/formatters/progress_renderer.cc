#include "cli/formatters/progress_renderer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/formatters/text.h"
#include "core/base/format.h"
#include "core/text/json.h"

namespace lbrx {
namespace {

constexpr double kBarDelay = 0.5;  // seconds; what is done before needs no bar
constexpr double kLineEvery = 5;   // seconds
constexpr int kLeastBar = 8;
constexpr int kMostBar = 40;
constexpr std::string_view kStopping =
    "stopping: finishing the work in flight; Ctrl-C again stops at once";

double Share(const ProgressState& state) {
  if (state.bytes_total == 0) {
    return 1;
  }
  const uint64_t done = std::min(state.bytes_done, state.bytes_total);
  return static_cast<double>(done) / static_cast<double>(state.bytes_total);
}

// Rounded down: 100% is said when all is done.
std::string Percent(const ProgressState& state) {
  return PadLeft(std::to_string(static_cast<int>(std::floor(Share(state) * 100))) + "%", 4);
}

std::string Rate(const ProgressFrame& frame) {
  return FormatBytes(static_cast<uint64_t>(frame.bytes_per_second)) + "/s";
}

std::string DrawBar(double share, bool utf8, int width) {
  if (!utf8) {
    const auto filled = static_cast<size_t>(share * (width - 2));
    const size_t rest = static_cast<size_t>(width) - 2 - filled;
    return "[" + std::string(filled, '#') + std::string(rest, '-') + "]";
  }
  constexpr std::array<const char*, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<size_t>(share * width * 8);
  std::string out;
  for (size_t i = 0; i < eighths / 8; ++i) {
    out += "█";
  }
  out += kEighths.at(eighths % 8);
  const size_t drawn = eighths / 8 + (eighths % 8 == 0 ? 0 : 1);
  for (size_t i = drawn; i < static_cast<size_t>(width); ++i) {
    out += "░";
  }
  return out;
}

class BarRenderer : public ProgressRenderer {
 public:
  explicit BarRenderer(const RendererOptions& options) : options_(options) {}

  void Tick(const ProgressFrame& frame) override {
    if (frame.seconds >= kBarDelay || frame.stopping || options_.asked) {
      Draw(frame);
    }
  }

  void Done(const ProgressFrame& frame) override {
    if (!options_.asked) {
      Clear();
      return;
    }
    Draw(frame);
    options_.sink->Write("\n" + std::string(kShowCursor));
    drawn_ = false;
  }

  void Fail(const ProgressFrame&, const Error&) override { Clear(); }

  void Clear() override {
    if (drawn_) {
      drawn_ = false;
      options_.sink->Write("\r\x1b[1A\x1b[J" + std::string(kShowCursor));
    }
  }

 private:
  void Draw(const ProgressFrame& frame) {
    const int columns = options_.columns ? options_.columns() : 0;
    const int width = (columns > 0 ? columns : 80) - 1;  // the last column would wrap
    const std::string second =
        Elide(frame.stopping ? std::string(kStopping) : Printable(frame.state.tensor), width);
    // One write a frame, so that nothing is seen half drawn.
    std::string out(kHideCursor);
    out += drawn_ ? "\r\x1b[1A" : "\r";
    out += BarLine(frame, options_.terminal.utf8, width) + "\x1b[K\n";
    out += Paint(options_.terminal.color, Style::kDim, second) + "\x1b[K";
    options_.sink->Write(out);
    drawn_ = true;
  }

  const RendererOptions options_;
  bool drawn_ = false;
};

class LineRenderer : public ProgressRenderer {
 public:
  explicit LineRenderer(const RendererOptions& options) : options_(options) {}

  void Tick(const ProgressFrame& frame) override {
    if (frame.stopping && !told_stopping_) {
      told_stopping_ = true;
      options_.sink->Write("lbrx: " + std::string(kStopping) + "\n");
    }
    if (frame.seconds < next_) {
      return;
    }
    next_ = frame.seconds + kLineEvery;
    const ProgressState& state = frame.state;
    std::string line = Format("lbrx: {}{} {} of {}, {}, {} elapsed", options_.verb, Percent(state),
                              FormatBytes(state.bytes_done), FormatBytes(state.bytes_total),
                              Rate(frame), FormatDuration(frame.seconds));
    if (frame.eta) {
      line += ", " + FormatDuration(*frame.eta) + " left";
    }
    if (!state.tensor.empty()) {
      line += ", " + Printable(state.tensor);
    }
    options_.sink->Write(line + "\n");
  }

 private:
  const RendererOptions options_;
  double next_ = kLineEvery;
  bool told_stopping_ = false;
};

// One JSON object a line; the members are fixed by the command line's contract.
class JsonRenderer : public ProgressRenderer {
 public:
  explicit JsonRenderer(const RendererOptions& options) : options_(options) {}

  void Start(const ProgressFrame& frame) override { Emit("start", frame); }

  void Tick(const ProgressFrame& frame) override {
    if (frame.seconds >= next_) {
      next_ = frame.seconds + 1;
      Emit("progress", frame);
    }
  }

  void Tensor(const ProgressFrame& frame) override { Emit("tensor", frame); }

  void Done(const ProgressFrame& frame) override { Emit("done", frame); }

  void Fail(const ProgressFrame& frame, const Error& error) override {
    Emit("error", frame, &error);
  }

 private:
  static Json Seconds(double value) { return Json::Number(value, Format("{:.3f}", value)); }

  void Emit(const char* event, const ProgressFrame& frame, const Error* error = nullptr) {
    const ProgressState& state = frame.state;
    Json object = Json::MakeObject();
    object.Set("event", event);
    object.Set("bytes_done", state.bytes_done);
    object.Set("bytes_total", state.bytes_total);
    object.Set("bytes_resumed", state.bytes_resumed);
    object.Set("tensor", state.tensor.empty() ? Json() : Json(Printable(state.tensor, 4096)));
    object.Set("seconds", Seconds(frame.seconds));
    object.Set("eta", frame.eta ? Seconds(*frame.eta) : Json());
    if (error != nullptr) {
      object.Set("code", ErrorCodeName(error->code()));
      object.Set("message", error->what());
    }
    options_.sink->Write(WriteJson(object, {.indent = -1, .ascii = true}) + "\n");
  }

  const RendererOptions options_;
  double next_ = 1;
};

class NoRenderer : public ProgressRenderer {};

}  // namespace

std::string BarLine(const ProgressFrame& frame, bool utf8, int width) {
  const ProgressState& state = frame.state;
  std::string line = Percent(state);
  int left = width - DisplayWidth(line);
  // The others in the order of importance; the bar takes what they leave.
  std::vector<std::string> parts{FormatBytes(state.bytes_done)};
  if (frame.eta) {
    parts.push_back("ETA " + FormatDuration(*frame.eta));
  }
  if (frame.bytes_per_second > 0) {
    parts.push_back(Rate(frame));
  }
  parts.push_back(FormatDuration(frame.seconds) + " elapsed");
  const std::string of_total = parts[0] + " / " + FormatBytes(state.bytes_total);
  std::string text;
  for (const std::string& part : parts) {
    const int needed = DisplayWidth(part) + (text.empty() ? 1 : 2);
    if (needed > left) {
      break;
    }
    left -= needed;
    text += (text.empty() ? " " : "  ") + part;
  }
  const int extra = DisplayWidth(of_total) - DisplayWidth(parts[0]);
  if (!text.empty() && extra <= left) {
    text.replace(1, parts[0].size(), of_total);
    left -= extra;
  }
  if (left > kLeastBar) {
    line += " " + DrawBar(Share(state), utf8, std::min(left - 1, kMostBar));
  }
  return line + text;
}

std::unique_ptr<ProgressRenderer> MakeRenderer(ProgressMode mode, const RendererOptions& options) {
  switch (mode) {
    case ProgressMode::kBar:
      return std::make_unique<BarRenderer>(options);
    case ProgressMode::kLines:
      return std::make_unique<LineRenderer>(options);
    case ProgressMode::kJson:
      return std::make_unique<JsonRenderer>(options);
    case ProgressMode::kNone:
      break;
  }
  return std::make_unique<NoRenderer>();
}

}  // namespace lbrx

#include "convert/command.h"

#include <algorithm>

#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr size_t kLongestArgument = 4096;

class Command {
 public:
  explicit Command(std::string text) : text_(std::move(text)) {}

  void Flag(std::string_view name, bool given) {
    if (given) {
      text_ += Format(" {}", name);
    }
  }

  void Option(std::string_view name, const std::string& value) {
    text_ += Format(" {} {}", name, QuotedForShell(value));
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

std::string QuotedForShell(const std::string& argument) {
  constexpr std::string_view kSafe = "_-./=:,+@%";
  std::string text = Printable(argument, kLongestArgument);
  const bool safe = !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSafe.find(c) != std::string_view::npos;
  });
  if (safe) {
    return text;
  }
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

std::string CommandOf(const ConvertRequest& request, const std::string& source) {
  // One spelling of what is the same, so that the card's bytes are the same: both commands do alike
  // with a scheme, and a scheme means MLX.
  const bool quantizes = request.scheme || request.target_bpw || request.target_size;
  Command out(Format("lbrx {} {} DST", quantizes ? "quantize" : "convert", QuotedForShell(source)));
  if (request.target == TargetKind::kMlx && !quantizes) {
    out.Option("--to", "mlx");
  } else if (request.target == TargetKind::kHuggingFace) {
    out.Option("--to", "hf");
  }
  if (request.scheme) {
    out.Option("-q", *request.scheme);
  }
  if (request.target_bpw) {
    out.Option("--target-bpw", Format("{}", *request.target_bpw));
  }
  if (request.target_size) {
    out.Option("--target-size", Format("{}", *request.target_size));
  }
  if (request.group_size != 0) {
    out.Option("--group-size", Format("{}", request.group_size));
  }
  if (request.rule == MlxRule::kCpu) {
    out.Option("--mlx-rule", "cpu");
  }
  out.Flag("--search", request.search);
  out.Flag("--text-only", request.text_only);
  out.Flag("--dequantize", request.dequantize);
  if (request.dtype) {
    out.Option("--dtype", SchemeLabel(Plain(*request.dtype)));
  }
  for (const ConvertRequest::Rule& rule : request.rules) {
    if (rule.scheme.empty()) {
      out.Option("--keep", rule.regex);
    } else {
      out.Option("--override", rule.regex + "=" + rule.scheme);
    }
  }
  out.Flag("--protect-routers", request.protect_routers);
  if (request.shard_size) {
    out.Option("--shard-size", Format("{}", *request.shard_size));
  }
  return out.text();
}

}  // namespace lbrx

#include "determinism/setting.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <clocale>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <stdexcept>

#include "cli/test_app.h"
#include "core/base/cpu.h"
#include "core/base/format.h"
#include "core/text/json.h"
#include "support/checkpoints.h"

namespace lbrx::determinism {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLittle = uint64_t{64} << 20;
constexpr uint64_t kPlenty = uint64_t{4} << 30;
constexpr int kLimitCode = 7;

// The process in a place, put back afterwards.
class Surroundings {
 public:
  explicit Surroundings(Locale locale)
      : folder_(fs::current_path()), elsewhere_(locale != Locale::kC) {
    fs::current_path(elsewhere_ ? SecondPlace().path() : FirstPlace().path());
    if (elsewhere_) {
      mask_ = umask(S_IRWXG | S_IRWXO);
      setenv("TZ", "Pacific/Chatham", 1);  // NOLINT(concurrency-mt-unsafe): no thread runs
      tzset();
      UseLocale(locale);
    }
  }

  ~Surroundings() {
    if (elsewhere_) {
      UseLocale(Locale::kC);
      unsetenv("TZ");  // NOLINT(concurrency-mt-unsafe)
      tzset();
      umask(mask_);
    }
    fs::current_path(folder_);
  }

  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

 private:
  fs::path folder_;
  bool elsewhere_;
  mode_t mask_ = 0;
};

std::vector<std::string> With(std::vector<std::string> command,
                              const std::vector<std::string>& options) {
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

// The figure in "at least N bytes" of a refusal.
uint64_t Asked(const AppRun& run) {
  const Json json = ParseJson(run.out, "stdout");
  const std::string text = json.Find("error")->Find("expected")->AsString();
  const auto digit =
      std::find_if(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return std::stoull(std::string(digit, text.end()));
}

// Runs with as little memory as there may be: what each refusal asks for, beginning with nothing.
AppRun RunWithLeast(const std::vector<std::string>& command, uint64_t& memory) {
  for (;;) {
    AppRun run = RunForTest(With(command, {"--json", "--memory", std::to_string(memory)}));
    if (run.code != kLimitCode) {
      return run;
    }
    const uint64_t asked = Asked(run);
    if (asked <= memory) {
      throw std::runtime_error(run.err);
    }
    memory = asked;
  }
}

// 64 MiB, or the least where that is more.
AppRun RunWithin(const std::vector<std::string>& command, std::optional<uint64_t> memory) {
  uint64_t least = memory.value_or(1);
  return RunWithLeast(command, least);
}

AppRun RunCommand(const std::vector<std::string>& command, bool writes, const Setting& setting) {
  std::vector<std::string> args = With(command, {"--threads", std::to_string(setting.threads)});
  if (writes && !setting.durable) {
    args.emplace_back("--no-sync");
  }
  if (writes && setting.again) {
    args.emplace_back("--force");
  }
  return RunWithin(args, setting.memory);
}

// A report tells how long the run took.
void EraseSeconds(Result& result) {
  const auto report = result.find("report.json");
  if (report != result.end()) {
    Json json = ParseJson(report->second, report->first);
    json.Erase("seconds");
    report->second = WriteJson(json);
  }
}

}  // namespace

std::string Setting::Name() const {
  return Format("{} threads, {} bytes of memory, {}{}{}{}", threads,
                memory ? std::to_string(*memory) : "the least",
                simd == 0 ? "the best target" : SimdTargetName(simd),
                locale != Locale::kC ? ", elsewhere" : "", again ? ", again" : "",
                durable ? ", durable" : "");
}

std::vector<Setting> FewSettings() {
  const std::vector<int64_t> targets = SupportedSimdTargets();
  return {{.memory = kPlenty},
          {.threads = 7, .simd = targets.empty() ? 0 : targets.back(), .locale = Locale::kGerman},
          {.threads = 64, .memory = kLittle, .simd = kForceScalar, .again = true}};
}

std::vector<Setting> AllSettings() {
  std::vector<int64_t> targets = SupportedSimdTargets();
  targets.push_back(kForceScalar);
  const std::vector<std::optional<uint64_t>> memories = {std::nullopt, kLittle, kPlenty};
  std::vector<Setting> settings = {{.memory = kPlenty}};
  size_t row = 0;
  for (const unsigned threads : {1U, 2U, 3U, 7U, 64U}) {
    for (size_t m = 0; m < memories.size(); ++m) {
      const int64_t target = targets[(row + m) % targets.size()];
      settings.push_back({.threads = threads, .memory = memories[m], .simd = target});
    }
    ++row;
  }
  settings.push_back({.locale = Locale::kGerman});
  settings.push_back({.locale = Locale::kTurkish});
  settings.push_back({.again = true});
  settings.push_back({.durable = true});
  return settings;
}

Result RunRow(const Row& row, const Setting& setting) {
  const Surroundings surroundings(setting.locale);
  if (!setting.again) {
    fs::remove_all("run");
  }
  fs::create_directory("run");
  if (!row.config.empty()) {
    WriteTestFile("config.yml", row.config);
  }
  ForceSimdTarget(setting.simd);
  AppRun run;
  for (const std::vector<std::string>& command : row.commands) {
    run = RunCommand(command, !row.prints, setting);
  }
  ForceSimdTarget(0);
  if (run.code != row.code) {
    throw std::runtime_error(Format("{}: exit code {}: {}", setting.Name(), run.code, run.err));
  }
  Result result = ReadTree("run");
  EraseSeconds(result);
  if (row.prints) {
    result["standard output"] = run.out;
  }
  return result;
}

}  // namespace lbrx::determinism

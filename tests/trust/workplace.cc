#include "trust/workplace.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "core/base/format.h"
#include "core/io/partial.h"
#include "support/checkpoints.h"

namespace lbrx {
namespace {

constexpr char kOldContent[] = "precious";

std::vector<std::string> Entries(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Add(Files& files, const std::string& folder, const std::string& name) {
  for (auto& [below, content] : ReadTree(Format("{}/{}", folder, name))) {
    files[below.empty() ? name : Format("{}/{}", name, below)] = std::move(content);
  }
}

// Size and time of change of every file, which tell whether one was written to.
std::string StateOf(const std::string& folder, const std::vector<std::string>& names) {
  std::string state;
  const auto add = [&](const std::filesystem::path& path) {
    const auto time = std::filesystem::last_write_time(path).time_since_epoch().count();
    const bool is_file = std::filesystem::is_regular_file(path);
    state +=
        Format("{} {} {}\n", path.string(), is_file ? std::filesystem::file_size(path) : 0, time);
  };
  for (const std::string& name : names) {
    const std::filesystem::path path = Format("{}/{}", folder, name);
    add(path);
    if (std::filesystem::is_directory(path)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        add(entry.path());
      }
    }
  }
  return state;
}

std::string NamesOf(const Files& files) {
  std::string names;
  for (const auto& [name, content] : files) {
    names += Format(" {} ({} bytes)", name, content.size());
  }
  return names.empty() ? " nothing" : names;
}

}  // namespace

std::string InFolder(std::string text, const std::string& folder) {
  for (size_t at = 0; (at = text.find("@/", at)) != std::string::npos;) {
    text.replace(at, 1, folder);
    at += folder.size();
  }
  return text;
}

int OpenDescriptors() {
  constexpr int kMost = 256;
  int count = 0;
  for (int descriptor = 0; descriptor < kMost; ++descriptor) {
    count += ::fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
  }
  return count;
}

Workplace::Workplace(const WritingCommand& command, const WorkplaceOptions& options)
    : command_(command), options_(options) {
  command.make_sources(folder());
  sources_ = Entries(folder());
  source_state_ = StateOf(folder(), sources_);
  Reset();
  const AppRun run = Run();
  reference_ = Outputs();
  if (run.code != command.exit_code || reference_.empty()) {
    throw std::runtime_error(Format("{} does not run: {}", command.name, run.err));
  }
  if (options.replace) {
    const bool is_folder = reference_.begin()->first.find('/') != std::string::npos;
    for (const auto& [name, content] : reference_) {
      old_[is_folder ? command.destination + "/old" : name] = kOldContent;
    }
  }
}

std::string Workplace::partial() const {
  return destination() + PartialOutput::kSuffix;
}

std::vector<std::string> Workplace::CommandLine(unsigned threads) const {
  std::vector<std::string> line;
  for (const std::string& argument : command_.arguments) {
    line.push_back(InFolder(argument, folder()));
  }
  line.insert(line.end(), {"--threads", std::to_string(threads)});
  if (options_.replace) {
    line.emplace_back("--force");
  }
  if (!options_.sync) {
    line.emplace_back("--no-sync");
  }
  return line;
}

// Whatever is neither a source nor work in progress.
Files Workplace::Outputs() const {
  Files files;
  for (const std::string& name : Entries(folder())) {
    const bool is_source = std::binary_search(sources_.begin(), sources_.end(), name);
    if (!is_source && !name.ends_with(PartialOutput::kSuffix)) {
      Add(files, folder(), name);
    }
  }
  return files;
}

void Workplace::Reset() const {
  for (const std::string& name : Entries(folder())) {
    if (!std::binary_search(sources_.begin(), sources_.end(), name)) {
      std::filesystem::remove_all(folder_ / name);
    }
  }
  for (const auto& [name, content] : old_) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    WriteTestFile(path, content);
  }
}

bool Workplace::IsTouched() const {
  return std::filesystem::exists(partial()) || Outputs() != old_;
}

std::string Workplace::CheckOutput() const {
  const Files outputs = Outputs();
  if (outputs == old_ || outputs == reference_) {
    return "";
  }
  return "neither the old output nor the new one, but" + NamesOf(outputs);
}

std::string Workplace::CheckSources() const {
  return StateOf(folder(), sources_) == source_state_ ? "" : "a source was changed";
}

void Workplace::AcceptSources() {
  source_state_ = StateOf(folder(), sources_);
}

std::string Workplace::CheckClean() const {
  const AppRun clean = RunForTest({"clean", destination()});
  if (clean.code != 0) {
    return "clean fails: " + clean.err;
  }
  for (const std::string& name : Entries(folder())) {
    if (name.ends_with(PartialOutput::kSuffix)) {
      return "clean leaves " + name;
    }
  }
  const std::string wrong = CheckOutput();
  return wrong.empty() ? CheckSources() : "after clean there is " + wrong;
}

std::string Workplace::CheckAfterDeath() const {
  const std::string wrong = IsHalfMovedSet() ? "" : CheckOutput();
  return wrong.empty() ? CheckSources() : wrong;
}

// Files beside each other.
bool Workplace::IsSet() const {
  return reference_.size() > 1 && reference_.begin()->first.find('/') == std::string::npos;
}

// Files cannot be moved together. No program takes a set without its first part for a model, and
// the next run or `lbrx clean` puts it in order.
bool Workplace::IsHalfMovedSet() const {
  return IsSet() && !std::filesystem::exists(folder_ / reference_.begin()->first) &&
         std::filesystem::exists(partial());
}

std::string Workplace::CheckAfter(const AppRun& run, const Failure& failure) const {
  if (run.code == command_.exit_code) {
    return CheckDone();
  }
  const std::string said = Format("exit {}, {}", run.code, run.err);
  if (std::find(failure.codes.begin(), failure.codes.end(), run.code) == failure.codes.end()) {
    return "wrong exit code: " + said;
  }
  const size_t message = run.err.find("lbrx: error: ");
  const auto is_in_message = [&](const std::string& name) {
    return message != std::string::npos && run.err.find(name, message) != std::string::npos;
  };
  if (std::none_of(failure.names.begin(), failure.names.end(), is_in_message)) {
    return "a message that does not tell what failed: " + said;
  }
  const std::string wrong = CheckOutput() + CheckSources();
  return wrong.empty() ? "" : wrong + "; it had said " + said;
}

std::string Workplace::CheckNextRun() const {
  const bool was_done = OutputIsReference();
  const AppRun run = Run();
  const bool refused = run.code == 5 && run.err.find("already exists") != std::string::npos;
  if (run.code != command_.exit_code && !(was_done && refused)) {
    return Format("the next run fails: exit {}, {}", run.code, run.err);
  }
  const std::string wrong = CheckDone();
  return wrong.empty() ? "" : "after the next run " + wrong;
}

std::string Workplace::CheckDone() const {
  if (!OutputIsReference()) {
    return "other bytes than those of an undisturbed run:" + NamesOf(Outputs());
  }
  return std::filesystem::exists(partial()) ? "work in progress is left after success" : "";
}

}  // namespace lbrx

#include "trust/soak_plan.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <set>

#include "core/base/format.h"
#include "support/faults.h"
#include "trust/allocation_faults.h"
#include "trust/child.h"

namespace lbrx {
namespace {

constexpr const char* kMlxSchemes[] = {"2bit",  "3bit",  "4bit",  "5bit",      "6bit",     "8bit",
                                       "mxfp4", "mxfp8", "nvfp4", "mixed_2_6", "mixed_4_8"};
constexpr const char* kGgufSchemes[] = {"Q4_0",   "Q4_1",   "Q5_0",   "Q5_1",  "Q8_0",
                                        "Q3_K_M", "Q4_K_M", "Q5_K_S", "Q6_K",  "IQ4_NL",
                                        "F16",    "F32",    "MXFP4",  "NVFP4", "TQ2_0"};
constexpr const char* kMethods[] = {"linear",    "slerp",           "nuslerp",     "multislerp",
                                    "karcher",   "passthrough",     "model_stock", "arcee_fusion",
                                    "nearswap",  "task_arithmetic", "ties",        "dare_linear",
                                    "dare_ties", "breadcrumbs",     "della",       "sce",
                                    "ram",       "ramplus_tl"};
constexpr const char* kDtypes[] = {"f32", "f16", "bf16"};
constexpr const char* kSizes[] = {"9000", "20000", "50000", "5GB"};

// How many models a method takes, the base among them.
size_t ModelsOf(const std::string& method) {
  if (method == "passthrough") {
    return 1;
  }
  return method == "slerp" || method == "nearswap" || method == "arcee_fusion" ? 2 : 3;
}

struct ExpectedFailure {
  int error_number;
  int exit_code;
};

constexpr ExpectedFailure kFailures[] = {{EIO, 5},    {ENOSPC, 6}, {EDQUOT, 6}, {EACCES, 4},
                                         {EMFILE, 5}, {ENOMEM, 7}, {EXDEV, 5}};
constexpr IoCall kCalls[] = {IoCall::kOpen,     IoCall::kRead,   IoCall::kWrite,
                             IoCall::kAllocate, IoCall::kRename, IoCall::kMakeDirectory,
                             IoCall::kRemove,   IoCall::kSync,   IoCall::kSyncDirectory,
                             IoCall::kTruncate};

}  // namespace

// A model in some format.
std::function<void(const std::string&)> SoakRound::DrawSources(std::string& source) {
  const int layers = 1 + static_cast<int>(random_() % 3);
  const std::string size = OneOf(kSizes);
  const std::string mlx = OneOf(kMlxSchemes);
  const std::string gguf = OneOf(kGgufSchemes);
  const uint64_t format = random_() % 3;
  source = format == 0 ? "@/hf" : format == 1 ? "@/mlx" : "@/model.gguf";
  return [=](const std::string& folder) {
    WriteTrustModel(folder + "/model", layers);
    if (format == 0) {
      Make(folder, {"convert", "@/model", "@/hf", "--shard-size", size});
    } else if (format == 1) {
      Make(folder, {"convert", "@/model", "@/mlx", "-q", mlx, "--shard-size", size});
    } else {
      Make(folder, {"convert", "@/model", "@/model.gguf", "-q", gguf});
    }
  };
}

std::string SoakRound::DrawMerge() {
  const std::string method = OneOf(kMethods);
  const size_t models = ModelsOf(method);
  std::string text = "models:\n";
  for (size_t i = 1; i <= models; ++i) {
    text += Format("- {{model: @/variant{}, parameters: {{weight: 0.{}, density: 0.{}}}}}\n", i,
                   3 + random_() % 6, 3 + random_() % 6);
  }
  const bool has_base = method != "linear" && method != "karcher" && method != "passthrough";
  text += has_base ? "base_model: @/variant1\n" : "";
  text += method == "slerp" || method == "nearswap" ? "parameters: {t: 0.3}\n" : "";
  return text + "merge_method: " + method + "\ndtype: bfloat16\n";
}

void SoakRound::DrawTarget(WritingCommand& command) {
  std::vector<std::string>& line = command.arguments;
  const uint64_t target = random_() % 4;
  command.destination = target == 0 ? "out.gguf" : "out";
  line.push_back("@/" + command.destination);
  if (target == 0) {
    line.insert(line.end(), {"-q", OneOf(kGgufSchemes)});
  } else if (target == 1) {
    line.insert(line.end(), {"-q", OneOf(kMlxSchemes)});
  } else {
    line.insert(line.end(), {"--to", target == 2 ? "hf" : "mlx", "--dtype", OneOf(kDtypes)});
  }
  if (Chance(70)) {
    line.insert(line.end(), {"--shard-size", OneOf(kSizes)});
  }
}

WritingCommand SoakRound::DrawCommand() {
  WritingCommand command{"Soak", "", {}, {}};
  std::vector<std::string>& line = command.arguments;
  std::string source;
  const auto sources = DrawSources(source);
  const uint64_t kind = random_() % 10;
  if (kind < 4) {
    line = {"convert", source};
    command.make_sources = sources;
    DrawTarget(command);
  } else if (kind < 8) {
    const std::string text = DrawMerge();
    line = {"merge", "@/merge.yml"};
    command.make_sources = [text](const std::string& folder) {
      WriteTrustModel(folder + "/model");
      for (const int variant : {1, 2, 3}) {
        WriteVariant(folder + "/model", Format("{}/variant{}", folder, variant), variant);
      }
      WriteTestFile(folder + "/merge.yml", InFolder(text, folder));
    };
    DrawTarget(command);
  } else if (kind == 8) {
    const uint64_t cut = 1 + random_() % 60'000;
    line = {"repair", "@/model", "@/out", "--shard-size", OneOf(kSizes)};
    command.destination = "out";
    command.exit_code = 10;
    command.make_sources = [cut](const std::string& folder) {
      WriteTrustModel(folder + "/model");
      const std::string weights = folder + "/model/model.safetensors";
      std::filesystem::resize_file(weights, std::filesystem::file_size(weights) - cut);
    };
  } else {
    const std::string gguf = OneOf(kGgufSchemes);
    line = {"edit", "@/model.gguf", "@/out.gguf", "--set", "general.name=str:Soak"};
    command.destination = "out.gguf";
    command.make_sources = [gguf](const std::string& folder) {
      WriteTrustModel(folder + "/model", 2);
      Make(folder, {"convert", "@/model", "@/model.gguf", "-q", gguf});
    };
  }
  return command;
}

// A call that fails, once or from there on.
std::string SoakRound::WithFailingCall(const Workplace& place) {
  const ExpectedFailure failure = OneOf(kFailures);
  const IoCall call = OneOf(kCalls);
  const uint64_t n = 1 + random_() % 80;
  const bool onwards = Chance(30);
  faults_ += Format(" call {} of kind {} fails with {}{};", n, static_cast<int>(call),
                    failure.error_number, onwards ? " onwards" : "");
  AppRun run;
  std::set<std::string> failed;
  {
    FaultyIo io;
    onwards ? io.FailFrom(call, n, failure.error_number)
            : io.FailOnce(call, n, failure.error_number);
    run = place.Run(threads_);
    failed = io.Failed();
  }
  // Where all renames fail, what was half moved stays so.
  return onwards || !settled_ ? place.CheckAfterDeath()
                              : place.CheckAfter(run, {{failure.exit_code}, failed});
}

std::string SoakRound::WithPowerLoss(const Workplace& place) {
  const uint64_t n = 1 + random_() % 300;
  faults_ += Format(" power loss at call {};", n);
  FaultyIo io;
  io.RecordUnsynced();
  io.FailFrom(std::nullopt, n, EIO);
  place.Run(threads_);
  io.Crash();
  return place.CheckAfterDeath();
}

std::string SoakRound::WithoutMemory(const Workplace& place) {
  const uint64_t n = 1 + random_() % 8000;
  const bool onwards = Chance(30);
  faults_ += Format(" allocation {} fails{};", n, onwards ? " onwards" : "");
  const AppRun run = RunWithoutMemory(place.CommandLine(threads_), n, onwards);
  return onwards || !settled_ ? place.CheckAfterDeath() : place.CheckAfter(run, {{7}, {"memory"}});
}

std::string SoakRound::WithKill(const Workplace& place) {
  const auto delay = static_cast<useconds_t>(random_() % 30'000);
  faults_ += Format(" kill -9 after {} us;", delay);
  Child child(place.CommandLine(threads_));
  ::usleep(delay);
  child.Signal(SIGKILL);
  child.Wait();
  return place.CheckAfterDeath();
}

std::string SoakRound::Disturb(const Workplace& place) {
  settled_ = !place.IsHalfMovedSet();
  switch (random_() % 4) {
    case 0:
      return WithFailingCall(place);
    case 1:  // from which --no-sync does not protect
      return sync_ ? WithPowerLoss(place) : WithFailingCall(place);
    case 2:
      return WithoutMemory(place);
    default:
      return WithKill(place);
  }
}

std::string SoakRound::Run() {
  const WritingCommand command = DrawCommand();
  const bool replace = Chance(50);
  threads_ = 1 + static_cast<unsigned>(random_() % 4);
  for (const std::string& word : command.arguments) {
    line_ += " " + word;
  }
  sync_ = Chance(50);
  line_ +=
      Format(" --threads {}{}{}", threads_, replace ? " --force" : "", sync_ ? "" : " --no-sync");
  const Workplace place(command, {.replace = replace, .sync = sync_});
  place.Reset();
  const uint64_t disturbances = 1 + random_() % 4;
  for (uint64_t i = 0; i < disturbances; ++i) {
    if (place.OutputIsReference()) {  // a kill came too late
      place.Reset();
    }
    if (std::string wrong = Disturb(place); !wrong.empty()) {
      return wrong;
    }
  }
  return Chance(25) ? place.CheckClean() : place.CheckNextRun();
}

}  // namespace lbrx

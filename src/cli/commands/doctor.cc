#include "cli/build_info.h"
#include "cli/commands/commands.h"
#include "cli/commands/doctor_probe.h"
#include "cli/context.h"
#include "cli/formatters/table.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr size_t kLongestPath = 4096;

struct Facts {
  CpuFacts cpu;
  MemoryFacts memory;
  GpuFacts gpu;
  DiskFacts disk;
  HubFacts hub;
};

Json OrNull(const std::optional<uint64_t>& value) {
  return value ? Json(*value) : Json();
}

Json OrNull(const std::string& value) {
  return value.empty() ? Json() : Json(Printable(value, kLongestPath));
}

Json CpuJson(const CpuFacts& cpu) {
  Json simds = Json::MakeArray();
  for (const std::string& name : cpu.simds) {
    simds.Append(name);
  }
  return Json::Object{{"model", OrNull(cpu.model)},
                      {"simd", cpu.simd},
                      {"simd_supported", std::move(simds)},
                      {"cores", static_cast<uint64_t>(cpu.cores)},
                      {"usable_cores", static_cast<uint64_t>(cpu.usable_cores)}};
}

Json MemoryJson(const MemoryFacts& memory) {
  return Json::Object{{"total", memory.total},
                      {"available", memory.available},
                      {"cgroup_limit", OrNull(memory.cgroup_limit)},
                      {"address_space_limit", OrNull(memory.address_space_limit)},
                      {"file_size_limit", OrNull(memory.file_size_limit)},
                      {"open_files_limit", OrNull(memory.open_files_limit)}};
}

Json GpuJson(const GpuFacts& gpu) {
  Json devices = Json::MakeArray();
  for (const GpuFacts::Device& device : gpu.devices) {
    devices.Append(Json::Object{{"name", Printable(device.name)}, {"memory", device.memory}});
  }
  return Json::Object{{"library", OrNull(gpu.library)},
                      {"problem", OrNull(gpu.problem)},
                      {"devices", std::move(devices)}};
}

Json DiskJson(const DiskFacts& disk) {
  const bool measured = disk.read_speed > 0;
  return Json::Object{{"path", OrNull(disk.path)},
                      {"file_system", OrNull(disk.file_system)},
                      {"free", disk.free},
                      {"write_bytes_per_second", measured ? Json(disk.write_speed) : Json()},
                      {"read_bytes_per_second", measured ? Json(disk.read_speed) : Json()},
                      {"read_uncached", disk.read_uncached},
                      {"problem", OrNull(disk.problem)}};
}

void PrintAsJson(Context& context, const Facts& facts) {
  const HubFacts& hub = facts.hub;
  context.PrintJson({{"version", VersionNumber()},
                     {"commit", BuildCommit()},
                     {"compiler", CompilerName()},
                     {"cpu", CpuJson(facts.cpu)},
                     {"memory", MemoryJson(facts.memory)},
                     {"gpu", GpuJson(facts.gpu)},
                     {"disk", DiskJson(facts.disk)},
                     {"hub_cache", Json::Object{{"path", Printable(hub.path, kLongestPath)},
                                                {"exists", hub.exists},
                                                {"models", hub.models}}}});
}

std::string LimitsText(const MemoryFacts& memory) {
  std::string text;
  const auto add = [&](const char* name, const std::string& value) {
    text += (text.empty() ? "" : ", ") + std::string(name) + " " + value;
  };
  if (memory.cgroup_limit) {
    add("cgroup", FormatBytes(*memory.cgroup_limit));
  }
  if (memory.address_space_limit) {
    add("address space", FormatBytes(*memory.address_space_limit));
  }
  if (memory.file_size_limit) {
    add("file size", FormatBytes(*memory.file_size_limit));
  }
  if (memory.open_files_limit) {
    add("open files", std::to_string(*memory.open_files_limit));
  }
  return text.empty() ? "none" : text;
}

std::string GpuText(const GpuFacts& gpu) {
  if (gpu.devices.empty()) {
    return gpu.library.empty() ? "none found (not needed)"
                               : Format("none: {}, {}", gpu.library, gpu.problem);
  }
  std::string text;
  for (const GpuFacts::Device& device : gpu.devices) {
    text += (text.empty() ? "" : ", ") + Printable(device.name);
    if (device.memory != 0) {
      text += Format(" ({})", FormatBytes(device.memory));
    }
  }
  return text;
}

std::string SpeedText(const DiskFacts& disk) {
  if (disk.read_speed <= 0) {
    return "not measured: " + Printable(disk.problem, kLongestPath);
  }
  return Format("writes {}/s, reads {}/s{}", FormatBytes(static_cast<uint64_t>(disk.write_speed)),
                FormatBytes(static_cast<uint64_t>(disk.read_speed)),
                disk.read_uncached ? "" : " (from the system's cache)");
}

void PrintAsText(Context& context, const Facts& facts) {
  const HubFacts& hub = facts.hub;
  std::string simds;
  for (const std::string& name : facts.cpu.simds) {
    simds += (simds.empty() ? "" : ", ") + name;
  }
  context.Print(NameValueLines(
      {{"version", Format("{} (commit {}, {})", VersionNumber(), BuildCommit(), CompilerName())},
       {"CPU", facts.cpu.model.empty() ? "unknown" : Printable(facts.cpu.model)},
       {"cores", Format("{} usable of {}", facts.cpu.usable_cores, facts.cpu.cores)},
       {"SIMD", Format("{} (this CPU can run: {})", facts.cpu.simd, simds)},
       {"memory", Format("{}, {} available", FormatBytes(facts.memory.total),
                         FormatBytes(facts.memory.available))},
       {"limits", LimitsText(facts.memory)},
       {"GPU", GpuText(facts.gpu)},
       {"disk", Format("{}: {}, {} free", Printable(facts.disk.path, kLongestPath),
                       facts.disk.file_system.empty() ? "unknown" : facts.disk.file_system,
                       FormatBytes(facts.disk.free))},
       {"disk speed", SpeedText(facts.disk)},
       {"HF cache", hub.exists ? Format("{}: {} model{}", Printable(hub.path, kLongestPath),
                                        hub.models, hub.models == 1 ? "" : "s")
                               : Format("{}: not there", Printable(hub.path, kLongestPath))}},
      context.width(), context.color()));
}

int Run(Context& context) {
  Facts facts;
  facts.cpu = ProbeCpu();
  facts.memory = ProbeMemory();
  facts.gpu = ProbeGpu();
  facts.disk = ProbeDisk(context.args().ValueOr("--path", "."), context.cancel());
  facts.hub = ProbeHub(context.environment());
  if (context.json()) {
    PrintAsJson(context, facts);
  } else {
    PrintAsText(context, facts);
  }
  return 0;
}

constexpr std::array<OptionSpec, 1> kOptions = {{
    {.name = "--path",
     .value = "FOLDER",
     .help = "Where to look at the disk: up to 64 MiB are written there, read and removed",
     .fallback = ".",
     .completion = Completion::kFolder},
}};

OptionTable Options() {
  return kOptions;
}

constexpr std::array<Example, 2> kExamples = {
    {{"lbrx doctor", "what this machine has for lbrx"},
     {"lbrx doctor --path /data", "with the disk at /data"}}};

}  // namespace

constinit const CommandInfo kDoctorCommand = {
    .name = "doctor",
    .summary = "Show CPU, memory, GPU, disk and caches as lbrx sees them",
    .examples = kExamples,
    .options = {Options},
    .run = Run,
    .group = "About lbrx"};

}  // namespace lbrx

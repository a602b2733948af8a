// Folders: configuration, index, shards and the small files beside them (input_folder.h). Whatever
// they say, opening, validation, repair and plans end with what they are for or with an error.
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "check.h"
#include "check/check.h"
#include "check/repair/repair.h"
#include "core/base/error.h"
#include "core/parallel/executor.h"
#include "input_folder.h"
#include "plan_check.h"
#include "target.h"

namespace lbrx {
namespace {

constexpr uint64_t kMemoryMultiple = 1024;  // a conversion has texts and tables of its own
// A configuration can tell of 4096 layers; the names of all of their tensors are compared.
constexpr uint64_t kFixedMemory = uint64_t{32} << 20;
constexpr uint64_t kCheckMemory = uint64_t{4} << 20;

// An error that the content of files can cause.
void CheckError(const Error& error) {
  FUZZ_CHECK(error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kIo);
}

bool HasError(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) {
    if (problem.severity == Severity::kError) {
      return true;
    }
  }
  return false;
}

void CheckArrays(const Checkpoint& checkpoint) {
  std::set<std::string_view> names;
  for (const StoredArray& array : checkpoint.arrays) {
    const uint64_t size = File::OpenRead(checkpoint.files.at(array.file).path)->Size();
    FUZZ_CHECK(array.offset <= size && array.bytes <= size - array.offset);
  }
  for (const SourceTensor& tensor : checkpoint.tensors) {
    FUZZ_CHECK(names.insert(tensor.name).second);
    FUZZ_CHECK(PlanesOf(tensor.encoding, tensor.shape).size() == tensor.planes.size());
  }
}

void CheckValidation(const std::string& path) {
  static Executor executor(1);
  OpenOptions options;
  options.collect_problems = true;
  try {
    const Checkpoint checkpoint = OpenCheckpoint(path, options);
    CheckOptions check;
    check.executor = &executor;
    check.memory = kCheckMemory;
    static_cast<void>(Summarize(checkpoint));
    const std::vector<Problem> problems = Validate(checkpoint, /*deep=*/true, check);
    FUZZ_CHECK(problems.size() >= checkpoint.problems.size());
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() != ErrorCode::kInternal && error.code() != ErrorCode::kUsage);
  }
}

void CheckRepair(const std::string& path) {
  RepairRequest request;
  request.source = path;
  request.destination = path + "-repaired";
  try {
    const Repair repair = PlanRepair(request, nullptr);
    CheckPlan(repair.plan);
    FUZZ_CHECK(repair.plan.OutputBytes() >= repair.bytes);
  } catch (const Error& error) {
    CheckError(error);
  }
}

void Run(std::string_view input) {
  const InputFolder folder(SplitInputFiles(input));
  CheckValidation(folder.path());
  CheckRepair(folder.path());
  try {
    const auto checkpoint = std::make_shared<Checkpoint>(OpenCheckpoint(folder.path()));
    FUZZ_CHECK(!HasError(checkpoint->problems));
    CheckArrays(*checkpoint);
    for (const TargetKind target :
         {TargetKind::kHuggingFace, TargetKind::kMlx, TargetKind::kGguf}) {
      CheckConversion(checkpoint, target);
    }
  } catch (const Error& error) {
    CheckError(error);
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kText, lbrx::kMemoryMultiple, lbrx::kFixedMemory);

#include "cli/commands/commands.h"
#include "cli/commands/write.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

[[noreturn]] void ThrowInvalid(const std::string& file, const std::string& object,
                               const std::string& what, const std::string& advice) {
  ErrorDetail detail;
  detail.file = file;
  detail.object = object;
  detail.what = what;
  detail.advice = advice;
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

const Json& Member(const Json& json, const std::string& file, const std::string& key) {
  const Json* value = json.Find(key);
  if (value == nullptr) {
    ThrowInvalid(file, key, "is missing", "make the plan again with --plan");
  }
  return *value;
}

ConvertRequest ReadRequest(const Json& json, const std::string& file) {
  const Json* schema = json.Find("schema");
  if (schema == nullptr || !schema->is_string() || schema->AsString() != "lbrx.plan.v1") {
    ThrowInvalid(file, "schema", "not a plan of lbrx", "make one with --plan FILE");
  }
  try {
    return ConvertRequest::FromJson(Member(json, file, "request"));
  } catch (Error& error) {
    error.InFile(file);
    throw;
  }
}

// A plan says what will be written; what it was made from must be what is there now.
void CheckUnchanged(const Json& json, const std::string& file, const Plan& plan) {
  const std::string advice = "make the plan again with --plan";
  if (!(Member(json, file, "sources") == SourceFingerprints(plan))) {
    ThrowInvalid(file, "sources", "the source changed since the plan was made", advice);
  }
  if (!(Member(json, file, "hash") == Json(PlanHash(plan).Hex()))) {
    ThrowInvalid(file, "hash", "the same request gives another plan than this one", advice);
  }
}

int Run(Context& context) {
  const std::string& file = context.args().positionals()[0];
  const Json json = ParseJson(ReadWholeFile(file, uint64_t{1} << 30), file);
  ConvertRequest request = ReadRequest(json, file);
  const Work work = MakePlan(context, request);
  CheckUnchanged(json, file, work.plan);
  return CarryOut(context, work, request);
}

constexpr std::array<Example, 1> kExamples = {
    {{"lbrx convert model model-mlx --to mlx --plan plan.json && lbrx apply plan.json",
      "write a plan, look at it, run it"}}};
constexpr std::array<ArgumentSpec, 1> kArguments = {
    {{.name = "PLAN", .help = "A file that --plan wrote; paths in it are as they were given"}}};

}  // namespace

constinit const CommandInfo kApplyCommand = {
    .name = "apply",
    .summary = "Run a plan that --plan wrote",
    .details = "Refused where the source changed since the plan was made.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {RunningOptions},
    .run = Run,
    .group = "Change checkpoints"};

}  // namespace lbrx

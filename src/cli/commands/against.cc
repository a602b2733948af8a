#include "cli/commands/against.h"

#include <algorithm>

#include "cli/commands/gguf_options.h"
#include "cli/commands/write.h"
#include "convert/description.h"
#include "convert/retrace.h"
#include "core/base/format.h"
#include "formats/gguf/keys.h"
#include "model/open_model.h"

namespace lbrx {
namespace {

constexpr std::string_view kGroup = "With --against: how PATH was made";

constexpr std::array<std::string_view, 28> kBorrowed = {"-q",
                                                        "--group-size",
                                                        "--mlx-rule",
                                                        "--override",
                                                        "--keep",
                                                        "--search",
                                                        "--protect-routers",
                                                        "--dequantize",
                                                        "--dtype",
                                                        "--text-only",
                                                        "--allow-nonfinite",
                                                        "--pre",
                                                        "--embed-hf",
                                                        "--imatrix",
                                                        "--include-weights",
                                                        "--exclude-weights",
                                                        "--pure",
                                                        "--tensor-type",
                                                        "--tensor-type-file",
                                                        "--output-tensor-type",
                                                        "--token-embedding-type",
                                                        "--leave-output-tensor",
                                                        "--override-kv",
                                                        "--prune-layers",
                                                        "--random-seed",
                                                        "--compat",
                                                        "--allow-crimes",
                                                        "--no-copy-tokenizer"};

constexpr std::array<OptionSpec, 2> kOwn = {{
    {.name = "--against",
     .value = "SRC",
     .help = "Compute tensors again from what PATH was made of, a model or the configuration of a "
             "merge (.yml), and compare every byte. Schemes are those that PATH has",
     .completion = Completion::kPath},
    {.name = "--all",
     .help = "With --against: every tensor. Else one of each kind (name without numbers, scheme), "
             "then others, drawn by hashes of their names, up to 48 tensors or 4 GB"},
}};

std::vector<OptionSpec> MakeTable() {
  std::vector<OptionSpec> table(kOwn.begin(), kOwn.end());
  for (const OptionTable from : {QuantizationOptions(), OutputOptions(), RunningOptions(),
                                 GgufFileOptions(), GgufQuantizeOptions(), MergeOptions()}) {
    for (OptionSpec option : from) {
      if (std::find(kBorrowed.begin(), kBorrowed.end(), option.name) != kBorrowed.end()) {
        option.group = kGroup;
        option.optional_value = false;
        table.push_back(option);
      }
    }
  }
  return table;
}

bool IsMergeConfig(const std::string& source) {
  return (source.ends_with(".yml") || source.ends_with(".yaml")) && IsRegularFile(source);
}

class Against {
 public:
  Against(Context& context, const Checkpoint& made, Executor& executor)
      : context_(context), made_(made), executor_(executor) {}

  AgainstResult Compare(const std::string& path) {
    ConvertRequest request = RequestOf(path);
    const Plan plan = PlanFor(request);
    for (const std::string& notice : plan.notices) {
      context_.Detail(1, notice);
    }
    AgainstResult result;
    result.warnings = CompareDescription(plan, made_, request.AsksForSchemes());
    RunOptions options = Options();
    options.progress = &context_.StartProgress("comparing");
    result.found = VerifyOutput(plan, made_, context_.args().Has("--all"), options);
    context_.StopProgress();
    if (!result.found.differences.empty()) {
      result.hint = HintFor(request, plan, result.found.differences.front().tensor);
    }
    return result;
  }

 private:
  ConvertRequest RequestOf(const std::string& path) const {
    const ParsedArgs& args = context_.args();
    ConvertRequest request;
    request.source = *args.Value("--against");
    request.card = false;
    ApplyContentOptions(args, request);
    SetTargetAs(made_, path, request);
    if (IsMergeConfig(request.source)) {
      request.command = "merge";
      request.merge = MergeFromOptions(args, request.source, request).ToJson();
    }
    ApplyGgufContentOptions(args, request);
    return request;
  }

  Plan PlanFor(ConvertRequest& request) const {
    return Retrace(request, made_, [&](const ConvertRequest& wanted) { return Open(wanted); });
  }

  ModelSource Open(const ConvertRequest& request) const {
    OpenOptions options;
    options.executor = &executor_;
    if (request.merge.is_null()) {
      return SourceOf(std::make_shared<const Checkpoint>(OpenModel(request.source, options)));
    }
    MergeRequest merge = MergeRequest::FromJson(request.merge);
    merge.dtype = request.dtype;
    return PlanMerge(merge, options).source;
  }

  RunOptions Options() const {
    const ParsedArgs& args = context_.args();
    RunOptions options;
    options.memory = args.Size("--memory").value_or(options.memory);
    options.threads = executor_.threads();
    options.allow_nonfinite = args.Has("--allow-nonfinite");
    options.cancel = &context_.cancel();
    return options;
  }

  // The options with which `tensor` comes out as it is stored.
  std::string HintFor(const ConvertRequest& request, const Plan& plan,
                      const std::string& tensor) const {
    for (const auto& [option, other] : Alternatives(request, plan, tensor)) {
      if (Explains(other, tensor)) {
        return Format("{} gives the bytes that {} has", option, Printable(tensor));
      }
    }
    const bool weighted = made_.gguf != nullptr && request.gguf.imatrix.empty() &&
                          made_.gguf->Find("quantize.imatrix.file") != nullptr;
    return weighted ? "the file says that it was made with an importance matrix; give it with "
                      "--imatrix"
                    : "";
  }

  using Alternative = std::pair<std::string, ConvertRequest>;

  std::vector<Alternative> Alternatives(const ConvertRequest& request, const Plan& plan,
                                        const std::string& tensor) const {
    std::vector<Alternative> others;
    const auto add = [&](std::string option, auto&& change) {
      ConvertRequest other = request;
      change(other);
      others.emplace_back(std::move(option), std::move(other));
    };
    const Encoding& encoding = made_.Find(tensor)->encoding;
    if (encoding.scheme == Scheme::kAffine && !request.search) {
      const bool metal = request.rule == MlxRule::kMetal;
      add(metal ? "--mlx-rule cpu" : "--mlx-rule metal",
          [&](ConvertRequest& other) { other.rule = metal ? MlxRule::kCpu : MlxRule::kMetal; });
      add("--search", [](ConvertRequest& other) { other.search = true; });
    }
    const bool carried =
        std::any_of(plan.tensors.begin(), plan.tensors.end(), [&](const PlannedTensor& planned) {
          return planned.output.name == tensor && !planned.copies.empty();
        });
    if (carried && encoding.scheme != Scheme::kPlain) {
      const std::string scheme = SchemeLabel(encoding);
      add("-q " + scheme, [&](ConvertRequest& other) { other.scheme = scheme; });
    }
    if (!request.merge.is_null() && !context_.args().Has("--compat")) {
      add("--compat mergekit", [](ConvertRequest& other) {
        MergeRequest merge = MergeRequest::FromJson(other.merge);
        merge.compat = true;
        other.merge = merge.ToJson();
      });
    }
    return others;
  }

  bool Explains(ConvertRequest request, const std::string& tensor) const {
    try {
      Plan plan = PlanFor(request);
      std::erase_if(plan.tensors,
                    [&](const PlannedTensor& each) { return each.output.name != tensor; });
      const Verification found = VerifyOutput(std::move(plan), made_, /*all=*/true, Options());
      return found.compared == 1 && found.differences.empty();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kUsage || error.code() == ErrorCode::kInvalid) {
        return false;  // nothing can be made so
      }
      throw;
    }
  }

  Context& context_;
  const Checkpoint& made_;
  Executor& executor_;
};

}  // namespace

OptionTable AgainstOptions() {
  static const std::vector<OptionSpec> table = MakeTable();
  return table;
}

void RequireAgainst(const ParsedArgs& args) {
  if (args.Has("--against")) {
    return;
  }
  const OptionTable table = AgainstOptions();
  for (const ParsedArgs::Given& given : args.given()) {
    const std::string_view name = given.option->name;
    if (std::any_of(table.begin(), table.end(),
                    [&](const OptionSpec& each) { return each.name == name; })) {
      throw Error(ErrorCode::kUsage, {.file = "",
                                      .object = std::string(name),
                                      .what = "is for --against SRC",
                                      .expected = "",
                                      .found = "",
                                      .offset = {},
                                      .advice = "name what PATH was made of"});
    }
  }
}

AgainstResult CompareAgainst(Context& context, const Checkpoint& made, const std::string& path,
                             Executor& executor) {
  return Against(context, made, executor).Compare(path);
}

}  // namespace lbrx

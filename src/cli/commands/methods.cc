#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/formatters/table.h"
#include "core/base/format.h"
#include "merge/method.h"

namespace lbrx {
namespace {

std::string_view KindName(MergeParameterInfo::Kind kind) {
  switch (kind) {
    case MergeParameterInfo::Kind::kInteger:
      return "integer";
    case MergeParameterInfo::Kind::kBoolean:
      return "boolean";
    default:
      return "number";
  }
}

std::string_view RoleName(BaseRole role) {
  switch (role) {
    case BaseRole::kRequired:
      return "required";
    case BaseRole::kOptional:
      return "optional";
    default:
      return "none";
  }
}

Json ParametersJson(const MergeMethod& method) {
  Json rows = Json::MakeArray();
  for (const MergeParameterInfo& info : method.parameters) {
    Json item = Json::MakeObject();
    item.Set("name", info.name);
    item.Set("kind", KindName(info.kind));
    item.Set("of_each_model", info.of_member);
    item.Set("required", info.required);
    item.Set("default", info.required ? Json() : Json(info.standard));
    item.Set("summary", info.summary);
    rows.Append(std::move(item));
  }
  return rows;
}

std::string ParametersText(const MergeMethod& method) {
  std::string out;
  for (const MergeParameterInfo& info : method.parameters) {
    out += out.empty() ? "" : ", ";
    out += info.required ? std::string(info.name) : Format("{}={}", info.name, info.standard);
  }
  return out;
}

int Run(Context& context) {
  if (context.json()) {
    Json rows = Json::MakeArray();
    for (const MergeMethod* method : MergeMethods()) {
      Json item = Json::MakeObject();
      item.Set("name", method->name);
      item.Set("summary", method->summary);
      item.Set("reference", method->reference);
      item.Set("base_model", RoleName(method->base));
      item.Set("parameters", ParametersJson(*method));
      rows.Append(std::move(item));
    }
    context.PrintJson({{"methods", std::move(rows)}});
    return 0;
  }
  Table table({{"method"}, {"base model"}, {"parameters"}, {"what it is"}});
  for (const MergeMethod* method : MergeMethods()) {
    table.AddRow({std::string(method->name), std::string(RoleName(method->base)),
                  ParametersText(*method), std::string(method->summary)});
  }
  context.Print(table.ToString(context.width(), context.color()));
  return 0;
}

constexpr std::array<Example, 2> kExamples = {
    {{"lbrx methods", "what merge_method may be, with parameters and their defaults"},
     {"lbrx methods --json", "the same for a program, with what each parameter means"}}};

}  // namespace

constinit const CommandInfo kMethodsCommand = {.name = "methods",
                                               .summary = "List the merge methods",
                                               .examples = kExamples,
                                               .run = Run,
                                               .group = "What lbrx knows"};

}  // namespace lbrx

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/formatters/table.h"
#include "model/architecture.h"
#include "model/wrapper.h"

namespace lbrx {
namespace {

// The names of the text models that a multimodal one may have.
Json TextsOf(const Wrapper& wrapper) {
  Json names = Json::MakeArray();
  for (const Architecture* text : wrapper.texts) {
    names.Append(wrapper.alone != nullptr ? wrapper.alone->name : text->name);
  }
  return names;
}

int Run(Context& context) {
  if (context.json()) {
    Json rows = Json::MakeArray();
    for (const Architecture* architecture : Architectures()) {
      Json classes = Json::MakeArray();
      for (const std::string_view name : architecture->classes) {
        classes.Append(name);
      }
      Json item = Json::MakeObject();
      item.Set("name", architecture->name);
      item.Set("summary", architecture->summary);
      item.Set("classes", std::move(classes));
      rows.Append(std::move(item));
    }
    Json wrappers = Json::MakeArray();
    for (const Wrapper* wrapper : Wrappers()) {
      Json item = Json::MakeObject();
      item.Set("name", wrapper->name);
      item.Set("summary", wrapper->summary);
      item.Set("text", TextsOf(*wrapper));
      wrappers.Append(std::move(item));
    }
    context.PrintJson({{"architectures", std::move(rows)}, {"multimodal", std::move(wrappers)}});
    return 0;
  }
  Table table({{"architecture"}, {"what it is"}});
  for (const Architecture* architecture : Architectures()) {
    table.AddRow({std::string(architecture->name), std::string(architecture->summary)});
  }
  for (const Wrapper* wrapper : Wrappers()) {
    table.AddRow({std::string(wrapper->name), std::string(wrapper->summary) + " (multimodal)"});
  }
  context.Print(table.ToString(context.width(), context.color()));
  return 0;
}

constexpr std::array<Example, 1> kExamples = {
    {{"lbrx architectures", "the model families whose tensors lbrx understands"}}};

}  // namespace

constinit const CommandInfo kArchitecturesCommand = {
    .name = "architectures",
    .summary = "List the model architectures",
    .details = "A model of another architecture is converted with its tensor names as they are.",
    .examples = kExamples,
    .run = Run,
    .group = "What lbrx knows"};

}  // namespace lbrx

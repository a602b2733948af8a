#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/formatters/table.h"
#include "formats/checkpoint.h"

namespace lbrx {
namespace {

int Run(Context& context) {
  if (context.json()) {
    Json rows = Json::MakeArray();
    for (const FormatInfo& format : Formats()) {
      Json item = Json::MakeObject();
      item.Set("name", format.name);
      item.Set("readable", format.readable);
      item.Set("writable", format.writable);
      item.Set("summary", format.summary);
      rows.Append(std::move(item));
    }
    context.PrintJson({{"formats", std::move(rows)}});
    return 0;
  }
  Table table({{"format"}, {"reads"}, {"writes"}, {"what it is"}});
  for (const FormatInfo& format : Formats()) {
    table.AddRow({std::string(format.name), format.readable ? "yes" : "no",
                  format.writable ? "yes" : "no", std::string(format.summary)});
  }
  context.Print(table.ToString(context.width(), context.color()));
  return 0;
}

constexpr std::array<Example, 1> kExamples = {
    {{"lbrx formats", "which checkpoint formats can be read and written"}}};

}  // namespace

constinit const CommandInfo kFormatsCommand = {.name = "formats",
                                               .summary = "List the checkpoint formats",
                                               .examples = kExamples,
                                               .run = Run,
                                               .group = "What lbrx knows"};

}  // namespace lbrx

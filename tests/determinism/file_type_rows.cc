#include <set>

#include "core/base/plain_text.h"
#include "determinism/rows.h"
#include "quant/codec.h"
#include "quant/gguf/families.h"
#include "quant/gguf/file_types.h"

namespace lbrx::determinism {
namespace {

void Add(std::vector<Row>& rows, const std::string& name, const std::string& source,
         const std::vector<std::string>& options) {
  std::vector<std::string> command = {"quantize", source, "run/out.gguf", "--report",
                                      "run/report.json"};
  command.insert(command.end(), options.begin(), options.end());
  rows.push_back({.name = "gguf_" + name, .commands = {command}});
}

// Whether the type can be written.
bool IsMade(const GgmlType& type) {
  if (type.encoding.scheme == Scheme::kPlain) {
    return Info(type.encoding.dtype).floating && type.encoding.dtype != DType::kF64;
  }
  const Codec* codec = FindCodec(type.encoding.scheme);
  return codec != nullptr && codec->encode != nullptr && IsWritable(type.encoding.scheme);
}

}  // namespace

void AddFileTypeRows(std::vector<Row>& rows) {
  std::set<const Scheme*> families;  // a target asks for one, whatever file type names it
  for (const FileType& type : FileTypes()) {
    const std::string text(type.name);
    const std::string name = NamePart(text);
    // Some types are refused without importance.
    Add(rows, name + "_imatrix", "small", {text, "--imatrix", "imatrix.gguf"});
    Add(rows, name + "_requantized", "small-Q4_K_M.gguf",
        {AsciiLower(text), "--imatrix", "imatrix.gguf", "--allow-requantize"});
    if (families.insert(FamilyOf(type).data()).second && !FamilyOf(type).empty()) {
      Add(rows, name + "_target", "small",
          {text, "--target-bpw", "4.6", "--imatrix", "imatrix.gguf"});
    }
  }
  for (const GgmlType& type : GgmlTypes()) {
    if (IsMade(type)) {
      const std::string text(type.name);
      Add(rows, "all_" + NamePart(text), "small-f32",
          {"F16", "--tensor-type", "ffn=" + text, "--imatrix", "imatrix.gguf"});
    }
  }
  for (const char* text : {"Q4_0", "Q8_0", "Q4_K_M", "Q6_K", "IQ4_XS"}) {
    Add(rows, std::string("bands_") + text, "base", {text});
  }
  Add(rows, "bands_target_size", "base", {"--target-size", "900kB"});
}

}  // namespace lbrx::determinism

// GGUF files as models: keys become a configuration and a tokenizer, and the file a plan of a
// folder or of another file. Whatever the keys say, either a plan that can be laid out and whose
// values can be read, or an error.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "check.h"
#include "convert/convert.h"
#include "core/base/error.h"
#include "input_file.h"
#include "model/gguf/gguf_config.h"
#include "model/open_model.h"
#include "plan_check.h"
#include "target.h"

namespace lbrx {
namespace {

constexpr uint64_t kMemoryMultiple = 1024;  // plans have texts and tables of their own

// Keys of the configuration that is made of keys: those say the same again.
void CheckKeys(const Checkpoint& checkpoint) {
  const Architecture* architecture = ArchitectureOfGguf(*checkpoint.gguf);
  if (architecture == nullptr || !checkpoint.config.is_object()) {
    return;
  }
  try {
    GgufKeys keys;
    std::vector<std::string> notices;
    AddModelKeys(*architecture, checkpoint.config, keys, notices);
    FUZZ_CHECK(!keys.String("general.architecture").empty());
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
  }
}

void Run(std::string_view content) {
  static InputFile input("-model.gguf");
  input.Set(content);
  std::shared_ptr<const Checkpoint> checkpoint;
  try {
    checkpoint = std::make_shared<Checkpoint>(OpenModel(input.file().path()));
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    return;
  }
  CheckKeys(*checkpoint);
  for (const TargetKind target :
       {TargetKind::kHuggingFace, TargetKind::kMlx, TargetKind::kGguf, TargetKind::kSafetensors}) {
    CheckConversion(checkpoint, target);
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kGguf, lbrx::kMemoryMultiple);

// Adapters of PEFT and mlx-lm: the files of their folder (input_folder.h). What opens either fits a
// small model, and then all values that result can be read, or it is refused.
#include <cstdint>
#include <memory>
#include <string_view>

#include "adapt/apply.h"
#include "check.h"
#include "core/base/error.h"
#include "input_folder.h"
#include "support/checkpoints.h"
#include "target.h"

namespace lbrx {
namespace {

// A llama of one layer, made once.
std::shared_ptr<const Checkpoint> BaseModel() {
  static const InputFolder folder;
  static const std::shared_ptr<const Checkpoint> model = [] {
    TinyLlama llama;
    llama.layers = 1;
    llama.Write(JoinPath(folder.path(), "base"));
    return std::make_shared<Checkpoint>(OpenCheckpoint(JoinPath(folder.path(), "base")));
  }();
  return model;
}

void ReadAll(const Value& value, SourceFiles& files) {
  Pool pool;
  ReadContext context{files, pool, NonFinitePolicy::kKeep};
  std::vector<std::byte> out(ElementBytes(value.dtype(), value.shape().elements()));
  value.Read(context, 0, value.shape().elements(), out.data());
}

void CheckAdapter(const Adapter& adapter) {
  for (const AdaptedModule& module : adapter.modules) {
    FUZZ_CHECK(!module.name.empty() && module.a != nullptr && module.b != nullptr);
    static_cast<void>(adapter.config.ScaleOf(module.name));
  }
  const SourceFiles::Checkpoints sources = {BaseModel(), adapter.checkpoint};
  std::vector<NamedValue> tensors = AsStored(sources, 0);
  const std::vector<NamedValue> before = tensors;
  ApplyAdapter(adapter, sources, 1, NamingOf(*sources[0]), sources[0]->config, tensors);
  FUZZ_CHECK(tensors.size() == before.size());
  SourceFiles files(sources);
  for (size_t i = 0; i < tensors.size(); ++i) {
    FUZZ_CHECK(tensors[i].name == before[i].name);
    FUZZ_CHECK(tensors[i].value->shape() == before[i].value->shape());
    FUZZ_CHECK(tensors[i].value->dtype() == before[i].value->dtype());
    if (tensors[i].value != before[i].value) {
      ReadAll(*tensors[i].value, files);
    }
  }
}

void Run(std::string_view input) {
  const InputFolder folder(SplitInputFiles(input));
  try {
    CheckAdapter(*OpenAdapter(folder.path()));
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kIo ||
               error.code() == ErrorCode::kLimit);
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kText);

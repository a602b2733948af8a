// Adapters made on the spot, and reading what comes of them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adapt/apply.h"
#include "core/base/error.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {

// All of `value`, in runs of `run` elements or the granule. Checks that no more memory is taken
// than announced.
inline std::string ReadInRuns(const SourceFiles::Checkpoints& sources, const Value& value,
                              uint64_t run) {
  SourceFiles files(sources);
  const uint64_t elements = value.shape().elements();
  const uint64_t step = std::max(run / value.granule(), uint64_t{1}) * value.granule();
  std::string out(ElementBytes(value.dtype(), elements), '\0');
  for (uint64_t first = 0; first < elements; first += step) {
    Pool pool;
    ReadContext context{.files = files, .pool = pool};
    const uint64_t count = std::min(step, elements - first);
    value.WillNeed(files, first, count);
    value.Read(context, first, count,
               reinterpret_cast<std::byte*>(out.data()) + ElementBytes(value.dtype(), first));
    EXPECT_LE(pool.counters().peak_bytes_in_use, value.WorkingBytes(count)) << value.Describe();
  }
  return out;
}

// A model with an adapter.
struct AdaptedModel {
  SourceFiles::Checkpoints sources;
  std::vector<NamedValue> tensors;
  std::vector<std::string> notices;

  // The tensors of the model in folder `base` in `dtype`, under Hugging Face's names, with those
  // that the adapter changes.
  static AdaptedModel Open(const std::string& base, const std::string& adapter, DType dtype) {
    AdaptedModel out;
    const auto opened = OpenAdapter(adapter);
    out.sources = {std::make_shared<Checkpoint>(OpenCheckpoint(base)), opened->checkpoint};
    out.tensors = AsStored(out.sources, 0);
    for (NamedValue& tensor : out.tensors) {
      tensor.value = CastTo(tensor.value, dtype);
    }
    const Checkpoint& model = *out.sources[0];
    out.notices = ApplyAdapter(*opened, out.sources, 1, NamingOf(model), model.config, out.tensors);
    return out;
  }

  const NamedValue& Tensor(const std::string& name) const {
    for (const NamedValue& tensor : tensors) {
      if (tensor.name == name) {
        return tensor;
      }
    }
    throw std::out_of_range(name);
  }
};

// What opening and applying an adapter is refused with.
inline Error RefusalOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was refused";
  return {ErrorCode::kInternal, "none"};
}

}  // namespace lbrx

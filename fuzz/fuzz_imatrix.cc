// Importance matrices, both formats.
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "check.h"
#include "core/base/error.h"
#include "formats/imatrix/imatrix.h"
#include "input_file.h"
#include "target.h"

namespace lbrx {
namespace {

void CheckWeights(const ImportanceMatrix& matrix) {
  for (const auto& [name, entry] : matrix.entries()) {
    FUZZ_CHECK(!name.empty() && entry.values > 0);
    std::vector<float> weights(entry.values);
    matrix.Read(entry, 0, weights);
    for (const float weight : weights) {
      FUZZ_CHECK(std::isfinite(weight) && weight >= 0);
    }
    FUZZ_CHECK(matrix.Find(name, {1, entry.values}) == &entry);
  }
}

void Run(std::string_view input) {
  static InputFile file(".imatrix");
  file.Set(input);
  try {
    ImportanceMatrix matrix = ImportanceMatrix::Open(file.file().path());
    CheckWeights(matrix);
    GgufKeys keys;
    matrix.AddProvenance(keys);
    FUZZ_CHECK(keys.Uint("quantize.imatrix.entries_count") == matrix.entries().size());
    matrix.Filter({}, {""});
    FUZZ_CHECK(matrix.entries().empty());
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kGguf);

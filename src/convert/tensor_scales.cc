#include "convert/tensor_scales.h"

#include <algorithm>
#include <map>

#include "core/base/format.h"
#include "stream/layout_parts.h"
#include "stream/shift.h"

namespace lbrx {
namespace {

constexpr std::string_view kScale = ".scale";
constexpr std::string_view kInputScale = ".input_scale";
constexpr uint64_t kMostScales = uint64_t{1} << 16;

std::vector<float> FloatsOf(const Plan& plan, const NamedValue& scale) {
  const uint64_t count = scale.value->shape().elements();
  if (scale.value->dtype() != DType::kF32 || count == 0 || count > kMostScales) {
    RefuseTensor(scale.name, "is not a scale of a tensor", "F32, one for all or one an expert",
                 scale.label + " " + scale.value->shape().ToString());
  }
  SourceFiles files(plan.sources);
  Pool pool;
  ReadContext context{files, pool, NonFinitePolicy::kReject, nullptr};
  std::vector<float> out(count);
  scale.value->Read(context, 0, count, reinterpret_cast<std::byte*>(out.data()));
  return out;
}

}  // namespace

void ApplyTensorScales(Plan& plan, std::vector<NamedValue>& tensors) {
  std::map<std::string, NamedValue*> weights;
  for (NamedValue& tensor : tensors) {
    weights.emplace(tensor.name, &tensor);
  }
  const auto weight_of = [&](const NamedValue& scale, std::string_view suffix) {
    const size_t stem = scale.name.size() - suffix.size();
    const auto found = scale.name.ends_with(suffix)
                           ? weights.find(scale.name.substr(0, stem) + ".weight")
                           : weights.end();
    return found == weights.end() ? nullptr : found->second;
  };
  size_t inputs = 0;
  std::vector<std::string> applied;
  for (const NamedValue& scale : tensors) {
    if (weight_of(scale, kInputScale) != nullptr) {
      ++inputs;
      applied.push_back(scale.name);
    } else if (NamedValue* weight = weight_of(scale, kScale)) {
      std::vector<float> factors = FloatsOf(plan, scale);
      const Shape& shape = weight->value->shape();
      if (factors.size() != 1 && (shape.rank() != 3 || shape[0] != factors.size())) {
        RefuseTensor(scale.name, "does not fit its tensor", "one scale, or one an expert",
                     scale.value->shape().ToString() + " beside " + shape.ToString());
      }
      if (std::any_of(factors.begin(), factors.end(), [](float f) { return f != 1; })) {
        weight->value = ScaledBy(CastTo(weight->value, DType::kF32), std::move(factors));
        weight->planes.clear();
        weight->stored = nullptr;
      }
      applied.push_back(scale.name);
    }
  }
  std::erase_if(tensors, [&](const NamedValue& tensor) {
    return std::find(applied.begin(), applied.end(), tensor.name) != applied.end();
  });
  if (inputs > 0) {
    plan.notices.push_back(Format(
        "{} scales of activations (input_scale) are left out: they change no weight", inputs));
  }
}

}  // namespace lbrx

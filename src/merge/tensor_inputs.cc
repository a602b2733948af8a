#include "merge/tensor_inputs.h"

#include <algorithm>

#include "core/base/format.h"
#include "stream/rearrange.h"

namespace lbrx {
namespace {

constexpr size_t kMostListed = 20;

// The first rows and columns of a matrix.
ValuePtr CutTo(const ValuePtr& value, const Shape& shape) {
  return value->shape() == shape ? value : ViewOf(value, 0, shape, {value->shape()[1], 1});
}

}  // namespace

ValuePtr TensorInputs::Find(size_t model) const {
  if (base && base->model == model) {
    return base_value;
  }
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].model == model) {
      return values[i];
    }
  }
  return nullptr;
}

bool IsOfVocabulary(const MergeModel& model, const std::string& name, const Shape& shape) {
  if (shape.rank() != 2) {
    return false;
  }
  const TensorRule* rule = model.naming.Resolve(name).rule;
  if (rule != nullptr) {
    return rule->role == Role::kTokenEmbedding || rule->role == Role::kOutput;
  }
  return name.find("embed_tokens") != std::string::npos ||
         name.find("lm_head") != std::string::npos;
}

std::string Listed(const std::vector<std::string>& lines, const char* separator) {
  std::string out;
  for (size_t i = 0; i < std::min(lines.size(), kMostListed); ++i) {
    out += (i == 0 ? "" : separator) + lines[i];
  }
  return lines.size() > kMostListed
             ? out + Format("{}and {} more", separator, lines.size() - kMostListed)
             : out;
}

bool ShapeFitter::Fit(const OutlineTensor& tensor, TensorInputs& inputs) {
  const ValuePtr& first = inputs.base ? inputs.base_value : inputs.values.front();
  const bool vocabulary =
      IsOfVocabulary(models_[tensor.inputs[0].model], tensor.name, first->shape());
  Shape shape = first->shape();
  if (vocabulary && method_.cuts_to_common) {
    for (const ValuePtr& value : inputs.values) {
      if (value->shape().rank() == 2) {
        shape = Shape{std::min(shape[0], value->shape()[0]), std::min(shape[1], value->shape()[1])};
      }
    }
  }
  bool fits = true;
  for (size_t i = 0; i < inputs.values.size();) {
    ValuePtr& value = inputs.values[i];
    const Shape& own = value->shape();
    if (own == shape) {
      ++i;
    } else if (vocabulary && own.rank() == 2 && own[0] >= shape[0] && own[1] >= shape[1]) {
      cut_.push_back(tensor.name + " of " + models_[inputs.members[i].model].label);
      value = CutTo(value, shape);
      ++i;
    } else if (method_.drops_misfits && !vocabulary) {
      dropped_.push_back(tensor.name + " of " + models_[inputs.members[i].model].label);
      inputs.values.erase(inputs.values.begin() + static_cast<ptrdiff_t>(i));
      inputs.members.erase(inputs.members.begin() + static_cast<ptrdiff_t>(i));
    } else {
      const size_t measure = (inputs.base ? *inputs.base : inputs.members.front()).model;
      misfits_.push_back(Format("{}: {} in {}, {} in {}", tensor.name, shape.ToString(),
                                models_[measure].label, own.ToString(),
                                models_[inputs.members[i].model].label));
      fits = false;
      ++i;
    }
  }
  if (inputs.base) {
    inputs.base_value = CutTo(inputs.base_value, shape);
  }
  return fits;
}

void ShapeFitter::RequireSameShapes(const std::string& file) const {
  if (!misfits_.empty()) {
    throw Error(ErrorCode::kInvalid,
                {.file = file,
                 .object = "",
                 .what = Format("{} tensors have different shapes", misfits_.size()),
                 .expected = "models of one size",
                 .found = Listed(misfits_, "; "),
                 .offset = {},
                 .advice = "nothing was written"});
  }
}

void ShapeFitter::Note(std::vector<std::string>& notices) const {
  if (!cut_.empty()) {
    notices.push_back(Format(
        "{} matrices of the vocabulary have more rows than others; what is beyond is cut off: {}",
        cut_.size(), Listed(cut_, ", ")));
  }
  if (!dropped_.empty()) {
    notices.push_back(Format("{} tensors have another shape than the base's and take no part: {}",
                             dropped_.size(), Listed(dropped_, ", ")));
  }
}

}  // namespace lbrx

#include "stream/lay_out_plan.h"

namespace lbrx {

void LayOutPlan(Plan& plan,
                const std::function<OutputLayout(std::vector<OutputTensor>& outputs)>& lay_out) {
  std::vector<OutputTensor> outputs;
  outputs.reserve(plan.tensors.size());
  for (PlannedTensor& tensor : plan.tensors) {
    outputs.push_back(std::move(tensor.output));
  }
  plan.layout = lay_out(outputs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    plan.tensors[i].output = std::move(outputs[i]);
  }
}

}  // namespace lbrx

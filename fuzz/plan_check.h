// What must hold of every plan of a conversion.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "convert/convert.h"
#include "core/base/error.h"
#include "core/text/json.h"
#include "stream/plan.h"

namespace lbrx {

inline constexpr uint64_t kMostElementsRead = uint64_t{1} << 16;

// All of a small value can be read.
inline void ReadSmallValue(const Value& value, const SourceFiles::Checkpoints& sources) {
  const uint64_t elements = value.shape().elements();
  if (elements > kMostElementsRead) {
    return;
  }
  SourceFiles files(sources);
  Pool pool;
  ReadContext context{files, pool, NonFinitePolicy::kKeep};
  std::vector<std::byte> out(ElementBytes(value.dtype(), elements));
  value.Read(context, 0, elements, out.data());
}

// Planes lie in their files, apart from each other by the layout's own account; texts that are JSON
// parse.
inline void CheckPlan(const Plan& plan) {
  for (const PlannedTensor& tensor : plan.tensors) {
    for (const OutputPlane& plane : tensor.output.planes) {
      const OutputFile& file = plan.layout.files.at(plane.file);
      FUZZ_CHECK(plane.offset >= file.header.size() && plane.offset <= file.size);
      FUZZ_CHECK(plane.bytes <= file.size - plane.offset);
    }
    if (tensor.value != nullptr && tensor.copies.empty()) {
      FUZZ_CHECK(tensor.value->shape() == tensor.output.shape);
      ReadSmallValue(*tensor.value, plan.sources);
    }
  }
  for (const OutputText& text : plan.texts) {
    const std::filesystem::path path(text.name);
    FUZZ_CHECK(!text.name.empty() && path.is_relative() &&
               *path.lexically_normal().begin() != "..");
    if (text.name.ends_with(".json")) {
      static_cast<void>(ParseJson(text.content, text.name));
    }
  }
  FUZZ_CHECK(ParseJson(WriteJson(PlanToJson(plan)), "plan").is_object());
}

// Plans it; errors are those that input can cause.
inline void CheckConversion(const std::shared_ptr<const Checkpoint>& checkpoint,
                            TargetKind target) {
  ConvertRequest request;
  request.source = checkpoint->path;
  request.destination = checkpoint->path + "-out";
  request.target = target;
  try {
    CheckPlan(PlanConvert(request, checkpoint));
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kUsage ||
               error.code() == ErrorCode::kIo);
  }
}

}  // namespace lbrx

#include "convert/target.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/base/plain_text.h"

namespace lbrx {

bool IsGgufName(const std::string& destination) {
  return AsciiLower(destination).ends_with(".gguf");
}

std::optional<Encoding> NearestInMlx(Scheme block) {
  constexpr uint16_t kGroup = 32;
  const auto affine = [](uint8_t bits) { return Affine(bits, kGroup, DType::kF16); };
  switch (block) {
    case Scheme::kQ50:
    case Scheme::kQ51:
    case Scheme::kQ5K:
    case Scheme::kQ3K:
    case Scheme::kIq3Xxs:
    case Scheme::kIq3S:
    case Scheme::kIq4Nl:
    case Scheme::kIq4Xs:
      return affine(5);
    case Scheme::kQ80:
    case Scheme::kQ6K:
    case Scheme::kQ8K:
      return affine(8);
    default:
      return IsBlock(block) ? std::optional(affine(4)) : std::nullopt;
  }
}

TargetKind ResolveTarget(const ConvertRequest& request, const Selection& selection) {
  const std::string name = AsciiLower(request.destination);
  if (name.ends_with(".safetensors")) {
    if (request.target && *request.target != TargetKind::kSafetensors) {
      throw Error(ErrorCode::kUsage,
                  "--to names a folder, but the destination is a .safetensors file; drop one");
    }
    return TargetKind::kSafetensors;
  }
  const bool wants_schemes = selection.wants_schemes();
  const TargetKind target =
      request.target.value_or(wants_schemes ? TargetKind::kMlx : TargetKind::kHuggingFace);
  if (target == TargetKind::kHuggingFace && wants_schemes) {
    throw Error(ErrorCode::kUsage,
                Format("--to hf cannot hold {}; use --to mlx, or --dtype bf16 for floats",
                       selection.label()));
  }
  return target;
}

Naming NamingInTarget(const ConvertRequest& request, TargetKind target, const SourceFacts& facts) {
  const bool from_gguf = facts.naming.container == Container::kGguf;
  const Naming naming = target == TargetKind::kMlx    ? facts.naming.InMlx()
                        : target == TargetKind::kGguf ? facts.naming.InGguf()
                        : target == TargetKind::kHuggingFace || from_gguf
                            ? facts.naming.InHuggingFace()
                            : facts.naming;
  return request.text_only ? naming.TextAlone() : naming;
}

DType ScaleDType(DType dtype) {
  if (dtype == DType::kBF16 || dtype == DType::kF16 || dtype == DType::kF32) {
    return dtype;
  }
  return dtype == DType::kF64 ? DType::kF32 : DType::kBF16;
}

std::optional<Encoding> MainEncoding(const Selection& selection,
                                     const std::vector<OutputTensor>& outputs) {
  std::vector<std::pair<Encoding, size_t>> counts;
  for (const OutputTensor& output : outputs) {
    if (output.encoding.scheme == Scheme::kPlain) {
      continue;
    }
    const auto row = std::find_if(counts.begin(), counts.end(), [&](const auto& entry) {
      return entry.first == output.encoding;
    });
    if (row == counts.end()) {
      counts.emplace_back(output.encoding, 1);
    } else {
      ++row->second;
    }
  }
  if (counts.empty() || selection.global()) {
    return counts.empty() ? std::nullopt : selection.global();
  }
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

}  // namespace lbrx

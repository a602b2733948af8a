#include "formats/weight_file.h"

#include <algorithm>
#include <span>
#include <utility>

#include "formats/detect.h"
#include "formats/safetensors/safetensors.h"
#include "formats/torch/torch.h"

namespace lbrx {

namespace {

// A file that is called as torch's are, but begins like no file that is known.
bool IsNothing(std::string_view head, const std::string& path) {
  constexpr size_t kBrace = 8;  // where a safetensors header begins
  return HasTorchEnding(path) && (head.size() <= kBrace || head[kBrace] != '{') &&
         RecogniseFile(path).kind.empty();
}

}  // namespace

WeightFile ReadWeightFile(const File& file, uint32_t file_index, std::vector<Problem>& problems,
                          bool collect) {
  constexpr uint64_t kHeadBytes = 512;
  std::string head(std::min(file.Size(), kHeadBytes), '\0');
  file.ReadAt(0, std::as_writable_bytes(std::span(head)));
  WeightFile out;
  if (IsTorchFile(head, file.path())) {
    TorchFile torch = ReadTorchFile(file, file_index, problems, collect);
    out.arrays = std::move(torch.arrays);
    out.torch_layout = torch.layout;
  } else if (IsNothing(head, file.path())) {
    throw Error(ErrorCode::kInvalid, {.file = file.path(),
                                      .object = {},
                                      .what = "neither a torch nor a safetensors file",
                                      .expected = {},
                                      .found = {},
                                      .offset = {},
                                      .advice = "download it again, with `hf download`"});
  } else {
    SafetensorsHeader header = ReadSafetensorsHeader(file, file_index, &problems, collect);
    out.metadata = std::move(header.metadata);
    out.arrays = std::move(header.arrays);
  }
  return out;
}

}  // namespace lbrx

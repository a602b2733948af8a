#include "quant/gguf/file_types.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/base/plain_text.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

using Id = FileTypeId;

// Sizes and rises in perplexity (where given) are llama.cpp's, measured on Llama 3 8B.
constexpr std::array<FileType, 37> kFileTypes = {{
    {Id::kQ10, "Q1_0", "", "Q1_0", "1.125 bits: signs, a scale per 128"},
    {Id::kIq1S, "IQ1_S", "", "IQ1_S", "1.56 bits, grid of ternary vectors; needs an imatrix"},
    {Id::kTq10, "TQ1_0", "", "TQ1_0", "1.69 bits, for models trained with ternary weights"},
    {Id::kIq1M, "IQ1_M", "", "IQ1_M", "1.75 bits; needs an imatrix"},
    {Id::kIq2Xxs, "IQ2_XXS", "", "IQ2_XXS", "2.06 bits; needs an imatrix"},
    {Id::kTq20, "TQ2_0", "", "TQ2_0", "2.06 bits, ternary, faster to read than TQ1_0"},
    {Id::kQ20, "Q2_0", "", "Q2_0", "2.25 bits: four levels, a scale per 64"},
    {Id::kIq2Xs, "IQ2_XS", "", "IQ2_XS", "2.31 bits; needs an imatrix"},
    {Id::kIq2S, "IQ2_S", "", "IQ2_XS", "2.5 bits; needs an imatrix"},
    {Id::kIq2M, "IQ2_M", "", "IQ2_S", "2.7 bits; needs an imatrix"},
    {Id::kQ2KS, "Q2_K_S", "", "Q2_K", "2.96 GB, +3.18 perplexity; needs an imatrix"},
    {Id::kQ2K, "Q2_K", "", "Q2_K", "2.96 GB, +3.52 perplexity"},
    {Id::kIq3Xxs, "IQ3_XXS", "", "IQ3_XXS", "3.06 bits; needs an imatrix"},
    {Id::kIq3Xs, "IQ3_XS", "", "IQ3_S", "3.3 bits; needs an imatrix"},
    {Id::kQ3KS, "Q3_K_S", "", "Q3_K", "3.41 GB, +1.63 perplexity"},
    {Id::kIq3S, "IQ3_S", "", "IQ3_S", "3.44 bits"},
    {Id::kIq3M, "IQ3_M", "", "IQ3_S", "3.66 bits: IQ3_S with more for values and outputs"},
    {Id::kQ3KM, "Q3_K_M", "Q3_K", "Q3_K", "3.74 GB, +0.657 perplexity"},
    {Id::kQ3KL, "Q3_K_L", "", "Q3_K", "4.03 GB, +0.556 perplexity"},
    {Id::kIq4Xs, "IQ4_XS", "", "IQ4_XS", "4.25 bits, levels denser around zero"},
    {Id::kQ40, "Q4_0", "", "Q4_0", "4.34 GB, +0.469 perplexity; the oldest, runs everywhere"},
    {Id::kQ4KS, "Q4_K_S", "", "Q4_K", "4.37 GB, +0.269 perplexity"},
    {Id::kMxfp4Moe, "MXFP4_MOE", "", "MXFP4", "experts in MXFP4 (4.25 bits), the rest in Q8_0"},
    {Id::kIq4Nl, "IQ4_NL", "", "IQ4_NL", "4.5 bits, as IQ4_XS in blocks of 32"},
    {Id::kNvfp4, "NVFP4", "", "NVFP4", "4.5 bits: 4-bit floats, a scale per 16"},
    {Id::kQ4KM, "Q4_K_M", "Q4_K", "Q4_K", "4.58 GB, +0.175 perplexity; the usual choice"},
    {Id::kQ41, "Q4_1", "", "Q4_1", "4.78 GB, +0.451 perplexity"},
    {Id::kQ50, "Q5_0", "", "Q5_0", "5.21 GB, +0.132 perplexity"},
    {Id::kQ5KS, "Q5_K_S", "", "Q5_K", "5.21 GB, +0.105 perplexity"},
    {Id::kQ5KM, "Q5_K_M", "Q5_K", "Q5_K", "5.33 GB, +0.057 perplexity"},
    {Id::kQ51, "Q5_1", "", "Q5_1", "5.65 GB, +0.106 perplexity"},
    {Id::kQ6K, "Q6_K", "", "Q6_K", "6.14 GB, +0.022 perplexity"},
    {Id::kQ80, "Q8_0", "", "Q8_0", "7.96 GB, +0.003 perplexity"},
    {Id::kF16, "F16", "", "F16", "half floats"},
    {Id::kBf16, "BF16", "", "BF16", "bfloat16"},
    {Id::kF32, "F32", "", "F32", "floats"},
    {Id::kCopy, "COPY", "", "", "every tensor as it is"},
}};

}  // namespace

std::span<const FileType> FileTypes() {
  return kFileTypes;
}

const FileType* FindFileType(FileTypeId id) {
  const auto found = std::find_if(kFileTypes.begin(), kFileTypes.end(),
                                  [id](const FileType& type) { return type.id == id; });
  return found == kFileTypes.end() ? nullptr : &*found;
}

const FileType* FindFileType(std::string_view name_or_number) {
  for (const FileType& type : kFileTypes) {
    if (EqualIgnoringCase(type.name, name_or_number) ||
        (!type.alias.empty() && EqualIgnoringCase(type.alias, name_or_number)) ||
        (type.id != Id::kCopy &&
         std::to_string(static_cast<uint32_t>(type.id)) == name_or_number)) {
      return &type;
    }
  }
  return nullptr;
}

const FileType& ParseFileType(std::string_view name_or_number) {
  if (const FileType* type = FindFileType(name_or_number)) {
    return *type;
  }
  std::vector<std::string> names;
  names.reserve(kFileTypes.size());
  for (const FileType& type : kFileTypes) {
    names.emplace_back(type.name);
  }
  throw Error(ErrorCode::kUsage,
              {.file = "",
               .object = std::string(name_or_number),
               .what = "there is no such GGUF file type",
               .expected = "",
               .found = "",
               .offset = {},
               .advice = Suggestion(name_or_number, names, "`lbrx schemes` lists them")});
}

}  // namespace lbrx

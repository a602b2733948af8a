#include "quant/schemes/ggml/iq_codecs.h"

#include <array>
#include <string>

#include "core/base/error.h"
#include "core/tensor/ggml_types.h"
#include "quant/schemes/ggml/iq1.h"
#include "quant/schemes/ggml/iq4.h"
#include "quant/schemes/ggml/iq_codebook.h"

namespace lbrx {
namespace {

constexpr Codec Codebook(Scheme scheme) {
  return {scheme, EncodeIqCodebook, DecodeIqCodebook, EncodeIqCodebookReference,
          DecodeIqCodebookReference};
}

constexpr std::array<Codec, 9> kCodecs = {{
    Codebook(Scheme::kIq2Xxs),
    Codebook(Scheme::kIq2Xs),
    Codebook(Scheme::kIq2S),
    Codebook(Scheme::kIq3Xxs),
    Codebook(Scheme::kIq3S),
    {Scheme::kIq1S, EncodeIq1S, DecodeIq1S, EncodeIq1SReference, DecodeIq1SReference},
    {Scheme::kIq1M, EncodeIq1M, DecodeIq1M, EncodeIq1MReference, DecodeIq1MReference},
    {Scheme::kIq4Nl, EncodeIq4Nl, DecodeIq4NlReference, EncodeIq4NlReference, DecodeIq4NlReference},
    {Scheme::kIq4Xs, EncodeIq4Xs, DecodeIq4XsReference, EncodeIq4XsReference, DecodeIq4XsReference},
}};

}  // namespace

std::span<const Codec> IqCodecs() {
  return kCodecs;
}

bool NeedsImportance(Scheme scheme) {
  return scheme == Scheme::kIq2Xxs || scheme == Scheme::kIq2Xs || scheme == Scheme::kIq1S;
}

void RequireImportance(const EncodeJob& job) {
  if (job.importance != nullptr || !NeedsImportance(job.encoding.scheme)) {
    return;
  }
  ErrorDetail detail;
  detail.what = std::string(FindGgmlType(job.encoding.scheme).name) +
                " cannot be encoded without importance weights";
  detail.advice = "give an imatrix, or choose another type";
  throw Error(ErrorCode::kUsage, detail);
}

}  // namespace lbrx

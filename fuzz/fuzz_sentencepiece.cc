// tokenizer.model: what is accepted is written and read again the same.
#include <bit>
#include <cstdint>
#include <string_view>

#include "check.h"
#include "core/base/error.h"
#include "target.h"
#include "tokenizer/sentencepiece.h"

namespace lbrx {
namespace {

bool SameBits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

void CheckSame(const SentencePieceModel& a, const SentencePieceModel& b) {
  FUZZ_CHECK(a.kind == b.kind && a.byte_fallback == b.byte_fallback);
  FUZZ_CHECK(a.add_dummy_prefix == b.add_dummy_prefix);
  FUZZ_CHECK(a.remove_extra_whitespaces == b.remove_extra_whitespaces);
  FUZZ_CHECK(a.unk == b.unk && a.bos == b.bos && a.eos == b.eos && a.pad == b.pad);
  FUZZ_CHECK(a.pieces.size() == b.pieces.size());
  for (size_t i = 0; i < a.pieces.size(); ++i) {
    FUZZ_CHECK(a.pieces[i].text == b.pieces[i].text && a.pieces[i].type == b.pieces[i].type);
    FUZZ_CHECK(SameBits(a.pieces[i].score, b.pieces[i].score));
  }
}

void Run(std::string_view bytes) {
  try {
    const SentencePieceModel model = ReadSentencePieces(bytes, "input");
    FUZZ_CHECK(!model.pieces.empty() && model.pieces.size() <= bytes.size() / 2);
    CheckSame(model, ReadSentencePieces(WriteSentencePieces(model), "again"));
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    FUZZ_CHECK(error.detail().offset.value_or(bytes.size() + 1) <= bytes.size());
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kProtobuf);

// tokenizer.model: SentencePiece's ModelProto, a protocol buffer. Only what a tokenizer needs is
// read. Source: sentencepiece_model.proto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/token_keys.h"

namespace lbrx {

struct SentencePiece {
  std::string text;
  float score = 0;
  TokenType type = TokenType::kNormal;
};

struct SentencePieceModel {
  enum class Kind : uint8_t { kUnigram = 1, kBpe = 2, kWord = 3, kCharacter = 4 };

  Kind kind = Kind::kUnigram;
  std::vector<SentencePiece> pieces;  // by id
  bool byte_fallback = false;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  // Ids of these pieces; -1: none. Read only where the file says them.
  int32_t unk = 0;
  int32_t bos = 1;
  int32_t eos = 2;
  int32_t pad = -1;
};

// Throws kInvalid with the byte offset for what is cut off, of another wire type than its field
// has, or no text.
SentencePieceModel ReadSentencePieces(std::string_view bytes, const std::string& file);

std::string WriteSentencePieces(const SentencePieceModel& model);

}  // namespace lbrx

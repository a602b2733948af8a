#include "tokenizer/sentencepiece.h"

#include <cstring>

#include "core/base/error.h"
#include "core/base/format.h"
#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

enum class Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Field numbers.
constexpr uint32_t kPieces = 1;
constexpr uint32_t kTrainer = 2;
constexpr uint32_t kNormalizer = 3;
constexpr uint32_t kPieceText = 1;
constexpr uint32_t kPieceScore = 2;
constexpr uint32_t kPieceType = 3;
constexpr uint32_t kModelType = 3;
constexpr uint32_t kVocabularySize = 4;
constexpr uint32_t kByteFallback = 35;
constexpr uint32_t kUnkId = 40;
constexpr uint32_t kBosId = 41;
constexpr uint32_t kEosId = 42;
constexpr uint32_t kPadId = 43;
constexpr uint32_t kName = 1;
constexpr uint32_t kDummyPrefix = 3;
constexpr uint32_t kExtraSpaces = 4;
constexpr uint32_t kEscapeSpaces = 5;

// A message's fields, one after the other.
class FieldReader {
 public:
  FieldReader(std::string_view bytes, uint64_t offset, const std::string& file)
      : bytes_(bytes), base_(offset), file_(file) {}

  // Reads the next field; false at the end.
  bool Next() {
    if (at_ == bytes_.size()) {
      return false;
    }
    start_ = at_;
    const uint64_t tag = Varint();
    number_ = static_cast<uint32_t>(tag >> 3);
    wire_ = static_cast<uint8_t>(tag & 7);
    if (number_ == 0 || tag >> 3 > 0x1FFFFFFF) {
      Fail("field with an impossible number");
    }
    switch (static_cast<Wire>(wire_)) {
      case Wire::kVarint:
        value_ = Varint();
        break;
      case Wire::kFixed64:
        Take(8);
        break;
      case Wire::kFixed32:
        Take(4);
        break;
      case Wire::kBytes:
        Take(Varint());
        break;
      default:
        Fail("field of an unknown wire type");
    }
    return true;
  }

  uint32_t number() const { return number_; }

  uint64_t Number() const {
    Expect(Wire::kVarint);
    return value_;
  }

  bool Flag() const { return Number() != 0; }

  int32_t Int() const { return static_cast<int32_t>(static_cast<uint32_t>(Number())); }

  float Float() const {
    Expect(Wire::kFixed32);
    float value = 0;
    std::memcpy(&value, taken_.data(), sizeof(value));
    return value;
  }

  std::string_view Bytes() const {
    Expect(Wire::kBytes);
    return taken_;
  }

  FieldReader Message() const {
    return {Bytes(), base_ + static_cast<uint64_t>(taken_.data() - bytes_.data()), file_};
  }

  [[noreturn]] void Fail(const std::string& what) const {
    ErrorDetail detail;
    detail.file = file_;
    detail.what = "no SentencePiece model: " + what;
    detail.offset = base_ + start_;
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }

 private:
  void Expect(Wire wire) const {
    if (wire_ != static_cast<uint8_t>(wire)) {
      Fail(Format("field {} has another wire type than expected", number_));
    }
  }

  uint64_t Varint() {
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) {
        Fail("it ends in the middle of a number");
      }
      const auto byte = static_cast<uint8_t>(bytes_[at_++]);
      value |= uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    Fail("number of more than ten bytes");
  }

  void Take(uint64_t length) {
    if (length > bytes_.size() - at_) {
      Fail("field is longer than what is left");
    }
    taken_ = bytes_.substr(at_, length);
    at_ += length;
  }

  std::string_view bytes_;
  uint64_t base_;  // offset of `bytes_` in the file
  const std::string& file_;
  size_t at_ = 0;
  size_t start_ = 0;  // of the field
  uint32_t number_ = 0;
  uint8_t wire_ = 0;
  uint64_t value_ = 0;
  std::string_view taken_;
};

SentencePiece ReadPiece(FieldReader fields) {
  SentencePiece piece;
  while (fields.Next()) {
    if (fields.number() == kPieceText) {
      piece.text = fields.Bytes();
      if (!IsUtf8(piece.text)) {
        fields.Fail("piece is not UTF-8");
      }
    } else if (fields.number() == kPieceScore) {
      piece.score = fields.Float();
    } else if (fields.number() == kPieceType) {
      const uint64_t type = fields.Number();
      if (type < 1 || type > static_cast<uint64_t>(TokenType::kByte)) {
        fields.Fail(Format("piece of the unknown type {}", type));
      }
      piece.type = static_cast<TokenType>(type);
    }
  }
  return piece;
}

void ReadTrainer(FieldReader fields, SentencePieceModel& model) {
  while (fields.Next()) {
    switch (fields.number()) {
      case kModelType:
        if (fields.Number() < 1 || fields.Number() > 4) {
          fields.Fail(Format("unknown kind {}", fields.Number()));
        }
        model.kind = static_cast<SentencePieceModel::Kind>(fields.Number());
        break;
      case kByteFallback:
        model.byte_fallback = fields.Flag();
        break;
      case kUnkId:
        model.unk = fields.Int();
        break;
      case kBosId:
        model.bos = fields.Int();
        break;
      case kEosId:
        model.eos = fields.Int();
        break;
      case kPadId:
        model.pad = fields.Int();
        break;
      default:
        break;
    }
  }
}

void ReadNormalizer(FieldReader fields, SentencePieceModel& model) {
  while (fields.Next()) {
    if (fields.number() == kDummyPrefix) {
      model.add_dummy_prefix = fields.Flag();
    } else if (fields.number() == kExtraSpaces) {
      model.remove_extra_whitespaces = fields.Flag();
    }
  }
}

class FieldWriter {
 public:
  void Number(uint32_t field, uint64_t value) {
    Tag(field, Wire::kVarint);
    Varint(value);
  }

  // Negative ones take ten bytes.
  void Int(uint32_t field, int32_t value) {
    Number(field, static_cast<uint64_t>(static_cast<int64_t>(value)));
  }

  void Float(uint32_t field, float value) {
    Tag(field, Wire::kFixed32);
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    out_.append(bytes, sizeof(value));
  }

  void Bytes(uint32_t field, std::string_view bytes) {
    Tag(field, Wire::kBytes);
    Varint(bytes.size());
    out_ += bytes;
  }

  std::string Take() { return std::move(out_); }

 private:
  void Tag(uint32_t field, Wire wire) { Varint(uint64_t{field} << 3 | static_cast<uint8_t>(wire)); }

  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      out_ += static_cast<char>(value | 0x80);
    }
    out_ += static_cast<char>(value);
  }

  std::string out_;
};

std::string WriteTrainer(const SentencePieceModel& model) {
  FieldWriter out;
  out.Number(kModelType, static_cast<uint64_t>(model.kind));
  out.Number(kVocabularySize, model.pieces.size());
  out.Number(kByteFallback, model.byte_fallback ? 1 : 0);
  out.Int(kUnkId, model.unk);
  out.Int(kBosId, model.bos);
  out.Int(kEosId, model.eos);
  out.Int(kPadId, model.pad);
  return out.Take();
}

std::string WriteNormalizer(const SentencePieceModel& model) {
  FieldWriter out;
  out.Bytes(kName, "identity");
  out.Number(kDummyPrefix, model.add_dummy_prefix ? 1 : 0);
  out.Number(kExtraSpaces, model.remove_extra_whitespaces ? 1 : 0);
  out.Number(kEscapeSpaces, 1);
  return out.Take();
}

}  // namespace

SentencePieceModel ReadSentencePieces(std::string_view bytes, const std::string& file) {
  SentencePieceModel model;
  FieldReader fields(bytes, 0, file);
  while (fields.Next()) {
    if (fields.number() == kPieces) {
      model.pieces.push_back(ReadPiece(fields.Message()));
    } else if (fields.number() == kTrainer) {
      ReadTrainer(fields.Message(), model);
    } else if (fields.number() == kNormalizer) {
      ReadNormalizer(fields.Message(), model);
    }
  }
  if (model.pieces.empty()) {
    fields.Fail("it has no pieces");
  }
  return model;
}

std::string WriteSentencePieces(const SentencePieceModel& model) {
  FieldWriter out;
  for (const SentencePiece& piece : model.pieces) {
    FieldWriter message;
    message.Bytes(kPieceText, piece.text);
    message.Float(kPieceScore, piece.score);
    if (piece.type != TokenType::kNormal) {
      message.Number(kPieceType, static_cast<uint64_t>(piece.type));
    }
    out.Bytes(kPieces, message.Take());
  }
  out.Bytes(kTrainer, WriteTrainer(model));
  out.Bytes(kNormalizer, WriteNormalizer(model));
  return out.Take();
}

}  // namespace lbrx

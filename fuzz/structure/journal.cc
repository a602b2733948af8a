#include "core/base/hash.h"
#include "structure/pieces.h"

namespace lbrx {
namespace {

// stream/journal.h says how a journal is laid out.
constexpr std::string_view kMagic = "LBRXJNL1";
constexpr size_t kLengthBytes = 4;
constexpr size_t kSumBytes = 8;
constexpr size_t kRecordBytes = 64;  // without its checksum
constexpr int kRecord = kFirstOwnKind;

Pieces Split(std::string_view input) {
  if (!input.starts_with(kMagic) || input.size() < kMagic.size() + kLengthBytes) {
    return {};
  }
  const uint64_t length = NumberAt(input, kMagic.size(), kLengthBytes);
  std::string_view rest = input.substr(kMagic.size() + kLengthBytes);
  if (rest.size() < length + kSumBytes) {
    return {};
  }
  Pieces pieces;
  SplitText(rest.substr(0, length), pieces);
  rest.remove_prefix(length + kSumBytes);
  for (; rest.size() >= kRecordBytes + kSumBytes; rest.remove_prefix(kRecordBytes + kSumBytes)) {
    pieces.push_back({kRecord, std::string(rest.substr(0, kRecordBytes))});
  }
  return pieces;
}

void AppendSum(std::string& out, std::string_view bytes) {
  AppendNumber(out, Hash64(std::as_bytes(std::span(bytes))), kSumBytes);
}

std::string Join(const Pieces& pieces) {
  std::string header;
  std::string records;
  for (const Piece& piece : pieces) {
    if (piece.kind != kRecord) {
      header += piece.bytes;
      continue;
    }
    records += piece.bytes;
    AppendSum(records, piece.bytes);
  }
  std::string out(kMagic);
  AppendNumber(out, header.size(), kLengthBytes);
  out += header;
  AppendSum(out, std::string(out));
  return out + records;
}

}  // namespace

const Structure kJournal = {Split, Join};

}  // namespace lbrx

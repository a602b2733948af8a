#include <algorithm>
#include <memory>
#include <span>

#include "check/repair/loose_text.h"
#include "check/repair/salvage.h"
#include "formats/safetensors/safetensors.h"

namespace lbrx {
namespace {

constexpr uint64_t kLengthField = 8;
constexpr uint64_t kFirstWindow = uint64_t{4} << 20;

std::string ReadText(const File& file, uint64_t offset, uint64_t length) {
  std::string text(length, '\0');
  file.ReadAt(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

uint64_t LengthOf(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = kLengthField; i-- > 0;) {
    value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  }
  return value;
}

bool OnlySpace(std::string_view text) {
  return std::all_of(text.begin(), text.end(), IsJsonSpace);
}

// The header by what follows the length field, whatever that says. More is read only while what
// was read ends in the middle of entries.
LooseHeader ScanAnyLength(const File& file, uint64_t size) {
  const uint64_t most = std::min(size - kLengthField, kSafetensorsHeaderLimit);
  for (uint64_t window = std::min(most, kFirstWindow);; window = std::min(most, window * 4)) {
    LooseHeader header = ScanHeader(ReadText(file, kLengthField, window));
    if (header.closed || window == most || header.end + kFirstWindow / 2 < window) {
      return header;
    }
  }
}

// The header as far as the length field goes, if that makes sense, else by its text alone.
void ScanBestLength(const File& file, uint64_t size, ScannedFile& out) {
  const uint64_t length = out.length_field;
  if (length < 2 || length > std::min(size - kLengthField, kSafetensorsHeaderLimit)) {
    out.header = ScanAnyLength(file, size);
    return;
  }
  const std::string text = ReadText(file, kLengthField, length);
  out.header = ScanHeader(text);
  out.length_fits = true;
  if (out.header.closed && OnlySpace(std::string_view(text).substr(out.header.end))) {
    return;
  }
  LooseHeader other = ScanAnyLength(file, size);
  if (other.closed || other.entries.size() > out.header.entries.size()) {
    out.header = std::move(other);
    out.length_fits = false;
  }
}

bool IsWhole(const File& file) {
  try {
    ReadSafetensorsHeader(file, 0, nullptr);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalid) {
      throw;
    }
    return false;
  }
}

}  // namespace

ScannedFile ScanFile(const std::string& path) {
  ScannedFile out;
  out.path = path;
  const std::shared_ptr<File> file = File::OpenRead(path);
  out.fingerprint = file->GetFingerprint();
  const uint64_t size = file->Size();
  if (size < kLengthField) {
    out.foreign = {size == 0 ? "an empty file" : "a file of less than 8 bytes",
                   "download the file again, with `hf download`"};
    return out;
  }
  out.whole = IsWhole(*file);
  out.length_field = LengthOf(ReadText(*file, 0, kLengthField));
  ScanBestLength(*file, size, out);
  if (out.header.entries.empty() && !out.whole) {
    out.foreign = RecogniseFile(path);
  }
  return out;
}

}  // namespace lbrx

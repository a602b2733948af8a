#include "formats/safetensors/header_entry.h"

#include "core/base/format.h"

namespace lbrx {

namespace {

ErrorDetail Wrong(std::string what, std::string expected = {}, std::string found = {}) {
  ErrorDetail detail;
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  return detail;
}

std::optional<ErrorDetail> CheckSpan(const HeaderEntry& entry, uint64_t bytes,
                                     uint64_t data_bytes) {
  const std::string span = Format("[{}, {}]", entry.begin, entry.end);
  if (entry.begin > entry.end) {
    return Wrong("data ends before it begins", "begin <= end", span);
  }
  if (entry.end > data_bytes) {
    ErrorDetail detail = Wrong("data lies beyond the end of the file",
                               Format("at most {} bytes of data", data_bytes), span);
    detail.advice =
        "the file is cut short; copy or download it again, or `lbrx repair` saves what is whole";
    return detail;
  }
  if (entry.end - entry.begin != bytes) {
    return Wrong("size of the data does not fit dtype and shape",
                 Format("{} bytes for {} {}", bytes, Name(entry.dtype), entry.shape.ToString()),
                 Format("{} bytes, {}", entry.end - entry.begin, span));
  }
  return std::nullopt;
}

}  // namespace

std::optional<ErrorDetail> CheckHeaderEntry(const std::string& name, const HeaderEntry& entry,
                                            uint64_t data_bytes) {
  if (!entry.has_dtype || !entry.has_shape || !entry.has_offsets) {
    const char* missing = !entry.has_dtype ? "dtype" : !entry.has_shape ? "shape" : "data_offsets";
    return Wrong(Format("entry has no {}", missing), "dtype, shape and data_offsets");
  }
  if (name.find('\0') != std::string::npos) {
    return Wrong("name holds a NUL character", "a name without");
  }
  const std::optional<uint64_t> elements = entry.shape.CheckedElements();
  const std::optional<uint64_t> bits =
      elements ? CheckedMul(*elements, Info(entry.dtype).bits) : std::nullopt;
  if (!bits) {
    return Wrong(
        Format("shape {} is too large, its size overflows 64 bits", entry.shape.ToString()));
  }
  if (*bits % 8 != 0) {
    return Wrong("elements do not fill whole bytes",
                 Format("a multiple of 8 bits of {}", Name(entry.dtype)),
                 Format("{} bits by shape {}", *bits, entry.shape.ToString()));
  }
  return CheckSpan(entry, *bits / 8, data_bytes);
}

}  // namespace lbrx

// The journal: whatever its bytes, what is accepted is bounded by them and reads the same again.
#include <cstdint>
#include <optional>
#include <string_view>

#include "check.h"
#include "memory_bound.h"
#include "stream/journal.h"
#include "structure/pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const lbrx::MemoryBound bound(size);
  using namespace lbrx;  // NOLINT(google-build-using-namespace)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::optional<Journal::Content> content = Journal::Parse(bytes);
  if (!content) {
    return 0;
  }
  FUZZ_CHECK(content->valid_bytes <= size);
  FUZZ_CHECK(content->records.size() <= size / 72);
  const std::optional<Journal::Content> again =
      Journal::Parse(bytes.substr(0, content->valid_bytes));
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(again->header == content->header);
  FUZZ_CHECK(again->records.size() == content->records.size());
  return 0;
}

FUZZ_STRUCTURE(kJournal);

// What a partial run has done, so that the next one need not do it again.
//
// Layout (little-endian): "LBRXJNL1", u32 length, JSON header, u64 XXH3 of all before; then records
// of 72 bytes, each with its own checksum. A torn or damaged record ends the journal. A record says
// that a band was written and what its bytes hash to; whoever resumes reads them back and compares,
// so no order of write-back between data and journal is assumed.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "core/text/json.h"
#include "stream/measure.h"

namespace lbrx {

struct JournalRecord {
  uint64_t band = 0;
  uint64_t hash = 0;  // of the band's bytes in all planes, one after another
  uint64_t zeroed = 0;
  bool measured = false;
  ErrorSums errors;
};

class Journal {
 public:
  struct Content {
    Json header;
    std::vector<JournalRecord> records;
    uint64_t valid_bytes = 0;  // length of the intact part
  };

  // The content of a journal file; nullopt where it is missing or its header is not intact.
  // Never trusts its bytes: lengths are checked, damage only shortens it.
  static std::optional<Content> Read(const std::string& path);
  static std::optional<Content> Parse(std::string_view bytes);

  // Starts a new journal (replacing an old one).
  static std::unique_ptr<Journal> Create(const std::string& path, const Json& header);
  // Continues one after `content.valid_bytes`.
  static std::unique_ptr<Journal> Continue(const std::string& path, const Content& content);

  void Append(const JournalRecord& record);  // thread-safe

 private:
  Journal(std::shared_ptr<File> file, uint64_t end) : file_(std::move(file)), end_(end) {}

  std::shared_ptr<File> file_;
  std::mutex mutex_;
  uint64_t end_;
};

}  // namespace lbrx

// Where a plan's bytes go: into the partial folder, with a journal, then to the destination.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/io/partial.h"
#include "stream/bands.h"
#include "stream/file_cache.h"
#include "stream/journal.h"

namespace lbrx {

class Output {
 public:
  struct Options {
    std::string destination;
    bool force = false;
    bool sync = true;
    bool allow_nonfinite = false;  // decides bytes, so a partial run with another value is refused
  };

  // Takes the partial folder and makes or reopens its files. A partial run of another plan or other
  // sources is kInvalid, saying what changed; with `force` it is dropped. Too little space is
  // kNoSpace, a file to be copied that cannot be opened kIo.
  Output(const Plan& plan, Options options);

  // An earlier run of the same plan had moved everything into place; nothing is left to do.
  bool finished_before() const { return finished_before_; }

  // What the journal of an earlier run says; the bytes are still to be verified.
  const std::vector<JournalRecord>& earlier() const { return earlier_; }

  // Thread-safe. `offset` counts from the plane's start.
  void Write(const OutputPlane& plane, uint64_t offset, std::span<const std::byte> data);
  void Read(const OutputPlane& plane, uint64_t offset, std::span<std::byte> out);
  void Record(const JournalRecord& record);

  // Side files and texts, then everything durable (unless !sync), then the move to the destination.
  void Finish();
  // After an error: removes the partial folder, unless the failure was a write (the work can go
  // on).
  void Abandon(bool keep);

  // Whether a failure came from writing.
  bool write_failed() const { return write_failed_.load(); }

 private:
  template <typename F>
  void Guard(F&& write);
  std::string PathOf(const std::string& name) const;
  Json JournalHeader() const;
  void Resume();
  void RequireSamePlan(const Json& found) const;
  void StartOver();
  void RequireSpace() const;
  void WriteSmallFiles();

  const Plan& plan_;
  Options options_;
  std::unique_ptr<PartialOutput> partial_;
  std::unique_ptr<Journal> journal_;
  std::vector<JournalRecord> earlier_;
  std::vector<Fingerprint> copies_;  // of the files that plan_.copies names, at the start
  FileCache files_;
  bool finished_before_ = false;
  std::atomic<bool> write_failed_{false};
};

}  // namespace lbrx

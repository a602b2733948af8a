// Output that is never half-written: everything is made in DST.lbrx-partial/ beside DST, and moved
// to DST in one atomic step at the very end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/io/file.h"

namespace lbrx {

class PartSet;

// DST.lbrx-partial/ holds
//   lock     held with flock by the process at work; names it
//   journal  the caller's
//   data     the output: a folder or one file
//   commit   the inode of `data`, durable from just before the move until the end
//   parts    the same of an output of several files (see part_set.h), and aside/ the old ones
// A process killed at any point leaves the old or the new output at DST (or, on a file system
// without exchange, the old one inside the folder, put back by the next Open or CleanPartial).
//
// Use:
//   auto partial = PartialOutput::Open(destination, options);
//   if (partial->already_committed()) {  // an earlier run was killed after the move
//     if (the journal at journal_path() tells of the same plan) {
//       partial->Discard();
//       return;  // DST is complete
//     }
//     partial->Reset();  // not ours: throws "already exists" unless options.force
//   }
//   ... resume from the journal or write data and journal ...
//   partial->Commit();
class PartialOutput {
 public:
  struct Options {
    bool force = false;  // an existing destination is exchanged at the end
    bool sync = true;    // durable on Commit
    // Where the output is several files that lie beside each other: their names, beginning with the
    // one without which no program takes the others for a model. `data` is a folder with them, and
    // nothing is to be at `destination` itself.
    std::vector<std::string> parts = {};
  };

  // Creates or reopens the partial folder and takes its lock. Trailing slashes of `destination` do
  // not count. Throws kIo where `destination` exists (a dangling link does) and !force and an
  // earlier run has not just put it there ("already exists; use --force ..."), where another
  // process holds the lock (naming it), or where the parent folder is missing.
  static std::unique_ptr<PartialOutput> Open(const std::string& destination,
                                             const Options& options);
  ~PartialOutput();  // releases the lock, removes nothing
  PartialOutput(const PartialOutput&) = delete;
  PartialOutput& operator=(const PartialOutput&) = delete;

  const std::string& destination() const { return destination_; }

  std::string folder() const { return destination_ + kSuffix; }

  std::string data_path() const { return folder() + "/data"; }

  std::string journal_path() const { return folder() + "/journal"; }

  // True where an earlier run had moved its output to the destination but was killed before its
  // end: `data` is gone, the journal still there (unless killed in the last moment). The caller
  // calls Discard() where the journal is of the same plan, else Reset().
  bool already_committed() const { return already_committed_; }

  // Moves `data` to the destination (rename, or exchange with an existing one, whose content is
  // then removed) and removes the partial folder. With sync, folders are made durable; the files in
  // `data` must be so already. After a throw, Open() again finds out how far it came.
  void Commit();
  // Removes the partial folder with all that is in it.
  void Discard();
  // Drops data and journal but keeps the lock: start over. After already_committed() without
  // force: discards and throws that the destination exists.
  void Reset();

  static constexpr const char* kSuffix = ".lbrx-partial";

 private:
  PartialOutput(std::string destination, const Options& options, std::shared_ptr<File> lock);

  std::string CommitRecordPath() const { return folder() + "/commit"; }

  PartSet Parts() const;

  std::string AsidePath() const { return data_path() + kExchangeSuffix; }

  void Recover();
  void WriteCommitRecord() const;
  void MoveIntoPlace() const;
  void RemoveContent(bool committed) const;
  void RemoveFolder(bool committed);
  friend bool CleanPartial(const std::string& destination);

  std::string destination_;
  Options options_;
  std::shared_ptr<File> lock_;
  bool already_committed_ = false;
};

// Removes DST.lbrx-partial/ of a destination unless a live process holds it (kIo). Returns false
// where there was none. An old output that a killed Commit() had set aside is put back first.
bool CleanPartial(const std::string& destination);

}  // namespace lbrx

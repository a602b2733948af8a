#include "core/io/partial.h"

#include <sys/stat.h>

#include <charconv>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/folder_lock.h"
#include "core/io/part_set.h"
#include "core/io/system_call.h"

namespace lbrx {

namespace {

// Without trailing slashes; "." and ".." get their real names, which a suffix can follow.
std::string NormalisedDestination(const std::string& destination) {
  std::string path = destination;
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  const std::string name = BaseName(path);
  if (name == "." || name == "..") {
    path = RealPath(path);
  }
  if (path.empty() || path == "/") {
    ErrorDetail detail;
    detail.file = destination;
    detail.what = "cannot be an output";
    throw Error(ErrorCode::kUsage, std::move(detail));
  }
  return path;
}

void RequireParent(const std::string& destination) {
  const std::string parent = ParentPath(destination);
  if (!IsDirectory(parent)) {
    ErrorDetail detail;
    detail.file = destination;
    detail.what = Format("the folder {} does not exist", parent);
    detail.advice = "make it first";
    throw Error(ErrorCode::kIo, std::move(detail));
  }
}

// Nothing may be at the destination, or where its parts go.
void RequireNone(const std::string& destination, const std::vector<std::string>& parts) {
  if (EntryExists(destination)) {
    ThrowExists(destination);
  }
  for (const std::string& part : parts) {
    const std::string place = JoinPath(ParentPath(destination), part);
    if (EntryExists(place)) {
      ThrowExists(place);
    }
  }
}

// The inode in a commit record, or nullopt. It alone identifies: partial folder and destination
// are on one file system, whose device number may change from boot to boot.
std::optional<uint64_t> ReadCommitRecord(const std::string& path) {
  if (!EntryExists(path)) {
    return std::nullopt;
  }
  const std::string text = ReadWholeFile(path, 4096);
  uint64_t inode = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), inode);
  if (result.ec != std::errc()) {
    return std::nullopt;  // written without sync and lost in a crash of the system
  }
  return inode;
}

// Makes the entries of a folder and of all below it durable.
void SyncFolders(const std::string& path) {
  if (!IsDirectory(path)) {
    return;
  }
  for (const std::string& name : ListDirectory(path)) {
    SyncFolders(JoinPath(path, name));
  }
  SyncDirectory(path);
}

}  // namespace

PartialOutput::PartialOutput(std::string destination, const Options& options,
                             std::shared_ptr<File> lock)
    : destination_(std::move(destination)), options_(options), lock_(std::move(lock)) {}

PartialOutput::~PartialOutput() = default;

std::unique_ptr<PartialOutput> PartialOutput::Open(const std::string& destination,
                                                   const Options& options) {
  const std::string path = NormalisedDestination(destination);
  RequireParent(path);
  const std::string folder = path + kSuffix;
  if (!options.force && !EntryExists(folder)) {
    RequireNone(path, options.parts);
  }
  std::unique_ptr<PartialOutput> partial(
      new PartialOutput(path, options, LockFolder(folder, true)));
  partial->Recover();
  if (!options.force && !partial->already_committed_) {
    try {
      RequireNone(path, options.parts);
    } catch (const Error&) {
      // An empty folder is what a run leaves that was killed while it cleaned up after its end.
      if (!EntryExists(partial->data_path()) && !EntryExists(partial->journal_path())) {
        partial->Discard();
      }
      throw;
    }
  }
  return partial;
}

// Finds out what a killed Commit() had done, and leaves either a state as before it or
// already_committed_.
void PartialOutput::Recover() {
  const PartSet::Outcome parts = Parts().Recover();
  if (parts == PartSet::Outcome::kGone) {
    RemoveContent(true);  // nothing here can be resumed
  }
  already_committed_ = parts == PartSet::Outcome::kDone;
  if (already_committed_) {
    return;
  }
  if (EntryExists(AsidePath()) && !EntryExists(destination_)) {
    RenamePath(AsidePath(), destination_);
  }
  const std::optional<uint64_t> committed = ReadCommitRecord(CommitRecordPath());
  if (!committed.has_value()) {
    return;
  }
  if (InodeOf(data_path()) == committed) {  // killed before the move
    RemoveFile(CommitRecordPath());
    return;
  }
  if (InodeOf(destination_) != committed) {
    // It was moved, and the user has removed it since. What is in `data` can only be the output
    // before it, so nothing here can be resumed.
    RemoveContent(true);
    return;
  }
  already_committed_ = true;
  RemoveTree(data_path());
  RemoveTree(AsidePath());
  if (options_.sync) {
    SyncDirectory(ParentPath(destination_));
  }
}

PartSet PartialOutput::Parts() const {
  return PartSet(folder(), ParentPath(destination_));
}

void PartialOutput::WriteCommitRecord() const {
  const std::optional<uint64_t> inode = InodeOf(data_path());
  if (!inode.has_value()) {
    ErrorDetail detail;
    detail.file = destination_;
    detail.what = "there is no data to commit";
    throw Error(ErrorCode::kInternal, std::move(detail));
  }
  WriteRecord(CommitRecordPath(), Format("{}\n", *inode), options_.sync);
}

void PartialOutput::MoveIntoPlace() const {
  if (!EntryExists(destination_)) {
    RenamePath(data_path(), destination_);
  } else if (options_.force) {
    ExchangePaths(data_path(), destination_);
  } else {
    ThrowExists(destination_);
  }
}

void PartialOutput::Commit() {
  if (options_.sync) {
    SyncFolders(data_path());
  }
  if (options_.parts.empty()) {
    WriteCommitRecord();
    MoveIntoPlace();
  } else {
    Parts().Move(options_.parts, options_.force, options_.sync);
  }
  if (options_.sync) {
    SyncDirectory(ParentPath(destination_));
  }
  RemoveFolder(true);
}

// In an order in which a kill between two steps can be told: before a commit the journal goes
// first, for it speaks of data; after one the record goes last, for it says that data is old.
void PartialOutput::RemoveContent(bool committed) const {
  if (!committed) {
    RemoveFile(journal_path());
    RemoveFile(CommitRecordPath());
  }
  RemoveTree(data_path());
  RemoveTree(AsidePath());
  Parts().RemoveAside();
  RemoveFile(journal_path());
  RemoveFile(CommitRecordPath());
  Parts().RemoveRecord();
}

void PartialOutput::RemoveFolder(bool committed) {
  RemoveContent(committed);
  for (const std::string& name : ListDirectory(folder())) {
    if (name != "lock") {
      RemoveTree(JoinPath(folder(), name));
    }
  }
  RemoveFile(lock_->path());
  // False where, the lock file gone, another process has moved in already. Then it is its folder.
  (void)RemoveEmptyDirectory(folder());
  lock_.reset();
}

// After a Commit() that failed midway the old output may still be in the folder.
void PartialOutput::Discard() {
  if (!already_committed_) {
    Recover();
  }
  RemoveFolder(already_committed_);
}

void PartialOutput::Reset() {
  if (already_committed_ && !options_.force) {
    Discard();
    ThrowExists(destination_);
  }
  RemoveContent(already_committed_);
  already_committed_ = false;
}

bool CleanPartial(const std::string& destination) {
  const std::string path = NormalisedDestination(destination);
  std::shared_ptr<File> lock = LockFolder(path + PartialOutput::kSuffix, false);
  if (lock == nullptr) {
    return false;
  }
  PartialOutput partial(path, {.force = true, .sync = false}, std::move(lock));
  partial.Discard();
  return true;
}

}  // namespace lbrx

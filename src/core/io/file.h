// Files by position. All system calls go through the fault layer (fault.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lbrx {

// Identity of a file's content as far as the file system tells it without reading.
struct Fingerprint {
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const Fingerprint&) const = default;
};

// An open file. Reads and writes may come from several threads at once. Interrupted and short calls
// are continued. Every failure throws lbrx::Error naming the path (kIo, kPermission, kNoSpace).
class File {
 public:
  // Opens a regular file for reading. A FIFO, device, directory or socket is refused (kInvalid)
  // without blocking. A missing file is kIo.
  static std::shared_ptr<File> OpenRead(const std::string& path);
  // Creates a new file for reading and writing (O_EXCL), mode 0666 less umask.
  static std::shared_ptr<File> Create(const std::string& path);
  // Opens an existing file, or creates it, for reading and writing.
  static std::shared_ptr<File> OpenWrite(const std::string& path);

  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }

  int descriptor() const { return descriptor_; }

  uint64_t Size() const;
  Fingerprint GetFingerprint() const;

  // Fills `out` from `offset`. A file that ends before is kIo with offset, expected and found.
  void ReadAt(uint64_t offset, std::span<std::byte> out) const;
  void WriteAt(uint64_t offset, std::span<const std::byte> data);
  void WriteAt(uint64_t offset, std::string_view text);
  // Makes the file `size` bytes long with its blocks reserved where the file system can. kNoSpace.
  void Allocate(uint64_t size);
  void Truncate(uint64_t size);
  // Durable on return (fsync; F_FULLFSYNC on macOS). A failure must not be retried.
  void Sync();
  // Asks the system to start writing back a range, without waiting. Never fails.
  void StartWriteback(uint64_t offset, uint64_t length) const;
  // Asks the system to read a range ahead, without waiting. Never fails.
  void WillNeed(uint64_t offset, uint64_t length) const;

 private:
  File(std::string path, int descriptor);
  std::string path_;
  int descriptor_;
};

// The whole of a small file; more than `limit` bytes is kInvalid.
std::string ReadWholeFile(const std::string& path, uint64_t limit = uint64_t{64} << 20);

// Path helpers. All throw lbrx::Error.
bool PathExists(const std::string& path);  // follows symlinks; a dangling symlink exists not
bool IsDirectory(const std::string& path);
bool IsRegularFile(const std::string& path);
std::vector<std::string> ListDirectory(const std::string& path);  // names, sorted by bytes
std::string JoinPath(const std::string& folder, const std::string& name);
std::string BaseName(const std::string& path);    // of "a/b/" is "b"
std::string ParentPath(const std::string& path);  // of "a" is "."
std::string RealPath(const std::string& path);    // symlinks resolved; the path must exist
void MakeDirectory(const std::string& path);      // one level; existing is kIo
void RemoveTree(const std::string& path);         // what is not there is no error
void RenamePath(const std::string& from, const std::string& to);  // atomic; replaces a file

// What ExchangePaths calls `b` meanwhile, beside `a`, where it is not atomic.
constexpr const char* kExchangeSuffix = ".lbrx-exchange";

// Swaps two existing paths of any kind, atomically where the file system can (ext4, xfs, btrfs,
// tmpfs, APFS...). Elsewhere in three renames, put back if the second fails; killed after the
// first, `b` is missing and its content at a + kExchangeSuffix.
void ExchangePaths(const std::string& a, const std::string& b);
void SyncDirectory(const std::string& path);
uint64_t FreeSpace(
    const std::string& path);  // bytes available to this user at the nearest existing folder

// Read-only mapping of a whole file, for headers and inspection. Data must not be touched after the
// file may have shrunk; conversions use File::ReadAt instead.
class MappedFile {
 public:
  static std::shared_ptr<MappedFile> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> bytes_;
};

}  // namespace lbrx

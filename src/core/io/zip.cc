#include "core/io/zip.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {

namespace {

constexpr uint32_t kLocalSignature = 0x04034B50;
constexpr uint32_t kDescriptorSignature = 0x08074B50;
constexpr uint32_t kEntrySignature = 0x02014B50;
constexpr uint32_t kEndSignature = 0x06054B50;
constexpr uint32_t kEnd64Signature = 0x06064B50;
constexpr uint32_t kLocator64Signature = 0x07064B50;
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kEntryBytes = 46;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kEnd64Bytes = 56;
constexpr uint64_t kLocator64Bytes = 20;
constexpr uint64_t kMostComment = 0xFFFF;
constexpr uint16_t kZip64Extra = 1;
constexpr uint16_t kHasDescriptor = 1 << 3;
constexpr uint16_t kDeflateLevel = 6;  // bits 1 and 2
constexpr uint16_t kUtf8Name = 1 << 11;
constexpr uint16_t kEncrypted = 1 | (1 << 6) | (1 << 13);
constexpr uint32_t kIn64 = 0xFFFFFFFF;  // the value stands in the ZIP64 part
constexpr uint64_t kDirectoryLimit = uint64_t{256} << 20;
constexpr char kDamaged[] = "the file is cut short or damaged; download or save it again";

// Little-endian numbers one after another. Callers know that there are enough bytes.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}

  uint16_t U16() { return static_cast<uint16_t>(Number(2)); }

  uint32_t U32() { return static_cast<uint32_t>(Number(4)); }

  uint64_t U64() { return Number(8); }

  std::string_view Text(size_t length) {
    const std::string_view text = bytes_.substr(0, length);
    bytes_.remove_prefix(text.size());
    return text;
  }

  size_t left() const { return bytes_.size(); }

 private:
  uint64_t Number(size_t width) {
    uint64_t value = 0;
    for (size_t i = 0; i < width && i < bytes_.size(); ++i) {
      value |= uint64_t{static_cast<uint8_t>(bytes_[i])} << (8 * i);
    }
    bytes_.remove_prefix(std::min(width, bytes_.size()));
    return value;
  }

  std::string_view bytes_;
};

// A member as the central directory has it, and what of the file it takes.
struct Entry {
  ZipMember member;
  uint16_t flags = 0;
  uint64_t plain_bytes = 0;
  uint64_t header = 0;  // of its local header
  uint64_t end = 0;     // of its data and data descriptor
};

struct Directory {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t offset = 0;
};

class ZipReader {
 public:
  explicit ZipReader(const File& file) : file_(file), file_bytes_(file.Size()) {}

  std::vector<ZipMember> Read() {
    const Directory directory = FindDirectory();
    std::vector<Entry> entries = ReadEntries(directory);
    for (Entry& entry : entries) {
      CheckLocalHeader(entry, directory.offset);
    }
    CheckOverlaps(entries);
    RefuseDuplicates(entries);
    std::vector<ZipMember> members;
    members.reserve(entries.size());
    for (Entry& entry : entries) {
      members.push_back(std::move(entry.member));
    }
    return members;
  }

 private:
  [[noreturn]] void Fail(std::string object, std::string what, std::string expected,
                         std::string found, uint64_t offset, std::string advice = kDamaged) const {
    throw Error(ErrorCode::kInvalid, {.file = file_.path(),
                                      .object = std::move(object),
                                      .what = std::move(what),
                                      .expected = std::move(expected),
                                      .found = std::move(found),
                                      .offset = offset,
                                      .advice = std::move(advice)});
  }

  std::string Text(uint64_t offset, uint64_t length) const {
    std::string text(length, '\0');
    file_.ReadAt(offset, std::as_writable_bytes(std::span(text)));
    return text;
  }

  // The end record is the last thing in the file, but for a comment that it tells the length of.
  uint64_t FindEnd(std::string* record) const {
    const uint64_t most = std::min(file_bytes_, kEndBytes + kMostComment);
    const std::string tail = Text(file_bytes_ - most, most);
    for (uint64_t i = most < kEndBytes ? 0 : most - kEndBytes + 1; i-- > 0;) {
      Fields fields(std::string_view(tail).substr(i));
      if (fields.U32() == kEndSignature) {
        *record = tail.substr(i);
        if (Fields(record->substr(kEndBytes - 2)).U16() == record->size() - kEndBytes) {
          return file_bytes_ - most + i;
        }
      }
    }
    Fail("", "the ZIP archive has no end record, which lists its members", "", "", file_bytes_);
  }

  Directory FindDirectory() const {
    std::string record;
    uint64_t end = FindEnd(&record);
    Fields fields(std::string_view(record).substr(4));
    const uint16_t disk = fields.U16();
    const uint16_t first_disk = fields.U16();
    const uint16_t here = fields.U16();
    Directory directory;
    directory.entries = fields.U16();
    directory.bytes = fields.U32();
    directory.offset = fields.U32();
    if (disk != 0 || first_disk != 0 || here != directory.entries) {
      Fail("", "the ZIP archive is one part of several", "one file", "", end);
    }
    if (end >= kLocator64Bytes &&
        Fields(Text(end - kLocator64Bytes, 4)).U32() == kLocator64Signature) {
      end = ReadEnd64(end - kLocator64Bytes, &directory);
    }
    // offset + bytes cannot overflow: both are below the file's size here.
    if (directory.offset > end || directory.bytes != end - directory.offset) {
      Fail("", "the ZIP directory does not lie before its end record",
           Format("{} bytes that end at byte {}", directory.bytes, end),
           Format("{} bytes at byte {}", directory.bytes, directory.offset), end);
    }
    if (directory.bytes > kDirectoryLimit || directory.entries > directory.bytes / kEntryBytes) {
      Fail("", "the ZIP directory has more members than it can hold",
           Format("at most {}", std::min(directory.bytes, kDirectoryLimit) / kEntryBytes),
           std::to_string(directory.entries), directory.offset);
    }
    return directory;
  }

  // The ZIP64 end record, whose locator is at `locator`; returns where it begins. What the short
  // record tells as well must be the same.
  uint64_t ReadEnd64(uint64_t locator, Directory* directory) const {
    const std::string place = Text(locator + 4, 16);
    Fields where(place);
    const uint32_t disk = where.U32();
    const uint64_t at = where.U64();
    if (disk != 0 || where.U32() != 1) {
      Fail("", "the ZIP archive is one part of several", "one file", "", locator);
    }
    if (at > locator || locator - at < kEnd64Bytes) {
      Fail("", "the ZIP64 end record lies elsewhere than its locator says", "one before it",
           std::to_string(at), locator);
    }
    const std::string record = Text(at, kEnd64Bytes);
    Fields fields(record);
    const bool signature = fields.U32() == kEnd64Signature;
    const uint64_t size = fields.U64();
    if (!signature || size != locator - at - 12) {
      Fail("", "the ZIP64 end record is damaged", "", "", at);
    }
    fields.Text(4);  // versions
    const uint64_t disks = fields.U64();
    const uint64_t here = fields.U64();
    const Directory real = {.entries = fields.U64(), .bytes = fields.U64(), .offset = fields.U64()};
    const auto agrees = [](uint64_t small, uint64_t large, uint64_t marker) {
      return small == marker || small == large;
    };
    if (disks != 0 || here != real.entries || !agrees(directory->entries, real.entries, 0xFFFF) ||
        !agrees(directory->bytes, real.bytes, kIn64) ||
        !agrees(directory->offset, real.offset, kIn64)) {
      Fail("", "the two end records of the ZIP archive contradict each other",
           Format("{} members, {} bytes at {}", directory->entries, directory->bytes,
                  directory->offset),
           Format("{}, {} at {}", real.entries, real.bytes, real.offset), at);
    }
    *directory = real;
    return at;
  }

  std::vector<Entry> ReadEntries(const Directory& directory) const {
    const std::string bytes = Text(directory.offset, directory.bytes);
    std::vector<Entry> entries;
    entries.reserve(directory.entries);
    uint64_t at = 0;
    for (uint64_t i = 0; i < directory.entries; ++i) {
      at += ReadEntry(std::string_view(bytes).substr(at), directory.offset + at, entries);
    }
    if (at != bytes.size()) {
      Fail("", "the ZIP directory does not end behind its last member",
           Format("{} bytes", bytes.size()), std::to_string(at), directory.offset + at);
    }
    return entries;
  }

  // Appends the member that `bytes` begin with and returns the length of its entry.
  uint64_t ReadEntry(std::string_view bytes, uint64_t offset, std::vector<Entry>& entries) const {
    Fields fields(bytes);
    if (bytes.size() < kEntryBytes || fields.U32() != kEntrySignature) {
      Fail("", "the ZIP directory is damaged", "a member's entry", "", offset);
    }
    Entry entry;
    fields.U32();  // versions
    entry.flags = fields.U16();
    entry.member.method = fields.U16();
    fields.U32();  // time
    entry.member.crc = fields.U32();
    entry.member.bytes = fields.U32();
    entry.plain_bytes = fields.U32();
    const uint16_t name_bytes = fields.U16();
    const uint16_t extra_bytes = fields.U16();
    const uint16_t comment_bytes = fields.U16();
    const uint16_t disk = fields.U16();
    fields.Text(6);  // attributes
    entry.header = fields.U32();
    const uint64_t length = kEntryBytes + name_bytes + extra_bytes + comment_bytes;
    if (length > bytes.size()) {
      Fail("", "the ZIP directory is damaged, an entry leads beyond its end", "", "", offset);
    }
    entry.member.name = fields.Text(name_bytes);
    CheckName(entry.member.name, offset);
    ReadExtra64(fields.Text(extra_bytes), offset, entry);
    if (disk != 0) {
      Fail(entry.member.name, "the member is in another part of the archive", "one file", "",
           offset);
    }
    CheckKind(entry, offset);
    entries.push_back(std::move(entry));
    return length;
  }

  void CheckName(const std::string& name, uint64_t offset) const {
    bool bad = name.empty() || name.front() == '/' ||
               name.find_first_of(std::string_view("\\\0", 2)) != std::string::npos;
    for (std::string_view rest = name; !bad && !rest.empty();) {
      const std::string_view part = rest.substr(0, rest.find('/'));
      bad = part.empty() || part == "." || part == "..";
      rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    }
    if (bad) {
      Fail("", "unsafe name of a member in the ZIP archive", "a path that stays inside",
           "\"" + Printable(name, 100) + "\"", offset, "do not use this file");
    }
  }

  // Sizes and offset that do not fit 32 bits.
  void ReadExtra64(std::string_view extra, uint64_t offset, Entry& entry) const {
    std::array<uint64_t*, 3> wanted = {&entry.plain_bytes, &entry.member.bytes, &entry.header};
    const auto in_extra = [](const uint64_t* value) { return *value == kIn64; };
    if (std::none_of(wanted.begin(), wanted.end(), in_extra)) {
      return;
    }
    const std::optional<std::string_view> part = FindExtra64(extra);
    Fields values(part.value_or(""));
    for (uint64_t* value : wanted) {
      if (in_extra(value)) {
        if (values.left() < 8) {
          Fail(entry.member.name, "the ZIP64 sizes of the member are missing", "", "", offset);
        }
        *value = values.U64();
      }
    }
  }

  static std::optional<std::string_view> FindExtra64(std::string_view extra) {
    for (Fields fields(extra); fields.left() >= 4;) {
      const uint16_t id = fields.U16();
      const uint16_t length = fields.U16();
      const std::string_view part = fields.Text(length);
      if (id == kZip64Extra) {
        return part;
      }
    }
    return std::nullopt;
  }

  void CheckKind(const Entry& entry, uint64_t offset) const {
    const ZipMember& member = entry.member;
    if ((entry.flags & kEncrypted) != 0) {
      Fail(member.name, "the member is encrypted", "a plain one", "", offset,
           "decrypt it with the program that made it");
    }
    const bool stored = member.method == 0;
    if ((entry.flags & ~(kHasDescriptor | kUtf8Name | (stored ? 0 : kDeflateLevel))) != 0) {
      Fail(member.name, "the member has flags that its data need not have", "bits 3 and 11 at most",
           Format("{:#06x}", entry.flags), offset);
    }
    if (stored && entry.plain_bytes != member.bytes) {
      Fail(member.name, "the member's two sizes differ although it is not compressed",
           std::to_string(member.bytes), std::to_string(entry.plain_bytes), offset);
    }
  }

  // The local header says the same as the directory; finds where the data begins and ends.
  void CheckLocalHeader(Entry& entry, uint64_t limit) const {
    ZipMember& member = entry.member;
    const uint64_t fixed = kLocalBytes + member.name.size();
    if (entry.header > limit || limit - entry.header < fixed) {
      Fail(member.name, "the member begins behind the archive's data", Format("at most {}", limit),
           std::to_string(entry.header), entry.header);
    }
    const std::string bytes = Text(entry.header, fixed);
    Fields fields(bytes);
    const uint32_t signature = fields.U32();
    fields.U16();  // version
    const uint16_t flags = fields.U16();
    const uint16_t method = fields.U16();
    fields.U32();  // time
    const uint32_t crc = fields.U32();
    const uint32_t stored_bytes = fields.U32();
    const uint32_t plain_bytes = fields.U32();
    const uint16_t name_bytes = fields.U16();
    const uint16_t extra_bytes = fields.U16();
    const std::string_view name = fields.Text(member.name.size());
    if (signature != kLocalSignature || flags != entry.flags || method != member.method) {
      Fail(member.name, "the member's local header differs from the directory",
           "the same flags and method", "", entry.header);
    }
    if (name_bytes != member.name.size() || name != member.name) {
      Fail(member.name, "the member has another name in its local header", "the same name",
           "\"" + Printable(name, 100) + "\"", entry.header);
    }
    member.offset = entry.header + fixed + extra_bytes;
    if (member.offset > limit || member.bytes > limit - member.offset) {
      Fail(member.name, "the member's data leads into the directory",
           Format("at most {} bytes", limit - std::min(limit, member.offset)),
           std::to_string(member.bytes), member.offset);
    }
    // Where a descriptor follows the data, the header may leave the figures out.
    const bool later = (entry.flags & kHasDescriptor) != 0;
    const auto agrees = [&](uint32_t value, uint64_t real, bool wide) {
      return value == real || (later && value == 0) || (wide && value == kIn64);
    };
    if (!agrees(crc, member.crc, false) || !agrees(stored_bytes, member.bytes, true) ||
        !agrees(plain_bytes, entry.plain_bytes, true)) {
      Fail(member.name, "the member's local header tells another size or CRC than the directory",
           Format("{} bytes, CRC {:08x}", member.bytes, member.crc),
           Format("{}, {:08x}", stored_bytes, crc), entry.header);
    }
    entry.end = member.offset + member.bytes;
    if (later) {
      entry.end += CheckDescriptor(entry, limit);
    }
  }

  // Signature, CRC and two sizes behind the data; returns its length.
  uint64_t CheckDescriptor(const Entry& entry, uint64_t limit) const {
    constexpr uint64_t kShort = 16;
    constexpr uint64_t kLong = 24;
    const ZipMember& member = entry.member;
    const std::string bytes = Text(entry.end, std::min(kLong, limit - entry.end));
    Fields fields(bytes);
    const bool known = fields.U32() == kDescriptorSignature && fields.U32() == member.crc;
    Fields wide = fields;
    if (known && bytes.size() >= kShort && fields.U32() == member.bytes &&
        fields.U32() == entry.plain_bytes) {
      return kShort;
    }
    if (known && bytes.size() == kLong && wide.U64() == member.bytes &&
        wide.U64() == entry.plain_bytes) {
      return kLong;
    }
    Fail(member.name, "the figures behind the member's data differ from the directory",
         Format("{} bytes, CRC {:08x}", member.bytes, member.crc), "", entry.end);
  }

  void CheckOverlaps(std::vector<Entry>& entries) const {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.header < b.header; });
    for (size_t i = 1; i < entries.size(); ++i) {
      if (entries[i].header < entries[i - 1].end) {
        Fail(entries[i].member.name,
             Format("the member overlaps \"{}\"", Printable(entries[i - 1].member.name, 100)),
             Format("it at byte {} or behind", entries[i - 1].end),
             std::to_string(entries[i].header), entries[i].header);
      }
    }
    if (!entries.empty() && entries.front().header != 0) {
      Fail("", "bytes before the first member of the ZIP archive", "a member at byte 0",
           Format("the first one at {}", entries.front().header), 0);
    }
  }

  void RefuseDuplicates(const std::vector<Entry>& entries) const {
    std::vector<const Entry*> order;
    order.reserve(entries.size());
    for (const Entry& entry : entries) {
      order.push_back(&entry);
    }
    const auto name = [](const Entry* entry) { return std::string_view(entry->member.name); };
    std::sort(order.begin(), order.end(), [&](const Entry* a, const Entry* b) {
      return std::pair(name(a), a->header) < std::pair(name(b), b->header);
    });
    for (size_t i = 1; i < order.size(); ++i) {
      if (name(order[i]) == name(order[i - 1])) {
        Fail(order[i]->member.name, "two members of the ZIP archive have this name",
             "every name once", "", order[i]->header, "do not use this file");
      }
    }
  }

  const File& file_;
  uint64_t file_bytes_;
};

}  // namespace

std::vector<ZipMember> ReadZipDirectory(const File& file) {
  return ZipReader(file).Read();
}

}  // namespace lbrx

#include "core/io/part_set.h"

#include <charconv>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "core/io/system_call.h"

namespace lbrx {

PartSet::PartSet(std::string folder, std::string place)
    : folder_(std::move(folder)), place_(std::move(place)) {}

std::string PartSet::Place(const std::string& name) const {
  return JoinPath(place_, name);
}

// One line a part: inode and name.
void PartSet::WriteRecordOf(const std::vector<std::string>& names, bool sync) const {
  std::string text;
  for (const std::string& name : names) {
    const std::optional<uint64_t> inode = InodeOf(Staged(name));
    if (!inode.has_value()) {
      ErrorDetail detail;
      detail.file = Staged(name);
      detail.what = "there is no part to commit";
      throw Error(ErrorCode::kInternal, std::move(detail));
    }
    text += Format("{} {}\n", *inode, name);
  }
  WriteRecord(RecordPath(), text, sync);
}

std::optional<std::vector<PartSet::Part>> PartSet::ReadRecord() const {
  constexpr uint64_t kLimit = uint64_t{64} << 20;
  if (!EntryExists(RecordPath())) {
    return std::nullopt;
  }
  const std::string text = ReadWholeFile(RecordPath(), kLimit);
  std::vector<Part> parts;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const size_t space = text.find(' ', at);
    Part part{{}, 0};
    const auto number = std::from_chars(text.data() + at, text.data() + text.size(), part.inode);
    if (end == std::string::npos || space >= end || number.ec != std::errc()) {
      return std::nullopt;  // written without sync and lost in a crash of the system
    }
    part.name = text.substr(space + 1, end - space - 1);
    parts.push_back(std::move(part));
    at = end + 1;
  }
  return parts.empty() ? std::nullopt : std::optional(std::move(parts));
}

bool PartSet::IsMoved(const Part& part) const {
  return InodeOf(Place(part.name)) == part.inode;
}

void PartSet::SetAside(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    if (EntryExists(Place(name))) {
      if (!IsDirectory(AsideFolder())) {
        MakeDirectory(AsideFolder());
      }
      RenamePath(Place(name), Aside(name));
    }
  }
}

void PartSet::Move(const std::vector<std::string>& names, bool force, bool sync) const {
  for (const std::string& name : names) {
    if (!force && EntryExists(Place(name))) {
      ThrowExists(Place(name));
    }
  }
  WriteRecordOf(names, sync);
  try {
    SetAside(names);
    for (size_t i = names.size(); i-- > 0;) {
      if (i == 0 && sync) {
        SyncDirectory(place_);  // the others first
      }
      RenamePath(Staged(names[i]), Place(names[i]));
    }
  } catch (const std::exception&) {
    try {
      Recover();
    } catch (const std::exception&) {  // the first failure is the one to tell; the next Open()
                                       // tries again
    }
    throw;
  }
}

// Any order will do for what is ours; of the old parts the first comes last.
void PartSet::Undo(const std::vector<Part>& parts) const {
  for (const Part& part : parts) {
    if (IsMoved(part)) {
      RenamePath(Place(part.name), Staged(part.name));
    }
  }
  for (size_t i = parts.size(); i-- > 0;) {
    if (EntryExists(Aside(parts[i].name))) {
      RenamePath(Aside(parts[i].name), Place(parts[i].name));
    }
  }
}

PartSet::Outcome PartSet::Recover() const {
  const std::optional<std::vector<Part>> parts = ReadRecord();
  if (!parts.has_value()) {
    return Outcome::kNothing;
  }
  if (IsMoved(parts->front())) {
    return Outcome::kDone;
  }
  if (!EntryExists(Staged(parts->front().name))) {
    return Outcome::kGone;
  }
  Undo(*parts);
  RemoveAside();
  RemoveRecord();
  return Outcome::kUndone;
}

void PartSet::RemoveAside() const {
  RemoveTree(AsideFolder());
}

void PartSet::RemoveRecord() const {
  RemoveFile(RecordPath());
}

}  // namespace lbrx

// Moves an output of several files that lie beside each other (a split GGUF set) to its place, so
// that no moment shows half of it to a program. Inner header of core/io.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lbrx {

// A kill between any two calls is told by a record in the partial folder, which names the parts:
// until the first part, without which no program takes the others for a model, is at its place, the
// whole is undone; from then on it is done.
class PartSet {
 public:
  // Parts come from `folder`/data; old ones are kept in `folder`/aside meanwhile. Both are on the
  // file system of `place`.
  PartSet(std::string folder, std::string place);

  // Moves the parts named (the first one first) from `folder`/data to `place`. With `force` old
  // ones of the same names go aside, else there must be none. After a throw all is as it was.
  void Move(const std::vector<std::string>& names, bool force, bool sync) const;

  // kGone: it was done, and the user has removed the first part since.
  enum class Outcome : uint8_t { kNothing, kUndone, kDone, kGone };

  // What a killed Move() has left is put in order: undone or, where it was past its point of no
  // return, done. The record stays after kDone and kGone.
  Outcome Recover() const;

  // Removes the old parts, and then the record.
  void RemoveAside() const;
  void RemoveRecord() const;

 private:
  struct Part {
    std::string name;
    uint64_t inode;
  };

  std::string RecordPath() const { return folder_ + "/parts"; }

  std::string AsideFolder() const { return folder_ + "/aside"; }

  std::string Aside(const std::string& name) const { return AsideFolder() + "/" + name; }

  std::string Staged(const std::string& name) const { return folder_ + "/data/" + name; }

  std::string Place(const std::string& name) const;
  void WriteRecordOf(const std::vector<std::string>& names, bool sync) const;
  std::optional<std::vector<Part>> ReadRecord() const;
  void SetAside(const std::vector<std::string>& names) const;
  bool IsMoved(const Part& part) const;
  void Undo(const std::vector<Part>& parts) const;

  std::string folder_;
  std::string place_;
};

}  // namespace lbrx

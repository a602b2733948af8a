#include <sys/stat.h>

#include "convert/convert.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

[[noreturn]] void Refuse(const std::string& destination, const std::string& what) {
  throw Error(ErrorCode::kUsage, {.file = destination,
                                  .object = "",
                                  .what = what,
                                  .expected = "",
                                  .found = "",
                                  .offset = {},
                                  .advice = "choose another destination"});
}

// The path with symlinks resolved as far as it exists.
std::string Canonical(const std::string& path) {
  if (PathExists(path)) {
    return RealPath(path);
  }
  const std::string parent = ParentPath(path);
  return PathExists(parent) ? JoinPath(RealPath(parent), BaseName(path)) : path;
}

bool SameFile(const std::string& a, const std::string& b) {
  struct stat first {};

  struct stat second {};

  return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool Inside(const std::string& inner, const std::string& outer) {
  return inner.size() > outer.size() && inner.starts_with(outer) &&
         (outer == "/" || inner[outer.size()] == '/');
}

}  // namespace

void CheckPathsApart(const std::string& source, const std::string& destination) {
  const std::string from = Canonical(source);
  const std::string to = Canonical(destination);
  if (from == to || SameFile(from, to)) {
    Refuse(destination, "the destination is the source");
  }
  if (IsDirectory(from) && Inside(to, from)) {
    Refuse(destination, "the destination is inside the source folder");
  }
  // A folder is replaced as a whole, so a source in it would go with it. A file in the same folder
  // as another is fine.
  if (IsDirectory(to) && Inside(from, to)) {
    Refuse(destination, "the source is inside the destination folder");
  }
}

}  // namespace lbrx

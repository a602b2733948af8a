// A temporary folder for one test.
#pragma once

#include <string>

namespace lbrx {

class TempDir {
 public:
  TempDir();
  ~TempDir();  // removes it with all content
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Whole-file helpers for tests.
void WriteTestFile(const std::string& path, const std::string& content);
std::string ReadTestFile(const std::string& path);

}  // namespace lbrx

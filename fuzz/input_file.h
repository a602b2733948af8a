// The input of a fuzz target as a file.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/io/file.h"

namespace lbrx {

// One file for the whole run, removed at the end.
class InputFile {
 public:
  explicit InputFile(const std::string& ending)
      : path_((std::filesystem::temp_directory_path() /
               ("lbrx-fuzz-" + std::to_string(getpid()) + ending))
                  .string()),
        file_(File::OpenWrite(path_)) {}

  ~InputFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  void Set(std::string_view content) {
    file_->Truncate(content.size());
    file_->WriteAt(0, content);
  }

  File& file() { return *file_; }

 private:
  std::string path_;
  std::shared_ptr<File> file_;
};

}  // namespace lbrx

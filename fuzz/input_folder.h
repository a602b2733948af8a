// The input of a fuzz target as the files of a folder.
//
// "=== NAME" begins a file, whose content goes on to the next such line. "=== NAME BYTES" begins a
// safetensors file: the text is its header, behind which there are so many bytes of data.
#pragma once

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "core/io/file.h"
#include "formats/writer.h"
#include "hostile/raw_file.h"

namespace lbrx {

inline constexpr std::string_view kFileMark = "=== ";
inline constexpr uint64_t kMostData = uint64_t{1} << 16;

// Letters, digits and "._-" only, so that every file stays in its folder.
inline bool IsPlainFileName(std::string_view name) {
  return !name.empty() && name.size() < 100 && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

// A file of the input; nullopt for one whose name is not plain.
inline std::optional<OutputText> ReadInputFile(std::string_view line, std::string_view content) {
  const size_t space = std::min(line.find(' '), line.size());
  OutputText file = {std::string(line.substr(0, space)), std::string(content)};
  if (!IsPlainFileName(file.name)) {
    return std::nullopt;
  }
  if (space < line.size()) {
    uint64_t bytes = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), bytes);
    file.content = RawSafetensors(file.content, std::min(bytes, kMostData));
  }
  return file;
}

inline std::vector<OutputText> SplitInputFiles(std::string_view input) {
  std::vector<OutputText> files;
  size_t at = input.starts_with(kFileMark) ? 0 : std::string_view::npos;
  while (at != std::string_view::npos) {
    input.remove_prefix(at + kFileMark.size());
    const size_t line = std::min(input.find('\n'), input.size());
    const size_t next = input.find("\n" + std::string(kFileMark), line);
    const size_t begin = std::min(line + 1, input.size());
    const size_t end = std::min(next, input.size());
    const std::optional<OutputText> file =
        ReadInputFile(input.substr(0, line), input.substr(begin, std::max(begin, end) - begin));
    if (file) {
      files.push_back(*file);
    }
    at = next == std::string_view::npos ? next : next + 1;
  }
  return files;
}

// A folder that is removed at the end.
class InputFolder {
 public:
  InputFolder() : path_((std::filesystem::temp_directory_path() / "lbrx-fuzz-XXXXXX").string()) {
    FUZZ_CHECK(mkdtemp(path_.data()) != nullptr);
  }

  explicit InputFolder(const std::vector<OutputText>& files) : InputFolder() {
    for (const OutputText& file : files) {
      Write(file.name, file.content);
    }
  }

  ~InputFolder() { RemoveTree(path_); }

  InputFolder(const InputFolder&) = delete;
  InputFolder& operator=(const InputFolder&) = delete;

  void Write(const std::string& name, std::string_view content) const {
    const auto file = File::OpenWrite(JoinPath(path_, name));
    file->Truncate(0);
    file->WriteAt(0, content);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace lbrx

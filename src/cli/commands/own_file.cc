#include "cli/commands/own_file.h"

#include <algorithm>

#include "cli/formatters/html.h"
#include "core/base/error.h"
#include "core/io/file.h"

namespace lbrx {
namespace {

// Whether the file begins as what we write: a page of ours, or an object whose first member is our
// schema.
bool IsOwnFile(const std::string& path) {
  const std::shared_ptr<File> file = File::OpenRead(path);
  std::string start(std::min<uint64_t>(file->Size(), kHtmlStart.size()), '\0');
  file->ReadAt(0, std::as_writable_bytes(std::span(start)));
  const size_t brace = start.find_first_not_of(" \r\n\t");
  return start == kHtmlStart || (brace != std::string::npos && start[brace] == '{' &&
                                 start.find("\"schema\": \"lbrx.") != std::string::npos);
}

}  // namespace

void CheckOwnFile(const std::string& path, bool force) {
  ErrorDetail detail;
  detail.file = path;
  if (IsDirectory(path)) {
    detail.what = "is a folder";
    detail.advice = "name a file";
    throw Error(ErrorCode::kIo, std::move(detail));
  }
  if (!IsDirectory(ParentPath(path))) {
    detail.what = "its folder does not exist";
    throw Error(ErrorCode::kIo, std::move(detail));
  }
  if (PathExists(path) && !force && !IsOwnFile(path)) {
    detail.what = "already exists and was not written by lbrx";
    detail.advice = "choose another name, or remove it";
    throw Error(ErrorCode::kIo, std::move(detail));
  }
}

void WriteOwnFile(const std::string& path, bool force, std::string_view text) {
  CheckOwnFile(path, force);
  const std::string temporary = path + ".lbrx-tmp";
  RemoveTree(temporary);
  try {
    const std::shared_ptr<File> file = File::Create(temporary);
    file->WriteAt(0, text);
    file->Sync();
    RenamePath(temporary, path);
  } catch (const Error&) {
    RemoveTree(temporary);
    throw;
  }
}

std::string OwnFileText(const Json& content) {
  return WriteJson(content, {.indent = 2, .ascii = true}) + "\n";
}

}  // namespace lbrx

#include "formats/detect.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "core/base/format.h"
#include "core/io/file.h"

namespace lbrx {

namespace {

struct Magic {
  std::string_view bytes;
  std::string_view kind;
  std::string_view advice;
};

using namespace std::string_view_literals;

constexpr std::string_view kPyTorchAdvice =
    "`lbrx convert` reads PyTorch's .bin, .pt and .pth files that are whole and turns them into "
    "safetensors";
constexpr std::string_view kUnpackAdvice = "unpack it and give the folder inside";
constexpr std::string_view kGgufAdvice = "give the .gguf file itself by its path";
constexpr std::string_view kGgmlAdvice =
    "files of before GGUF cannot be read; convert the original model anew";
constexpr std::string_view kDownloadAdvice = "download the file again, with `hf download`";

// The first stands in place of a file.
constexpr std::array kMagics = {
    Magic{"version https://git-lfs"sv, "a Git LFS pointer, not the file itself",
          "run `git lfs pull` there, or download the file with `hf download`"},
    Magic{"PK\x03\x04"sv, "a ZIP archive (PyTorch's .bin and .pt files are such)", kPyTorchAdvice},
    Magic{"PK\x05\x06"sv, "an empty ZIP archive", kPyTorchAdvice},
    Magic{"7z\xBC\xAF\x27\x1C"sv, "a 7z archive", kUnpackAdvice},
    Magic{"Rar!\x1A\x07"sv, "a RAR archive", kUnpackAdvice},
    Magic{"\x1F\x8B"sv, "a gzip file", kUnpackAdvice},
    Magic{"BZh"sv, "a bzip2 file", kUnpackAdvice},
    Magic{"\x28\xB5\x2F\xFD"sv, "a zstd file", kUnpackAdvice},
    Magic{"\xFD"
          "7zXZ\0"sv,
          "an xz file", kUnpackAdvice},
    Magic{"GGUF"sv, "a GGUF file", kGgufAdvice},
    Magic{"FUGG"sv, "a big-endian GGUF file",
          "big-endian files cannot be read; download the little-endian one"},
    Magic{"ggjt"sv, "an old GGML file", kGgmlAdvice},
    Magic{"tjgg"sv, "an old GGML file", kGgmlAdvice},
    Magic{"lmgg"sv, "an old GGML file", kGgmlAdvice},
    Magic{"fmgg"sv, "an old GGML file", kGgmlAdvice},
    Magic{"GGML"sv, "an old GGML file", kGgmlAdvice},
    Magic{"algg"sv, "an adapter of before GGUF", kGgmlAdvice},
    Magic{"\x80\x02"sv, "a Python pickle (PyTorch's old format)", kPyTorchAdvice},
    Magic{"\x80\x03"sv, "a Python pickle", kPyTorchAdvice},
    Magic{"\x80\x04"sv, "a Python pickle", kPyTorchAdvice},
    Magic{"\x80\x05"sv, "a Python pickle", kPyTorchAdvice},
    Magic{"\x93NUMPY"sv, "a NumPy array", "only safetensors files can be read"},
    Magic{"\x89HDF\r\n"sv, "an HDF5 file", "only safetensors files can be read"},
};

// Endings that programs give to a file until it is complete.
struct Ending {
  std::string_view ending;
  std::string_view program;
};

constexpr std::array kUnfinished = {
    Ending{".incomplete", "huggingface_hub"},
    Ending{".crdownload", "Chrome"},
    Ending{".part", "Firefox or curl"},
    Ending{".partial", "a browser"},
    Ending{".download", "Safari"},
    Ending{".aria2", "aria2 (its control file)"},
};

std::string LowerTrimmed(std::string_view head) {
  const size_t start = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  std::string out(start == std::string_view::npos ? "" : head.substr(start, 64));
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::string ReadPart(const File& file, uint64_t offset, uint64_t length) {
  std::string text(length, '\0');
  file.ReadAt(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

bool IsZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

// Zeros wherever it is looked at: at the beginning, in seven places inside, at the end.
bool LooksZero(const File& file, uint64_t size) {
  constexpr uint64_t kPlaces = 8;
  const uint64_t length = std::min(size, kForeignHead);
  for (uint64_t i = 0; i <= kPlaces; ++i) {
    if (!IsZero(ReadPart(file, (size - length) / kPlaces * i, length))) {
      return false;
    }
  }
  return IsZero(ReadPart(file, size - length, length));
}

}  // namespace

ForeignFile RecogniseForeign(std::string_view head) {
  for (const Magic& magic : kMagics) {
    if (head.substr(0, magic.bytes.size()) == magic.bytes) {
      return {std::string(magic.kind), std::string(magic.advice), &magic == &kMagics.front()};
    }
  }
  const std::string text = LowerTrimmed(head);
  for (std::string_view start : {"<!doctype"sv, "<html"sv, "<?xml"sv, "<head"sv, "<body"sv}) {
    if (std::string_view(text).substr(0, start.size()) == start) {
      return {"an HTML page (perhaps the error page of a download)", std::string(kDownloadAdvice),
              true};
    }
  }
  if (!text.empty() && text[0] == '{') {
    return {"a JSON text, not weights", "give the folder, or a .safetensors file", false};
  }
  for (std::string_view answer : {"invalid username or password"sv, "access to model"sv,
                                  "entry not found"sv, "repository not found"sv}) {
    if (std::string_view(text).substr(0, answer.size()) == answer) {
      return {"a refusal of the Hugging Face hub, not the file",
              "log in with `hf auth login`, ask for access, and download the file again", true};
    }
  }
  if (head.size() > 262 && head.substr(257, 5) == "ustar") {
    return {"a tar archive", std::string(kUnpackAdvice), false};
  }
  return {};
}

bool IsUnfinishedName(std::string_view name) {
  return std::any_of(kUnfinished.begin(), kUnfinished.end(),
                     [&](const Ending& row) { return name.ends_with(row.ending); });
}

ForeignFile RecogniseUnfinished(const std::string& path) {
  constexpr std::string_view kAdvice =
      "finish the download (the same command continues it), or download the file again";
  for (const Ending& row : kUnfinished) {
    if (path.ends_with(row.ending)) {
      return {Format("an unfinished download of {}", row.program), std::string(kAdvice), false};
    }
  }
  if (PathExists(path + ".aria2")) {
    return {"an unfinished download of aria2, whose parts still to come are zeros",
            std::string(kAdvice), false};
  }
  return {};
}

void AddUnfinished(const std::string& path, std::vector<Problem>& problems) {
  if (const ForeignFile unfinished = RecogniseUnfinished(path); !unfinished.kind.empty()) {
    Problem problem;
    problem.detail.file = path;
    problem.detail.what = unfinished.kind;
    problem.detail.advice = unfinished.advice;
    problems.push_back(std::move(problem));
  }
}

ForeignFile RecogniseFile(const std::string& path) {
  const std::shared_ptr<File> file = File::OpenRead(path);
  const uint64_t size = file->Size();
  if (size == 0) {
    return {"an empty file", std::string(kDownloadAdvice), true};
  }
  ForeignFile foreign = RecogniseForeign(ReadPart(*file, 0, std::min(size, kForeignHead)));
  if (foreign.kind.empty() && LooksZero(*file, size)) {
    foreign = {Format("a file of {} zeros, as a crash or an unfinished download leaves it", size),
               std::string(kDownloadAdvice), true};
  }
  return foreign.kind.empty() ? RecogniseUnfinished(path) : foreign;
}

Error ExplainJson(const Error& error, const std::string& path) {
  if (error.code() != ErrorCode::kInvalid || !IsRegularFile(path)) {
    return error;
  }
  const ForeignFile foreign = RecogniseFile(path);
  if (!foreign.stand_in) {
    return error;
  }
  ErrorDetail detail;
  detail.file = path;
  detail.what = "not a JSON text but " + foreign.kind;
  detail.advice = foreign.advice;
  return {ErrorCode::kInvalid, std::move(detail)};
}

}  // namespace lbrx

#include "formats/safetensors/foreign.h"

#include <array>

namespace lbrx {

namespace {

struct Magic {
  std::string_view bytes;
  std::string_view kind;
  std::string_view advice;
};

using namespace std::string_view_literals;

constexpr std::string_view kPyTorchAdvice =
    "only safetensors files can be read; load it with torch and save it with "
    "safetensors.torch.save_file, or download the safetensors version of the model";
constexpr std::string_view kUnpackAdvice = "unpack it and give the folder inside";
constexpr std::string_view kGgufAdvice = "GGUF files cannot be read yet; give the original folder";

constexpr std::array kMagics = {
    Magic{"version https://git-lfs"sv, "a Git LFS pointer, not the weights",
          "run `git lfs pull` there, or download the file with `hf download`"},
    Magic{"PK\x03\x04"sv, "a ZIP archive (PyTorch's .bin and .pt files are such)", kPyTorchAdvice},
    Magic{"PK\x05\x06"sv, "an empty ZIP archive", kPyTorchAdvice},
    Magic{"7z\xBC\xAF\x27\x1C"sv, "a 7z archive", kUnpackAdvice},
    Magic{"Rar!\x1A\x07"sv, "a RAR archive", kUnpackAdvice},
    Magic{"\x1F\x8B"sv, "a gzip file", kUnpackAdvice},
    Magic{"\x28\xB5\x2F\xFD"sv, "a zstd file", kUnpackAdvice},
    Magic{"\xFD"
          "7zXZ\0"sv,
          "an xz file", kUnpackAdvice},
    Magic{"GGUF"sv, "a GGUF file", kGgufAdvice},
    Magic{"FUGG"sv, "a big-endian GGUF file", kGgufAdvice},
    Magic{"ggjt"sv, "an old GGML file", kGgufAdvice},
    Magic{"tjgg"sv, "an old GGML file", kGgufAdvice},
    Magic{"lmgg"sv, "an old GGML file", kGgufAdvice},
    Magic{"\x80\x02"sv, "a Python pickle (PyTorch's old format)", kPyTorchAdvice},
    Magic{"\x80\x03"sv, "a Python pickle", kPyTorchAdvice},
    Magic{"\x80\x04"sv, "a Python pickle", kPyTorchAdvice},
    Magic{"\x80\x05"sv, "a Python pickle", kPyTorchAdvice},
    Magic{"\x93NUMPY"sv, "a NumPy array", "only safetensors files can be read"},
    Magic{"\x89HDF\r\n"sv, "an HDF5 file", "only safetensors files can be read"},
};

std::string LowerTrimmed(std::string_view head) {
  const size_t start = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  std::string out(start == std::string_view::npos ? "" : head.substr(start, 64));
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

}  // namespace

ForeignFile RecogniseForeign(std::string_view head) {
  for (const Magic& magic : kMagics) {
    if (head.substr(0, magic.bytes.size()) == magic.bytes) {
      return {std::string(magic.kind), std::string(magic.advice)};
    }
  }
  const std::string text = LowerTrimmed(head);
  for (std::string_view start : {"<!doctype"sv, "<html"sv, "<?xml"sv, "<head"sv}) {
    if (std::string_view(text).substr(0, start.size()) == start) {
      return {"an HTML page (perhaps the error page of a download), not weights",
              "download the file again, with `hf download`"};
    }
  }
  if (!text.empty() && text[0] == '{') {
    return {"a JSON text, not weights", "give the folder, or a .safetensors file"};
  }
  if (head.size() > 262 && head.substr(257, 5) == "ustar") {
    return {"a tar archive", std::string(kUnpackAdvice)};
  }
  return {};
}

}  // namespace lbrx

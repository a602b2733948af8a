#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/format.h"
#include "formats/detect.h"
#include "formats/gguf/gguf.h"
#include "formats/names.h"
#include "formats/problems.h"

namespace lbrx {
namespace {

constexpr char kDownloadAdvice[] = "download the parts of one model, all into the same folder";

// Checkpoint::metadata.
constexpr char kVersion[] = "gguf.version";
constexpr char kPadding[] = "gguf.padding";
constexpr char kNone[] = "none";

// A part whose header has been read.
struct Part {
  std::string path;
  Fingerprint fingerprint;
  GgufHeader header;
};

class GgufOpener {
 public:
  GgufOpener(const std::string& path, const OpenOptions& options)
      : options_(options), problems_(options, checkpoint_.problems) {
    checkpoint_.path = path;
    checkpoint_.format = "gguf";
    checkpoint_.reason = "the file starts with the magic of GGUF";
  }

  Checkpoint Open() {
    const std::string& path = checkpoint_.path;
    Part given = ReadPart(path, 0);
    const uint64_t count = given.header.keys.Uint("split.count").value_or(0);
    if (count > 1) {
      OpenSet(NameOf(given, count));
    } else {
      NoteForm(given.header);
      keys_ = std::move(given.header.keys);
      Add(std::move(given));
    }
    Finish();
    return std::move(checkpoint_);
  }

 private:
  Part ReadPart(const std::string& path, uint32_t index) {
    const std::shared_ptr<File> file = File::OpenRead(path);
    std::vector<Problem> found;
    Part part;
    try {
      part.header = ReadGgufHeader(*file, index, &found, options_.collect_problems);
    } catch (const Error& error) {
      throw ExplainPiece(error, path);
    }
    AddUnfinished(path, found);
    for (Problem& problem : found) {
      problems_.Add(std::move(problem));
    }
    part.path = path;
    part.fingerprint = file->GetFingerprint();
    return part;
  }

  // What keys and tensors do not tell.
  void NoteForm(const GgufHeader& header) {
    checkpoint_.metadata[kVersion] = std::to_string(header.version);
    if (!header.padded) {
      checkpoint_.metadata[kPadding] = kNone;
    }
  }

  // Pieces of a file that was cut up by size have no header each.
  static Error ExplainPiece(const Error& error, const std::string& path) {
    if (path.find("part1of") == std::string::npos || error.code() != ErrorCode::kInvalid) {
      return error;
    }
    ErrorDetail detail = error.detail();
    detail.advice =
        "this looks like the first piece of a file that was cut up: put the pieces "
        "together with `cat`, in order, into one file";
    return {error.code(), std::move(detail)};
  }

  static ErrorDetail Detail(const std::string& path, std::string object, std::string what,
                            std::string expected, std::string found) {
    return {.file = path,
            .object = std::move(object),
            .what = std::move(what),
            .expected = std::move(expected),
            .found = std::move(found),
            .offset = {},
            .advice = kDownloadAdvice};
  }

  // What the parts of the set are called, `given` being one of them.
  static GgufPartName NameOf(const Part& given, uint64_t count) {
    const GgufPartName wanted{"PREFIX", given.header.keys.Uint("split.no").value_or(0) + 1, count};
    const std::optional<GgufPartName> name = ParseGgufPartName(given.path);
    if (count > kGgufMostParts) {
      throw Error(ErrorCode::kInvalid,
                  Detail(given.path, "split.count", "a set of too many parts",
                         Format("at most {}", kGgufMostParts), std::to_string(count)));
    }
    if (!name || name->count != count || name->number != wanted.number) {
      throw Error(
          ErrorCode::kInvalid,
          Detail(given.path, "split.no", "the name of the file is not that of the part that it is",
                 FormatGgufPartName(wanted), BaseName(given.path)));
    }
    return *name;
  }

  void OpenSet(GgufPartName name) {
    checkpoint_.reason += Format(", part {} of {} of a split set", name.number, name.count);
    std::optional<uint64_t> tensors;  // in all parts, as they say
    for (name.number = 1; name.number <= name.count; ++name.number) {
      const std::string path = FormatGgufPartName(name);
      if (!PathExists(path)) {
        problems_.Fail(Detail(path, "", Format("part {} of {} is missing", name.number, name.count),
                              "all parts in one folder", "no such file"));
        continue;
      }
      try {
        Part part = ReadPart(path, static_cast<uint32_t>(checkpoint_.files.size()));
        CheckPart(part, name, tensors);
        Add(std::move(part));
      } catch (const Error& error) {
        problems_.Caught(error);
      }
    }
    CheckWhole(tensors);
  }

  // That a part is the one that its name says, and of the same model.
  void CheckPart(Part& part, const GgufPartName& name, std::optional<uint64_t>& tensors) {
    RequireNumber(part, "split.no", name.number - 1);
    RequireNumber(part, "split.count", name.count);
    const std::optional<uint64_t> total = part.header.keys.Uint("split.tensors.count");
    tensors = tensors ? tensors : total;
    if (total != tensors) {
      problems_.Fail(Detail(part.path, "split.tensors.count",
                            "differs from the other parts': parts of different models",
                            std::to_string(*tensors), total ? std::to_string(*total) : "nothing"));
    }
    if (name.number == 1) {
      NoteForm(part.header);
      for (GgufKeys::Entry entry : part.header.keys.entries()) {
        if (!IsGgufSplitKey(entry.first)) {
          keys_.Append(std::move(entry.first), std::move(entry.second));
        }
      }
      return;
    }
    // Later parts rarely repeat keys, but what they say must be the same.
    for (const auto& [key, value] : part.header.keys.entries()) {
      const GgufValue* first = keys_.Find(key);
      if (!IsGgufSplitKey(key) && key != kGgufAlignmentKey && first != nullptr &&
          !(*first == value)) {
        problems_.Fail(Detail(part.path, key, "differs from part 1's: parts of different models",
                              "the same value", "another"));
      }
    }
  }

  void RequireNumber(const Part& part, std::string_view key, uint64_t expected) {
    const std::optional<uint64_t> found = part.header.keys.Uint(key);
    if (found != expected) {
      problems_.Fail(Detail(part.path, std::string(key), "the part is not what its name says",
                            std::to_string(expected), found ? std::to_string(*found) : "nothing"));
    }
  }

  void CheckWhole(const std::optional<uint64_t>& tensors) {
    if (tensors && *tensors != checkpoint_.arrays.size() && problems_.errors() == 0) {
      problems_.Fail(Detail(checkpoint_.path, "split.tensors.count",
                            "the parts do not hold as many tensors as they say",
                            std::to_string(*tensors), std::to_string(checkpoint_.arrays.size())));
    }
    std::vector<bool> extra(checkpoint_.arrays.size(), false);
    for (const auto& [first, second] : NameTable(checkpoint_.arrays).Duplicates()) {
      const StoredArray& array = checkpoint_.arrays[second];
      problems_.Fail(Detail(
          checkpoint_.files[array.file].path, array.name, "the tensor is in two parts",
          "every name once",
          "it is in " + BaseName(checkpoint_.files[checkpoint_.arrays[first].file].path) + " too"));
      extra[second] = true;
    }
    std::erase_if(checkpoint_.tensors,
                  [&](const SourceTensor& tensor) { return extra[tensor.planes.front()]; });
  }

  void Add(Part part) {
    checkpoint_.files.push_back({std::move(part.path), part.fingerprint});
    for (size_t i = 0; i < part.header.arrays.size(); ++i) {
      checkpoint_.tensors.push_back(GgufTensor(part.header.arrays[i], *part.header.types[i],
                                               static_cast<uint32_t>(checkpoint_.arrays.size())));
      checkpoint_.arrays.push_back(std::move(part.header.arrays[i]));
    }
  }

  void Finish() {
    checkpoint_.gguf = std::make_shared<const GgufKeys>(std::move(keys_));
    checkpoint_.BuildIndex();
  }

  const OpenOptions& options_;
  Checkpoint checkpoint_;
  ProblemSink problems_;
  GgufKeys keys_;
};

}  // namespace

std::vector<const SourceTensor*> GgufFileOrder(const Checkpoint& checkpoint) {
  std::vector<const SourceTensor*> out;
  out.reserve(checkpoint.tensors.size());
  for (const SourceTensor& tensor : checkpoint.tensors) {
    out.push_back(&tensor);
  }
  std::sort(out.begin(), out.end(), [](const SourceTensor* a, const SourceTensor* b) {
    return a->planes.front() < b->planes.front();
  });
  return out;
}

GgufTarget GgufTargetOf(const Checkpoint& checkpoint) {
  GgufTarget target;
  target.keys = checkpoint.gguf.get();
  const auto version = checkpoint.metadata.find(kVersion);
  if (version != checkpoint.metadata.end() && version->second == "2") {
    target.version = 2;
  }
  target.padded = checkpoint.metadata.count(kPadding) == 0;
  return target;
}

Checkpoint OpenGguf(const std::string& path, const OpenOptions& options) {
  return GgufOpener(path, options).Open();
}

}  // namespace lbrx

// Containers with as many tensors, keys, members and records as their limits allow.
#include <memory>

#include "core/io/zip.h"
#include "formats/gguf/gguf.h"
#include "formats/imatrix/imatrix.h"
#include "formats/safetensors/safetensors.h"
#include "formats/torch/torch.h"
#include "hostile/raw_file.h"
#include "hostile/raw_gguf.h"
#include "hostile/raw_torch.h"
#include "hostile/raw_zip.h"
#include "scale/scale.h"
#include "stream/journal.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

// A file that lives as long as what reads it.
class ScaleFile {
 public:
  ScaleFile(const std::string& name, const std::string& content) : path_(*folder_ / name) {
    WriteTestFile(path_, content);
  }

  const std::string& path() const { return path_; }

  std::shared_ptr<File> Open() const { return File::OpenRead(path_); }

 private:
  std::shared_ptr<TempDir> folder_ = std::make_shared<TempDir>();
  std::string path_;
};

template <typename Read>
ScaleRow::Input FileInput(const std::string& name, const std::string& content, Read read) {
  const ScaleFile file(name, content);
  return {content.size(), [file, read] { return read(file); }};
}

ScaleRow::Input Safetensors(uint64_t count) {
  const std::string entries = JoinEntries(
      count, ",", [](uint64_t i) { return RawEntry("t" + Serial(i), "U8", "[1]", i, i + 1); });
  return FileInput(
      "a.safetensors", RawSafetensors("{" + entries + "}", count),
      [](const ScaleFile& file) { return OpenCheckpoint(file.path()).tensors.size(); });
}

ScaleRow::Input SafetensorsMetadata(uint64_t count) {
  const std::string entries =
      JoinEntries(count, ",", [](uint64_t i) { return "\"k" + Serial(i) + "\":\"v\""; });
  return FileInput("a.safetensors", RawSafetensors("{\"__metadata__\":{" + entries + "}}", 0),
                   [](const ScaleFile& file) {
                     return ReadSafetensorsHeader(*file.Open(), 0, nullptr).metadata.size();
                   });
}

ScaleRow::Input GgufTensors(uint64_t count) {
  constexpr uint64_t kRow = 64;
  RawGguf raw;
  raw.tensor_count = count;
  raw.tensors = {JoinEntries(count, "", [](uint64_t i) {
    return RawGgufTensor("blk.0.tensor" + Serial(i), {kRow}, 0, 4 * kRow * i);
  })};
  raw.data.resize(4 * kRow * count);
  return FileInput("a.gguf", raw.Bytes(), [](const ScaleFile& file) {
    return ReadGgufHeader(*file.Open(), 0, nullptr).arrays.size();
  });
}

template <typename Value>
ScaleRow::Input GgufValueOf(const std::string& key, Value found) {
  RawGguf raw;
  raw.keys = {key};
  return FileInput("a.gguf", raw.Bytes(), [found](const ScaleFile& file) -> uint64_t {
    return found(ReadGgufHeader(*file.Open(), 0, nullptr).keys);
  });
}

ScaleRow::Input GgufStrings(uint64_t count) {
  const std::string texts =
      JoinEntries(count, "", [](uint64_t i) { return GgufText("token" + Serial(i)); });
  return GgufValueOf(RawGgufArray("k", 8, count, texts),
                     [](const GgufKeys& keys) { return keys.Find("k")->size(); });
}

ScaleRow::Input GgufNumbers(uint64_t count) {
  return GgufValueOf(RawGgufArray("k", 4, count, std::string(4 * count, '\x01')),
                     [](const GgufKeys& keys) { return keys.Find("k")->size(); });
}

ScaleRow::Input GgufManyKeys(uint64_t count) {
  RawGguf raw;
  raw.key_count = count;
  raw.keys = {JoinEntries(count, "", [](uint64_t i) { return RawGgufU32("k" + Serial(i), 7); })};
  return FileInput("a.gguf", raw.Bytes(), [](const ScaleFile& file) {
    return ReadGgufHeader(*file.Open(), 0, nullptr).keys.entries().size();
  });
}

// A state dict of a tensor and so many numbers, which are read and passed over.
ScaleRow::Input PickleNumbers(uint64_t count) {
  const std::string tensor =
      PickleText("w") + PickleTensorOp({.elements = 1, .shape = {1}, .strides = {1}});
  const std::string items =
      JoinEntries(count, "", [](uint64_t i) { return PickleText("n" + Serial(i)) + PickleInt(7); });
  const std::string pickle = RawPickle("}(" + tensor + items + "u");
  return FileInput("a.bin", RawTorchZip(pickle, {std::string(4, '\0')}),
                   [count](const ScaleFile& file) {
                     std::vector<Problem> problems;
                     const TorchFile torch = ReadTorchFile(*file.Open(), 0, problems, false);
                     return torch.arrays.size() == 1 ? count : 0;
                   });
}

ScaleRow::Input PickleTensors(uint64_t count) {
  const std::string items = JoinEntries(count, "", [](uint64_t i) {
    return PickleText("t" + Serial(i)) +
           PickleTensorOp({.elements = 1, .shape = {1}, .strides = {1}});
  });
  return FileInput("a.bin", RawTorchLegacy(RawPickle("}(" + items + "u"), LengthField(1) + "abcd"),
                   [](const ScaleFile& file) {
                     std::vector<Problem> problems;
                     return ReadTorchFile(*file.Open(), 0, problems, false).arrays.size();
                   });
}

ScaleRow::Input ZipMembers(uint64_t count) {
  std::string content;
  std::string directory;
  for (uint64_t i = 0; i < count; ++i) {
    const RawZipMember member = {"m/data/" + Serial(i), "x"};
    directory += RawZipEntry(member, content.size());
    content += RawZipLocal(member);
  }
  RawZipEnd end;
  end.zip64 = true;
  end.count = 0xFFFF;
  end.count64 = count;
  content += RawZipTail(directory, count, content.size(), end);
  return FileInput("a.zip", content,
                   [](const ScaleFile& file) { return ReadZipDirectory(*file.Open()).size(); });
}

ScaleRow::Input ImatrixDat(uint64_t count) {
  const std::string entries = JoinEntries(count, "", [](uint64_t i) {
    const std::string name = "blk." + Serial(i) + ".w";
    return LittleEndian(name.size(), 4) + name + LittleEndian(1, 4) + LittleEndian(1, 4) +
           LittleEndian(0x3F800000, 4);
  });
  return FileInput("a.dat", LittleEndian(count, 4) + entries, [](const ScaleFile& file) {
    return ImportanceMatrix::Open(file.path()).entries().size();
  });
}

// The same record again and again behind a header.
ScaleRow::Input JournalRecords(uint64_t count) {
  const ScaleFile file("journal", "");
  Journal::Create(file.path(), Json::MakeObject());
  const size_t header = ReadTestFile(file.path()).size();
  Journal::Continue(file.path(), {.header = {}, .records = {}, .valid_bytes = header})
      ->Append(JournalRecord());
  std::string content = ReadTestFile(file.path());
  const std::string record = content.substr(header);
  content +=
      JoinEntries(count - 1, "", [&](uint64_t /*i*/) -> const std::string& { return record; });
  return FileInput("journal", content, [](const ScaleFile& journal) {
    return Journal::Read(journal.path())->records.size();
  });
}

class ContainerScale : public testing::TestWithParam<ScaleRow> {};

TEST_P(ContainerScale, CostsAreLinear) {
  ExpectLinear(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Rows, ContainerScale,
                         testing::Values(ScaleRow{"safetensors tensors", kMillion, 8, Safetensors},
                                         ScaleRow{"safetensors metadata", kMillion, 16,
                                                  SafetensorsMetadata},
                                         ScaleRow{"gguf tensors", kMillion / 5, 2, GgufTensors},
                                         ScaleRow{"gguf strings", kMillion, 2, GgufStrings},
                                         ScaleRow{"gguf numbers", 4 * kMillion, 2, GgufNumbers},
                                         ScaleRow{"gguf keys", kGgufMostKeys, 10, GgufManyKeys},
                                         ScaleRow{"pickle numbers", kMillion, 8, PickleNumbers},
                                         ScaleRow{"pickle tensors", kMillion / 5, 8, PickleTensors},
                                         ScaleRow{"zip members", kMillion, 2, ZipMembers},
                                         ScaleRow{"imatrix entries", kMillion / 4, 8, ImatrixDat},
                                         ScaleRow{"journal records", kMillion, 4, JournalRecords}));

}  // namespace
}  // namespace lbrx

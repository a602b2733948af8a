#include "check/manifest.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/base/hash.h"
#include "core/text/json.h"

namespace lbrx {
namespace {

constexpr std::string_view kSchema = "lbrx.manifest.v1";
constexpr size_t kLongestName = size_t{1} << 20;

bool IsSamePath(const std::string& a, const std::string& b) {
  return a == b || (PathExists(a) && PathExists(b) && RealPath(a) == RealPath(b));
}

const Json& Require(const Json& json, std::string_view key) {
  const Json* value = json.Find(key);
  if (value == nullptr) {
    throw Error(ErrorCode::kInvalid, Format("no \"{}\"", key));
  }
  return *value;
}

Json ToJson(const TensorHash& tensor) {
  Json shape = Json::MakeArray();
  for (const uint64_t dimension : tensor.shape.dims()) {
    shape.Append(dimension);
  }
  return Json::Object{{"name", tensor.name},
                      {"scheme", tensor.scheme},
                      {"shape", std::move(shape)},
                      {"xxh3_128", tensor.xxh3_128}};
}

Json ToJson(const ModelFile& file) {
  return Json::Object{
      {"name", file.name}, {"bytes", file.bytes}, {"data", file.data}, {"sha256", file.sha256}};
}

TensorHash TensorFromJson(const Json& json) {
  TensorHash tensor;
  tensor.name = Require(json, "name").AsString();
  tensor.scheme = Require(json, "scheme").AsString();
  std::vector<uint64_t> dims;
  for (const Json& dimension : Require(json, "shape").AsArray()) {
    dims.push_back(dimension.AsUint64());
  }
  if (dims.size() > Shape::kMaxRank) {
    throw Error(ErrorCode::kInvalid, Format("a shape of {} dimensions", dims.size()));
  }
  tensor.shape = Shape(dims);
  tensor.xxh3_128 = Require(json, "xxh3_128").AsString();
  return tensor;
}

// Only names of files in the model's folder, since they are looked for there.
bool IsInside(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && name != "." && name != "..";
}

ModelFile FileFromJson(const Json& json) {
  if (const std::string& name = Require(json, "name").AsString(); !IsInside(name)) {
    throw Error(ErrorCode::kInvalid, Format("the unsafe file name \"{}\"", Printable(name)));
  }
  return {.name = Require(json, "name").AsString(),
          .path = {},
          .bytes = Require(json, "bytes").AsUint64(),
          .data = Require(json, "data").AsBool(),
          .sha256 = Require(json, "sha256").AsString()};
}

Manifest FromJson(const Json& json) {
  if (const std::string& schema = Require(json, "schema").AsString(); schema != kSchema) {
    throw Error(ErrorCode::kInvalid, Format("the schema \"{}\"", Printable(schema)));
  }
  Manifest manifest;
  manifest.format = Require(json, "format").AsString();
  for (const Json& tensor : Require(json, "tensors").AsArray()) {
    manifest.tensors.push_back(TensorFromJson(tensor));
  }
  for (const Json& file : Require(json, "files").AsArray()) {
    manifest.files.push_back(FileFromJson(file));
  }
  return manifest;
}

[[noreturn]] void ThrowDamaged(const std::string& file, std::string found) {
  throw Error(ErrorCode::kInvalid,
              {.file = file,
               .object = "",
               .what = "the manifest itself is damaged or was changed since it was written",
               .expected = {},
               .found = std::move(found),
               .offset = {},
               .advice = "it says nothing of the model; write it anew from a copy known to be good "
                         "with `lbrx hash --manifest`"});
}

std::string Text(const Manifest& manifest, const std::string& checksum) {
  Json tensors = Json::MakeArray();
  for (const TensorHash& tensor : manifest.tensors) {
    tensors.Append(ToJson(tensor));
  }
  Json files = Json::MakeArray();
  for (const ModelFile& file : manifest.files) {
    files.Append(ToJson(file));
  }
  const Json content = Json::Object{{"schema", kSchema},
                                    {"format", manifest.format},
                                    {"tensors", std::move(tensors)},
                                    {"files", std::move(files)},
                                    {"checksum", checksum}};
  return WriteJson(content, {.indent = 2, .ascii = true}) + "\n";
}

}  // namespace

Manifest MakeManifest(const Checkpoint& checkpoint, const std::string& except,
                      const CheckOptions& options) {
  Manifest manifest{checkpoint.format, HashTensors(checkpoint, options), FilesOf(checkpoint)};
  std::erase_if(manifest.files,
                [&](const ModelFile& file) { return IsSamePath(file.path, except); });
  for (TensorHash& tensor : manifest.tensors) {
    tensor.name = Printable(tensor.name, kLongestName);
  }
  for (ModelFile& file : manifest.files) {
    file.name = Printable(file.name, kLongestName);
    file.sha256 = Sha256File(file.path, options);
  }
  return manifest;
}

uint64_t ManifestReads(const Checkpoint& checkpoint) {
  uint64_t bytes = 0;
  for (const StoredArray& array : checkpoint.arrays) {
    bytes += array.bytes;
  }
  for (const ModelFile& file : FilesOf(checkpoint)) {
    bytes += file.bytes;
  }
  return bytes;
}

std::string ManifestText(const Manifest& manifest) {
  Sha256 checksum;
  const std::string text = Text(manifest, "");
  checksum.Update(std::as_bytes(std::span(text)));
  return Text(manifest, checksum.FinishHex());
}

Manifest ParseManifest(std::string_view text, const std::string& file) {
  Manifest manifest;
  try {
    manifest = FromJson(ParseJson(text, file));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalid) {
      throw;
    }
    ThrowDamaged(file, error.detail().what);
  }
  // Every byte counts, those between the members too: what was read is written once more.
  if (ManifestText(manifest) != text) {
    ThrowDamaged(file, "another checksum");
  }
  return manifest;
}

}  // namespace lbrx

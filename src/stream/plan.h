// A plan: everything that a command will write, known before any data is read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/text/json.h"
#include "formats/gguf/keys.h"
#include "formats/writer.h"
#include "quant/codec.h"
#include "stream/value.h"

namespace lbrx {

// How an output tensor comes about: `value` encoded into output.encoding, or, where `copies` is not
// empty, each plane copied as it stands (one value a plane).
struct PlannedTensor {
  OutputTensor output;
  ValuePtr value;
  std::vector<ValuePtr> copies;
  EncodeOptions encode;
  // Where not empty, the tensor is not written: the error of encoding it so is measured, for each.
  // `output` has the one with the largest group, and each has `value`'s dtype.
  std::vector<Encoding> candidates;
  // Weights of the columns' errors, in the search for codes as well: as many as the tensor has
  // columns, or as many for each of its experts (its first dimension); null: all count alike.
  std::shared_ptr<const std::vector<float>> importance;
  std::string source_label;  // scheme of the source, for people: "bf16"
};

struct Plan {
  std::string command;  // "convert"
  Json request;         // the normalised options that decide bytes; see convert/request.h
  SourceFiles::Checkpoints sources;
  std::vector<PlannedTensor> tensors;  // in the order in which they are worked on
  OutputLayout layout;
  std::vector<SideFile> copies;      // copied byte for byte, before `texts`
  std::vector<OutputText> texts;     // written last, in order (index, then config.json)
  std::vector<std::string> notices;  // what the user should know before it runs
  // What the header of a GGUF file says. Only in plans that are compared with what they made.
  std::shared_ptr<const GgufKeys> gguf_keys;

  uint64_t OutputBytes() const;  // of everything that is written
  uint64_t SourceBytes() const;  // read
};

// Identity of what the plan writes: recipes, layout, texts. Threads, memory and destination do not
// enter; sources' fingerprints neither (the journal keeps them apart).
Hash128 PlanHash(const Plan& plan);

// {path, size, mtime_ns} of every file that the plan reads.
Json SourceFingerprints(const Plan& plan);

// The plan as JSON: request, hash, sources, tensors (name, source, scheme, shape, bytes, recipe),
// totals. What --dry-run --json and --plan FILE give.
Json PlanToJson(const Plan& plan);

}  // namespace lbrx

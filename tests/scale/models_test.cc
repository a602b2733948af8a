// Vocabularies and folders with many entries.
#include <memory>

#include "check/check.h"
#include "formats/checkpoint.h"
#include "hostile/raw_file.h"
#include "merge/tokenizer/output_files.h"
#include "merge/tokenizer/output_vocabulary.h"
#include "merge/tokenizer/source_vocabulary.h"
#include "scale/scale.h"
#include "support/temp_dir.h"
#include "tokenizer/hf_tokenizer.h"
#include "tokenizer/sentencepiece.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

std::string Vocabulary(uint64_t count) {
  return JoinEntries(count, ",",
                     [](uint64_t i) { return "\"t" + Serial(i) + "\":" + std::to_string(i); });
}

std::string BpeTokenizer(const std::string& vocabulary, const std::string& merges,
                         const std::string& added = "") {
  return "{\"added_tokens\":[" + added +
         "],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":"
         "true},"
         "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":{" +
         vocabulary + "},\"merges\":[" + merges + "]}}";
}

std::string Added(uint64_t first, uint64_t count) {
  return JoinEntries(count, ",", [&](uint64_t i) {
    return R"({"content":"<a)" + Serial(i) + R"(>","id":)" + std::to_string(first + i) +
           R"(,"special":true})";
  });
}

ScaleRow::Input TokenizerJson(uint64_t count) {
  const std::string merges =
      JoinEntries(count, ",", [](uint64_t i) { return "[\"t\",\"" + Serial(i) + "\"]"; });
  return TextInput(BpeTokenizer(Vocabulary(count), merges), [](const std::string& text) {
    const HfTokenizer tokenizer = ReadHfTokenizer(text, "input");
    return std::min(tokenizer.vocab.size(), tokenizer.merges.size());
  });
}

ScaleRow::Input SentencePieces(uint64_t count) {
  SentencePieceModel model;
  for (uint64_t i = 0; i < count; ++i) {
    model.pieces.push_back({"t" + Serial(i), -1.0F, TokenType::kNormal});
  }
  return TextInput(WriteSentencePieces(model), [](const std::string& bytes) {
    return ReadSentencePieces(bytes, "input").pieces.size();
  });
}

// From tokenizer.json to GGUF's keys and back.
ScaleRow::Input TokenizerBothWays(uint64_t count) {
  return TextInput(BpeTokenizer(Vocabulary(count), R"(["t","1"])"),
                   [count](const std::string& text) {
                     TokenizerSource source;
                     source.files = {{"tokenizer.json", text}};
                     source.vocabulary = count;
                     source.architecture = "llama";
                     GgufKeys keys;
                     std::vector<std::string> notices;
                     AddTokenizerKeys(source, "gpt-2", keys, notices);
                     const uint64_t tokens = keys.Find("tokenizer.ggml.tokens")->size();
                     TokenizerFiles(keys, Json::MakeObject(), notices);
                     return tokens;
                   });
}

ModelTokenizer ModelOf(const std::string& json, const std::string& config) {
  return {"m", {{"tokenizer.json", json}, {"tokenizer_config.json", config}}, 0};
}

// Tokens that only tokenizer_config.json lists.
ScaleRow::Input ConfiguredTokens(uint64_t count) {
  const std::string decoder = JoinEntries(count, ",", [](uint64_t i) {
    return "\"" + std::to_string(i + 1) + R"(":{"content":"<c)" + Serial(i) +
           R"(>","special":true})";
  });
  return TextInput("{\"added_tokens_decoder\":{" + decoder + "}}", [](const std::string& config) {
    return SourceVocabulary(ModelOf(BpeTokenizer("\"t\":0", ""), config)).tokens().size() - 1;
  });
}

ScaleRow::Input FurtherTokens(uint64_t count) {
  const std::string list =
      JoinEntries(count, ",", [](uint64_t i) { return "\"<f" + Serial(i) + ">\""; });
  return TextInput("{\"additional_special_tokens\":[" + list + "]}", [](const std::string& config) {
    return SourceVocabulary(ModelOf(BpeTokenizer("\"t\":0", ""), config)).tokens().size() - 1;
  });
}

// Two tokenizers that have no added token in common: their union, and its files.
ScaleRow::Input MergedTokenizers(uint64_t count) {
  const std::string a = BpeTokenizer(Vocabulary(count), R"(["t","1"])");
  const std::string b = BpeTokenizer(Vocabulary(1), "", Added(1, count));
  return {a.size() + b.size(), [a, b, count]() -> uint64_t {
            const std::vector<ModelTokenizer> models = {ModelOf(a, "{}"), ModelOf(b, "{}")};
            std::vector<std::string> notices;
            const OutputVocabulary merged = BuildOutputVocabulary(models, 0, {}, notices);
            const auto files = OutputTokenizerFiles(models[merged.donor], merged, notices);
            return files.empty() ? 0 : merged.tokens - count;
          }};
}

std::string Shard(uint64_t count) {
  return RawSafetensors("{" +
                            JoinEntries(count, ",",
                                        [](uint64_t i) {
                                          return RawEntry("m" + Serial(i) + ".weight", "U8", "[1]",
                                                          i, i + 1);
                                        }) +
                            "}",
                        count);
}

struct Folder {
  std::shared_ptr<TempDir> folder = std::make_shared<TempDir>();
  uint64_t bytes = 0;

  void Write(const std::string& name, const std::string& content) {
    WriteTestFile(*folder / name, content);
    bytes += content.size();
  }

  ScaleRow::Input Opened(bool collect) const {
    return {bytes, [folder = folder, collect]() -> uint64_t {
              OpenOptions options;
              options.collect_problems = collect;
              return OpenCheckpoint(folder->path(), options).tensors.size();
            }};
  }
};

ScaleRow::Input IndexedFolder(uint64_t count) {
  Folder out;
  out.Write("config.json", "{\"model_type\":\"x\"}");
  out.Write("model-00001-of-00001.safetensors", Shard(count));
  const std::string map = JoinEntries(count, ",", [](uint64_t i) {
    return "\"m" + Serial(i) + ".weight\":\"model-00001-of-00001.safetensors\"";
  });
  out.Write(
      "model.safetensors.index.json",
      "{\"metadata\":{\"total_size\":" + std::to_string(count) + "},\"weight_map\":{" + map + "}}");
  return out.Opened(false);
}

// A quantization block that says something of every module.
ScaleRow::Input MlxOverrides(uint64_t count) {
  Folder out;
  const std::string modules =
      JoinEntries(count, ",", [](uint64_t i) { return "\"m" + Serial(i) + "\":false"; });
  out.Write("config.json",
            R"({"model_type":"x","quantization":{"group_size":64,"bits":4,)" + modules + "}}");
  out.Write("model.safetensors", Shard(count));
  return out.Opened(true);
}

ScaleRow::Input ValidatedFolder(uint64_t count) {
  Folder out;
  out.Write("config.json", "{\"model_type\":\"llama\",\"hidden_size\":8}");
  out.Write("model.safetensors", Shard(count));
  return {out.bytes, [folder = out.folder]() -> uint64_t {
            Executor executor(1);
            CheckOptions check;
            check.executor = &executor;
            OpenOptions options;
            options.collect_problems = true;
            const Checkpoint checkpoint = OpenCheckpoint(folder->path(), options);
            Validate(checkpoint, false, check);
            return checkpoint.tensors.size();
          }};
}

class ModelScale : public testing::TestWithParam<ScaleRow> {};

TEST_P(ModelScale, CostsAreLinear) {
  ExpectLinear(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ModelScale,
    testing::Values(ScaleRow{"tokenizer.json", kMillion, 16, TokenizerJson},
                    ScaleRow{"sentence pieces", kMillion, 8, SentencePieces},
                    ScaleRow{"tokenizer both ways", kMillion / 2, 32, TokenizerBothWays},
                    ScaleRow{"configured tokens", kMillion / 5, 16, ConfiguredTokens},
                    ScaleRow{"further tokens", kMillion / 5, 32, FurtherTokens},
                    ScaleRow{"merged tokenizers", kMillion / 5, 32, MergedTokenizers},
                    ScaleRow{"index", kMillion / 2, 8, IndexedFolder},
                    ScaleRow{"mlx overrides", kMillion / 5, 16, MlxOverrides},
                    ScaleRow{"validated folder", kMillion / 5, 16, ValidatedFolder}));

}  // namespace
}  // namespace lbrx

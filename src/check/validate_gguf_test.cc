// What validation finds in GGUF files.
#include <functional>

#include "check/test_problems.h"
#include "hostile/raw_gguf.h"

namespace lbrx {
namespace {

constexpr uint32_t kF32 = 0;

// A model of two layers, which rows change.
struct RawModel {
  std::map<std::string, std::string> keys;  // as they stand in the file
  std::vector<std::pair<std::string, std::vector<uint64_t>>> tensors;

  RawModel() {
    Set("general.architecture", RawGgufString("general.architecture", "llama"));
    U32("llama.context_length", 64);
    U32("llama.embedding_length", 8);
    U32("llama.block_count", 2);
    U32("llama.attention.head_count", 4);
    U32("llama.attention.head_count_kv", 2);
    Set("eps",
        RawGgufKey("llama.attention.layer_norm_rms_epsilon", 6, LittleEndian(0x3727C5AC, 4)));
    Set("model", RawGgufString("tokenizer.ggml.model", "llama"));
    Set("tokens", RawGgufStrings("tokenizer.ggml.tokens", {"<unk>", "a", "<0x0A>"}));
    Set("scores", RawGgufArray("tokenizer.ggml.scores", 6, 3, std::string(12, '\0')));
    Types({2, 1, 6});
    U32("tokenizer.ggml.bos_token_id", 1);
    tensors = {{"token_embd.weight", {8, 3}},
               {"blk.0.attn_q.weight", {8, 8}},
               {"blk.1.attn_q.weight", {8, 8}}};
  }

  void Set(const std::string& name, const std::string& raw) { keys[name] = raw; }

  void U32(const std::string& name, uint32_t value) { Set(name, RawGgufU32(name, value)); }

  void Types(const std::vector<uint64_t>& types) {
    std::string elements;
    for (const uint64_t type : types) {
      elements += LittleEndian(type, 4);
    }
    Set("types", RawGgufArray("tokenizer.ggml.token_type", 5, types.size(), elements));
  }

  std::string Bytes() const {
    RawGguf raw;
    uint64_t offset = 0;
    for (const auto& [name, value] : keys) {
      raw.keys.push_back(value);
    }
    for (const auto& [name, ne] : tensors) {
      raw.tensors.push_back(RawGgufTensor(name, ne, kF32, offset));
      uint64_t bytes = 4;
      for (const uint64_t dim : ne) {
        bytes *= dim;
      }
      offset += (bytes + 31) / 32 * 32;
    }
    raw.data = std::string(offset, '\1');
    return raw.Bytes();
  }
};

struct Row {
  std::string name;
  std::function<void(RawModel&)> change;
  std::string object;
  std::vector<std::string> words;
};

std::vector<Problem> ValidateRaw(const RawModel& model) {
  const TempDir folder;
  WriteTestFile(folder / "x.gguf", model.Bytes());
  TestOptions test;
  return Validate(OpenForCheck(folder / "x.gguf"), /*deep=*/false, test.options);
}

void ExpectRows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    RawModel model;
    row.change(model);
    ExpectOne(ValidateRaw(model), Severity::kError, row.object, row.words);
  }
}

TEST(ValidateGguf, FindsNothingInASoundModel) {
  EXPECT_EQ(Text(ValidateRaw(RawModel())), "");
}

TEST(ValidateGguf, ChecksTheKeysOfTheModel) {
  ExpectRows({
      {"architecture",
       [](RawModel& m) { m.keys.erase("general.architecture"); },
       "general.architecture",
       {"missing"}},
      {"context",
       [](RawModel& m) { m.keys.erase("llama.context_length"); },
       "llama.context_length",
       {"requires", "found nothing"}},
      {"epsilon",
       [](RawModel& m) { m.keys.erase("eps"); },
       "llama.attention.layer_norm_rms_epsilon",
       {"requires"}},
      {"r55_block_count",
       [](RawModel& m) { m.U32("llama.block_count", 1'000'000'000); },
       "llama.block_count",
       {"at most 4096", "1000000000"}},
      {"block_missing",
       [](RawModel& m) { m.U32("llama.block_count", 3); },
       "llama.block_count",
       {"layer 2 has no tensors"}},
      {"block_beyond",
       [](RawModel& m) { m.U32("llama.block_count", 1); },
       "blk.1.attn_q.weight",
       {"llama.block_count = 1", "layer 1"}},
      {"r55_no_heads",
       [](RawModel& m) { m.U32("llama.attention.head_count", 0); },
       "llama.attention.head_count",
       {"without heads"}},
      {"r55_pairs",
       [](RawModel& m) { m.U32("llama.attention.head_count_kv", 3); },
       "llama.attention.head_count_kv",
       {"a divisor of 4", "found 3"}},
      {"experts",
       [](RawModel& m) { m.U32("llama.expert_count", 2), m.U32("llama.expert_used_count", 3); },
       "llama.expert_used_count",
       {"1 to 2", "found 3"}},
      {"width",
       [](RawModel& m) { m.U32("llama.embedding_length", 16); },
       "token_embd.weight",
       {"rows of 16", "[3, 8]"}},
  });
}

TEST(ValidateGguf, ChecksTheTokenizer) {
  ExpectRows({
      {"tokens_type",
       [](RawModel& m) { m.Set("tokens", RawGgufU32("tokenizer.ggml.tokens", 3)); },
       "tokenizer.ggml.tokens",
       {"expected str[]", "found u32"}},
      {"model",
       [](RawModel& m) { m.keys.erase("model"); },
       "tokenizer.ggml.model",
       {"found nothing"}},
      {"r54_scores",
       [](RawModel& m) {
         m.Set("scores", RawGgufArray("tokenizer.ggml.scores", 6, 2, std::string(8, '\0')));
       },
       "tokenizer.ggml.scores",
       {"3 elements", "found 2"}},
      {"scores_type",
       [](RawModel& m) {
         m.Set("scores", RawGgufStrings("tokenizer.ggml.scores", {"", "", ""}));
       },
       "tokenizer.ggml.scores",
       {"expected f32[]", "found str[]"}},
      {"r54_types", [](RawModel& m) { m.Types({1}); }, "tokenizer.ggml.token_type", {"found 1"}},
      {"r54_byte",
       [](RawModel& m) {
         m.Set("tokens", RawGgufStrings("tokenizer.ggml.tokens", {"a", "b", "<0x-1>"}));
       },
       "tokenizer.ggml.tokens",
       {"token 2", "<0x-1>"}},
      {"r54_id",
       [](RawModel& m) { m.U32("tokenizer.ggml.eos_token_id", 3); },
       "tokenizer.ggml.eos_token_id",
       {"less than 3", "found 3"}},
      {"duplicate",
       [](RawModel& m) {
         m.Set("tokens", RawGgufStrings("tokenizer.ggml.tokens", {"a", "a", "<0x0A>"}));
       },
       "tokenizer.ggml.tokens",
       {"tokens 0 and 1"}},
      {"merges",
       [](RawModel& m) { m.Set("model", RawGgufString("tokenizer.ggml.model", "gpt2")); },
       "tokenizer.ggml.merges",
       {"needs them"}},
      {"rows",
       [](RawModel& m) {
         m.tensors[0].second = {8, 4};
       },
       "token_embd.weight",
       {"3 rows", "[4, 8]"}},
  });
}

TEST(ValidateGguf, QuantizedTensorsNeedTheirVersion) {
  TestOptions test;
  const std::vector<Problem> problems =
      Validate(OpenForCheck(LBRX_TEST_DATA "/gguf/every_type.gguf"), /*deep=*/false, test.options);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].severity, Severity::kWarning);
  EXPECT_EQ(problems[0].detail.object, "general.quantization_version");
}

}  // namespace
}  // namespace lbrx

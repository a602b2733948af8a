// bard-base, damaged in every way that comes to mind.
#include <algorithm>
#include <functional>

#include "cli/test_damage.h"
#include "formats/checkpoint.h"

namespace lbrx {
namespace {

constexpr char kModel[] = "model.safetensors";
constexpr char kIndex[] = "model.safetensors.index.json";
constexpr char kConfig[] = "config.json";
constexpr char kTokenizer[] = "tokenizer.json";
constexpr size_t kDataStart = 8 + 6128;  // of bard-base's one file

using Names = std::set<std::string>;

struct Case {
  std::string name;
  bool sharded;
  std::function<void(const DamagedModel&)> damage;
  int code;                              // 3: nothing is written
  Names lost = {};                       // by name, config keys and files too
  std::vector<std::string> mended = {};  // words of what was mended
  std::vector<std::string> options = {};
};

// Names of tensors whose data does not end at or before `end` of the file.
Names Behind(uint64_t end) {
  Names names;
  for (const auto& array : OpenCheckpoint(DamagedModel::Whole() + "/" + kModel).arrays) {
    if (array.offset + array.bytes > end) {
      names.insert(array.name);
    }
  }
  return names;
}

// The place of `text` in the header, `shift` further.
std::function<void(const DamagedModel&)> Flip(const std::string& text, size_t shift, char to) {
  return [=](const DamagedModel& model) {
    const size_t at = model.Read(kModel).find(text);
    ASSERT_LT(at, kDataStart);
    model.Poke(kModel, at + shift, std::string(1, to));
  };
}

std::function<void(const DamagedModel&)> Swap(const std::string& file, const std::string& from,
                                              const std::string& to) {
  return [=](const DamagedModel& model) { model.Replace(file, from, to); };
}

const std::vector<std::string> kReference = {"--reference", DamagedModel::Whole()};
constexpr char kUp3[] = R"("model.layers.3.mlp.up_proj.weight":{"dtype":"BF16","shape":[768,256])";
constexpr char kUp3Name[] = "model.layers.3.mlp.up_proj.weight";

std::vector<Case> CutFiles() {
  return {
      {"nothing wrong", false, [](const DamagedModel&) {}, 0},
      {"last byte cut",
       false,
       [](const DamagedModel& m) { m.Cut(kModel, m.Read(kModel).size() - 1); },
       10,
       {"model.norm.weight"}},
      {"cut in the middle of a tensor", false,
       [](const DamagedModel& m) { m.Cut(kModel, 5'000'000); }, 10, Behind(5'000'000)},
      {"cut between two tensors", false,
       [](const DamagedModel& m) { m.Cut(kModel, kDataStart + 2097152); }, 10,
       Behind(kDataStart + 2097152)},
      {"cut at the end of the header", false,
       [](const DamagedModel& m) { m.Cut(kModel, kDataStart); }, 3},
      {"cut in the header", false, [](const DamagedModel& m) { m.Cut(kModel, 3000); }, 3},
      {"cut behind the length field", false, [](const DamagedModel& m) { m.Cut(kModel, 8); }, 3},
      {"cut in the length field", false, [](const DamagedModel& m) { m.Cut(kModel, 5); }, 3},
      {"empty", false, [](const DamagedModel& m) { m.Cut(kModel, 0); }, 3},
      {"bytes behind the end",
       false,
       [](const DamagedModel& m) { m.Write(kModel, m.Read(kModel) + std::string(77, 'x')); },
       0,
       {},
       {"77 bytes behind"}},
      {"a pointer of Git LFS", false,
       [](const DamagedModel& m) {
         m.Write(kModel, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n");
       },
       3},
      {"zeros only", false,
       [](const DamagedModel& m) { m.Write(kModel, std::string(100'000, '\0')); }, 3},
  };
}

std::vector<Case> DamagedHeaders() {
  return {
      {"length field of zero",
       false,
       [](const DamagedModel& m) { m.Poke(kModel, 0, std::string(8, '\0')); },
       0,
       {},
       {"header length"}},
      {"length field too short",
       false,
       [](const DamagedModel& m) { m.Poke(kModel, 0, "\xE0"); },
       0,
       {},
       {"header length"}},
      {"length field too long",
       false,
       [](const DamagedModel& m) { m.Poke(kModel, 1, "\x57"); },
       0,
       {},
       {"header length"}},
      {"length field huge",
       false,
       [](const DamagedModel& m) { m.Poke(kModel, 7, "\x80"); },
       0,
       {},
       {"header length"}},
      {"first brace", false, [](const DamagedModel& m) { m.Poke(kModel, 8, ";"); }, 0},
      {"last brace", false, Flip("]}}    ", 2, ']'), 0},
      {"dtype", false, Flip(kUp3, 46, 'R'), 0, {}, {kUp3Name}},
      {"key of the dtype", false, Flip(kUp3, 37, 'a'), 0},
      {"digit of the shape", false, Flip(kUp3, 61, '5'), 0, {}, {"[768, 256]"}},
      {"bracket of the shape", false, Flip(kUp3, 60, '{'), 0},
      {"digit of an offset",
       false,
       [](const DamagedModel& m) {
         Flip("\"data_offsets\":[2097152", 16, '7')(m);  // of the first layer's first norm
       },
       0,
       {},
       {"its place"}},
      {"no digit in an offset", false,
       [](const DamagedModel& m) { Flip("\"data_offsets\":[2097152", 18, '\x19')(m); }, 0},
      {"a digit of a name", false, Flip(kUp3, 14, '7'), 0, {}, {"which read"}},
      {"a name that becomes another's", false, Flip(kUp3, 14, '1'), 0, {}, {"which read"}},
      {"a letter of a name", false, Flip(kUp3, 16, 'l'), 0, {}, {"which read"}},
      {"a byte of a name that is no UTF-8", false, Flip(kUp3, 16, '\xED'), 0, {}, {"which read"}},
      {"quote before a name", false, Flip(kUp3, 0, '#'), 0},
      {"quote behind a name", false, Flip(kUp3, 34, '#'), 0},
      {"comma in an entry", false, Flip(kUp3, 51, '<'), 0},
      {"half of the header zeroed",
       false,
       [](const DamagedModel& m) { m.Poke(kModel, 0, std::string(4096, '\0')); },
       0,
       {},
       {"header"},
       kReference},
      {"all of the header zeroed",
       false,
       [](const DamagedModel& m) { m.Poke(kModel, 0, std::string(kDataStart, '\0')); },
       0,
       {},
       {"rebuilt"},
       kReference},
      {"all of the header zeroed, no reference", false,
       [](const DamagedModel& m) { m.Poke(kModel, 0, std::string(kDataStart, '\0')); }, 3},
  };
}

std::vector<Case> DamagedConfigs() {
  const Names rest{"config.json: other keys"};
  return {
      {"no config",
       false,
       [](const DamagedModel& m) { m.Remove(kConfig); },
       10,
       {"config.json: model_type", "config.json: num_attention_heads", "config.json: other keys"},
       {"hidden_size"}},
      {"no config, but a reference",
       false,
       [](const DamagedModel& m) { m.Remove(kConfig); },
       0,
       {},
       {"taken from the reference"},
       kReference},
      {"config cut",
       false,
       [](const DamagedModel& m) {
         m.Cut(kConfig, m.Read(kConfig).find("\"num_key_value_heads\""));
       },
       10,
       rest,
       {"num_key_value_heads", "vocab_size"}},
      {"config with a comma too many",
       false,
       Swap(kConfig, "2048\n}", "2048,\n}"),
       0,
       {},
       {"comma"}},
      {"config with a wrong key",
       false,
       Swap(kConfig, "\"hidden_size\"", "\"hidden_sizd\""),
       0,
       {},
       {"hidden_sizd"}},
      {"config with a wrong size",
       false,
       Swap(kConfig, "_size\": 256", "_size\": 257"),
       0,
       {},
       {"256 in place of 257"}},
      {"config with a wrong number of heads",
       false,
       Swap(kConfig, "heads\": 8", "heads\": 9"),
       0,
       {},
       {"8 in place of 9"}},
      {"config with a layer too many",
       false,
       Swap(kConfig, "layers\": 6", "layers\": 7"),
       0,
       {},
       {"6 in place of 7"}},
      {"config is a page",
       false,
       [](const DamagedModel& m) { m.Write(kConfig, "<!DOCTYPE html><html>404</html>"); },
       0,
       {},
       {"HTML"},
       kReference},
      {"tokenizer cut",
       false,
       [](const DamagedModel& m) { m.Cut(kTokenizer, 50'000); },
       10,
       {kTokenizer}},
      {"tokenizer cut, but a reference",
       false,
       [](const DamagedModel& m) { m.Cut(kTokenizer, 50'000); },
       0,
       {},
       {"reference"},
       kReference},
      {"no tokenizer, but a reference",
       false,
       [](const DamagedModel& m) { m.Remove(kTokenizer); },
       0,
       {},
       {"missing; taken"},
       kReference},
  };
}

std::vector<Case> DamagedSets() {
  const std::string second = DamagedModel::Shard(2);
  return {
      {"shards whole", true, [](const DamagedModel&) {}, 0},
      {"shards swapped",
       true,
       [=](const DamagedModel& m) {
         m.Rename(second, "x");
         m.Rename(DamagedModel::Shard(3), second);
         m.Rename("x", DamagedModel::Shard(3));
       },
       0,
       {},
       {"in another file"}},
      {"no index", true, [](const DamagedModel& m) { m.Remove(kIndex); }, 0, {}, {"made anew"}},
      {"index is garbage",
       true,
       [](const DamagedModel& m) { m.Write(kIndex, "\x01\x02{["); },
       0,
       {},
       {"made anew"}},
      {"index cut", true, [](const DamagedModel& m) { m.Cut(kIndex, 1000); }, 0, {}, {"not in it"}},
      {"index of wrong files",
       true,
       Swap(kIndex, DamagedModel::Shard(1), second),
       0,
       {},
       {"in another file"}},
      {"index with a wrong size",
       true,
       Swap(kIndex, "\"total_size\": 1154", "\"total_size\": 1145"),
       0,
       {},
       {"total_size"}},
      {"index with a tensor too many",
       true,
       Swap(kIndex, "\"weight_map\": {", "\"weight_map\": {\n\"ghost\": \"" + second + "\","),
       0,
       {},
       {"in no file"}},
      {"a shard missing", true, [=](const DamagedModel& m) { m.Remove(second); }, 10,
       DamagedModel::NamesIn(2)},
      {"a shard missing, no index", true,
       [=](const DamagedModel& m) {
         m.Remove(second);
         m.Remove(kIndex);
       },
       10, DamagedModel::NamesIn(2)},
      {"a shard cut to nothing but its header", true,
       [=](const DamagedModel& m) {
         const std::string content = m.Read(second);
         m.Cut(second, content.find("}}") + 2);
       },
       10, DamagedModel::NamesIn(2)},
      {"a shard renamed",
       true,
       [=](const DamagedModel& m) { m.Rename(second, "z.safetensors"); },
       0,
       {},
       {"z.safetensors"}},
      {"a shard whose download was not finished",
       true,
       [=](const DamagedModel& m) { m.Rename(second, second + ".incomplete"); },
       0,
       {},
       {"taken from it"}},
      {"a shard that is a pointer", true,
       [=](const DamagedModel& m) {
         m.Write(second, "version https://git-lfs.github.com/spec/v1\noid sha256:00\n");
       },
       10, DamagedModel::NamesIn(2)},
      {"a shard twice", true,
       [=](const DamagedModel& m) { m.Write("model-copy.safetensors", m.Read(second)); }, 0},
      {"a shard missing, zeros in its place",
       true,
       [=](const DamagedModel& m) { m.Remove(second); },
       10,
       DamagedModel::NamesIn(2),
       {},
       {"--fill", "zeros"}},
      {"a shard missing, the reference in its place",
       true,
       [=](const DamagedModel& m) { m.Remove(second); },
       10,
       DamagedModel::NamesIn(2),
       {},
       {"--reference", DamagedModel::Whole(), "--fill", "reference"}},
  };
}

// What the output must hold: every tensor that is not lost, byte for byte; of lost ones what they
// were filled with.
void ExpectTensors(const Case& test, const DamagedModel& model) {
  std::map<std::string, std::string> found;
  for (const auto& [name, content] : ReadTree(model.out())) {
    if (name.ends_with(".safetensors")) {
      found.merge(ReadSafetensors(model.out() + "/" + name));
    }
  }
  const std::string fill = test.options.empty() ? "" : test.options.back();
  size_t expected = 0;
  for (const auto& [name, bytes] : DamagedModel::Original()) {
    const bool lost = test.lost.count(name) != 0;
    if (lost && fill != "zeros" && fill != "reference") {
      EXPECT_EQ(found.count(name), 0U) << name;
      continue;
    }
    ++expected;
    ASSERT_EQ(found.count(name), 1U) << name;
    EXPECT_TRUE(found[name] == (lost && fill == "zeros" ? std::string(bytes.size(), '\0') : bytes))
        << name;
  }
  EXPECT_EQ(found.size(), expected);
}

void ExpectReport(const Case& test, const RepairRun& run) {
  EXPECT_EQ(run.Lost(), test.lost);
  for (const std::string& word : test.mended) {
    EXPECT_NE(run.Mended().find(word), std::string::npos) << word << " in " << run.Mended();
  }
  for (const Json& row : run.Rows("lost")) {
    const std::string& name = row.Find("tensor")->AsString();
    const auto original = DamagedModel::Original().find(name);
    if (original != DamagedModel::Original().end()) {
      ASSERT_TRUE(row.Find("bytes")->is_integer()) << name;
      EXPECT_EQ(row.Find("bytes")->AsUint64(), original->second.size()) << name;
    }
  }
}

// The result is sound but for what was lost.
void ExpectValid(const Case& test, const DamagedModel& model) {
  const AppRun run = RunForTest({"validate", model.out(), "--json"});
  const bool config_lost = std::any_of(test.lost.begin(), test.lost.end(), [](const auto& name) {
    return name.starts_with("config.json");
  });
  const Json json = ParseJson(run.out, "stdout");
  for (const Json& row : json.Find("problems")->AsArray()) {
    const Json& object = *row.Find("object");
    const std::string name = object.is_string() ? object.AsString() : "";
    const bool error = row.Find("severity")->AsString() == "error";
    EXPECT_TRUE(!error || test.lost.count(name) != 0 || config_lost ||
                (name.starts_with("layer") && !test.lost.empty()))
        << WriteJson(row);
  }
}

void Check(const Case& test) {
  SCOPED_TRACE(test.name);
  const DamagedModel model(test.sharded);
  test.damage(model);
  const auto before = ReadTree(model.path());
  const RepairRun run(model, test.options);
  ASSERT_EQ(run.code, test.code) << run.err << WriteJson(run.json);
  EXPECT_TRUE(ReadTree(model.path()) == before) << "the source is not to be touched";
  if (test.code == 3) {
    EXPECT_FALSE(PathExists(model.out()));
    return;
  }
  ExpectReport(test, run);
  ExpectTensors(test, model);
  ExpectValid(test, model);
}

void CheckAll(const std::vector<Case>& cases) {
  for (const Case& test : cases) {
    Check(test);
  }
}

TEST(Repair, CutFiles) {
  CheckAll(CutFiles());
}

TEST(Repair, DamagedHeaders) {
  CheckAll(DamagedHeaders());
}

TEST(Repair, DamagedConfigsAndTokenizers) {
  CheckAll(DamagedConfigs());
}

TEST(Repair, DamagedSets) {
  CheckAll(DamagedSets());
}

// What is sound is not changed: files beside the tensors are the same bytes.
TEST(Repair, LeavesWhatIsSound) {
  const DamagedModel model;
  ASSERT_EQ(RepairRun(model).code, 0);
  EXPECT_TRUE(ReadTree(model.out()) == ReadTree(model.path()));
}

TEST(Repair, MendedConfigSaysWhatTheOriginalSaid) {
  const DamagedModel model;
  model.Replace(kConfig, "\"vocab_size\": 2048", "\"vocab_size\": 2052");
  model.Replace(kConfig, "\"head_dim\": 32,", "");
  model.Replace(kConfig, "\"num_key_value_heads\": 4", "\"num_key_value_heads\": 5");
  ASSERT_EQ(RepairRun(model).code, 0);
  Json config = ParseJson(ReadTestFile(model.out() + "/config.json"), "config.json");
  config.Set("head_dim", 32);
  EXPECT_EQ(config, ParseJson(ReadTestFile(DamagedModel::Whole() + "/config.json"), ""));
}

TEST(Repair, ADryRunWritesNothing) {
  const DamagedModel model;
  model.Cut(kModel, 5'000'000);
  const AppRun text = RunForTest({"repair", model.path(), model.out(), "--dry-run"});
  EXPECT_EQ(text.code, 10) << text.err;
  EXPECT_NE(text.out.find("lost    "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("cut off: "), std::string::npos) << text.out;
  EXPECT_FALSE(PathExists(model.out()));
  const RepairRun run(model, {"--dry-run"});
  EXPECT_EQ(run.json.Find("schema")->AsString(), "lbrx.repair.v1");
  EXPECT_EQ(run.json.Find("found")->Find("tensors")->AsUint64(), 57 - run.Lost().size());
}

TEST(Repair, RefusesWrongLines) {
  const DamagedModel model;
  EXPECT_EQ(RepairRun(model, {"--fill", "reference"}).code, 2);
  EXPECT_EQ(RepairRun(model, {"--fill", "noise"}).code, 2);
  EXPECT_EQ(RepairRun(model, {"--reference", model.path() + "-none"}).code, 5);
  EXPECT_EQ(RunForTest({"repair", model.path(), model.path()}).code, 2);
  EXPECT_EQ(RunForTest({"repair", model.path() + "-none", model.out()}).code, 5);
  ASSERT_EQ(RepairRun(model).code, 0);
  EXPECT_EQ(RepairRun(model).code, 5) << "the destination exists";
  EXPECT_EQ(RepairRun(model, {"--force"}).code, 0);
}

TEST(Repair, ABareFile) {
  const DamagedModel model;
  model.Cut(kModel, 5'000'000);
  const std::string out = model.out() + ".safetensors";
  const AppRun run = RunForTest({"repair", model.File(kModel), out, "--json"});
  EXPECT_EQ(run.code, 10) << run.err;
  std::map<std::string, std::string> expected = DamagedModel::Original();
  for (const std::string& name : Behind(5'000'000)) {
    expected.erase(name);
  }
  EXPECT_TRUE(ReadSafetensors(out) == expected);
}

// NaN is data, and what is said in a metadata block stays.
TEST(Repair, KeepsValuesAndTypesOfQuantizedModels) {
  const DamagedModel model;
  const std::string mlx = model.out() + "-mlx";
  ASSERT_EQ(RunForTest({"convert", model.path(), mlx, "-q", "4bit", "--no-sync"}).code, 0);
  const auto before = ReadSafetensors(mlx + "/model.safetensors");
  std::string bytes = ReadTestFile(mlx + "/model.safetensors");
  WriteTestFile(mlx + "/model.safetensors", bytes.substr(0, bytes.size() - 200'000));
  const AppRun cut = RunForTest({"repair", mlx, model.out(), "--json"});
  EXPECT_EQ(cut.code, 10) << cut.err;
  size_t kept = 0;
  for (const auto& [name, content] : ReadSafetensors(model.out() + "/model.safetensors")) {
    EXPECT_TRUE(before.at(name) == content) << name;
    ++kept;
  }
  EXPECT_EQ(kept + ParseJson(cut.out, "").Find("lost")->AsArray().size(), before.size());
  const AppRun filled = RunForTest({"repair", mlx, model.out() + "2", "--reference", model.path(),
                                    "--fill", "reference", "--json"});
  EXPECT_EQ(filled.code, 10) << filled.err;
  EXPECT_TRUE(ReadSafetensors(model.out() + "2/model.safetensors") == before)
      << "quantized anew from the reference's floats";
}

}  // namespace
}  // namespace lbrx

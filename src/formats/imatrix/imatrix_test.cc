// tests/data/imatrix: a matrix that llama-imatrix made, in both of its formats, and small files of
// gguf-py (make_imatrix.py).
#include "formats/imatrix/imatrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/error.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

std::string Data(const std::string& name) {
  return std::string(LBRX_TEST_DATA) + "/imatrix/" + name;
}

std::vector<float> All(const ImportanceMatrix& matrix, const ImportanceEntry& entry) {
  std::vector<float> out(entry.values);
  matrix.Read(entry, 0, out);
  return out;
}

TEST(Imatrix, BothFormatsGiveTheSameWeights) {
  const ImportanceMatrix gguf = ImportanceMatrix::Open(Data("imatrix.gguf"));
  const ImportanceMatrix dat = ImportanceMatrix::Open(Data("imatrix.dat"));
  EXPECT_EQ(gguf.entries().size(), 42U);
  ASSERT_EQ(dat.entries().size(), gguf.entries().size());
  for (const auto& [name, entry] : gguf.entries()) {
    const auto other = dat.entries().find(name);
    ASSERT_NE(other, dat.entries().end()) << name;
    EXPECT_EQ(All(gguf, entry), All(dat, other->second)) << name;
  }
  for (const ImportanceMatrix* matrix : {&gguf, &dat}) {
    EXPECT_EQ(matrix->datasets(), std::vector<std::string>{"/tmp/cal.txt"});
    EXPECT_EQ(matrix->chunks(), 31U);
    EXPECT_EQ(matrix->neutral(), 0U);
  }
}

TEST(Imatrix, AWeightIsSumOverCount) {
  const ImportanceMatrix matrix = ImportanceMatrix::Open(Data("imatrix.gguf"));
  const auto weights = All(matrix, matrix.entries().at("blk.0.attn_k.weight"));
  ASSERT_EQ(weights.size(), 256U);
  // Sums as gguf-py reads them.
  EXPECT_FLOAT_EQ(weights[0], 19003.078F / 15872);
  EXPECT_FLOAT_EQ(weights[3], 16140.8955F / 15872);
}

TEST(Imatrix, ExpertsHaveTheirOwnCountsAndNoneIsNeutral) {
  const ImportanceMatrix matrix = ImportanceMatrix::Open(Data("experts.gguf"));
  ASSERT_EQ(matrix.entries().size(), 1U);
  const auto& [name, entry] = *matrix.entries().begin();
  EXPECT_EQ(name, "blk.0.ffn_up_exps.weight");
  const float third = 3;
  const std::vector<float> expected = {0.5F, 1, 1.5F,      2,         1,         1,
                                       1,    1, 1 / third, 2 / third, 4 / third, 7 / third};
  EXPECT_EQ(All(matrix, entry), expected);
  EXPECT_EQ(matrix.neutral(), 1U);
  EXPECT_EQ(matrix.datasets(), (std::vector<std::string>{"a.txt", "b.txt"}));
  EXPECT_EQ(matrix.chunks(), 7U);
  std::vector<float> part(3);
  matrix.Read(entry, 3, part);
  EXPECT_EQ(part, (std::vector<float>{2, 1, 1}));
}

TEST(Imatrix, FindsByNameAndSize) {
  const ImportanceMatrix matrix = ImportanceMatrix::Open(Data("experts.gguf"));
  constexpr char kName[] = "blk.0.ffn_up_exps.weight";
  EXPECT_NE(matrix.Find(kName, {3, 5, 4}), nullptr);
  EXPECT_NE(matrix.Find(kName, {5, 12}), nullptr);
  EXPECT_EQ(matrix.Find("blk.1.ffn_up_exps.weight", {3, 5, 4}), nullptr);
  try {
    matrix.Find(kName, {3, 5, 8});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_EQ(error.detail().object, kName);
    EXPECT_EQ(error.detail().found, "12");
  }
}

TEST(Imatrix, FiltersByPartsOfNames) {
  ImportanceMatrix matrix = ImportanceMatrix::Open(Data("imatrix.dat"));
  EXPECT_EQ(matrix.Filter({"attn_k", "ffn_", "none"}, {"down", "blk.0."}),
            std::vector<std::string>{"none"});
  EXPECT_EQ(matrix.entries().size(), 15U);  // attn_k, ffn_gate, ffn_up of 5 layers
  EXPECT_EQ(matrix.entries().count("blk.1.attn_k.weight"), 1U);
  EXPECT_TRUE(matrix.Filter({}, {"blk"}).empty());
  EXPECT_TRUE(matrix.entries().empty());
}

TEST(Imatrix, TellsWhereWeightsCameFrom) {
  const ImportanceMatrix matrix = ImportanceMatrix::Open(Data("imatrix.gguf"));
  GgufKeys keys;
  keys.Set("quantize.imatrix.chunks_count", GgufValue::U32(1));
  keys.Set("general.name", GgufValue::String("x"));
  matrix.AddProvenance(keys);
  ASSERT_EQ(keys.entries().size(), 5U);
  EXPECT_EQ(keys.entries()[0].first, "general.name");
  EXPECT_EQ(keys.String("quantize.imatrix.file"), Data("imatrix.gguf").substr(0, 127));
  EXPECT_EQ(keys.String("quantize.imatrix.dataset"), "/tmp/cal.txt");
  EXPECT_EQ(*keys.Find("quantize.imatrix.entries_count"), GgufValue::U32(42));
  EXPECT_EQ(*keys.Find("quantize.imatrix.chunks_count"), GgufValue::U32(31));
}

// What is wrong with a file; fails the test where nothing is.
Error Refusal(const std::string& path) {
  try {
    ImportanceMatrix::Open(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid) << error.what();
    EXPECT_EQ(error.detail().file, path);
    EXPECT_TRUE(error.detail().offset.has_value()) << error.what();
    return error;
  }
  ADD_FAILURE() << path << " was accepted";
  return {ErrorCode::kInternal, ""};
}

TEST(Imatrix, RefusesBrokenGguf) {
  constexpr char kEntry[] = "blk.0.ffn_up_exps.weight";
  for (const char* name : {"no_counts", "no_sums", "uneven", "not_a_number", "infinite_count",
                           "negative", "negative_count"}) {
    EXPECT_EQ(Refusal(Data(std::string(name) + ".gguf")).detail().object, kEntry) << name;
  }
  EXPECT_EQ(Refusal(Data("not_a_number.gguf")).detail().found, "nan");
  EXPECT_EQ(Refusal(Data("half_floats.gguf")).detail().found, "F16");
  EXPECT_EQ(Refusal(Data("a_model.gguf")).detail().found, "model");
  EXPECT_NE(Refusal(Data("no_entries.gguf")).detail().what.find("no importance weights"),
            std::string::npos);
  EXPECT_EQ(Refusal(Data("no_datasets.gguf")).detail().object, "imatrix.datasets");
  EXPECT_EQ(Refusal(Data("no_chunk_count.gguf")).detail().object, "imatrix.chunk_count");
  EXPECT_EQ(Refusal(Data("no_chunk_size.gguf")).detail().object, "imatrix.chunk_size");
  EXPECT_EQ(Refusal(Data("text_chunks.gguf")).detail().object, "imatrix.chunk_count");
}

// Builds .dat files.
class Dat {
 public:
  Dat& Int(int32_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }

  Dat& Float(float value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }

  Dat& Text(const std::string& text) {
    Int(static_cast<int32_t>(text.size()));
    bytes_ += text;
    return *this;
  }

  Dat& Entry(const std::string& name, int32_t calls, const std::vector<float>& values) {
    Text(name).Int(calls).Int(static_cast<int32_t>(values.size()));
    for (const float value : values) {
      Float(value);
    }
    return *this;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class ImatrixDat : public ::testing::Test {
 protected:
  std::string Write(const std::string& bytes) {
    std::string path = dir_.path() + "/" + std::to_string(++files_) + ".dat";
    File::Create(path)->WriteAt(0, bytes);
    return path;
  }

  Error Refused(const Dat& dat) { return Refusal(Write(dat.bytes())); }

 private:
  TempDir dir_;
  int files_ = 0;
};

TEST_F(ImatrixDat, ReadsWithAndWithoutTail) {
  const Dat entry = Dat().Int(1).Entry("a", 2, {4, 0});
  const ImportanceMatrix bare = ImportanceMatrix::Open(Write(entry.bytes()));
  EXPECT_EQ(All(bare, bare.entries().at("a")), (std::vector<float>{2, 0}));
  EXPECT_EQ(bare.chunks(), 0U);
  EXPECT_TRUE(bare.datasets().empty());
  EXPECT_EQ(ImportanceMatrix::Open(Write(Dat(entry).Int(5).bytes())).chunks(), 5U);
  const ImportanceMatrix whole = ImportanceMatrix::Open(Write(Dat(entry).Int(5).Text("t").bytes()));
  EXPECT_EQ(whole.datasets(), std::vector<std::string>{"t"});
}

TEST_F(ImatrixDat, EveryCutIsRefusedButThoseAtTheTail) {
  const std::string entries = Dat().Int(2).Entry("ab", 2, {4, 1}).Entry("c", 1, {1}).bytes();
  const std::string whole = entries + Dat().Int(5).Text("text").bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string path = Write(whole.substr(0, size));
    if (size == entries.size() || size == entries.size() + 4) {
      EXPECT_EQ(ImportanceMatrix::Open(path).entries().size(), 2U);
    } else {
      EXPECT_FALSE(Refusal(path).detail().what.empty()) << size;
    }
  }
}

TEST_F(ImatrixDat, RefusesAbsurdNumbers) {
  EXPECT_EQ(Refused(Dat().Int(0).Entry("a", 1, {1})).detail().found, "0");
  EXPECT_EQ(Refused(Dat().Int(1 << 30).Entry("a", 1, {1})).detail().found, "1073741824");
  EXPECT_EQ(Refused(Dat().Int(1).Int(-1).Int(1).Int(1).Float(1)).detail().offset, 4U);
  EXPECT_EQ(Refused(Dat().Int(1).Int(0).Int(1).Int(1).Float(1)).detail().found, "0");
  EXPECT_EQ(Refused(Dat().Int(1).Int(1 << 30).Int(1).Int(1).Float(1)).detail().found, "1073741824");
  const Error calls = Refused(Dat().Int(1).Entry("a", 0, {1}));
  EXPECT_EQ(calls.detail().object, "a");
  EXPECT_EQ(calls.detail().offset, 9U);
  EXPECT_EQ(Refused(Dat().Int(1).Entry("a", -3, {1})).detail().found, "-3");
  const Error values = Refused(Dat().Int(1).Text("a").Int(1).Int(1 << 30).Float(1));
  EXPECT_EQ(values.detail().object, "a");
  EXPECT_EQ(values.detail().expected, "1 to 1");
  EXPECT_EQ(Refused(Dat().Int(1).Text("abc").Int(1).Int(0).Float(1)).detail().found, "0");
  EXPECT_EQ(Refused(Dat().Int(1).Entry("a", 1, {1}).Int(-1)).detail().found, "-1");
  EXPECT_EQ(Refused(Dat().Int(1).Entry("a", 1, {1}).Int(1).Int(-1)).detail().found, "-1");
  EXPECT_EQ(Refused(Dat().Int(1).Entry("a", 1, {1}).Int(1).Text("t").Int(0)).detail().found,
            "4 bytes more");
}

TEST_F(ImatrixDat, RefusesBadNamesAndValues) {
  EXPECT_EQ(Refused(Dat().Int(2).Entry("a", 1, {1}).Entry("a", 1, {1})).detail().object, "a");
  EXPECT_FALSE(Refused(Dat().Int(1).Entry(std::string("a\0b", 3), 1, {1})).detail().what.empty());
  for (const float bad :
       {-1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const Error error = Refused(Dat().Int(1).Entry("a", 1, {1, bad}));
    EXPECT_EQ(error.detail().object, "a");
    EXPECT_EQ(error.detail().offset, 21U);
  }
}

TEST_F(ImatrixDat, AFileThatChangedIsNoCrash) {
  const std::string path = Write(Dat().Int(1).Entry("a", 1, {1, 2}).bytes());
  const ImportanceMatrix matrix = ImportanceMatrix::Open(path);
  File::OpenWrite(path)->Truncate(10);
  std::vector<float> out(2);
  EXPECT_THROW(matrix.Read(matrix.entries().at("a"), 0, out), Error);
}

}  // namespace
}  // namespace lbrx

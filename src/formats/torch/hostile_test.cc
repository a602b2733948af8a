// Rows 58 to 67 of the fault table: hostile pickles, archives and legacy files, what they are
// refused with, and that this costs neither memory nor time.
#include <gtest/gtest.h>

#include <chrono>

#include "core/base/error.h"
#include "formats/checkpoint.h"
#include "hostile/peak_memory.h"
#include "hostile/raw_torch.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)

struct Row {
  const char* name;
  std::string content;
  std::vector<std::string> words;  // all of them in the message; empty: accepted
};

const RawTensor kGood{.elements = 6, .shape = {2, 3}, .strides = {3, 1}};

// A file with those opcodes as its pickle, and a storage of 24 bytes.
std::string Zip(const std::string& opcodes) {
  return RawTorchZip(RawPickle(opcodes), {std::string(24, 'x')});
}

std::string Legacy(const std::string& opcodes) {
  return RawTorchLegacy(RawPickle(opcodes), LittleEndian(6, 8) + std::string(24, 'x'));
}

std::string WithTensor(const RawTensor& tensor) {
  return Zip(PickleDict({{"w", PickleTensorOp(tensor)}}));
}

RawTensor Changed(void (*change)(RawTensor&)) {
  RawTensor tensor = kGood;
  change(tensor);
  return tensor;
}

std::string Good() {
  return WithTensor(kGood);
}

std::string System() {
  return PickleGlobalOp("os", "system") + "(" + PickleText("touch /tmp/owned") + "tR";
}

std::vector<Row> GlobalRows() {
  return {
      {"good_zip", Good(), {}},
      {"good_legacy", Legacy(PickleDict({{"w", PickleTensorOp(kGood)}})), {}},
      {"r58_zip",
       Zip(System()),
       {"byte 2 of m/data.pkl", "names the global \"os.system\"", "at byte 42",
        "nothing was executed"}},
      {"r58_legacy", Legacy(System()), {"the object's pickle", "\"os.system\""}},
      {"r58_eval", Zip(PickleGlobalOp("builtins", "eval")), {"\"builtins.eval\""}},
      {"r58_posix", Zip(PickleGlobalOp("posix", "system")), {"\"posix.system\""}},
      {"r58_load_from_bytes",
       Zip(PickleGlobalOp("torch.storage", "_load_from_bytes")),
       {"\"torch.storage._load_from_bytes\""}},
      {"r58_torch_load", Zip(PickleGlobalOp("torch", "load")), {"\"torch.load\""}},
      {"r58_submodule", Zip(PickleGlobalOp("torch._utils.os", "system")), {"torch._utils.os"}},
      {"r58_dotted", Zip(PickleGlobalOp("torch", "serialization.os.system")), {"os.system"}},
      {"r58_escapes", Zip(PickleGlobalOp("o\x1B[31m", "s")), {"\"o\\x1B[31m.s\""}},
      {"r58_never_called",
       Zip(PickleDict({{"w", PickleTensorOp(kGood)}}) + PickleGlobalOp("os", "system") + "0"),
       {"\"os.system\""}},
      {"r58_bare_pickle", RawPickle(System()), {"\"os.system\"", "at byte 2"}},
      {"r58_protocol_0", "cos\nsystem\n(S'id'\ntR.", {"\"os.system\"", "at byte 0"}},
      {"r59_broken_behind", RawPickle(System()).substr(0, 20), {"\"os.system\""}},
      {"r59_before_garbage", RawPickle(System() + "\xFF\xFF"), {"\"os.system\""}},
  };
}

std::vector<Row> CallRows() {
  const std::string dict = PickleGlobalOp("collections", "OrderedDict");
  return {
      {"r66_reduce_text", Zip(PickleText("os") + ")R"), {"calls something that is no global"}},
      {"r66_reduce_type", Zip(PickleGlobalOp("torch", "FloatStorage") + ")R"), {"a type only"}},
      {"r66_reduce_no_tuple", Zip(dict + "}R"), {"without a tuple", "a dictionary"}},
      {"r66_newobj", Zip(PickleGlobalOp("torch", "Size") + ")\x81"), {"object of \"torch.Size\""}},
      {"r66_newobj_ex", Zip(dict + ")}\x92"), {"opcode NEWOBJ_EX"}},
      {"r66_build_tensor", Zip(PickleTensorOp(kGood) + "}b"), {"sets the state", "a tensor"}},
      {"r66_build_global", Zip(dict + "}b"), {"sets the state"}},
      {"r66_inst", Zip("(ios\nsystem\n"), {"\"os.system\""}},
      {"r66_inst_allowed", Zip("(icollections\nOrderedDict\n"), {"opcode INST"}},
      {"r66_obj", Zip("(" + dict + "o"), {"opcode OBJ"}},
      {"r66_stack_global", Zip("\x8C\x02os\x8C\x06system\x93"), {"byte 14 of", "\"os.system\""}},
      {"r66_computed",
       Zip(PickleText("os") + PickleGlobalOp("_codecs", "encode") + "(" + PickleText("system") +
           "tR\x93"),
       {"name of a global is computed"}},
      {"r66_ext", Zip("\x82\x01"), {"opcode EXT1"}},
      {"r66_persid", Zip("Pabc\n"), {"opcode PERSID"}},
      {"r66_buffer", Zip("\x97"), {"opcode NEXT_BUFFER"}},
      {"r66_id_no_tuple", Zip(PickleText("0") + "Q"), {"persistent id"}},
      {"r66_id_module", Zip("(" + PickleText("module") + "NNNNtQ"), {"persistent id"}},
      {"r66_arguments",
       Zip(PickleGlobalOp("torch._utils", "_rebuild_tensor_v2") + ")R"),
       {"another number of arguments", "6 to 7", "found 0"}},
      {"r66_no_storage",
       Zip(PickleGlobalOp("torch._utils", "_rebuild_tensor_v2") + "(NNNNNNtR"),
       {"argument 1 of _rebuild_tensor_v2", "a storage", "None"}},
      {"unknown_opcode", Zip("\xFF"), {"no opcode of a pickle", "0xff"}},
      {"protocol_9", RawTorchZip("\x80\x09N.", {}), {"version of the pickle protocol", "found 9"}},
  };
}

std::vector<Row> MagicRows() {
  return {
      {"r60_7z", "7z\xBC\xAF\x27\x1C"s + std::string(100, 'x'), {"a 7z archive"}},
      {"r60_rar", "Rar!\x1A\x07"s + std::string(100, 'x'), {"a RAR archive"}},
      {"r60_gzip", "\x1F\x8B"s + std::string(100, 'x'), {"a gzip file"}},
      {"r60_npz", RawZip({{"a.npy", "x"}}), {"a ZIP archive, but not one of torch"}},
      {"r60_empty_zip", RawZip({}), {"a ZIP archive, but not one of torch"}},
      {"r62_two_pickles",
       RawZip({{"a/data.pkl", "N."}, {"b/data.pkl", "N."}}),
       {"b/data.pkl: the archive has two pickles"}},
      {"big_endian",
       RawZip({{"a/data.pkl", "N."}, {"a/byteorder", "big"}}),
       {"another byte order", "found big"}},
      {"r67_script",
       RawZip({{"a/data.pkl", "N."}, {"a/constants.pkl", "N."}}),
       {"a TorchScript archive"}},
  };
}

std::vector<Row> ArchiveRows() {
  const std::string pickle = RawPickle(PickleDict({{"w", PickleTensorOp(kGood)}}));
  std::vector<RawZipMember> compressed = RawTorchMembers(pickle, {std::string(24, 'x')});
  compressed[2].method = 8;
  std::vector<RawZipMember> bad_crc = RawTorchMembers(pickle, {std::string(24, 'x')});
  bad_crc[0].crc = 1;
  std::vector<RawZipMember> renamed = RawTorchMembers(pickle, {std::string(24, 'x')});
  renamed[0].local_name = "m/code.pkl";
  std::vector<RawZipMember> evil = RawTorchMembers(pickle, {std::string(24, 'x')});
  evil.push_back({"../evil", "x"});
  return {
      {"r61_compressed", RawZip(compressed), {"m/data/0: the member is compressed"}},
      {"r62_crc", RawZip(bad_crc), {"m/data.pkl: the member's data does not fit its CRC"}},
      {"r62_name", RawZip(renamed), {"m/data.pkl: the member has another name"}},
      {"r63_name", RawZip(evil), {"unsafe name", "../evil"}},
      {"no_storage", RawTorchZip(pickle, {}), {"w: storage \"0\" is missing", "m/data/0"}},
      {"short_storage",
       RawTorchZip(pickle, {std::string(23, 'x')}),
       {"w: storage \"0\" is longer than its data", "at most 23 bytes"}},
  };
}

std::vector<Row> TensorRows() {
  constexpr int64_t kHuge = int64_t{1} << 62;
  const auto row = [](const char* name, void (*change)(RawTensor&),
                      std::vector<std::string> words) {
    return Row{name, WithTensor(Changed(change)), std::move(words)};
  };
  std::vector<Row> rows = {
      row("r64_offset", [](RawTensor& t) { t.offset = 1; },
          {"w: elements lie outside", "from element 1"}),
      row("r64_negative_offset", [](RawTensor& t) { t.offset = -1; },
          {"offset in the storage is negative"}),
      row("r64_huge_offset", [](RawTensor& t) { t.offset = kHuge; }, {"elements lie outside"}),
      row("r64_shape",
          [](RawTensor& t) {
            t.shape = {3, 3};
          },
          {"elements lie outside"}),
      row("r64_negative_shape",
          [](RawTensor& t) {
            t.shape = {-2, 3};
          },
          {"dimension is negative"}),
      row("r64_shape_overflow",
          [](RawTensor& t) {
            t.shape = {kHuge, kHuge};
          },
          {"overflows 64 bits"}),
      row("r64_bytes_overflow",
          [](RawTensor& t) {
            t.shape = {kHuge, 1};
          },
          {"overflows 64 bits"}),
      row("r64_stride",
          [](RawTensor& t) {
            t.strides = {4, 1};
          },
          {"elements lie outside"}),
      row("r64_negative_stride",
          [](RawTensor& t) {
            t.strides = {-3, 1};
          },
          {"stride is negative"}),
      row("r64_stride_overflow",
          [](RawTensor& t) {
            t.shape = {9, 1}, t.strides = {kHuge, 1};
          },
          {"overflow 64 bits"}),
      row("r64_overlapping",
          [](RawTensor& t) {
            t.strides = {1, 1};
          },
          {}),
      row("r64_expanded",
          [](RawTensor& t) {
            t.strides = {0, 1};
          },
          {}),
      row("r64_bomb",
          [](RawTensor& t) {
            t.shape = {int64_t{1} << 40, 6}, t.strides = {0, 1};
          },
          {"repeats the elements"}),
      row("r64_rank", [](RawTensor& t) { t.shape = std::vector<int64_t>(9, 1); },
          {"too many dimensions"}),
      row("r64_lengths", [](RawTensor& t) { t.strides = {1}; }, {"different lengths"}),
      row("r64_storage", [](RawTensor& t) { t.elements = 7; }, {"longer than its data"}),
      row("r64_huge_storage", [](RawTensor& t) { t.elements = kHuge; }, {"longer than its data"}),
      row("r64_negative_storage", [](RawTensor& t) { t.elements = -1; }, {"persistent id"}),
      row("r64_empty",
          [](RawTensor& t) {
            t.shape = {0, 3}, t.offset = kHuge;
          },
          {}),
      row("quantized", [](RawTensor& t) { t.storage_class = "QInt8Storage"; }, {"torch quantized"}),
      row("long_key", [](RawTensor& t) { t.key = std::string(300, '0'); }, {"persistent id"}),
      row("key_out_of_folder", [](RawTensor& t) { t.key = "../version"; }, {"is missing"}),
  };
  RawTensor other = kGood;
  other.storage_class = "IntStorage";
  rows.push_back({"two_types",
                  Zip(PickleDict({{"a", PickleTensorOp(kGood)}, {"b", PickleTensorOp(other)}})),
                  {"storage \"0\" is told in two ways", "IntStorage"}});
  return rows;
}

std::string Nested(size_t depth) {
  std::string out = PickleTensorOp(kGood);
  for (size_t i = 0; i < depth; ++i) {
    out = "}" + PickleText("d") + out + "s";
  }
  return out;
}

std::vector<Row> LimitRows() {
  std::string lists;
  for (int i = 0; i < 9'000'000; ++i) {
    lists += ']';
  }
  // A list of many pairs, of which a dictionary is made again and again.
  std::string pairs = PickleGlobalOp("collections", "OrderedDict") + "q\x01" + "0](";
  for (int i = 0; i < 100'000; ++i) {
    pairs += "NN\x86";
  }
  pairs +=
      "eq\x02"
      "0";
  for (int i = 0; i < 100'000; ++i) {
    pairs += "h\x01h\x02\x85R0";
  }
  return {
      {"r65_marks", Zip(std::string(10'000'000, '(')), {"nests too deep", "1000"}},
      {"r65_long4",
       Zip("\x8B" + LittleEndian(0x7FFFFFFF, 4)),
       {"integer of the pickle is too long"}},
      {"r65_negative_long4", Zip("\x8B" + LittleEndian(0xFFFFFFFF, 4)), {"too long"}},
      {"r65_text", Zip("X" + LittleEndian(0xFFFFFFFF, 4) + "abc"), {"ends in the middle"}},
      {"r65_text8", Zip("\x8D" + LittleEndian(~uint64_t{0}, 8) + "abc"), {"ends in the middle"}},
      {"r65_bytes8", Zip("\x8E" + LittleEndian(~uint64_t{0}, 8) + "abc"), {"ends in the middle"}},
      {"r65_frame", Zip("\x95" + LittleEndian(~uint64_t{0}, 8) + "N"), {"frame is longer"}},
      {"r65_put", Zip("Nr" + LittleEndian(0xFFFFFFF0, 4)), {"too large a number"}},
      {"r65_get", Zip("h\x05"), {"never remembered", "number 5"}},
      {"r65_stack", Zip(std::string(9'000'000, 'N')), {"too large a stack"}},
      {"r65_lists", Zip(lists), {"holds too many values"}},
      {"r65_pairs", Zip(pairs), {"holds too many values"}},
      {"r65_empty_stack", Zip("0"), {"empty stack"}},
      {"r65_setitem", Zip("}s"), {"empty stack"}},
      {"r65_across_mark", Zip("}N(Ns"), {"empty stack"}},
      {"r65_tuple", Zip("t"), {"did not begin"}},
      {"r65_appends", Zip("(e"), {"no list"}},
      {"r65_odd_items", Zip("}(Nu"), {"no dictionary"}},
      {"r65_two_values", Zip("NN"), {"more or less than one value"}},
      {"r65_no_stop", RawTorchZip("\x80\x02N", {}), {"ends in the middle"}},
      {"r65_self_dict",
       Zip("}q\x01" + PickleText("a") + "h\x01s" + PickleText("w") + PickleTensorOp(kGood) + "s"),
       {"found inside itself"}},
      {"r65_self_list",
       Zip("]q\x01h\x01"
           "a"),
       {"no state dict", "a list"}},
      {"r65_self_wrapper",
       Zip("}q\x01" + PickleText("model") + "h\x01s" + PickleText("w") + PickleTensorOp(kGood) +
           "s"),
       {"found inside itself"}},
      {"depth_31", Zip(Nested(31)), {}},
      {"depth_40", Zip(Nested(40)), {"too deep"}},
      {"long_name",
       Zip(PickleDict({{std::string(1025, 'a'), PickleTensorOp(kGood)}})),
       {"name of a tensor", "too long"}},
      {"bad_name", Zip(PickleDict({{"a\0"s, PickleTensorOp(kGood)}})), {"cannot be shown"}},
      {"bad_utf8", Zip(PickleDict({{"a\xFF", PickleTensorOp(kGood)}})), {"cannot be shown"}},
      {"twice",
       Zip(PickleDict({{"a", PickleTensorOp(kGood)}, {"a", PickleTensorOp(kGood)}})),
       {"a: duplicate tensor"}},
      {"no_tensors", Zip("}"), {"holds no tensors"}},
  };
}

std::vector<Row> LegacyRows() {
  const std::string pickle = RawPickle(PickleDict({{"w", PickleTensorOp(kGood)}}));
  const std::string data = LittleEndian(6, 8) + std::string(24, 'x');
  return {
      {"r67_legacy", RawTorchLegacy(pickle, data), {}},
      {"r67_trailing", RawTorchLegacy(pickle, data + "more"), {}},
      {"r67_count",
       RawTorchLegacy(pickle, LittleEndian(7, 8) + std::string(28, 'x')),
       {"storage \"0\" has another size", "found 7"}},
      {"r67_cut",
       RawTorchLegacy(pickle, data.substr(0, 31)),
       {"storage \"0\" lies beyond the end"}},
      {"r67_unlisted",
       RawTorchLegacy(pickle, "", {}),
       {"w: storage \"0\" is not in the file's list"}},
      {"r67_unknown", RawTorchLegacy(pickle, data, {"1"}), {"names one that no tensor has"}},
      {"r67_listed_twice",
       RawTorchLegacy(pickle, data + data, {"0", "0"}),
       {"storage \"0\" is listed twice"}},
      {"r67_no_magic", RawPickle("N") + RawPickle("N"), {"not one that torch.save wrote"}},
  };
}

class HostileTorch : public ::testing::TestWithParam<Row> {};

TEST_P(HostileTorch, IsRefusedByName) {
  TempDir folder;
  const std::string path = folder / "model.bin";
  WriteTestFile(path, GetParam().content);
  std::string message = "accepted";
  try {
    OpenCheckpoint(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    message = error.what();
  }
  if (GetParam().words.empty()) {
    EXPECT_EQ(message, "accepted");
  }
  for (const std::string& word : GetParam().words) {
    EXPECT_NE(message.find(word), std::string::npos) << message << "\nwithout " << word;
  }
}

std::string RowName(const ::testing::TestParamInfo<Row>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Globals, HostileTorch, ::testing::ValuesIn(GlobalRows()), RowName);
INSTANTIATE_TEST_SUITE_P(Calls, HostileTorch, ::testing::ValuesIn(CallRows()), RowName);
INSTANTIATE_TEST_SUITE_P(Magic, HostileTorch, ::testing::ValuesIn(MagicRows()), RowName);
INSTANTIATE_TEST_SUITE_P(Archive, HostileTorch, ::testing::ValuesIn(ArchiveRows()), RowName);
INSTANTIATE_TEST_SUITE_P(Tensors, HostileTorch, ::testing::ValuesIn(TensorRows()), RowName);
INSTANTIATE_TEST_SUITE_P(Limits, HostileTorch, ::testing::ValuesIn(LimitRows()), RowName);
INSTANTIATE_TEST_SUITE_P(Legacy, HostileTorch, ::testing::ValuesIn(LegacyRows()), RowName);

// Whether a file is refused; nothing but kInvalid may come of it.
bool Refused(const std::string& path, const std::string& content) {
  WriteTestFile(path, content);
  try {
    OpenCheckpoint(path);
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid) << error.what();
    return true;
  }
}

TEST(HostileTorchFiles, EveryCutIsRefused) {
  TempDir folder;
  const std::string golden = std::string(LBRX_TEST_DATA) + "/torch/";
  for (const char* name : {"zip_nested.bin", "legacy_nested.bin"}) {
    const std::string content = ReadTestFile(golden + name);
    for (size_t length = 0; length < content.size(); ++length) {
      EXPECT_TRUE(Refused(folder / "a.bin", content.substr(0, length))) << name << " " << length;
    }
  }
}

TEST(HostileTorchFiles, EveryChangedByteIsReadOrRefused) {
  TempDir folder;
  const std::string golden = std::string(LBRX_TEST_DATA) + "/torch/";
  for (const char* name : {"zip_parameters.bin", "legacy_parameters.bin"}) {
    const std::string content = ReadTestFile(golden + name);
    size_t refused = 0;
    for (size_t i = 0; i < content.size(); ++i) {
      std::string changed = content;
      changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
      refused += Refused(folder / "a.bin", changed) ? 1 : 0;
    }
    EXPECT_GT(refused, content.size() / 3);
  }
}

TEST(HostileTorchFiles, RefusingIsQuickAndSmall) {
  TempDir folder;
  const long before = PeakKilobytes();
  const auto begin = std::chrono::steady_clock::now();
  for (const Row& row : LimitRows()) {
    EXPECT_EQ(Refused(folder / "a.bin", row.content), !row.words.empty()) << row.name;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(seconds.count(), 30.0);
  EXPECT_LT(PeakKilobytes() - before, kMemoryFactor << 19);
}

}  // namespace
}  // namespace lbrx

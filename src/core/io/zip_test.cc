#include "core/io/zip.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "hostile/raw_zip.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)

using Members = std::vector<RawZipMember>;

class ZipTest : public ::testing::Test {
 protected:
  std::vector<ZipMember> Read(const std::string& content) {
    WriteTestFile(path_, content);
    return ReadZipDirectory(*File::OpenRead(path_));
  }

  std::string Message(const std::string& content) {
    try {
      Read(content);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      return error.what();
    }
    return "accepted";
  }

  void ExpectRefused(const std::string& content, const std::vector<std::string>& words) {
    const std::string message = Message(content);
    for (const std::string& word : words) {
      EXPECT_NE(message.find(word), std::string::npos) << message << "\nwithout " << word;
    }
  }

  TempDir folder_;
  std::string path_ = folder_ / "archive.zip";
};

RawZipMember WithDescriptor(const std::string& name, const std::string& data, size_t width) {
  RawZipMember member{name, data};
  member.flags = 0x0808;
  member.local_crc = 0;
  member.local_bytes = 0;
  member.descriptor = "PK\x07\x08" + LittleEndian(member.Crc(), 4) +
                      LittleEndian(data.size(), width) + LittleEndian(data.size(), width);
  return member;
}

TEST_F(ZipTest, CrcOfTheStandardsCheckString) {
  const std::string text = "123456789";
  EXPECT_EQ(Crc32(std::as_bytes(std::span(text))), 0xCBF43926U);
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(Crc32(bytes.subspan(4), Crc32(bytes.first(4))), 0xCBF43926U);
}

TEST_F(ZipTest, FindsTheDataOfEveryMember) {
  const std::string content = RawZip({{"a/one", "first"}, {"a/two", ""}, {"b", "third"}});
  const std::vector<ZipMember> members = Read(content);
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[0].name, "a/one");
  EXPECT_EQ(content.substr(members[0].offset, members[0].bytes), "first");
  EXPECT_EQ(members[1].bytes, 0U);
  EXPECT_EQ(content.substr(members[2].offset, members[2].bytes), "third");
  EXPECT_EQ(ReadZipMember(*File::OpenRead(path_), members[2], 5), "third");
}

TEST_F(ZipTest, DescriptorsCommentsExtraFieldsAndZip64) {
  Members members = {WithDescriptor("a", "abc", 4), WithDescriptor("b", "defg", 8), {"c", "h"}};
  members[2].local_extra = "FB" + LittleEndian(3, 2) + "ZZZ";
  RawZipEnd end;
  end.comment = "PK\x05\x06 is no end record here";
  end.zip64 = true;
  const std::string content = RawZip(members, end);
  const std::vector<ZipMember> found = Read(content);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(content.substr(found[0].offset, found[0].bytes), "abc");
  EXPECT_EQ(content.substr(found[1].offset, found[1].bytes), "defg");
  EXPECT_EQ(content.substr(found[2].offset, found[2].bytes), "h");
}

TEST_F(ZipTest, SizesInTheZip64Field) {
  RawZipMember member{"a", "abc"};
  member.directory_bytes = 0xFFFFFFFF;
  member.local_bytes = 0xFFFFFFFF;
  member.directory_extra =
      LittleEndian(1, 2) + LittleEndian(16, 2) + LittleEndian(3, 8) + LittleEndian(3, 8);
  EXPECT_EQ(Read(RawZip({member}))[0].bytes, 3U);
  member.directory_extra = LittleEndian(1, 2) + LittleEndian(8, 2) + LittleEndian(3, 8);
  ExpectRefused(RawZip({member}), {"a: the ZIP64 sizes of the member are missing"});
  member.directory_extra = LittleEndian(1, 2) + LittleEndian(16, 2) +
                           LittleEndian(uint64_t{1} << 63, 8) + LittleEndian(uint64_t{1} << 63, 8);
  ExpectRefused(RawZip({member}), {"a: the member's data leads into the directory"});
}

TEST_F(ZipTest, Row61CompressedAndEncrypted) {
  RawZipMember member{"m/data.pkl", "x"};
  member.method = 8;
  const std::vector<ZipMember> members = Read(RawZip({member}));
  EXPECT_EQ(members[0].method, 8);
  EXPECT_THROW(ReadZipMember(*File::OpenRead(path_), members[0], 100), Error);
  member.method = 0;
  member.flags = 1;
  ExpectRefused(RawZip({member}), {"m/data.pkl: the member is encrypted"});
  member.flags = 1 << 4;
  ExpectRefused(RawZip({member}), {"has flags", "0x0010"});
}

TEST_F(ZipTest, Row62DirectoryAgainstLocalHeaders) {
  const auto changed = [](auto change) {
    RawZipMember member{"good", "data"};
    change(member);
    return RawZip({{"first", "1"}, member});
  };
  ExpectRefused(changed([](RawZipMember& m) { m.local_name = "evil"; }),
                {"good: the member has another name", "\"evil\""});
  ExpectRefused(changed([](RawZipMember& m) { m.local_name = "longer"; }), {"another name"});
  ExpectRefused(changed([](RawZipMember& m) { m.local_crc = 7; }), {"another size or CRC"});
  ExpectRefused(changed([](RawZipMember& m) { m.local_bytes = 3; }), {"another size or CRC"});
  ExpectRefused(changed([](RawZipMember& m) { m.directory_bytes = 3; }), {"another size or CRC"});
  ExpectRefused(changed([](RawZipMember& m) { m.offset = 1; }), {"differs from the directory"});
  ExpectRefused(changed([](RawZipMember& m) { m.offset = 1 << 20; }), {"begins behind"});
  ExpectRefused(changed([](RawZipMember& m) { m.offset = 0; }), {"another name"});
  ExpectRefused(changed([](RawZipMember& m) {
                  m = WithDescriptor("good", "data", 4);
                  m.descriptor[4] ^= 1;
                }),
                {"good: the figures behind the member's data"});
  ExpectRefused(RawZip({{"a", "1"}, {"b", "2"}, {"a", "3"}}), {"a: two members", "at byte"});
}

TEST_F(ZipTest, Row62OverlappingMembers) {
  // The second member lies inside the first one's data.
  const std::string inner = RawZipLocal({"in", "x"});
  RawZipMember second{"in", "x"};
  second.offset = 30 + 3;
  std::string content = RawZipLocal({"out", inner});
  const uint64_t start = content.size();
  content += RawZipEntry({"out", inner}, 0) + RawZipEntry(second, 0);
  const uint64_t bytes = content.size() - start;
  content += "PK\x05\x06" + LittleEndian(0, 4) + LittleEndian(2, 2) + LittleEndian(2, 2) +
             LittleEndian(bytes, 4) + LittleEndian(start, 4) + LittleEndian(0, 2);
  ExpectRefused(content, {"in: the member overlaps \"out\""});
}

TEST_F(ZipTest, Row62EndRecords) {
  const Members members = {{"a", "1"}, {"b", "2"}};
  RawZipEnd end;
  end.count = 3;
  ExpectRefused(RawZip(members, end), {"directory"});
  end.count = 0xFFFF;
  ExpectRefused(RawZip(members, end), {"more members than it can hold"});
  end.count = 1;
  ExpectRefused(RawZip(members, end), {"does not end behind its last member"});
  end = {};
  end.zip64 = true;
  end.count64 = 1;
  ExpectRefused(RawZip(members, end), {"contradict each other"});
  end.count64 = uint64_t{1} << 60;
  end.count = 0xFFFF;
  ExpectRefused(RawZip(members, end), {"more members than it can hold"});
  end = {};
  end.offset = 3;
  ExpectRefused(RawZip(members, end), {"does not lie before its end record"});
  ExpectRefused("MZ" + RawZip(members), {"does not lie before its end record"});
  ExpectRefused(RawZip(members) + "x", {"no end record"});
  ExpectRefused("", {"no end record"});
}

TEST_F(ZipTest, Row63UnsafeNames) {
  for (const std::string& name : {"../evil"s, "a/../../b"s, "/etc/passwd"s, "a//b"s, "a\\b"s, ""s,
                                  "./a"s, "a/.."s, std::string("a\0b", 3)}) {
    ExpectRefused(RawZip({{name, "x"}}), {"unsafe name of a member"});
  }
  EXPECT_EQ(Message(RawZip({{"a/.data/serialization_id", "x"}, {"a/..b", ""}})), "accepted");
}

TEST_F(ZipTest, MembersThatAreReadAreChecked) {
  RawZipMember member{"a", "abc"};
  member.crc = 1;
  const std::vector<ZipMember> members = Read(RawZip({member}));
  const std::shared_ptr<File> file = File::OpenRead(path_);
  try {
    ReadZipMember(*file, members[0], 100);
    ADD_FAILURE() << "a wrong CRC was accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("does not fit its CRC"), std::string::npos);
  }
  EXPECT_THROW(ReadZipMember(*file, members[0], 2), Error);
  EXPECT_THROW(VerifyZipMember(*file, members[0]), Error);
  member.crc = 0;  // the writer left it out
  EXPECT_EQ(ReadZipMember(*File::OpenRead(path_), Read(RawZip({member}))[0], 100), "abc");
}

TEST_F(ZipTest, EveryCutIsRefused) {
  const std::string content = RawZip({WithDescriptor("a", "abc", 4), {"b", "defg"}});
  for (size_t length = 0; length < content.size(); ++length) {
    EXPECT_NE(Message(content.substr(0, length)), "accepted") << length;
  }
}

}  // namespace
}  // namespace lbrx

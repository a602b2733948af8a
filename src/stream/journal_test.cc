#include "stream/journal.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace lbrx {
namespace {

Json Header() {
  Json header = Json::MakeObject();
  header.Set("plan", "00ff");
  return header;
}

JournalRecord Record(uint64_t band) {
  return {.band = band,
          .hash = band * 7 + 1,
          .zeroed = 2,
          .measured = true,
          .errors = {.count = 3, .squared_error = 0.25, .squared_value = 4, .max_error = 0.5}};
}

TEST(Journal, ReadsBackWhatWasAppended) {
  TempDir folder;
  const std::string path = folder / "journal";
  auto journal = Journal::Create(path, Header());
  for (uint64_t band : {4, 0, 2}) {
    journal->Append(Record(band));
  }
  const auto content = Journal::Read(path);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->header, Header());
  ASSERT_EQ(content->records.size(), 3U);
  EXPECT_EQ(content->records[0].band, 4U);
  EXPECT_EQ(content->records[0].hash, 29U);
  EXPECT_EQ(content->records[2].errors.squared_error, 0.25);
  EXPECT_EQ(content->records[2].errors.max_error, 0.5);
  EXPECT_TRUE(content->records[2].measured);
}

TEST(Journal, TornOrDamagedTailIsIgnored) {
  TempDir folder;
  const std::string path = folder / "journal";
  auto journal = Journal::Create(path, Header());
  const size_t header_bytes = ReadTestFile(path).size();
  journal->Append(Record(0));
  journal->Append(Record(1));
  const std::string bytes = ReadTestFile(path);
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto content = Journal::Parse(std::string_view(bytes).substr(0, length));
    if (length < header_bytes) {
      EXPECT_FALSE(content) << length;
    } else {
      ASSERT_TRUE(content) << length;
      EXPECT_EQ(content->records.size(), (length - header_bytes) / 72) << length;
    }
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const auto content = Journal::Parse(damaged);
    if (at < header_bytes) {
      EXPECT_FALSE(content) << at;
    } else {
      ASSERT_TRUE(content) << at;
      EXPECT_EQ(content->records.size(), (at - header_bytes) / 72) << at;
    }
  }
}

TEST(Journal, ContinuesAfterTheIntactPart) {
  TempDir folder;
  const std::string path = folder / "journal";
  Journal::Create(path, Header())->Append(Record(0));
  WriteTestFile(path, ReadTestFile(path) + "torn record");
  const auto before = Journal::Read(path);
  ASSERT_TRUE(before);
  Journal::Continue(path, *before)->Append(Record(9));
  const auto after = Journal::Read(path);
  ASSERT_TRUE(after);
  ASSERT_EQ(after->records.size(), 2U);
  EXPECT_EQ(after->records[1].band, 9U);
}

TEST(Journal, MissingFileIsNone) {
  EXPECT_FALSE(Journal::Read("/nonexistent/journal"));
}

}  // namespace
}  // namespace lbrx

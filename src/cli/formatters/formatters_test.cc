#include <gtest/gtest.h>

#include "cli/formatters/csv.h"
#include "cli/formatters/table.h"
#include "cli/formatters/text.h"

namespace lbrx {
namespace {

using Lines = std::vector<std::string>;

TEST(TextTest, WidthCountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("é"), 1);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1);  // combining accent
  EXPECT_EQ(DisplayWidth("漢字"), 4);
  EXPECT_EQ(DisplayWidth("😀"), 2);
  EXPECT_EQ(DisplayWidth("\xe6"), 1);  // cut character
}

TEST(TextTest, ElideKeepsBothEnds) {
  EXPECT_EQ(Elide("abc", 3), "abc");
  EXPECT_EQ(Elide("model.layers.0.mlp.down_proj.weight", 16), "model...j.weight");
  EXPECT_EQ(Elide("abcdef", 2), "ab");
  EXPECT_EQ(Elide("abcdef", 0), "");
  EXPECT_LE(DisplayWidth(Elide("漢字漢字漢字", 7)), 7);
}

TEST(TextTest, WrapBreaksAtSpacesAndCutsLongWords) {
  EXPECT_EQ(Wrap("one two three", 8), (Lines{"one two", "three"}));
  EXPECT_EQ(Wrap("abcdefghij k", 4), (Lines{"abcd", "efgh", "ij k"}));
  EXPECT_EQ(Wrap("a\n\nb", 10), (Lines{"a", "", "b"}));
  EXPECT_EQ(Wrap("one two", 0), (Lines{"one two"}));
  EXPECT_EQ(Wrap("漢字", 1), (Lines{"漢", "字"}));
}

TEST(TextTest, DurationsAndCounts) {
  EXPECT_EQ(FormatDuration(7.9), "0:07");
  EXPECT_EQ(FormatDuration(754), "12:34");
  EXPECT_EQ(FormatDuration(3723), "1:02:03");
  EXPECT_EQ(FormatDuration(-1), "0:00");
  EXPECT_EQ(FormatDuration(1e30), "99999:59:59");
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
}

Table Sample() {
  Table table({{"name"}, {"bytes", Table::Align::kRight}, {"what"}});
  table.AddRow({"a", "1,000", "first of the rows"});
  table.AddRow({"longer", "1", "second"});
  return table;
}

TEST(TableTest, AlignsColumns) {
  EXPECT_EQ(Sample().ToString(0, false),
            "name    bytes  what\n"
            "a       1,000  first of the rows\n"
            "longer      1  second\n");
}

TEST(TableTest, WrapsTheLastColumn) {
  Table table({{"name"}, {"what"}});
  table.AddRow({"4bit", "one two three four five six seven"});
  EXPECT_EQ(table.ToString(32, false),
            "name  what\n"
            "4bit  one two three four five\n"
            "      six seven\n");
}

TEST(TableTest, BecomesBlocksWhereTooNarrow) {
  const std::string text = Sample().ToString(20, false);
  EXPECT_EQ(text,
            "name: a\n"
            "bytes: 1,000\n"
            "what: first of the\n"
            "rows\n"
            "\n"
            "name: longer\n"
            "bytes: 1\n"
            "what: second\n");
}

TEST(TableTest, WideCharactersStayAligned) {
  Table table({{"a"}, {"b"}});
  table.AddRow({"漢字", "x"});
  table.AddRow({"abcd", "y"});
  EXPECT_EQ(table.ToString(0, false), "a     b\n漢字  x\nabcd  y\n");
}

TEST(TableTest, NameValueLinesAlignOrStack) {
  EXPECT_EQ(NameValueLines({{"a", "one"}, {"name", "two three"}}, 0, false),
            "a     one\nname  two three\n");
  EXPECT_EQ(NameValueLines({{"--memory SIZE", "ceiling of memory"}}, 20, false),
            "--memory SIZE\n  ceiling of memory\n");
}

TEST(CsvTest, QuotesWhatNeedsIt) {
  EXPECT_EQ(CsvCell("plain"), "plain");
  EXPECT_EQ(CsvCell("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvCell("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(CsvCell("a\nb"), "\"a\nb\"");
  const Lines cells{"x", "", "y,z"};
  EXPECT_EQ(CsvRow(cells), "x,,\"y,z\"\n");
}

TEST(CsvTest, NothingIsAFormula) {
  EXPECT_EQ(CsvCell("=1+1"), "'=1+1");
  EXPECT_EQ(CsvCell("@SUM(A1)"), "'@SUM(A1)");
  EXPECT_EQ(CsvCell("+x"), "'+x");
  EXPECT_EQ(CsvCell("-cmd|' /C calc'!A0"), "'-cmd|' /C calc'!A0");
  EXPECT_EQ(CsvCell("\t=1"), "'\t=1");
  EXPECT_EQ(CsvCell("=a,b"), "\"'=a,b\"");
  EXPECT_EQ(CsvCell("-12.5"), "-12.5");
  EXPECT_EQ(CsvCell("-"), "'-");
}

}  // namespace
}  // namespace lbrx

#include "cli/args.h"

#include <gtest/gtest.h>

#include <array>

#include "core/base/error.h"

namespace lbrx {
namespace {

constexpr std::array<OptionSpec, 8> kOptions = {{
    {.name = "--flag", .help = "h", .aliases = "-f"},
    {.name = "--size", .value = "SIZE", .help = "h"},
    {.name = "--rule", .value = "REGEX", .help = "h", .repeatable = true},
    {.name = "--keep", .value = "REGEX", .help = "h", .repeatable = true},
    {.name = "-q", .value = "SCHEME", .help = "h", .aliases = "--quantize", .optional_value = true},
    {.name = "--kind", .value = "KIND", .help = "h", .choices = "hf|mlx"},
    {.name = "--other", .help = "h", .conflicts = "--flag"},
    {.name = "-v", .help = "h"},
}};

ParsedArgs Parse(const std::vector<std::string>& args) {
  return ParseOptions(args, {OptionTable(kOptions)});
}

std::string UsageError(const std::vector<std::string>& args) {
  try {
    Parse(args);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "no error";
}

using Words = std::vector<std::string>;

TEST(ArgsTest, OptionsMayStandAnywhereInBothForms) {
  const ParsedArgs args = Parse({"a", "--size", "5", "b", "--kind=mlx", "-f", "c"});
  EXPECT_EQ(args.positionals(), (Words{"a", "b", "c"}));
  EXPECT_EQ(args.Value("--size"), "5");
  EXPECT_EQ(args.Value("--kind"), "mlx");
  EXPECT_TRUE(args.Has("--flag"));
  EXPECT_FALSE(args.Has("--other"));
}

TEST(ArgsTest, TwoDashesEndOptions) {
  const ParsedArgs args = Parse({"--flag", "--", "--size", "-x", "--"});
  EXPECT_EQ(args.positionals(), (Words{"--size", "-x", "--"}));
  EXPECT_TRUE(args.Has("--flag"));
}

TEST(ArgsTest, ShortFlagsMayBeJoinedAndShortValuesToo) {
  EXPECT_EQ(Parse({"-vvf"}).Count("-v"), 2);
  EXPECT_EQ(Parse({"-q4bit"}).Value("-q"), "4bit");
  EXPECT_EQ(Parse({"--quantize", "4bit"}).Value("-q"), "4bit");
}

TEST(ArgsTest, ValuesAreTakenAsTheyAre) {
  // Brackets, commas, dashes, '=' and quotes have no meaning of their own.
  EXPECT_EQ(Parse({"--rule", "[0-9],[a]"}).Value("--rule"), "[0-9],[a]");
  EXPECT_EQ(Parse({"--rule=[0-9]"}).Value("--rule"), "[0-9]");
  EXPECT_EQ(Parse({"--rule", "-x"}).Value("--rule"), "-x");
  EXPECT_EQ(Parse({"--rule", "a=b=c"}).Value("--rule"), "a=b=c");
  EXPECT_EQ(Parse({"--rule=\"a b\""}).Value("--rule"), "\"a b\"");
  EXPECT_EQ(Parse({"--rule", "{}"}).Value("--rule"), "{}");
  EXPECT_EQ(Parse({"[x]", "-"}).positionals(), (Words{"[x]", "-"}));
}

TEST(ArgsTest, KeepsTheOrderOfTheLine) {
  const ParsedArgs args = Parse({"--rule", "1", "--keep", "2", "--rule=3"});
  Words order;
  for (const auto& [option, value] : args.given()) {
    order.push_back(std::string(option->name) + value);
  }
  EXPECT_EQ(order, (Words{"--rule1", "--keep2", "--rule3"}));
  EXPECT_EQ(args.Values("--rule"), (Words{"1", "3"}));
}

TEST(ArgsTest, AnOptionalValueMayBeLeftOut) {
  EXPECT_EQ(Parse({"-q"}).Value("-q"), "");
  EXPECT_EQ(Parse({"-q", "--flag"}).Value("-q"), "");
  EXPECT_EQ(Parse({"-q", "true"}).Value("-q"), "true");
}

TEST(ArgsTest, UnknownOptionsGetASuggestion) {
  EXPECT_EQ(UsageError({"--sise", "5"}), "--sise: unknown option; did you mean --size?");
  EXPECT_EQ(UsageError({"--kidn=mlx"}), "--kidn: unknown option; did you mean --kind?");
  EXPECT_NE(UsageError({"--zzzzzz"}).find("--help"), std::string::npos);
  EXPECT_EQ(UsageError({"-z"}).find("no error"), std::string::npos);
}

TEST(ArgsTest, WrongUseIsSaid) {
  EXPECT_EQ(UsageError({"--size"}), "--size: needs a value; write --size SIZE");
  EXPECT_EQ(UsageError({"--size="}), "--size: has an empty value");
  EXPECT_EQ(UsageError({"--size", "--flag"}),
            "--size: needs a value, expected SIZE, found the option --flag");
  EXPECT_EQ(UsageError({"--size", "1", "--size", "2"}), "--size: given more than once");
  EXPECT_NE(UsageError({"--flag=1"}).find("takes no value"), std::string::npos);
  EXPECT_NE(UsageError({"--kind", "ml"}).find("did you mean mlx?"), std::string::npos);
  EXPECT_NE(UsageError({"--kind", "HF"}).find("did you mean hf?"), std::string::npos);
  EXPECT_NE(UsageError({"--flag", "--other"}).find("cannot be used together"), std::string::npos);
  EXPECT_EQ(UsageError({"--flag", "--flag"}), "no error");
}

TEST(ArgsTest, TypedValues) {
  EXPECT_EQ(Parse({"--size", "512MiB"}).Size("--size"), uint64_t{512} << 20);
  EXPECT_EQ(Parse({"--size", "7"}).Uint("--size", 1, 7), 7U);
  EXPECT_EQ(Parse({"--size", "1e-3"}).Number("--size"), 1e-3);
  EXPECT_EQ(Parse({}).Uint("--size", 1, 7), std::nullopt);
  for (const char* bad : {"8", "0", "-1", "7x", "", "99999999999999999999", "0x5"}) {
    EXPECT_THROW(Parse({"--size", bad}).Uint("--size", 1, 7), Error) << bad;
  }
  for (const char* bad : {"nan", "inf", "-1", "1x", "x"}) {
    EXPECT_THROW(Parse({"--size", bad}).Number("--size"), Error) << bad;
  }
  EXPECT_THROW(Parse({"--size", "5 parsecs"}).Size("--size"), Error);
}

TEST(ArgsTest, AskingForAnUnlistedOptionIsABug) {
  try {
    Parse({}).Has("--nowhere");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
  }
}

TEST(ArgsTest, ArgumentsMayBeValuesOfOptions) {
  const std::array<ArgumentSpec, 2> specs = {
      {{.name = "SRC", .help = ""}, {.name = "N", .help = "", .option = "--size"}}};
  const auto parsed = [&](const Words& words) { return WithArgumentOptions(Parse(words), specs); };
  EXPECT_EQ(parsed({"a", "5"}).Uint("--size", 1, 9), 5U);
  EXPECT_FALSE(parsed({"a"}).Has("--size"));
  EXPECT_EQ(parsed({"a", "--size", "7"}).Value("--size"), "7");
  EXPECT_THROW(parsed({"a", "5", "--size", "7"}), Error);
}

TEST(ArgsTest, PositionalsAreCounted) {
  const std::array<ArgumentSpec, 2> specs = {
      {{.name = "SRC", .help = ""}, {.name = "DST", .help = "", .required = false}}};
  EXPECT_NO_THROW(CheckPositionals(Parse({"a"}), specs));
  EXPECT_NO_THROW(CheckPositionals(Parse({"a", "b"}), specs));
  EXPECT_THROW(CheckPositionals(Parse({}), specs), Error);
  EXPECT_THROW(CheckPositionals(Parse({"a", "b", "c"}), specs), Error);
  EXPECT_THROW(CheckPositionals(Parse({""}), specs), Error);
}

TEST(ArgsTest, FindsTheCommandBehindGlobalOptions) {
  const auto find = [](const Words& words) { return FindCommand(words, kOptions); };
  EXPECT_EQ(find({"inspect"}), 0U);
  EXPECT_EQ(find({"--flag", "--size", "5", "inspect"}), 3U);
  EXPECT_EQ(find({"--size=5", "inspect"}), 1U);
  EXPECT_EQ(find({"--", "inspect"}), 1U);
  EXPECT_EQ(find({"--flag"}), 1U);
  EXPECT_EQ(find({}), 0U);
}

TEST(ArgsTest, RawFlagsAreSeenBeforeTheDashes) {
  EXPECT_TRUE(HasRawFlag(Words{"--what", "-f"}, kOptions, "--flag"));
  EXPECT_FALSE(HasRawFlag(Words{"--", "--flag"}, kOptions, "--flag"));
}

}  // namespace
}  // namespace lbrx

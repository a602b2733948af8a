#include "core/text/json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "core/base/error.h"

namespace lbrx {
namespace {

using namespace std::string_literals;

Json Parse(const std::string& text) {
  return ParseJson(text, "test.json");
}

// The error that `text` gives; fails the test where there is none.
ErrorDetail Refused(const std::string& text, const JsonLimits& limits = {}) {
  try {
    ParseJson(text, "test.json", limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid) << text;
    EXPECT_EQ(error.detail().file, "test.json");
    EXPECT_TRUE(error.detail().offset.has_value()) << text;
    return error.detail();
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

TEST(JsonParse, Scalars) {
  EXPECT_TRUE(Parse("null").is_null());
  EXPECT_TRUE(Parse(" true\n").AsBool());
  EXPECT_FALSE(Parse("false").AsBool());
  EXPECT_EQ(Parse("\"a\\u00e9\\ud83d\\ude00\\/\"").AsString(), "a\u00e9\U0001F600/");
  EXPECT_EQ(Parse("\"\\u0000\"").AsString(), "\0"s);
  EXPECT_EQ(Parse("1.5").AsDouble(), 1.5);
  EXPECT_EQ(Parse("[]").AsArray().size(), 0U);
}

TEST(JsonParse, IntegersAreExact) {
  EXPECT_EQ(Parse("18446744073709551615").AsUint64(), 18446744073709551615U);
  EXPECT_EQ(Parse("-9223372036854775808").AsInt64(), INT64_MIN);
  EXPECT_EQ(Parse("9007199254740993").AsInt64(), 9007199254740993);
  EXPECT_EQ(Parse("0").kind(), Json::Kind::kUnsigned);
  EXPECT_EQ(Parse("-1").kind(), Json::Kind::kInteger);
}

TEST(JsonParse, NumbersKeepTheirSpelling) {
  for (const std::string text : {"1.0", "1e3", "1E+03", "-0.0", "18446744073709551616", "0.10",
                                 "-9223372036854775809", "3.141592653589793238462643383279"}) {
    const Json value = Parse(text);
    EXPECT_EQ(value.kind(), Json::Kind::kDouble) << text;
    EXPECT_EQ(value.Spelling(), text);
    EXPECT_EQ(WriteJson(value), text);
  }
}

TEST(JsonParse, MembersKeepTheirOrder) {
  const Json value = Parse(R"({"z":1,"a":{"y":2,"b":3},"m":[1,{"q":4}]})");
  EXPECT_EQ(WriteJson(value), R"({"z":1,"a":{"y":2,"b":3},"m":[1,{"q":4}]})");
}

TEST(JsonParse, RefusesWhatIsNoJson) {
  for (const std::string text : {"",
                                 " ",
                                 "{",
                                 "}",
                                 "[1,]",
                                 "{\"a\":1,}",
                                 "{a:1}",
                                 "{'a':1}",
                                 "01",
                                 "1.",
                                 ".5",
                                 "+1",
                                 "0x10",
                                 "NaN",
                                 "Infinity",
                                 "-",
                                 "1e",
                                 "nul",
                                 "\"a",
                                 "\"\\x\"",
                                 "\"\t\"",
                                 "[1] [2]",
                                 "1 2",
                                 "{}x",
                                 "/*c*/ 1",
                                 "1 // c",
                                 "\"\\u12\"",
                                 "1e999",
                                 "[1}",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "[,1]",
                                 "\"\x7f",
                                 "\v1",
                                 "\xC2\xA0"
                                 "1"}) {
    EXPECT_NE(Refused(text).what, "") << text;
  }
}

TEST(JsonParse, RefusesNulBytesAnywhere) {
  EXPECT_EQ(Refused("{}\0"s).offset, 2U);
  EXPECT_EQ(Refused("{}\0 garbage"s).offset, 2U);
  EXPECT_EQ(Refused("\"a\0b\""s).offset, 2U);
  EXPECT_EQ(Refused("\0{}"s).offset, 0U);
}

TEST(JsonParse, RefusesByteOrderMark) {
  EXPECT_NE(Refused("\xEF\xBB\xBF{}").what.find("byte order mark"), std::string::npos);
}

TEST(JsonParse, RefusesBadUtf8) {
  // A lone continuation, overlong forms, a surrogate, beyond U+10FFFF, cut short.
  for (const std::string bytes : {"\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                                  "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82", "\xFF"}) {
    Refused("\"" + bytes + "\"");
    Refused("{\"" + bytes + "\":1}");
  }
  for (const std::string escape : {"\\ud800", "\\ud800x", "\\ud800\\u0041", "\\udc00"}) {
    Refused("\"" + escape + "\"");
  }
}

TEST(JsonParse, ErrorsTellTheByte) {
  EXPECT_EQ(Refused("{\"a\": 1, }").offset, 9U);
  EXPECT_EQ(Refused("[1, 2").offset, 5U);
  EXPECT_EQ(Refused("[1, 2] x").offset, 7U);
  const std::string what = Refused("{\"a\" 1}").what;
  EXPECT_EQ(what.find("json.exception"), std::string::npos) << what;
  EXPECT_NE(what.find("invalid JSON, syntax error"), std::string::npos) << what;
}

TEST(JsonParse, RefusesDuplicateKeys) {
  const ErrorDetail detail = Refused(R"({"a":1,"b":{"c":1,"d":2,"c":3}})");
  EXPECT_EQ(detail.object, "c");
  EXPECT_NE(detail.what.find("duplicate key"), std::string::npos);
  EXPECT_NE(detail.what.find("at byte 15"), std::string::npos) << detail.what;
  EXPECT_EQ(detail.offset, 27U);
  // The same key by another spelling; and the same key in two objects, which is fine.
  EXPECT_EQ(Refused(R"({"a":1,"\u0061":2})").object, "a");
  EXPECT_EQ(Parse(R"([{"a":1},{"a":{"a":2}}])").AsArray().size(), 2U);
}

TEST(JsonParse, LimitsDepth) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(Parse(nested(256)).is_array());
  const ErrorDetail detail = Refused(nested(257));
  EXPECT_NE(detail.what.find("nested too deep"), std::string::npos);
  EXPECT_EQ(detail.offset, 256U);
  Refused(std::string(1'000'000, '['));
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) {
    objects += "{\"a\":";
  }
  Refused(objects);
  Refused("[[[]]]", {1000, 2});
}

TEST(JsonParse, LimitsSize) {
  EXPECT_EQ(Parse("[1]").AsArray().size(), 1U);
  EXPECT_NE(Refused("[1234]", {5, 10}).what.find("too large"), std::string::npos);
  EXPECT_EQ(ParseJson("[123]", "test.json", {5, 10}).AsArray().size(), 1U);
}

TEST(JsonParse, ManyKeysInReasonableTime) {
  // A vocabulary: 200,000 keys. A quadratic duplicate check would need minutes.
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i * 7919) + "\":" + std::to_string(i);
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Parse(text + "}").AsObject().size(), 200'000U);
  EXPECT_EQ(Refused(text + ",\"7919\":0}").object, "7919");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

// Writes the events down.
class Recorder : public JsonHandler {
 public:
  void Null() override { Add("null"); }

  void Bool(bool value) override { Add(value ? "true" : "false"); }

  void Integer(int64_t value) override { Add("i" + std::to_string(value)); }

  void Unsigned(uint64_t value) override { Add("u" + std::to_string(value)); }

  void Double(double /*value*/, std::string_view spelling) override {
    Add("d" + std::string(spelling));
  }

  void String(std::string& value) override { Add("s" + std::move(value)); }

  void Key(std::string& value) override { Add("k" + std::move(value)); }

  void StartObject() override { Add("{"); }

  void EndObject() override { Add("}"); }

  void StartArray() override { Add("["); }

  void EndArray() override { Add("]"); }

  std::string events;

 private:
  void Add(const std::string& event) { events += event + "@" + std::to_string(position()) + " "; }
};

TEST(JsonEvents, ComeInOrderWithPositions) {
  Recorder recorder;
  ParseJsonEvents(R"({"a": [null, -1, 2.5, "x"], "a": true})", "f", recorder);
  EXPECT_EQ(recorder.events, "{@1 ka@4 [@7 null@11 i-1@16 d2.5@21 sx@25 ]@26 ka@31 true@37 }@38 ");
}

TEST(JsonEvents, HandlerMayStop) {
  class Stopper : public Recorder {
   public:
    void Null() override { throw Error(ErrorCode::kFindings, "stop"); }
  };

  Stopper stopper;
  try {
    ParseJsonEvents("[1, null, 2]", "f", stopper);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kFindings);
  }
  EXPECT_EQ(stopper.events, "[@1 u1@3 ");
}

TEST(JsonValue, AccessorsRefuseOtherKinds) {
  const auto message = [](auto access) -> std::string {
    try {
      access();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      return error.what();
    }
    return "";
  };
  const Json value = Parse(R"({"s":"text","n":-1,"d":1.5,"a":[]})");
  EXPECT_NE(message([&] { value.Find("s")->AsInt64(); }).find("\"text\""), std::string::npos);
  EXPECT_NE(message([&] { value.Find("n")->AsUint64(); }).find("found -1"), std::string::npos);
  EXPECT_NE(message([&] { value.Find("d")->AsUint64(); }).find("found 1.5"), std::string::npos);
  EXPECT_NE(message([&] { value.Find("a")->AsObject(); }).find("an array"), std::string::npos);
  EXPECT_NE(message([&] { value.AsString(); }).find("an object"), std::string::npos);
  EXPECT_NE(message([] { Json(uint64_t{1} << 63).AsInt64(); }), "");
  EXPECT_NE(message([] { Json().AsBool(); }).find("null"), std::string::npos);
  EXPECT_NE(message([] { Json("x").AsDouble(); }), "");
  EXPECT_NE(message([] { Json(1).AsArray(); }), "");
}

TEST(JsonValue, NumbersConvert) {
  EXPECT_EQ(Json(5).AsUint64(), 5U);
  EXPECT_EQ(Json(uint64_t{5}).AsInt64(), 5);
  EXPECT_EQ(Json(-5).AsDouble(), -5.0);
  EXPECT_EQ(Json(uint64_t{1} << 63).AsDouble(), 9223372036854775808.0);
}

TEST(JsonValue, ObjectsAreEdited) {
  Json value = Json::MakeObject();
  value.Set("a", 1);
  value.Set("b", "two");
  value.Set("a", Json::MakeArray());
  value.Find("a")->Append(true);
  value.Find("a")->Append(nullptr);
  EXPECT_EQ(WriteJson(value), R"({"a":[true,null],"b":"two"})");
  EXPECT_TRUE(value.Erase("a"));
  EXPECT_FALSE(value.Erase("a"));
  EXPECT_EQ(value.Find("a"), nullptr);
  EXPECT_EQ(Json(1).Find("a"), nullptr);
  EXPECT_EQ(WriteJson(value), R"({"b":"two"})");
}

TEST(JsonValue, Equality) {
  EXPECT_EQ(Parse(R"({"a":1,"b":[1,2]})"), Parse(R"({"b":[1,2],"a":1})"));
  EXPECT_FALSE(Parse("[1,2]") == Parse("[2,1]"));
  EXPECT_FALSE(Parse("1") == Parse("1.0"));
  EXPECT_EQ(Json(5), Parse("5"));
  EXPECT_EQ(Json(int64_t{-5}), Parse("-5"));
  EXPECT_FALSE(Json(-1) == Json(~uint64_t{0}));
  EXPECT_EQ(Parse("1.0"), Parse("1.00"));
  EXPECT_FALSE(Parse(R"({"a":1})") == Parse(R"({"a":1,"b":2})"));
  EXPECT_FALSE(Json("1") == Json(1));
  EXPECT_FALSE(Json(true) == Json(false));
  EXPECT_EQ(Json(), Json(nullptr));
}

}  // namespace
}  // namespace lbrx

#include "carat/base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat {
namespace {

std::string Repeat(std::string_view text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

TEST(ParseJson, RefusesWhatIsNotJson) {
  EXPECT_ERROR(ParseJson("{\"a\": }", "f.json"), "f.json: is not JSON", "line 1, column 7");
  EXPECT_ERROR(ParseJson("", "f.json"), "f.json: is not JSON");
  EXPECT_ERROR(ParseJson("{} {}", "f.json"), "f.json: is not JSON");
  EXPECT_ERROR(ParseJson("[1e999]", "f.json"), "f.json: is not JSON");
  EXPECT_ERROR(ParseJson("[NaN]", "f.json"), "f.json: is not JSON");
}

TEST(ParseJson, RefusesBytesThatAreNotUtf8) {
  EXPECT_ERROR(ParseJson("{\"\xff\": 1}", "f.json"), "f.json: is not JSON", "UTF-8");
}

TEST(ParseJson, RefusesDeepNesting) {
  EXPECT_NO_THROW(ParseJson(Repeat("[", 60) + Repeat("]", 60), "f.json"));
  EXPECT_ERROR(ParseJson(Repeat("[", 100'000), "f.json"), "nested more than 64 levels");
  EXPECT_ERROR(ParseJson(Repeat("{\"a\":", 100'000), "f.json"), "nested more than 64 levels");
}

TEST(ParseJson, ReadsListsOfManyObjects) {
  const std::string text =
      "[" + Repeat("{\"a\": 1}, ", 300'000) + "{}]";  // quadratic time: minutes
  EXPECT_EQ(ParseJson(text, "f.json").size(), 300'001);
}

TEST(ParseJson, RefusesAKeyGivenTwice) {
  EXPECT_ERROR(ParseJson(R"({"a": 1, "b": {"a": 2}, "a": 3})", "f.json"), "key 'a' is given twice");
  EXPECT_NO_THROW(ParseJson(R"({"a": 1, "b": {"a": 2}, "c": [{"a": 2}, {"a": 3}]})", "f.json"));
}

TEST(ParseJsonFile, NamesTheFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(ParseJsonFile(WriteText(folder, "config.json", "{\"a\": 1}"))["a"], 1);
  EXPECT_ERROR(ParseJsonFile(WriteText(folder, "bad.json", "nope")), "bad.json: is not JSON");
  EXPECT_ERROR(ParseJsonFile(folder / "none.json"), "none.json: cannot open");
}

class JsonObjectTest : public ::testing::Test {
 protected:
  Json json_ = Json::parse(R"({
    "int": 5, "negative": -5, "zero": 0, "float": 0.5, "huge": 18446744073709551615,
    "string": "abc", "bool": true, "null": null, "ints": [1, 2], "mixed": [1, "b"],
    "strings": ["a", "b"], "object": {"inner": "x"}, "whole": 256.0
  })");
  JsonObject object_{json_, "config.json"};
};

TEST_F(JsonObjectTest, GivesValuesOfTheRightType) {
  EXPECT_EQ(object_.Int("negative"), -5);
  EXPECT_EQ(object_.PositiveInt("int"), 5);
  EXPECT_EQ(object_.Float("float"), 0.5);
  EXPECT_EQ(object_.Float("int"), 5);
  EXPECT_EQ(object_.String("string"), "abc");
  EXPECT_TRUE(object_.Bool("bool"));
  EXPECT_EQ(object_.Ints("ints"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(object_.Ints("int"), (std::vector<int64_t>{5}));
  EXPECT_EQ(object_.Strings("strings"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(object_.Object("object").String("inner"), "x");
}

TEST_F(JsonObjectTest, TreatsNullAsAbsent) {
  EXPECT_FALSE(object_.Has("null"));
  EXPECT_EQ(object_.OptionalInt("null"), std::nullopt);
  EXPECT_EQ(object_.OptionalObject("absent").has_value(), false);
  EXPECT_EQ(object_.OptionalFloat("float"), 0.5);
  EXPECT_ERROR(object_.Int("null"), "config.json: field 'null' is missing");
}

TEST_F(JsonObjectTest, RefusesWrongTypesByFileFieldAndValue) {
  EXPECT_ERROR(object_.PositiveInt("string"),
               "config.json: field 'string' is \"abc\" (string), expected a positive integer");
  EXPECT_ERROR(object_.PositiveInt("negative"), "is -5, expected a positive integer");
  EXPECT_ERROR(object_.PositiveInt("zero"), "is 0, expected a positive integer");
  EXPECT_ERROR(object_.Int("float"), "is 0.5, expected an integer");
  EXPECT_ERROR(object_.Int("huge"), "is 18446744073709551615, expected an integer");
  EXPECT_ERROR(object_.Int("bool"), "is true, expected an integer");
  EXPECT_ERROR(object_.Float("string"), "expected a number");
  EXPECT_ERROR(object_.PositiveFloat("negative"), "expected a positive number");
  EXPECT_ERROR(object_.Bool("int"), "is 5, expected true or false");
  EXPECT_ERROR(object_.String("ints"), "is a list of 2, expected a string");
  EXPECT_ERROR(object_.Strings("string"), "expected a list of strings");
  EXPECT_ERROR(object_.Strings("mixed"), "expected a list of strings");
  EXPECT_ERROR(object_.Ints("mixed"), "field 'mixed' holds \"b\" (string), expected integers");
  EXPECT_ERROR(object_.Object("int"), "expected an object");
}

TEST_F(JsonObjectTest, NamesTheWholePathOfAnInnerField) {
  EXPECT_ERROR(object_.Object("object").Int("inner"),
               "config.json: field 'object.inner' is \"x\" (string)");
}

TEST(JsonObject, RefusesWhatIsNotAnObject) {
  const Json list = Json::array({1});
  EXPECT_ERROR(JsonObject(list, "f.json"), "f.json: is a list of 1, expected an object");
}

TEST(JsonObject, CutsLongValues) {
  const Json json = {{"a", std::string(10'000, 'x')}};
  try {
    JsonObject(json, "f.json").Int("a");
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 200u);
  }
}

}  // namespace
}  // namespace carat

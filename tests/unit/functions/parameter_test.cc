#include "functions/parameter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace internode::functions {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Given = std::vector<std::pair<std::string, std::string>>;

ParameterSpec Spec(const std::string& name, ParameterValue value) {
  ParameterSpec spec;
  spec.name = name;
  spec.default_value = std::move(value);
  return spec;
}

// One parameter of each type.
std::vector<ParameterSpec> Specs() {
  std::vector<ParameterSpec> specs = {
      Spec("flag", false),
      Spec("count", int64_t{3}),
      Spec("share", 0.25),
      Spec("style", std::string("plain")),
      Spec("limits", std::vector<double>{1, 2.5}),
      Spec("names", std::vector<std::string>{"a"})};
  specs[1].min = 0;
  specs[1].max = 10;
  specs[1].aliases = {"n"};
  specs[2].min = 0;
  specs[3].choices = {"plain", "fancy"};
  specs[4].max = 100;
  return specs;
}

std::string ParseError(const Given& given) {
  const auto parameters = Parameters::Parse(Specs(), given);
  return parameters.ok() ? "no error"
                         : std::string(parameters.status().message());
}

TEST(ParameterTest, DefaultsStand) {
  const auto parameters = Parameters::Parse(Specs(), {});
  ASSERT_TRUE(parameters.ok()) << parameters.status();
  EXPECT_FALSE(parameters->GetBool("flag"));
  EXPECT_EQ(parameters->GetInt("count"), 3);
  EXPECT_EQ(parameters->GetDouble("share"), 0.25);
  EXPECT_EQ(parameters->GetText("style"), "plain");
  EXPECT_THAT(parameters->GetNumbers("limits"), ElementsAre(1, 2.5));
  EXPECT_THAT(parameters->GetWords("names"), ElementsAre("a"));
  EXPECT_FALSE(parameters->IsGiven("count"));
}

TEST(ParameterTest, ParsesEachType) {
  const auto parameters = Parameters::Parse(Specs(), {{"flag", "True"},
                                                      {"n", "7"},
                                                      {"share", "1e-3"},
                                                      {"style", "fancy"},
                                                      {"limits", "-1, 2e1"},
                                                      {"names", "x,y"}});
  ASSERT_TRUE(parameters.ok()) << parameters.status();
  EXPECT_TRUE(parameters->GetBool("flag"));
  EXPECT_EQ(parameters->GetInt("count"), 7);
  EXPECT_EQ(parameters->GetDouble("share"), 1e-3);
  EXPECT_EQ(parameters->GetText("style"), "fancy");
  EXPECT_THAT(parameters->GetNumbers("limits"), ElementsAre(-1, 20));
  EXPECT_THAT(parameters->GetWords("names"), ElementsAre("x", "y"));
  EXPECT_TRUE(parameters->IsGiven("count"));
  EXPECT_FALSE(parameters->IsGiven("other"));
}

TEST(ParameterTest, ListsMayBeJsonOrEmpty) {
  auto parameters = Parameters::Parse(
      Specs(), {{"limits", "[1, 2.5]"}, {"names", R"(["a,b", "c"])"}});
  ASSERT_TRUE(parameters.ok()) << parameters.status();
  EXPECT_THAT(parameters->GetNumbers("limits"), ElementsAre(1, 2.5));
  EXPECT_THAT(parameters->GetWords("names"), ElementsAre("a,b", "c"));
  parameters = Parameters::Parse(Specs(), {{"limits", ""}, {"names", "[]"}});
  ASSERT_TRUE(parameters.ok()) << parameters.status();
  EXPECT_THAT(parameters->GetNumbers("limits"), IsEmpty());
  EXPECT_THAT(parameters->GetWords("names"), IsEmpty());
}

TEST(ParameterTest, NamesWhatIsWrong) {
  EXPECT_EQ(ParseError({{"cuont", "1"}}),
            "there is no parameter 'cuont'; there are flag, count, share, "
            "style, limits, names");
  EXPECT_EQ(ParseError({{"coun", "1"}}),
            "there is no parameter 'coun'; there are flag, count, share, "
            "style, limits, names (did you mean 'count'?)");
  EXPECT_EQ(ParseError({{"count", "1"}, {"count", "2"}}),
            "parameter 'count' is given twice");
  EXPECT_EQ(ParseError({{"count", "1"}, {"n", "2"}}),
            "parameter 'count' is given twice; 'n' is another name for it");
}

TEST(ParameterTest, RefusesIllTypedValues) {
  EXPECT_EQ(ParseError({{"flag", "1"}}),
            "parameter 'flag' is '1'; it must be bool");
  for (const char* text : {"3.5", "", "three", "99999999999999999999"}) {
    EXPECT_EQ(
        ParseError({{"count", text}}),
        std::string("parameter 'count' is '") + text + "'; it must be int");
  }
  for (const char* text : {"", "x", "nan", "inf", "1e999"}) {
    EXPECT_EQ(
        ParseError({{"share", text}}),
        std::string("parameter 'share' is '") + text + "'; it must be float");
  }
  for (const char* text : {"1,,2", "1,x", "[1", "[true]", "[[1]]", "[null]"}) {
    EXPECT_EQ(ParseError({{"limits", text}}),
              std::string("parameter 'limits' is '") + text +
                  "'; it must be list of numbers");
  }
  EXPECT_EQ(ParseError({{"names", "[{}]"}}),
            "parameter 'names' is '[{}]'; it must be list of words");
}

TEST(ParameterTest, RefusesValuesOutOfRange) {
  EXPECT_EQ(ParseError({{"count", "11"}}),
            "parameter 'count' is 11; it must be from 0 to 10");
  EXPECT_EQ(ParseError({{"share", "-0.5"}}),
            "parameter 'share' is -0.5; it must be at least 0");
  EXPECT_EQ(ParseError({{"limits", "1,101"}}),
            "parameter 'limits' is 101; it must be at most 100");
  EXPECT_EQ(ParseError({{"style", "fanc"}}),
            "parameter 'style' is 'fanc'; it can be plain, fancy (did you mean "
            "'fancy'?)");
}

TEST(ParameterTest, AWrongNameOrTypeGivesTheEmptyValue) {
  const auto parameters = Parameters::Parse(Specs(), {});
  ASSERT_TRUE(parameters.ok());
  EXPECT_EQ(parameters->GetInt("share"), 0);
  EXPECT_EQ(parameters->GetText("nothing"), "");
}

TEST(ParameterTest, JsonReadsBackAsTheSameNumbers) {
  const auto parameters =
      Parameters::Parse(Specs(), {{"share", "0.1"}, {"limits", "1e-300,0.3"}});
  ASSERT_TRUE(parameters.ok());
  EXPECT_EQ(parameters->ToJson(),
            R"({"flag":false,"count":3,"share":0.1,"style":"plain",)"
            R"("limits":[1e-300,0.3],"names":["a"]})");
  const auto given = ParametersFromJson(parameters->ToJson());
  ASSERT_TRUE(given.ok()) << given.status();
  const auto again = Parameters::Parse(Specs(), *given);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->values(), parameters->values());
}

TEST(ParametersFromJsonTest, TakesScalarsAndLists) {
  const auto given = ParametersFromJson(
      R"({"a": 1, "b": "two", "c": true, "d": [1, 2], "e": 0.5})");
  ASSERT_TRUE(given.ok()) << given.status();
  EXPECT_THAT(*given,
              ElementsAre(Pair("a", "1"), Pair("b", "two"), Pair("c", "true"),
                          Pair("d", "[1,2]"), Pair("e", "0.5")));
}

TEST(ParametersFromJsonTest, RefusesAnythingElse) {
  for (const char* json : {"", "[]", "3", "{", "{\"a\": }"}) {
    const auto given = ParametersFromJson(json);
    ASSERT_FALSE(given.ok()) << json;
    EXPECT_EQ(given.status().message(),
              "the parameters are not a JSON object, such as "
              "{\"harmonics\": 3}");
  }
  EXPECT_EQ(ParametersFromJson(R"({"a": {"b": 1}})").status().message(),
            "parameter 'a' is an object in JSON; it must be a number, true or "
            "false, text, or a list");
  EXPECT_EQ(ParametersFromJson(R"({"a": null})").status().message(),
            "parameter 'a' is null in JSON; it must be a number, true or "
            "false, text, or a list");
  EXPECT_EQ(ParametersFromJson(R"({"a": 1, "a": 2})").status().message(),
            "parameter 'a' is given twice in the JSON object");
}

}  // namespace
}  // namespace internode::functions

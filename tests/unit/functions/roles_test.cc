#include "functions/roles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

RoleSpec Role(const std::string& name, bool required, bool repeated,
              std::vector<std::string> guesses) {
  RoleSpec role;
  role.name = name;
  role.required = required;
  role.repeated = repeated;
  role.guesses = std::move(guesses);
  return role;
}

// bands (repeated, required) and qa (optional, guessed).
FunctionInfo Banded() {
  FunctionInfo info;
  info.name = "banded";
  info.roles = {Role("bands", true, true, {}),
                Role("qa", false, false, {"QA", "cfmask"})};
  return info;
}

// blue and red, both required.
FunctionInfo Named() {
  FunctionInfo info;
  info.name = "named";
  info.roles = {Role("blue", true, false, {"blue", "B1"}),
                Role("red", true, false, {"red", "B3"})};
  return info;
}

using Choices = std::vector<core::VariableChoice>;

std::string FillError(const FunctionInfo& info, const Choices& choices,
                      const core::CubeInfo& cube = TestCube(),
                      const std::vector<std::string>& core_dims = {"time"}) {
  const auto filled = FillRoles(info, cube, core_dims, choices);
  return filled.ok() ? "no error" : std::string(filled.status().message());
}

// The labels of each role's sources.
std::vector<std::vector<std::string>> Labels(
    const FunctionInfo& info, const Choices& choices,
    const core::CubeInfo& cube = TestCube(),
    const std::vector<std::string>& core_dims = {"time"}) {
  const auto filled = FillRoles(info, cube, core_dims, choices);
  EXPECT_TRUE(filled.ok()) << filled.status();
  std::vector<std::vector<std::string>> labels;
  if (!filled.ok()) return labels;
  for (const std::vector<SeriesSource>& sources : filled->sources) {
    labels.emplace_back();
    for (const SeriesSource& source : sources) {
      labels.back().push_back(source.label);
    }
  }
  return labels;
}

TEST(RolesTest, GuessesAndTakesTheRest) {
  const auto filled = FillRoles(Banded(), TestCube(), {"time"}, {});
  ASSERT_TRUE(filled.ok()) << filled.status();
  EXPECT_THAT(Labels(Banded(), {}),
              ElementsAre(ElementsAre("blue", "red"), ElementsAre("cfmask")));
  EXPECT_THAT(
      filled->notes,
      ElementsAre("qa: cfmask (guessed; --variables qa=none to leave it out)",
                  "bands: blue, red"));
  EXPECT_THAT(filled->noncore_dims,
              ElementsAre(core::Dimension{"y", 3}, core::Dimension{"x", 5}));
}

TEST(RolesTest, GuessesIgnoreCaseAndGroupsAndKeepTheirOrder) {
  core::CubeInfo cube = TestCube();
  cube.variables[2].name = "masks/CFMASK";
  EXPECT_THAT(
      Labels(Banded(), {}, cube),
      ElementsAre(ElementsAre("blue", "red"), ElementsAre("masks/CFMASK")));
  cube.variables.push_back(TestVariable("qa", cube.dims));
  EXPECT_THAT(Labels(Banded(), {}, cube),
              ElementsAre(ElementsAre("blue", "red"), ElementsAre("qa")));
}

TEST(RolesTest, GuessesSkipVariablesOverOtherDimensions) {
  core::CubeInfo cube = TestCube();
  cube.variables[2].dims = {{"y", 3}, {"x", 5}};
  EXPECT_THAT(Labels(Banded(), {}, cube),
              ElementsAre(ElementsAre("blue", "red"), IsEmpty()));
}

TEST(RolesTest, TheUserNamesVariables) {
  EXPECT_THAT(Labels(Banded(), {{"", "red"}, {"", "blue"}, {"qa", "none"}}),
              ElementsAre(ElementsAre("red", "blue"), IsEmpty()));
  EXPECT_THAT(Labels(Banded(), {{"bands", "cfmask"}, {"qa", "blue"}}),
              ElementsAre(ElementsAre("cfmask"), ElementsAre("blue")));
  // Without the role, a name goes where it is a guess.
  EXPECT_THAT(Labels(Named(), {{"", "red"}}),
              ElementsAre(ElementsAre("blue"), ElementsAre("red")));
}

TEST(RolesTest, TheOnlyRoleNeedsNoName) {
  FunctionInfo info = Named();
  info.roles.pop_back();
  EXPECT_THAT(Labels(info, {{"", "red"}}), ElementsAre(ElementsAre("red")));
  EXPECT_EQ(FillError(info, {{"", "red"}, {"", "blue"}}),
            "role 'blue' is given twice, as 'red' and 'blue'");
}

TEST(RolesTest, AQualityVariableThatIsLeftOutIsNoBand) {
  const auto filled =
      FillRoles(Banded(), TestCube(), {"time"}, {{"qa", "none"}});
  ASSERT_TRUE(filled.ok()) << filled.status();
  EXPECT_EQ(filled->sources[0].size(), 2);
  EXPECT_THAT(filled->notes,
              ElementsAre("bands: blue, red (without cfmask; --variables names "
                          "others)"));
}

TEST(RolesTest, BandsHaveLabels) {
  const core::CubeInfo cube = TestBandCube();
  const std::vector<std::string> core_dims = {"band", "time"};
  EXPECT_THAT(
      Labels(Banded(), {}, cube, core_dims),
      ElementsAre(ElementsAre("blue", "red", "nir"), ElementsAre("qa")));
  EXPECT_THAT(
      Labels(Banded(), {{"", "nir"}, {"", "image[blue]"}}, cube, core_dims),
      ElementsAre(ElementsAre("nir", "blue"), ElementsAre("qa")));
  EXPECT_THAT(Labels(Banded(), {{"", "image[1]"}}, cube, core_dims),
              ElementsAre(ElementsAre("red"), ElementsAre("qa")));
  EXPECT_THAT(
      Labels(Banded(), {{"", "image"}}, cube, core_dims),
      ElementsAre(ElementsAre("blue", "red", "nir"), ElementsAre("qa")));
  EXPECT_THAT(Labels(Named(), {}, cube, core_dims),
              ElementsAre(ElementsAre("blue"), ElementsAre("red")));
}

TEST(RolesTest, BandsWithoutTextHaveNumbers) {
  core::CubeInfo cube = TestBandCube();
  cube.coordinates.clear();
  EXPECT_THAT(Labels(Banded(), {}, cube, {"band", "time"}),
              ElementsAre(ElementsAre("image[0]", "image[1]", "image[2]"),
                          ElementsAre("qa")));
}

TEST(RolesTest, BandsOfSeveralVariablesAreToldApart) {
  core::CubeInfo cube = TestBandCube();
  cube.variables.push_back(TestVariable("other", cube.dims));
  const std::vector<std::string> core_dims = {"band", "time"};
  EXPECT_THAT(Labels(Banded(), {{"", "other[red]"}}, cube, core_dims)[0],
              ElementsAre("other[red]"));
  EXPECT_EQ(FillError(Banded(), {{"", "red"}}, cube, core_dims),
            "'red' is a band of several variables; write 'image[red]' or "
            "'other[red]'");
}

TEST(RolesTest, NonCoreDimensionsKeepTheOrderOfTheData) {
  core::CubeInfo cube = TestCube();
  for (core::VariableInfo& variable : cube.variables) {
    variable.dims = {{"x", 5}, {"time", 4}, {"y", 3}};
  }
  const auto filled = FillRoles(Banded(), cube, {"time"}, {});
  ASSERT_TRUE(filled.ok()) << filled.status();
  EXPECT_THAT(filled->noncore_dims,
              ElementsAre(core::Dimension{"x", 5}, core::Dimension{"y", 3}));
}

TEST(RolesTest, RefusesUnknownNames) {
  EXPECT_EQ(FillError(Banded(), {{"", "bleu"}}),
            "cube has no variable 'bleu'; it has blue, red, cfmask, truth");
  EXPECT_EQ(FillError(Banded(), {{"", "blu"}}),
            "cube has no variable 'blu'; it has blue, red, cfmask, truth (did "
            "you mean 'blue'?)");
  EXPECT_EQ(FillError(Banded(), {{"band", "blue"}}),
            "function 'banded' has no role 'band'; it has bands, qa (did you "
            "mean 'bands'?)");
  EXPECT_EQ(FillError(Named(), {{"", "cfmask"}}),
            "variable 'cfmask' is named without a role; function 'named' has "
            "blue, red; write ROLE=cfmask");
  EXPECT_EQ(FillError(Banded(), {{"", "red"}}, TestBandCube()),
            "cube has no variable 'red'; it has image, qa; 'red' is a label of "
            "dimension 'band', which is not a core dimension");
}

TEST(RolesTest, RefusesRolesFilledTwice) {
  EXPECT_EQ(FillError(Banded(), {{"qa", "red"}, {"qa", "blue"}}),
            "role 'qa' is given twice, as 'red' and 'blue'");
  EXPECT_EQ(FillError(Banded(), {{"qa", "none"}, {"qa", "blue"}}),
            "role 'qa' is given twice, as 'none' and 'blue'");
  EXPECT_EQ(FillError(Banded(), {{"qa", "blue"}, {"qa", "none"}}),
            "role 'qa' is given twice, as 'blue' and 'none'");
  EXPECT_EQ(FillError(Banded(), {{"", "red"}, {"", "red"}}),
            "variable 'red' is given twice for role 'bands'");
  EXPECT_EQ(
      FillError(Named(), {{"blue", "image"}}, TestBandCube(), {"band", "time"}),
      "variable 'image' has 3 bands; role 'blue' takes one, such as "
      "'blue'");
}

TEST(RolesTest, RefusesRequiredRolesLeftEmpty) {
  EXPECT_EQ(FillError(Banded(), {{"bands", "none"}}),
            "function 'banded' needs its role 'bands'; it cannot be none");
  core::CubeInfo cube = TestCube();
  cube.variables[1].name = "rouge";
  EXPECT_EQ(FillError(Named(), {}, cube),
            "function 'named' needs a variable for its role 'red', over time; "
            "the cube has blue, rouge, cfmask, truth; name one with "
            "--variables red=NAME");
  cube.variables.clear();
  EXPECT_EQ(FillError(Banded(), {}, cube),
            "function 'banded' needs a variable for its role 'bands', over "
            "time; the cube has none; name one with --variables bands=NAME");
}

TEST(RolesTest, RefusesUnequalDimensions) {
  EXPECT_EQ(FillError(Banded(), {{"", "blue"}, {"", "truth"}}),
            "variable 'truth' has no core dimension 'time'; it has y, x");
  core::CubeInfo cube = TestCube();
  cube.variables[1].dims = {{"time", 4}, {"y", 3}};
  EXPECT_EQ(FillError(Banded(), {{"", "blue"}, {"", "red"}}, cube),
            "variables 'blue' (time=4, y=3, x=5) and 'red' (time=4, y=3) have "
            "unequal dimensions");
  EXPECT_THAT(Labels(Banded(), {}, cube),
              ElementsAre(ElementsAre("blue"), ElementsAre("cfmask")));
}

}  // namespace
}  // namespace internode::functions

#include "functions/job_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "functions/builtins.h"
#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

core::JobSpec Spec(const std::string& function) {
  core::JobSpec spec;
  spec.function = function;
  return spec;
}

// noop, stats, and `dated`, which needs the dates of one variable, `nir`, and
// takes a mask.
absl::StatusOr<JobPlan> Plan(const core::JobSpec& spec,
                             const core::CubeInfo& cube = TestCube()) {
  FunctionInfo dated;
  dated.name = "dated";
  dated.version = "1";
  RoleSpec nir;
  nir.name = "nir";
  nir.guesses = {"red"};
  RoleSpec mask;
  mask.name = "mask";
  mask.required = false;
  mask.codes = true;
  mask.guesses = {"cfmask"};
  dated.roles = {nir, mask};
  Registry registry;
  EXPECT_TRUE(registry.Add(MakeNoopFunction()).ok());
  EXPECT_TRUE(registry.Add(MakeStatsFunction()).ok());
  EXPECT_TRUE(registry.Add(std::make_shared<FakeFunction>(dated)).ok());
  return MakeJobPlan(spec, cube, registry);
}

std::string ErrorOf(const core::JobSpec& spec,
                    const core::CubeInfo& cube = TestCube()) {
  const absl::StatusOr<JobPlan> plan = Plan(spec, cube);
  return plan.ok() ? "no error" : std::string(plan.status().message());
}

std::vector<std::string> Labels(const JobPlan& plan) {
  std::vector<std::string> labels;
  for (const InputSeries& series : plan.inputs.series) {
    labels.push_back(series.label);
  }
  return labels;
}

TEST(JobPlanTest, TakesAllVariablesOverTheDataDimensions) {
  const absl::StatusOr<JobPlan> plan = Plan(Spec("stats"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(Labels(*plan), ElementsAre("blue", "red", "cfmask"));
  EXPECT_THAT(plan->request.noncore_dims, ElementsAre("y", "x"));
  EXPECT_THAT(plan->request.core_dims, ElementsAre("time"));
  EXPECT_EQ(plan->inputs.count, 4);
  EXPECT_THAT(plan->inputs.days, ElementsAre(0, 16, 32, 48));
  EXPECT_EQ(plan->grid.num_pixels(), 15);
  EXPECT_THAT(plan->notes,
              ElementsAre("bands: blue, red, cfmask",
                          "nodata: -9999 in blue, red, cfmask, which declare "
                          "none (--nodata V for another value)"));
}

TEST(JobPlanTest, TheUsualNodataIsForWhoDeclaresNone) {
  core::CubeInfo cube = TestCube();
  cube.variables[0].missing = {0};
  cube.variables[1].type = core::DataType::kUInt16;
  const absl::StatusOr<JobPlan> plan = Plan(Spec("stats"), cube);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->inputs.series[0].missing, ElementsAre(0));
  EXPECT_THAT(plan->inputs.series[1].missing, IsEmpty());
  EXPECT_THAT(plan->inputs.series[2].missing, ElementsAre(-9999));
}

TEST(JobPlanTest, AnotherNodataTakesThePlaceOfTheUsualOne) {
  core::JobSpec spec = Spec("stats");
  spec.nodata = 7;
  const absl::StatusOr<JobPlan> plan = Plan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->inputs.series[0].missing, ElementsAre(7));
  EXPECT_THAT(plan->notes, ElementsAre("bands: blue, red, cfmask"));
}

TEST(JobPlanTest, DescribesEachSeries) {
  core::CubeInfo cube = TestCube();
  core::VariableInfo& blue = cube.variables[0];
  blue.type = core::DataType::kUInt8;
  blue.missing = {255};
  blue.valid_min = 1;
  blue.valid_max = 200;
  blue.scale_factor = 0.5;
  blue.add_offset = 3;
  blue.attributes = {{"units", std::string("K")}};
  core::JobSpec spec = Spec("stats");
  spec.nodata = -9999;
  const absl::StatusOr<JobPlan> plan = Plan(spec, cube);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const InputSeries& series = plan->inputs.series[0];
  EXPECT_EQ(series.role, "bands");
  EXPECT_EQ(series.source, (core::SeriesRequest{"blue", -1}));
  EXPECT_EQ(series.type, core::DataType::kUInt8);
  EXPECT_THAT(series.missing, ElementsAre(255, -9999));
  EXPECT_EQ(series.valid_min, 1);
  EXPECT_EQ(series.valid_max, 200);
  EXPECT_EQ(series.scale_factor, 0.5);
  EXPECT_EQ(series.add_offset, 3);
  EXPECT_EQ(series.units, "K");
}

TEST(JobPlanTest, ListsGuessesAndTheFunctionsOwnChoices) {
  core::JobSpec spec = Spec("dated");
  spec.nodata = 0;
  const absl::StatusOr<JobPlan> plan = Plan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(Labels(*plan), ElementsAre("red", "cfmask"));
  EXPECT_THAT(
      plan->notes,
      ElementsAre(
          "nir: red (guessed; --variables nir=NAME to take another)",
          "mask: cfmask (guessed; --variables mask=none to leave it out)",
          "a choice"));
  // Code 0 is a code, not "no data".
  EXPECT_THAT(plan->inputs.series[0].missing, ElementsAre(0));
  EXPECT_THAT(plan->inputs.series[1].missing, IsEmpty());
}

TEST(JobPlanTest, NodataThatTheFileDeclaresIsKeptOnce) {
  core::CubeInfo cube = TestCube();
  cube.variables[0].missing = {-9999};
  core::JobSpec spec = Spec("stats");
  spec.nodata = -9999;
  const absl::StatusOr<JobPlan> plan = Plan(spec, cube);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->inputs.series[0].missing, ElementsAre(-9999));
}

TEST(JobPlanTest, SpreadsTheBandsOfOneVariable) {
  core::JobSpec spec = Spec("noop");
  spec.core_dims = {"band", "time"};
  const absl::StatusOr<JobPlan> plan = Plan(spec, TestBandCube());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(Labels(*plan), ElementsAre("blue", "red", "nir", "qa"));
  EXPECT_EQ(plan->request.series[1], (core::SeriesRequest{"image", 1}));
  EXPECT_EQ(plan->request.series[3], (core::SeriesRequest{"qa", -1}));
  EXPECT_THAT(plan->request.noncore_dims, ElementsAre("y", "x"));
  EXPECT_EQ(plan->inputs.count, 4);
  EXPECT_EQ(DefaultCoreDims(TestBandCube()), spec.core_dims);
  EXPECT_THAT(DefaultCoreDims(TestCube()), ElementsAre("time"));
}

TEST(JobPlanTest, BandsThatAreNotCoreAreSeparatePixels) {
  const absl::StatusOr<JobPlan> plan = Plan(Spec("noop"), TestBandCube());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(Labels(*plan), ElementsAre("image", "qa"));
  EXPECT_THAT(plan->request.noncore_dims, ElementsAre("band", "y", "x"));
  EXPECT_EQ(plan->grid.num_pixels(), 45);
}

TEST(JobPlanTest, CanReadNothing) {
  core::JobSpec spec = Spec("noop");
  spec.variables = {{"bands", "none"}};
  const absl::StatusOr<JobPlan> plan = Plan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->request.series, IsEmpty());
  EXPECT_EQ(plan->grid.num_pixels(), 15);
}

TEST(JobPlanTest, CutsTheSelectionFromItsBeginning) {
  core::JobSpec spec = Spec("stats");
  spec.select = {{"y", 1, -1}, {"x", 1, 4}};
  spec.chunks = core::ChunkMapping{{"x", 2}, {"y", 2}};
  const absl::StatusOr<JobPlan> plan = Plan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->grid.num_chunks(), 2);
  EXPECT_EQ(plan->grid.Chunk(0).extents[0], core::Extent::Range(1, 3));
  EXPECT_EQ(plan->grid.Chunk(0).extents[1], core::Extent::Range(1, 3));
  EXPECT_EQ(plan->grid.Chunk(1).extents[1], core::Extent::Range(3, 4));
}

TEST(JobPlanTest, NamesUnknownFunctionsAndParameters) {
  EXPECT_EQ(ErrorOf(Spec("stat")),
            "there is no function 'stat'; there are dated, noop, stats (did "
            "you mean 'stats'?)");
  EXPECT_EQ(Plan(Spec("stat")).status().code(), absl::StatusCode::kNotFound);
  core::JobSpec spec = Spec("noop");
  spec.parameters = {{"record", "1"}};
  EXPECT_EQ(ErrorOf(spec),
            "function 'noop': there is no parameter 'record'; there are "
            "records (did you mean 'records'?)");
  spec.parameters = {{"records", "many"}};
  EXPECT_EQ(ErrorOf(spec),
            "function 'noop': parameter 'records' is 'many'; it must be int");
}

TEST(JobPlanTest, NamesCoreDimensionsThatTheCubeLacks) {
  core::JobSpec spec = Spec("stats");
  spec.core_dims = {"tim"};
  EXPECT_EQ(ErrorOf(spec),
            "the data has no core dimension 'tim'; it has time, y, x (did you "
            "mean 'time'?)");
  spec.core_dims = {"time", "time"};
  EXPECT_EQ(ErrorOf(spec), "core dimension 'time' is given twice");
}

TEST(JobPlanTest, RefusesBadSelections) {
  core::JobSpec spec = Spec("stats");
  spec.select = {{"z", 0, -1}};
  EXPECT_EQ(ErrorOf(spec),
            "selection of 'z', which is not a non-core dimension; there are "
            "y, x (did you mean 'y'?)");
  spec.select = {{"x", 2, 2}};
  EXPECT_EQ(ErrorOf(spec), "selection x=2:2 is empty; dimension 'x' has 0:5");
}

TEST(JobPlanTest, RefusesBadChunks) {
  core::JobSpec spec = Spec("stats");
  spec.chunks = int64_t{0};
  EXPECT_EQ(ErrorOf(spec), "chunk size is 0; it must be at least 1");
  spec.chunks = core::ChunkMapping{{"y", -3}};
  EXPECT_EQ(ErrorOf(spec),
            "chunk size of dimension 'y' is -3; it must be at least 1");
  spec.chunks = core::ChunkMapping{{"time", 3}};
  EXPECT_EQ(ErrorOf(spec),
            "chunk size given for 'time', which is not a dimension to cut; "
            "there are y, x");
}

TEST(JobPlanTest, NeedsDatesWhereTheFunctionDoes) {
  core::CubeInfo cube = TestCube();
  cube.time.reset();
  EXPECT_EQ(ErrorOf(Spec("dated"), cube),
            "function 'dated' needs dates, and the cube has no time axis; a "
            "time axis is a coordinate with units such as 'days since "
            "1970-01-01'");
  cube.time_error = "variable 'time' has no units";
  EXPECT_EQ(ErrorOf(Spec("dated"), cube),
            "function 'dated' needs dates, and the cube has no readable "
            "time axis: variable 'time' has no units");
  EXPECT_EQ(ErrorOf(Spec("stats"), cube), "no error");
  core::JobSpec spec = Spec("dated");
  spec.core_dims = {"y"};
  EXPECT_EQ(ErrorOf(spec),
            "function 'dated' takes 'time' as its only core dimension; the "
            "core dimensions are y");
  spec.core_dims = {"time", "y", "band"};
  EXPECT_EQ(ErrorOf(spec, TestBandCube()),
            "function 'dated' takes 'time' as its only core dimension "
            "beside 'band'; the core dimensions are time, y, band");
}

TEST(JobPlanTest, DatesOfAnotherNumberThanIndicesAreRefused) {
  core::CubeInfo cube = TestCube();
  cube.time->days.pop_back();
  EXPECT_EQ(ErrorOf(Spec("stats"), cube),
            "dimension 'time' has 4 indices and 3 dates");
}

TEST(JobPlanTest, KeepsTheCalendarOfTheDates) {
  const std::vector<std::pair<std::string, std::string>> calendars = {
      {"gregorian", "standard"}, {"365_day", "noleap"},
      {"noleap", "noleap"},      {"366_day", "all_leap"},
      {"360_day", "360_day"},    {"julian", "standard"}};
  for (const auto& [of_file, expected] : calendars) {
    core::CubeInfo cube = TestCube();
    cube.time->calendar = of_file;
    const absl::StatusOr<JobPlan> plan = Plan(Spec("stats"), cube);
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(plan->inputs.calendar, expected);
  }
}

TEST(JobPlanTest, HandlesSeveralCoreDimensionsWithoutDates) {
  core::JobSpec spec = Spec("stats");
  spec.core_dims = {"time", "y"};
  const absl::StatusOr<JobPlan> plan = Plan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->inputs.count, 12);
  EXPECT_THAT(plan->inputs.days, IsEmpty());
  EXPECT_THAT(plan->request.noncore_dims, ElementsAre("x"));
}

TEST(MakeJobPlanTest, TakesListedSelectionsForTasks) {
  core::JobSpec spec = Spec("noop");
  core::Selection pixel;
  pixel.extents = {core::Extent::Index(2), core::Extent::Index(4)};
  core::Selection block;
  block.extents = {core::Extent::Range(0, 3), core::Extent::Range(1, 2)};
  spec.selections = {pixel, block, pixel};
  const absl::StatusOr<JobPlan> plan = Plan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->num_tasks(), 3);
  EXPECT_EQ(plan->Task(1), block);
  EXPECT_EQ(plan->Task(2), pixel);
}

TEST(MakeJobPlanTest, RefusesSelectionsBesideChunksOrRanges) {
  core::JobSpec spec = Spec("noop");
  core::Selection pixel;
  pixel.extents = {core::Extent::Index(0), core::Extent::Index(0)};
  spec.selections = {pixel};
  spec.chunks = int64_t{2};
  EXPECT_EQ(ErrorOf(spec),
            "a job lists its selections or cuts them into chunks, not both");
  spec.chunks = core::AutoChunks();
  spec.select = {{"x", 0, 1}};
  EXPECT_EQ(ErrorOf(spec),
            "a job lists its selections or cuts them into chunks, not both");
}

TEST(MakeJobPlanTest, PlansAJobWithoutACube) {
  core::JobSpec spec = Spec("noop");
  spec.shape = {{"i", 1'000'000'000'000}};
  spec.default_core_dims = true;
  spec.chunks = core::NoChunks();
  const core::CubeInfo cube = CubeOfShape(spec.shape);
  const core::JobSpec resolved = ResolveSpec(spec, cube);
  EXPECT_THAT(resolved.core_dims, IsEmpty());
  const absl::StatusOr<JobPlan> plan = Plan(resolved, cube);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->num_tasks(), 1'000'000'000'000);
  EXPECT_THAT(plan->request.series, IsEmpty());
}

TEST(ResolveSpecTest, LetsTheCubeDecideOnTheCoreDimensionsOnlyIfItIsTo) {
  core::JobSpec spec = Spec("noop");
  spec.core_dims = {"y"};
  EXPECT_THAT(ResolveSpec(spec, TestCube()).core_dims, ElementsAre("y"));
  spec.default_core_dims = true;
  const core::JobSpec resolved = ResolveSpec(spec, TestCube());
  EXPECT_THAT(resolved.core_dims, ElementsAre("time"));
  EXPECT_FALSE(resolved.default_core_dims);
}

}  // namespace
}  // namespace internode::functions

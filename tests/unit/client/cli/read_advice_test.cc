#include "client/cli/read_advice.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"

namespace internode::cli {
namespace {

using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

// A cube of 1000 x 1000 pixels, 200 dates of int16, cut into `y` x `x`.
GridCost Cost(std::vector<int64_t> storage_chunks, int64_t y, int64_t x) {
  core::CubeInfo cube;
  cube.dims = {{"time", 200}, {"y", 1000}, {"x", 1000}};
  core::VariableInfo red;
  red.name = "red";
  red.dims = cube.dims;
  red.storage_chunks = std::move(storage_chunks);
  cube.variables = {red};
  core::BlockRequest request;
  request.series = {{"red", -1}};
  request.core_dims = {"time"};
  request.noncore_dims = {"y", "x"};
  GridCost cost;
  cost.grid = *core::ChunkGrid::Create({{"y", 1000}, {"x", 1000}},
                                       core::ChunkMapping{{"y", y}, {"x", x}});
  cost.cost = *core::CountReads(cube, request, cost.grid, 16 * kMiB);
  cost.task_bytes = cost.cost.task_pixels * 400;
  return cost;
}

ReadSituation Situation(GridCost chosen, GridCost automatic) {
  ReadSituation situation;
  situation.path = "cube.nc";
  situation.chosen = std::move(chosen);
  situation.automatic = std::move(automatic);
  return situation;
}

std::string Reasons(const ReadAdvice& advice) {
  return absl::StrJoin(advice.reasons, "\n");
}

TEST(ReadAdviceTest, LeavesAloneWhatFits) {
  const ReadAdvice advice = AdviseOnReading(
      Situation(Cost({200, 50, 50}, 100, 100), Cost({200, 50, 50}, 100, 100)));
  EXPECT_EQ(advice.kind, "ok");
  EXPECT_EQ(advice.command, "");
  EXPECT_THAT(Reasons(advice), HasSubstr("none is needed twice"));
}

TEST(ReadAdviceTest, NamesTheChunksForRows) {
  const ReadAdvice advice = AdviseOnReading(
      Situation(Cost({200, 50, 50}, 1, 1000), Cost({200, 50, 50}, 50, 200)));
  EXPECT_EQ(advice.kind, "chunks");
  EXPECT_EQ(advice.chunks, "y=50,x=200");
  EXPECT_THAT(Reasons(advice), HasSubstr("needed 50 times"));
}

TEST(ReadAdviceTest, TrustsACacheThatIsLargeEnough) {
  // Neighbours share columns of storage chunks of 100 kB alone.
  const ReadAdvice advice = AdviseOnReading(
      Situation(Cost({200, 16, 16}, 16, 20), Cost({200, 16, 16}, 16, 160)));
  EXPECT_EQ(advice.kind, "ok");
  EXPECT_THAT(Reasons(advice), HasSubstr("the cache of 16 MiB holds"));
}

TEST(ReadAdviceTest, RechunksWhatIsStoredByDates) {
  GridCost whole = Cost({1, 1000, 1000}, 1000, 1000);
  whole.task_bytes = 4096 * kMiB;
  ReadSituation situation = Situation(Cost({1, 1000, 1000}, 50, 50), whole);
  situation.holds_series = false;
  situation.path = "my data/it's.nc";
  const ReadAdvice advice = AdviseOnReading(situation);
  EXPECT_EQ(advice.kind, "rechunk");
  EXPECT_EQ(advice.command,
            "internode cube rechunk 'my data/it'\\''s.nc' "
            "'my data/it'\\''s.rechunked.nc'");
  EXPECT_THAT(Reasons(advice), HasSubstr("4 GiB of memory each"));
}

TEST(ReadAdviceTest, TellsOfLargeTasksSlowVariablesAndIdleThreads) {
  ReadSituation situation = Situation(Cost({200, 500, 500}, 500, 500),
                                      Cost({200, 500, 500}, 500, 500));
  situation.chosen.task_bytes = 2048 * kMiB;
  situation.threads = 4;
  situation.processes = 3;
  situation.slow_variables = {"red (filter 32015)"};
  const ReadAdvice advice = AdviseOnReading(situation);
  EXPECT_EQ(advice.kind, "rechunk");
  EXPECT_THAT(Reasons(advice), HasSubstr("a task needs 2 GiB of memory"));
  EXPECT_THAT(Reasons(advice), HasSubstr("4 tasks leave 8 of 12 threads"));
  EXPECT_THAT(Reasons(advice), HasSubstr("red (filter 32015)"));
}

}  // namespace
}  // namespace internode::cli

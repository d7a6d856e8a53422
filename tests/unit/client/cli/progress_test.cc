#include "client/cli/progress.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"

#include "client/cli/report.h"

namespace internode::cli {
namespace {

ProgressState SomeState() {
  ProgressState state;
  state.label = "ccdc";
  state.pixels_done = 15500000;
  state.pixels_all = 25000000;
  state.records = 21300000;
  state.failed = 12;
  state.elapsed = absl::Hours(1) + absl::Minutes(12) + absl::Seconds(4);
  return state;
}

TEST(ProgressTest, TheBarSaysEverythingInOneLine) {
  EXPECT_EQ(BarLine(SomeState()),
            "ccdc  62%|██████▏   | 15.5M/25.0M px [01:12:04<00:44:10, 3.6k "
            "px/s] seg 21.3M fail 12");
}

TEST(ProgressTest, NothingIsKnownBeforeTheFirstPixel) {
  ProgressState state;
  state.label = "stats";
  state.pixels_all = 10;
  EXPECT_EQ(BarLine(state),
            "stats   0%|          | 0/10 px [00:00:00<?, 0 px/s] seg 0 fail 0");
}

TEST(ProgressTest, AJobWithoutPixelsIsDone) {
  ProgressState state;
  state.label = "stats";
  EXPECT_NE(BarLine(state).find("100%|██████████|"), std::string::npos);
}

TEST(ProgressTest, TheLogLineHasNoControlCodes) {
  EXPECT_EQ(LogLine(SomeState()),
            "ccdc: 15500000 of 25000000 pixels (62%) in 01:12:04, 00:44:10 "
            "left, 3.6k pixels/s, 21300000 segments, 12 failed");
}

TEST(ProgressTest, TheJsonLineIsOneObject) {
  const Json json = Json::parse(JsonLine(SomeState()));
  EXPECT_EQ(json["pixels_done"], 15500000);
  EXPECT_EQ(json["elapsed_s"], 4324.0);
  EXPECT_TRUE(Json::parse(JsonLine(ProgressState()))["left_s"].is_null());
}

TEST(ProgressTest, AutoIsABarOnATerminalOnly) {
  EXPECT_EQ(ProgressModeOf("auto", true), ProgressMode::kBar);
  EXPECT_EQ(ProgressModeOf("auto", false), ProgressMode::kLog);
  EXPECT_EQ(ProgressModeOf("none", true), ProgressMode::kNone);
}

TEST(ReportTest, CountsAreShort) {
  EXPECT_EQ(ShortCount(0), "0");
  EXPECT_EQ(ShortCount(999), "999");
  EXPECT_EQ(ShortCount(1000), "1.0k");
  EXPECT_EQ(ShortCount(999960), "1.0M");
  EXPECT_EQ(ShortCount(25e6), "25.0M");
  EXPECT_EQ(ShortCount(3.21e9), "3.2G");
}

TEST(ReportTest, TablesHaveColumns) {
  EXPECT_EQ(TableText({{"A", "BB"}, {"xyz", "1"}}), "A    BB\nxyz  1\n");
  EXPECT_EQ(TableText({}), "");
}

TEST(ReportTest, ExitCodesAreThoseOfTheConventions) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), 2);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), 2);
  EXPECT_EQ(ExitCodeOf(absl::AlreadyExistsError("")), 2);
  EXPECT_EQ(ExitCodeOf(absl::UnimplementedError("")), 2);
  EXPECT_EQ(ExitCodeOf(absl::DataLossError("")), 1);
  EXPECT_EQ(ExitCodeOf(absl::ResourceExhaustedError("")), 1);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), 4);
  EXPECT_EQ(ExitCodeOf(absl::CancelledError("")), 5);
  EXPECT_EQ(CodeName(absl::StatusCode::kInvalidArgument), "invalid_argument");
}

}  // namespace
}  // namespace internode::cli

#include "internode/map_collect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace internode {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// values[t][y][x] = 100 t + 10 y + x, over (time 3, y 2, x 4).
struct SmallCube {
  SmallCube() {
    for (int t = 0; t < 3; ++t) {
      for (int y = 0; y < 2; ++y) {
        for (int x = 0; x < 4; ++x) {
          values.push_back(static_cast<int16_t>(100 * t + 10 * y + x));
        }
      }
    }
  }
  DataArray array(std::vector<Coordinate> coordinates = {}) const {
    return DataArray("cube", {{"time", 3}, {"y", 2}, {"x", 4}}, values,
                     std::move(coordinates));
  }
  std::vector<int16_t> values;
};

struct Place {
  int64_t y;
  int64_t x;
  double sum;
};

Place SumOf(const PixelView& pixel) {
  double sum = 0;
  for (const int16_t value : pixel[0].values<int16_t>()) sum += value;
  return {pixel.index()[0], pixel.index()[1], sum};
}

TEST(MapCollect1dTest, RunsOncePerPixelInRowMajorOrder) {
  const SmallCube cube;
  const auto collected = MapCollect1d({"time"}, cube.array(), SumOf);
  ASSERT_TRUE(collected.ok()) << collected.status();
  ASSERT_EQ(collected->records.size(), 8u);
  for (int64_t p = 0; p < 8; ++p) {
    const Place& place = collected->records[static_cast<size_t>(p)];
    EXPECT_EQ(place.y, p / 4);
    EXPECT_EQ(place.x, p % 4);
    EXPECT_EQ(place.sum, 300 + 3 * (10 * place.y + place.x));
  }
  EXPECT_TRUE(collected->failures.empty());
}

TEST(MapCollect1dTest, APixelGivesAnyNumberOfRecords) {
  const SmallCube cube;
  const auto collected =
      MapCollect1d({"time"}, cube.array(), [](const PixelView& pixel) {
        return std::vector<int64_t>(static_cast<size_t>(pixel.index()[1]),
                                    pixel.index()[1]);
      });
  ASSERT_TRUE(collected.ok());
  EXPECT_THAT(collected->records,
              ElementsAre(1, 2, 2, 3, 3, 3, 1, 2, 2, 3, 3, 3));
  EXPECT_THAT(collected->counts, ElementsAre(0, 1, 2, 3, 0, 1, 2, 3));
}

TEST(MapCollect1dTest, ARecordMayBeOptional) {
  const SmallCube cube;
  const auto collected =
      MapCollect1d({"time"}, cube.array(),
                   [](const PixelView& pixel) -> std::optional<int64_t> {
                     if (pixel.index()[0] == 0) return std::nullopt;
                     return pixel.index()[1];
                   });
  ASSERT_TRUE(collected.ok());
  EXPECT_THAT(collected->records, ElementsAre(0, 1, 2, 3));
}

TEST(MapCollect1dTest, TheSameOnAnyNumberOfThreads) {
  std::vector<double> values(3 * 5000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.5 * double(i);
  const DataArray array("samples", {{"sample_id", 5000}, {"time", 3}}, values);
  const auto function = [](const PixelView& pixel) {
    return pixel[0][0] + pixel[0][2];
  };
  const auto serial = MapCollect1d({"time"}, array, function);
  ASSERT_TRUE(serial.ok());
  EXPECT_EQ(serial->records.size(), 5000u);
  for (const int threads : {2, 8}) {
    const std::unique_ptr<Executor> executor = Executor::Threads(threads);
    MapOptions options;
    options.executor = executor.get();
    const auto parallel = MapCollect1d({"time"}, array, function, options);
    ASSERT_TRUE(parallel.ok());
    EXPECT_EQ(parallel->records, serial->records);
  }
}

TEST(MapCollect1dTest, EachArgumentIsSelectedByTheDimensionsThatItHas) {
  const SmallCube cube;
  const std::vector<float> slope = {0.5f, 1.5f, 2.5f, 3.5f};
  const std::vector<int32_t> dates = {10, 20, 30};
  const auto collected =
      MapCollect1d({"time"},
                   {cube.array(), DataArray("slope", {{"x", 4}}, slope),
                    DataArray("dates", {{"time", 3}}, dates)},
                   [](const PixelView& pixel) {
                     EXPECT_EQ(pixel["slope"].size(), 1);
                     EXPECT_EQ(pixel["dates"].values<int32_t>().size(), 3u);
                     EXPECT_EQ(pixel["cube"].shape()[0], 3);
                     return pixel["slope"][0];
                   });
  ASSERT_TRUE(collected.ok()) << collected.status();
  EXPECT_THAT(collected->records,
              ElementsAre(0.5, 1.5, 2.5, 3.5, 0.5, 1.5, 2.5, 3.5));
}

TEST(MapCollect1dTest, SharedDimensionsMustHaveEqualCoordinates) {
  const SmallCube cube;
  const std::vector<float> slope = {0, 0, 0, 0};
  const auto nothing = [](const PixelView&) { return 0; };
  const DataArray array = cube.array({{"x", {1, 2, 3, 4}}});
  EXPECT_TRUE(MapCollect1d({"time"},
                           {array, DataArray("slope", {{"x", 4}}, slope,
                                             {{"x", {1, 2, 3, 4}}})},
                           nothing)
                  .ok());
  const auto differing = MapCollect1d(
      {"time"},
      {array, DataArray("slope", {{"x", 4}}, slope, {{"x", {1, 2, 30, 4}}})},
      nothing);
  EXPECT_EQ(differing.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(differing.status().message()),
              AllOf(HasSubstr("'x'"), HasSubstr("'cube'"), HasSubstr("'slope'"),
                    HasSubstr("first at 2")));
  const std::vector<float> shorter = {0, 0};
  const auto sizes = MapCollect1d(
      {"time"}, {array, DataArray("slope", {{"x", 2}}, shorter)}, nothing);
  EXPECT_THAT(std::string(sizes.status().message()),
              HasSubstr("has size 4 in array 'cube' and 2 in 'slope'"));
}

TEST(MapCollect1dTest, AFailingPixelSaysWhereAndLosesNothingElse) {
  const SmallCube cube;
  const auto function =
      [](const PixelView& pixel) -> absl::StatusOr<std::vector<int64_t>> {
    if (pixel.index()[0] == 1 && pixel.index()[1] == 2) {
      return absl::InvalidArgumentError("no such luck");
    }
    if (pixel.index()[0] == 0 && pixel.index()[1] == 3) {
      throw std::runtime_error("boom");
    }
    return std::vector<int64_t>{pixel.index()[1]};
  };
  const auto collected = MapCollect1d({"time"}, cube.array(), function);
  ASSERT_TRUE(collected.ok());
  EXPECT_THAT(collected->records, ElementsAre(0, 1, 2, 0, 1, 3));
  EXPECT_THAT(collected->counts, ElementsAre(1, 1, 1, 0, 1, 1, 0, 1));
  ASSERT_EQ(collected->failures.size(), 2u);
  EXPECT_THAT(collected->failures[0].index, ElementsAre(0, 3));
  EXPECT_EQ(collected->failures[0].message, "boom");
  EXPECT_THAT(collected->failures[1].index, ElementsAre(1, 2));
  EXPECT_EQ(collected->failures[1].message, "no such luck");

  MapOptions options;
  options.stop_at_failure = true;
  const auto stopped = MapCollect1d({"time"}, cube.array(), function, options);
  EXPECT_EQ(std::string(stopped.status().message()), "pixel y=0, x=3: boom");
}

TEST(MapCollect1dTest, AskingForAnotherTypeFailsThePixel) {
  const SmallCube cube;
  const auto collected = MapCollect1d(
      {"time"}, cube.array(),
      [](const PixelView& pixel) { return pixel[0].values<float>().size(); });
  ASSERT_TRUE(collected.ok());
  EXPECT_TRUE(collected->records.empty());
  ASSERT_EQ(collected->failures.size(), 8u);
  EXPECT_THAT(collected->failures[0].message,
              AllOf(HasSubstr("int16"), HasSubstr("float32")));
}

TEST(MapCollect1dTest, AskingForAnUnknownArrayFailsThePixel) {
  const SmallCube cube;
  const auto collected =
      MapCollect1d({"time"}, cube.array(),
                   [](const PixelView& pixel) { return pixel["cub"].size(); });
  ASSERT_TRUE(collected.ok());
  ASSERT_EQ(collected->failures.size(), 8u);
  EXPECT_THAT(collected->failures[0].message,
              AllOf(HasSubstr("'cub'"), HasSubstr("did you mean 'cube'?")));
}

TEST(MapCollect1dTest, CoreDimensionsAreWholeNames) {
  const std::vector<int8_t> values = {1, 2, 3, 4, 5, 6};
  const DataArray array("a", {{"t", 3}, {"time", 2}}, values);
  const auto collected = MapCollect1d(
      {"time"}, array,
      [](const PixelView& pixel) { return pixel[0][0] + pixel[0][1]; });
  ASSERT_TRUE(collected.ok());
  EXPECT_THAT(collected->records, ElementsAre(3, 7, 11));
}

TEST(MapCollect1dTest, NoCoreDimensionsGiveEveryElement) {
  const SmallCube cube;
  const auto collected =
      MapCollect1d(std::vector<std::string>(), cube.array(),
                   [](const PixelView& pixel) { return pixel[0][0]; });
  ASSERT_TRUE(collected.ok());
  EXPECT_EQ(collected->records.size(), 24u);
  EXPECT_EQ(collected->records[23], 213);
}

TEST(MapCollect1dTest, AllDimensionsCoreGiveOnePixel) {
  const SmallCube cube;
  const auto collected =
      MapCollect1d({"time", "y", "x"}, cube.array(),
                   [](const PixelView& pixel) { return pixel[0].size(); });
  ASSERT_TRUE(collected.ok());
  EXPECT_THAT(collected->records, ElementsAre(24));
}

TEST(MapCollect1dTest, EmptyDimensionsGiveNothing) {
  const std::vector<float> none;
  const auto collected =
      MapCollect1d({"time"}, DataArray("a", {{"time", 3}, {"y", 0}}, none),
                   [](const PixelView&) { return 1; });
  ASSERT_TRUE(collected.ok());
  EXPECT_TRUE(collected->records.empty());
}

TEST(MapCollect1dTest, BadArgumentsAreErrors) {
  const SmallCube cube;
  const auto nothing = [](const PixelView&) { return 0; };
  EXPECT_THAT(
      std::string(
          MapCollect1d({"tim"}, cube.array(), nothing).status().message()),
      AllOf(HasSubstr("'tim'"), HasSubstr("did you mean 'time'?")));
  EXPECT_FALSE(MapCollect1d({"time"}, std::vector<DataArray>(), nothing).ok());
  const std::vector<float> values(5);
  EXPECT_THAT(
      std::string(MapCollect1d({}, DataArray("a", {{"y", 6}}, values), nothing)
                      .status()
                      .message()),
      HasSubstr("5 values"));
  EXPECT_FALSE(
      MapCollect1d({}, DataArray("a", {{"y", 5}, {"y", 1}}, values), nothing)
          .ok());
  EXPECT_FALSE(MapCollect1d({},
                            DataArray("a", {{"y", 5}}, values, {{"y", {1}}}),
                            nothing)
                   .ok());
  EXPECT_FALSE(MapCollect1d({},
                            DataArray("a", {{"y", 5}}, values, {{"x", {1}}}),
                            nothing)
                   .ok());
}

TEST(MapCollect1dTest, CanBeCancelled) {
  const SmallCube cube;
  const std::atomic<bool> cancel = true;
  MapOptions options;
  options.cancel = &cancel;
  EXPECT_EQ(
      MapCollect1d({"time"}, cube.array(), SumOf, options).status().code(),
      absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace internode

#include "cube/simulate.h"

#include <hdf5.h>

#include <filesystem>
#include <limits>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "cube/simulated_pixel.h"
#include "tests/unit/cube/segment_testutil.h"

namespace internode::cube {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

PixelSimulator Simulator(uint64_t seed = 1, double clouds = 0.3,
                         double breaks = 0.5, int64_t dates = 400) {
  return PixelSimulator(SimulatedDates(dates, 10957, 18627, seed), seed, clouds,
                        breaks);
}

TEST(SimulatedDatesTest, AreAscendingAndWithinTheSpan) {
  for (const int64_t count : {1, 2, 7, 400, 7671}) {
    const std::vector<int32_t> dates = SimulatedDates(count, 10957, 18627, 3);
    ASSERT_EQ(dates.size(), static_cast<size_t>(count));
    EXPECT_GE(dates.front(), 10957);
    EXPECT_LE(dates.back(), 18627);
    EXPECT_EQ(std::set<int32_t>(dates.begin(), dates.end()).size(),
              dates.size());
    EXPECT_TRUE(std::is_sorted(dates.begin(), dates.end()));
  }
}

TEST(PixelSimulatorTest, DependsOnSeedAndPlaceAlone) {
  const PixelSimulator a = Simulator();
  SimulatedPixel first;
  SimulatedPixel again;
  a.Simulate(5, 7, &first);
  a.Simulate(100, 3, &again);
  EXPECT_NE(first.values, again.values);
  a.Simulate(5, 7, &again);
  EXPECT_EQ(first.values, again.values);
  EXPECT_EQ(first.break_days, again.break_days);
  Simulator(2).Simulate(5, 7, &again);
  EXPECT_NE(first.values, again.values);
}

TEST(PixelSimulatorTest, HasTheCloudsAndBreaksThatWereAskedFor) {
  const PixelSimulator simulator = Simulator(1, 0.4, 0.5);
  int64_t cloudy = 0;
  int64_t seen = 0;
  int64_t breaks = 0;
  SimulatedPixel pixel;
  for (int64_t i = 0; i < 400; ++i) {
    simulator.Simulate(i / 20 * 50 + 1000, i % 20 * 50 + 1000, &pixel);
    breaks += pixel.break_count;
    for (const SimulatedSight sight : pixel.sights) {
      if (sight == SimulatedSight::kFill) continue;
      ++seen;
      cloudy +=
          sight == SimulatedSight::kCloud || sight == SimulatedSight::kShadow;
    }
  }
  EXPECT_NEAR(static_cast<double>(cloudy) / static_cast<double>(seen), 0.4,
              0.03);
  EXPECT_NEAR(static_cast<double>(breaks) / 400, 1.5, 0.15);
}

TEST(PixelSimulatorTest, NoBreaksAndNoCloudsWhereNoneAreWanted) {
  SimulatedPixel pixel;
  Simulator(1, 0, 0).Simulate(3, 3, &pixel);
  EXPECT_EQ(pixel.break_count, 0);
  for (const SimulatedSight sight : pixel.sights) {
    EXPECT_NE(sight, SimulatedSight::kCloud);
    EXPECT_NE(sight, SimulatedSight::kShadow);
  }
}

TEST(PixelSimulatorTest, ValuesAreNodataWhereNothingWasSeenAndPlausibleElse) {
  const PixelSimulator simulator = Simulator();
  SimulatedPixel pixel;
  int fills = 0;
  for (int64_t i = 0; i < 50; ++i) {
    simulator.Simulate(i, i, &pixel);
    for (size_t d = 0; d < 400; ++d) {
      const bool fill = pixel.sights[d] == SimulatedSight::kFill;
      fills += fill;
      for (size_t b = 0; b < kSimulatedBands; ++b) {
        const int16_t value = pixel.values[b * 400 + d];
        if (fill) {
          EXPECT_EQ(value, kSimulatedNodata);
        } else if (b == 6) {
          EXPECT_GE(value, 2200);
          EXPECT_LE(value, 3400);
        } else {
          EXPECT_GE(value, 0);
          EXPECT_LE(value, 10000);
        }
      }
    }
  }
  EXPECT_GT(fills, 0);
}

TEST(PixelSimulatorTest, ABreakChangesTheLevelByItsMagnitude) {
  const PixelSimulator simulator = Simulator(1, 0, 1);
  SimulatedPixel pixel;
  simulator.Simulate(2, 9, &pixel);
  ASSERT_EQ(pixel.break_count, 3);
  for (int i = 0; i < 3; ++i) {
    const auto n = static_cast<size_t>(i);
    EXPECT_GT(pixel.break_days[n],
              i == 0 ? 10957 : pixel.break_days[n - 1] + 365);
    int64_t largest = 0;
    for (const int16_t m : pixel.magnitudes[n]) {
      largest = std::max<int64_t>(largest, std::abs(m));
    }
    EXPECT_GT(largest, 300);
  }
}

class SimulateTest : public ::testing::Test {
 protected:
  SimulateTest() {
    std::string pattern = ::testing::TempDir() + "simulate_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SimulateTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }
  static SimulateOptions Small() {
    SimulateOptions options;
    options.size = {{"y", 23}, {"x", 17}};
    options.dates = 60;
    options.storage_chunks = {{"time", 25}, {"y", 10}, {"x", 6}};
    return options;
  }
  std::vector<int16_t> Read(const std::string& path, const char* name) {
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset);
    std::vector<int16_t> values(
        static_cast<size_t>(H5Sget_simple_extent_npoints(space)));
    EXPECT_GE(H5Dread(dataset, H5T_NATIVE_INT16, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                      values.data()),
              0);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
    return values;
  }

  std::string folder_;
};

TEST_F(SimulateTest, TheFileDoesNotDependOnTheThreads) {
  SimulateOptions options = Small();
  options.threads = 1;
  ASSERT_EQ(Simulate(options, Path("a.nc"), false), absl::OkStatus());
  options.threads = 5;
  ASSERT_EQ(Simulate(options, Path("b.nc"), false), absl::OkStatus());
  EXPECT_EQ(ReadBytes(Path("a.nc")), ReadBytes(Path("b.nc")));
}

TEST_F(SimulateTest, PixelsDoNotDependOnStorageChunksAndLayout) {
  SimulateOptions options = Small();
  ASSERT_EQ(Simulate(options, Path("a.nc"), false), absl::OkStatus());
  options.storage_chunks.clear();
  options.deflate = 0;
  ASSERT_EQ(Simulate(options, Path("b.nc"), false), absl::OkStatus());
  options.layout = SimulatedLayout::kBandDim;
  ASSERT_EQ(Simulate(options, Path("c.nc"), false), absl::OkStatus());
  const std::vector<int16_t> image = Read(Path("c.nc"), "image");
  const size_t band = 60 * 23 * 17;
  for (size_t b = 0; b < kSimulatedBands; ++b) {
    const std::string name(kSimulatedBandNames[b]);
    const std::vector<int16_t> values = Read(Path("a.nc"), name.c_str());
    EXPECT_EQ(values, Read(Path("b.nc"), name.c_str()));
    const auto begin = image.begin() + static_cast<std::ptrdiff_t>(b * band);
    EXPECT_EQ(values, std::vector<int16_t>(
                          begin, begin + static_cast<std::ptrdiff_t>(band)));
  }
  EXPECT_EQ(Read(Path("a.nc"), "cfmask"), Read(Path("c.nc"), "cfmask"));
}

TEST_F(SimulateTest, SamplesAreTheFirstRowOfPixels) {
  SimulateOptions options = Small();
  options.size = {{"sample_id", 17}};
  options.storage_chunks = {{"sample_id", 5}};
  options.layout = SimulatedLayout::kSamples;
  ASSERT_EQ(Simulate(options, Path("s.nc"), false), absl::OkStatus());
  ASSERT_EQ(Simulate(Small(), Path("a.nc"), false), absl::OkStatus());
  const std::vector<int16_t> samples = Read(Path("s.nc"), "image");
  const std::vector<int16_t> blue = Read(Path("a.nc"), "blue");
  for (size_t d = 0; d < 60; ++d) {
    for (size_t x = 0; x < 17; ++x) {
      EXPECT_EQ(samples[d * 17 + x], blue[d * 23 * 17 + x]);
    }
  }
}

TEST_F(SimulateTest, ArdBitsSayWhatCfmaskSays) {
  SimulateOptions options = Small();
  ASSERT_EQ(Simulate(options, Path("a.nc"), false), absl::OkStatus());
  options.qa = SimulatedQa::kArd;
  ASSERT_EQ(Simulate(options, Path("b.nc"), false), absl::OkStatus());
  const std::vector<int16_t> cfmask = Read(Path("a.nc"), "cfmask");
  const std::vector<int16_t> bits = Read(Path("b.nc"), "pixel_qa");
  ASSERT_EQ(cfmask.size(), bits.size());
  for (size_t i = 0; i < bits.size(); ++i) {
    const int bit = cfmask[i] == 255 ? 0 : cfmask[i] + 1;
    EXPECT_TRUE(bits[i] >> bit & 1) << cfmask[i] << " " << bits[i];
  }
}

TEST_F(SimulateTest, RefusesOptionsOutOfRange) {
  const auto refused = [&](auto change, const std::string& what) {
    SimulateOptions options = Small();
    change(&options);
    const absl::Status status = Simulate(options, Path("a.nc"), false);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << what;
    EXPECT_THAT(status.message(), HasSubstr(what));
    EXPECT_TRUE(fs::is_empty(folder_));
  };
  refused([](auto* o) { o->size[0].size = 0; }, "size of y is 0");
  refused([](auto* o) { o->size.pop_back(); }, "y and x");
  refused([](auto* o) { o->size[1].name = "z"; }, "'z'");
  refused([](auto* o) { o->dates = 0; }, "0 dates");
  refused([](auto* o) { o->dates = 100000; }, "there must be 1 to 7671");
  refused([](auto* o) { o->end_day = 0; }, "the end is before the start");
  refused([](auto* o) { o->start_day = std::numeric_limits<int64_t>::min(); },
          "the start");
  refused([](auto* o) { o->deflate = 10; }, "deflate");
  refused([](auto* o) { o->cloud_fraction = 1.5; }, "cloud fraction");
  refused([](auto* o) { o->break_probability = -1; }, "break probability");
  refused([](auto* o) { o->threads = 0; }, "threads");
  refused(
      [](auto* o) {
        o->storage_chunks = {{"time", 0}};
      },
      "chunk size of 'time' is 0");
  refused(
      [](auto* o) {
        o->storage_chunks = {{"tim", 5}};
      },
      "did you mean 'time'");
  refused(
      [](auto* o) {
        o->size = {{"y", 1 << 30}, {"x", 1 << 30}};
        o->storage_chunks = o->size;
      },
      "too large");
}

}  // namespace
}  // namespace internode::cube

#include "cube/cube.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "cube/h5.h"
#include "tests/unit/cube/cube_testutil.h"

namespace internode::cube {
namespace {

using ::testing::HasSubstr;

std::string CubePath(const std::string& name) {
  return ::testing::TempDir() + "internode_cube_test." +
         std::to_string(getpid()) + "." + name;
}

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// Opens, expecting an error with the code whose message contains the text and
// the path.
void ExpectError(const std::string& path, absl::StatusCode code,
                 const std::string& text, const OpenOptions& options = {}) {
  const auto cube = Cube::Open(path, options);
  ASSERT_FALSE(cube.ok()) << path;
  EXPECT_EQ(cube.status().code(), code) << cube.status();
  const std::string message(cube.status().message());
  EXPECT_THAT(message, HasSubstr(text));
  EXPECT_THAT(message, HasSubstr(path));
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TestVariable Small(const std::string& name) {
  return {.name = name,
          .dims = {"time", "y", "x"},
          .shape = {5, 4, 6},
          .chunks = {5, 2, 3},
          .deflate = 1};
}

TEST(CubeOpenTest, DescribesVariablesAndTime) {
  const std::string path = CubePath("good.h5");
  WriteCube(path, {Small("blue"), Small("red")});
  const auto cube = Cube::Open(path);
  ASSERT_TRUE(cube.ok()) << cube.status();
  const core::CubeInfo& info = (*cube)->info();
  const core::Dimensions dims = {{"time", 5}, {"y", 4}, {"x", 6}};
  EXPECT_EQ(info.dims, dims);
  ASSERT_EQ(info.variables.size(), 2u);
  EXPECT_EQ(info.variables[0].name, "blue");
  EXPECT_EQ(info.variables[0].storage_chunks, (std::vector<int64_t>{5, 2, 3}));
  EXPECT_EQ(info.variables[0].filters,
            (std::vector<std::string>{"shuffle", "deflate 1"}));
  ASSERT_TRUE(info.time.has_value()) << info.time_error;
  EXPECT_EQ(info.time->days.front(), 10957);
  std::filesystem::remove(path);
}

TEST(CubeOpenTest, RefusesWhatIsNoCube) {
  ExpectError(CubePath("missing"), absl::StatusCode::kNotFound, "no such file");
  ExpectError("/dev/null/x", absl::StatusCode::kNotFound, "no such file");
  ExpectError("/tmp", absl::StatusCode::kInvalidArgument, "is a folder");
  ExpectError("/dev/null", absl::StatusCode::kInvalidArgument,
              "not a regular file");
  const std::string path = CubePath("other");
  WriteText(path, "");
  ExpectError(path, absl::StatusCode::kInvalidArgument, "empty file");
  WriteText(path, "time,blue,green\n1,2,3\n");
  ExpectError(path, absl::StatusCode::kInvalidArgument,
              "not a NetCDF-4 or HDF5 file");
  WriteText(path, std::string("CDF\x01\0\0\0\0\0\0\0\0", 12));
  ExpectError(path, absl::StatusCode::kInvalidArgument, "nccopy -k nc4");
  WriteText(path, std::string("II*\0", 4));
  ExpectError(path, absl::StatusCode::kInvalidArgument, "TIFF");
  // A signature and nothing behind it.
  WriteText(path, "\x89HDF\r\n\x1a\n");
  ExpectError(path, absl::StatusCode::kDataLoss, "cannot open");
  std::filesystem::remove(path);
}

TEST(CubeOpenTest, RefusesATruncatedFileOfAnyLength) {
  const std::string path = CubePath("truncated.h5");
  WriteCube(path, {Small("blue")});
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  for (int64_t length = size - 1; length > 8; length = length * 9 / 10) {
    ASSERT_EQ(truncate(path.c_str(), length), 0);
    ExpectError(path, absl::StatusCode::kDataLoss, "cannot open");
  }
  std::filesystem::remove(path);
}

TEST(CubeOpenTest, RefusesAFileThatMayNotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const std::string path = CubePath("secret.h5");
  WriteCube(path, {Small("blue")});
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  ExpectError(path, absl::StatusCode::kFailedPrecondition, "no permission");
  std::filesystem::remove(path);
}

TEST(CubeOpenTest, RefusesAFileWithoutVariablesAndUnknownGroups) {
  const std::string path = CubePath("groups.h5");
  {
    h5::Lock lock;
    const h5::File file(
        H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    const h5::Group group(H5Gcreate2(file.get(), "thermal", H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT));
    ASSERT_TRUE(group.valid());
  }
  ExpectError(path, absl::StatusCode::kInvalidArgument, "has no variables");
  ExpectError(path, absl::StatusCode::kNotFound, "did you mean 'thermal'",
              {.group = "termal", .dimension_names = {}, .may_read = nullptr});
  ExpectError(path, absl::StatusCode::kInvalidArgument, "in group '/thermal'",
              {.group = "thermal", .dimension_names = {}, .may_read = nullptr});
  std::filesystem::remove(path);
}

TEST(FindVariableTest, SuggestsAndExplains) {
  core::CubeInfo info;
  info.variables.emplace_back().name = "blue";
  info.skipped.push_back({"names", "it holds text, not numbers"});
  EXPECT_TRUE(FindVariable(info, "blue").ok());
  EXPECT_THAT(std::string(FindVariable(info, "blu").status().message()),
              HasSubstr("cube has no variable 'blu'; it has blue (did you "
                        "mean 'blue'?)"));
  EXPECT_THAT(std::string(FindVariable(info, "names").status().message()),
              HasSubstr("it holds text"));
}

TEST(CheckSameDimensionsTest, LooksPastOrderAndBands) {
  core::CubeInfo info;
  info.band_dim = "band";
  info.variables.resize(4);
  info.variables[0].name = "a";
  info.variables[0].dims = {{"time", 2}, {"y", 3}};
  info.variables[1].name = "b";
  info.variables[1].dims = {{"y", 3}, {"time", 2}};
  info.variables[2].name = "c";
  info.variables[2].dims = {{"band", 4}, {"time", 2}, {"y", 3}};
  info.variables[3].name = "d";
  info.variables[3].dims = {{"y", 3}};
  const std::vector<std::string> equal = {"a", "b", "c"};
  EXPECT_TRUE(CheckSameDimensions(info, equal).ok());
  const std::vector<std::string> unequal = {"a", "d"};
  EXPECT_EQ(CheckSameDimensions(info, unequal).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(CheckSameGridTest, ComparesSizesAndCoordinates) {
  core::CubeInfo a;
  a.path = "a.nc";
  a.dims = {{"y", 2}, {"x", 2}};
  a.coordinates = {
      {.dim = "y", .values = {1, 2}, .labels = {}, .attributes = {}}};
  core::CubeInfo b = a;
  b.path = "b.nc";
  EXPECT_TRUE(CheckSameGrid(a, b).ok());
  b.coordinates[0].values[1] = 3;
  EXPECT_THAT(std::string(CheckSameGrid(a, b).message()),
              HasSubstr("number 1 is 2 in 'a.nc' and 3 in 'b.nc'"));
  b.coordinates.clear();
  EXPECT_TRUE(CheckSameGrid(a, b).ok());
  b.dims[1].size = 3;
  EXPECT_THAT(std::string(CheckSameGrid(a, b).message()),
              HasSubstr("dimension 'x' has 2 elements in 'a.nc' and 3"));
}

TEST(ParseDimensionNamesTest, TakesBothForms) {
  const auto all = ParseDimensionNames("time, y,x");
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->variable, "");
  EXPECT_EQ(all->names, (std::vector<std::string>{"time", "y", "x"}));
  const auto one = ParseDimensionNames("a/blue=y,x");
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->variable, "a/blue");
  for (const char* bad : {"", "a,,b", "=y", "a=", "y,y", "v=y,"}) {
    EXPECT_FALSE(ParseDimensionNames(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace internode::cube

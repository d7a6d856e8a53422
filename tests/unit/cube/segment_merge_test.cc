#include "cube/segment_merge.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "cube/segment_reader.h"
#include "tests/unit/cube/segment_testutil.h"

namespace internode::cube {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class SegmentMergeTest : public ::testing::Test {
 protected:
  SegmentMergeTest() {
    std::string pattern = ::testing::TempDir() + "segment_merge_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SegmentMergeTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }

  // Writes `total` parts of `spec` and returns their paths.
  std::vector<std::string> WriteParts(SegmentFileSpec spec, int64_t total,
                                      int per_pixel = 1) {
    std::vector<std::string> paths;
    for (int64_t id = 1; id <= total; ++id) {
      spec.part = *PartOf(spec.grid.num_chunks(), id, total);
      paths.push_back(Path(absl::StrCat("part", id, ".nc")));
      EXPECT_EQ(WriteSegments(paths.back(), spec, per_pixel), absl::OkStatus());
    }
    return paths;
  }

  absl::Status Merge(const std::vector<std::string>& parts) {
    return MergeSegmentFiles(parts, Path("out.nc"),
                             {.overwrite = true, .progress = nullptr});
  }

  void ExpectSameBytes(const SegmentFileSpec& spec, int64_t total,
                       int per_pixel = 1) {
    std::vector<std::string> parts = WriteParts(spec, total, per_pixel);
    std::reverse(parts.begin(), parts.end());
    ASSERT_EQ(Merge(parts), absl::OkStatus());
    ASSERT_EQ(WriteSegments(Path("whole.nc"), spec, per_pixel),
              absl::OkStatus());
    EXPECT_EQ(ReadBytes(Path("out.nc")), ReadBytes(Path("whole.nc")));
  }

  std::string folder_;
};

TEST_F(SegmentMergeTest, SevenPartsAreTheBytesOfOneRun) {
  ExpectSameBytes(GridSpec(30, 40, 7), 7);
}

TEST_F(SegmentMergeTest, SoAreMoreRecordsThanAStorageChunkHolds) {
  ExpectSameBytes(GridSpec(40, 40, 9), 3, 30);
}

TEST_F(SegmentMergeTest, SoAreSamples) {
  ExpectSameBytes(SampleSpec(50, 4), 7);
}

TEST_F(SegmentMergeTest, SoAreMorePartsThanChunks) {
  ExpectSameBytes(GridSpec(4, 4, 3), 7);
}

TEST_F(SegmentMergeTest, SoIsASelection) {
  SegmentFileSpec spec = GridSpec(600, 20, 1);
  spec.grid = *core::ChunkGrid::Create(
      spec.grid.dims(),
      std::vector<core::DimensionCut>{
          {.begin = 270, .end = 300, .chunk = 8, .origin = 264},
          {.begin = 3, .end = 17, .chunk = 5, .origin = 0}});
  ExpectSameBytes(spec, 3);
}

TEST_F(SegmentMergeTest, SoAreNotANumberAttributesAndFills) {
  SegmentFileSpec spec = GridSpec(4, 4, 3);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  spec.coordinates[0].attributes.push_back(
      {"_FillValue", std::vector<double>{nan}});
  std::vector<core::Field> fields = spec.schema->fields();
  fields[4].fill = nan;
  spec.schema = std::make_shared<core::RecordSchema>(
      *core::RecordSchema::Create(fields, spec.schema->dims()));
  ExpectSameBytes(spec, 2);
}

TEST_F(SegmentMergeTest, NamesThePartThatIsMissing) {
  std::vector<std::string> parts = WriteParts(GridSpec(30, 40, 7), 7);
  parts.erase(parts.begin() + 2);
  const absl::Status status = Merge(parts);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("part 3 of 7 (chunks "));
  parts.pop_back();
  parts.erase(parts.begin() + 1, parts.end());
  EXPECT_THAT(Merge(parts).message(), HasSubstr("parts 2, 3, 4, 5, 6, 7 of 7"));
  EXPECT_FALSE(fs::exists(Path("out.nc")));
}

TEST_F(SegmentMergeTest, RefusesPartsThatOverlap) {
  std::vector<std::string> parts = WriteParts(GridSpec(30, 40, 7), 3);
  parts.push_back(parts[1]);
  const absl::Status status = Merge(parts);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("overlap"));
}

TEST_F(SegmentMergeTest, RefusesPartsOfDifferentJobs) {
  const SegmentFileSpec spec = GridSpec(8, 8, 3);
  const std::vector<std::string> parts = WriteParts(spec, 2);
  const auto expect_refused = [&](SegmentFileSpec other,
                                  const std::string& what) {
    other.part = *PartOf(other.grid.num_chunks(), 2, 2);
    fs::remove(Path("other.nc"));
    ASSERT_EQ(WriteSegments(Path("other.nc"), other), absl::OkStatus());
    const absl::Status status = Merge({parts[0], Path("other.nc")});
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("different jobs: " + what));
  };
  SegmentFileSpec other = spec;
  other.attributes[2].value = std::string(R"({"k":4})");
  expect_refused(other, "the attribute 'parameters'");
  expect_refused(GridSpec(8, 8, 4), "the chunk grid");
  other = spec;
  other.coordinates[0].values[0] += 1;
  expect_refused(other, "the coordinates");
  other = spec;
  other.grid_mapping.reset();
  expect_refused(other, "the grid mapping");
}

TEST_F(SegmentMergeTest, HistoryAndJobIdMayDiffer) {
  SegmentFileSpec spec = GridSpec(8, 8, 3);
  const std::vector<std::string> parts = WriteParts(spec, 2);
  spec.part = *PartOf(spec.grid.num_chunks(), 2, 2);
  spec.history += " on another machine";
  spec.attributes.back().value = std::string("18");
  ASSERT_EQ(WriteSegments(Path("other.nc"), spec), absl::OkStatus());
  EXPECT_EQ(Merge({parts[0], Path("other.nc")}), absl::OkStatus());
}

TEST_F(SegmentMergeTest, RefusesFilesThatAreNotParts) {
  const SegmentFileSpec spec = GridSpec(8, 8, 3);
  ASSERT_EQ(WriteSegments(Path("whole.nc"), spec), absl::OkStatus());
  EXPECT_THAT(Merge({Path("whole.nc")}).message(),
              HasSubstr("is not a part of a job"));
  EXPECT_EQ(Merge({Path("none.nc")}).code(), StatusCode::kNotFound);
  EXPECT_EQ(Merge({}).code(), StatusCode::kInvalidArgument);
}

TEST_F(SegmentMergeTest, TellsItsProgress) {
  const std::vector<std::string> parts = WriteParts(GridSpec(8, 8, 3), 2);
  std::vector<int64_t> done;
  ASSERT_EQ(MergeSegmentFiles(parts, Path("out.nc"),
                              {.overwrite = false,
                               .progress =
                                   [&](int64_t chunks, int64_t all) {
                                     EXPECT_EQ(all, 9);
                                     done.push_back(chunks);
                                   }}),
            absl::OkStatus());
  EXPECT_THAT(done, ::testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

}  // namespace
}  // namespace internode::cube

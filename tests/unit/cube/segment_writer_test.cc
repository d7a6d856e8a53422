#include "cube/segment_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/cube/segment_testutil.h"

namespace internode::cube {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class SegmentWriterTest : public ::testing::Test {
 protected:
  SegmentWriterTest() {
    std::string pattern = ::testing::TempDir() + "segment_writer_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SegmentWriterTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }

  std::string folder_;
};

TEST_F(SegmentWriterTest, TheSameChunksGiveTheSameBytes) {
  const SegmentFileSpec spec = GridSpec(30, 40, 7);
  ASSERT_EQ(WriteSegments(Path("a.nc"), spec), absl::OkStatus());
  // Blocks of other sizes in memory come and go between the two runs.
  std::vector<std::string> garbage;
  for (int i = 0; i < 200; ++i) {
    garbage.emplace_back(static_cast<size_t>(i) * 97, 'x');
  }
  garbage.clear();
  ASSERT_EQ(WriteSegments(Path("b.nc"), spec), absl::OkStatus());
  EXPECT_EQ(ReadBytes(Path("a.nc")), ReadBytes(Path("b.nc")));
  EXPECT_GT(ReadBytes(Path("a.nc")).size(), 10000u);
}

TEST_F(SegmentWriterTest, AChunkLeftOutIsAChunkOfPixelsNotProcessed) {
  const SegmentFileSpec spec = GridSpec(10, 10, 5);
  auto skipping = *SegmentWriter::Create(Path("a.nc"), spec, false);
  auto saying = *SegmentWriter::Create(Path("b.nc"), spec, false);
  core::BlockResult nothing(spec.schema);
  for (int p = 0; p < 25; ++p) {
    nothing.FinishPixel(core::PixelStatus::kNotProcessed);
  }
  for (const int64_t chunk : {0, 1, 2, 3}) {
    if (chunk == 2) {
      ASSERT_EQ(saying->Append(chunk, nothing), absl::OkStatus());
      continue;
    }
    const core::BlockResult result = MakeResult(spec, chunk);
    ASSERT_EQ(skipping->Append(chunk, result), absl::OkStatus());
    ASSERT_EQ(saying->Append(chunk, result), absl::OkStatus());
  }
  EXPECT_EQ(skipping->num_records(), saying->num_records());
  ASSERT_EQ(skipping->Finish(), absl::OkStatus());
  ASSERT_EQ(saying->Finish(), absl::OkStatus());
  EXPECT_EQ(ReadBytes(Path("a.nc")), ReadBytes(Path("b.nc")));
}

TEST_F(SegmentWriterTest, NothingIsThereUntilFinish) {
  const SegmentFileSpec spec = GridSpec(4, 4, 4);
  {
    auto writer = *SegmentWriter::Create(Path("a.nc"), spec, false);
    ASSERT_EQ(writer->Append(0, MakeResult(spec, 0)), absl::OkStatus());
    EXPECT_FALSE(fs::exists(Path("a.nc")));
    EXPECT_TRUE(fs::exists(Path("a.nc.partial")));
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(SegmentWriterTest, AnUnfinishedFileLeavesTheOldOne) {
  const SegmentFileSpec spec = GridSpec(4, 4, 4);
  ASSERT_EQ(WriteSegments(Path("a.nc"), spec), absl::OkStatus());
  const std::string before = ReadBytes(Path("a.nc"));
  { auto writer = *SegmentWriter::Create(Path("a.nc"), spec, true); }
  EXPECT_EQ(ReadBytes(Path("a.nc")), before);
}

TEST_F(SegmentWriterTest, RefusesChunksThatDoNotBelong) {
  SegmentFileSpec spec = GridSpec(10, 10, 5);
  spec.part =
      SegmentFilePart{.id = 1, .total = 2, .first_chunk = 1, .end_chunk = 3};
  auto writer = *SegmentWriter::Create(Path("a.nc"), spec, false);
  EXPECT_EQ(writer->Append(0, MakeResult(spec, 0)).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(writer->Append(3, MakeResult(spec, 3)).code(),
            StatusCode::kInvalidArgument);
  ASSERT_EQ(writer->Append(2, MakeResult(spec, 2)), absl::OkStatus());
  const absl::Status late = writer->Append(1, MakeResult(spec, 1));
  EXPECT_EQ(late.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(late.message(), HasSubstr("chunk 1 came after chunk 2"));
}

TEST_F(SegmentWriterTest, RefusesResultsThatDoNotFit) {
  const SegmentFileSpec spec = GridSpec(10, 10, 5);
  auto writer = *SegmentWriter::Create(Path("a.nc"), spec, false);
  core::BlockResult few(spec.schema);
  few.FinishPixel(core::PixelStatus::kOk);
  EXPECT_THAT(writer->Append(0, few).message(),
              HasSubstr("a chunk of 25 pixels was given the result of 1"));

  core::BlockResult foreign(std::make_shared<core::RecordSchema>());
  for (int p = 0; p < 25; ++p) foreign.FinishPixel(core::PixelStatus::kOk);
  EXPECT_THAT(writer->Append(0, foreign).message(), HasSubstr("schema"));

  core::BlockResult open = MakeResult(spec, 0);
  open.AddRecord();
  EXPECT_EQ(writer->Append(0, open).code(), StatusCode::kInvalidArgument);
}

TEST_F(SegmentWriterTest, HoldsAtMost32767RecordsOfAPixel) {
  const SegmentFileSpec spec = GridSpec(1, 1, 1);
  for (const int records : {32767, 32768}) {
    auto writer = *SegmentWriter::Create(Path("a.nc"), spec, true);
    core::BlockResult result(spec.schema);
    for (int r = 0; r < records; ++r) result.AddRecord();
    result.FinishPixel(core::PixelStatus::kOk);
    EXPECT_EQ(
        writer->Append(0, result).code(),
        records == 32767 ? StatusCode::kOk : StatusCode::kResourceExhausted);
  }
}

TEST_F(SegmentWriterTest, RefusesNamesThatItUsesItself) {
  for (const std::string name :
       {"segment", "y", "px", "segment_x", "segment_count", "segment_first",
        "pixel_status", "crs", "segment_geometry"}) {
    SegmentFileSpec spec = GridSpec(2, 2, 2);
    core::Field field;
    field.name = name;
    spec.schema = std::make_shared<core::RecordSchema>(
        *core::RecordSchema::Create({field}));
    const absl::Status status =
        SegmentWriter::Create(Path("a.nc"), spec, false).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(status.message(), HasSubstr("'" + name + "'"));
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(SegmentWriterTest, RefusesMoreThan2To31Things) {
  SegmentFileSpec spec = SampleSpec(1, 1);
  spec.grid = *core::ChunkGrid::Create({{"sample_id", int64_t{1} << 31}}, 100);
  absl::Status status =
      SegmentWriter::Create(Path("a.nc"), spec, false).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("sample_id"), HasSubstr("at most 2147483647")));
  spec.grid = *core::ChunkGrid::Create({{"a", 100000}, {"b", 100000}}, 100);
  status = SegmentWriter::Create(Path("a.nc"), spec, false).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("10000000000 pixels"));
}

TEST_F(SegmentWriterTest, ALongAttributeIsNoObstacle) {
  SegmentFileSpec spec = GridSpec(2, 2, 2);
  spec.attributes.push_back({"inputs", std::string(300000, 'x')});
  EXPECT_EQ(WriteSegments(Path("a.nc"), spec), absl::OkStatus());
}

TEST_F(SegmentWriterTest, WritesGridsOfAnyNumberOfDimensions) {
  for (const core::Dimensions& dims :
       {core::Dimensions{}, core::Dimensions{{"x", 9}},
        core::Dimensions{{"level", 3}, {"y", 5}, {"x", 7}},
        core::Dimensions{{"a", 2}, {"b", 3}, {"c", 4}, {"d", 5}},
        core::Dimensions{{"y", 0}, {"x", 7}}}) {
    SegmentFileSpec spec = GridSpec(1, 1, 1);
    spec.coordinates.clear();
    spec.grid = *core::ChunkGrid::Create(dims, 2);
    EXPECT_EQ(
        WriteSegments(Path(absl::StrCat(
                          dims.size(), dims.empty() ? 1 : dims[0].size, ".nc")),
                      spec),
        absl::OkStatus())
        << dims.size();
  }
}

TEST(PartOfTest, PartsAreContiguousAndOfAlmostEqualSize) {
  for (const int64_t chunks : {0, 1, 6, 7, 100}) {
    int64_t next = 0;
    for (int64_t id = 1; id <= 7; ++id) {
      const SegmentFilePart part = *PartOf(chunks, id, 7);
      EXPECT_EQ(part.first_chunk, next);
      EXPECT_GE(part.end_chunk - part.first_chunk, chunks / 7);
      EXPECT_LE(part.end_chunk - part.first_chunk, chunks / 7 + 1);
      next = part.end_chunk;
    }
    EXPECT_EQ(next, chunks);
  }
  EXPECT_FALSE(PartOf(10, 0, 7).ok());
  EXPECT_FALSE(PartOf(10, 8, 7).ok());
  EXPECT_FALSE(PartOf(10, 1, 0).ok());
}

}  // namespace
}  // namespace internode::cube

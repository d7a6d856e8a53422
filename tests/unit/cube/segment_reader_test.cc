#include "cube/segment_reader.h"

#include <hdf5.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/cube/segment_testutil.h"

namespace internode::cube {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class SegmentReaderTest : public ::testing::Test {
 protected:
  SegmentReaderTest() {
    std::string pattern = ::testing::TempDir() + "segment_reader_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SegmentReaderTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }

  std::string folder_;
};

void ExpectSame(const core::BlockResult& a, const core::BlockResult& b) {
  EXPECT_EQ(a.records().bytes(), b.records().bytes());
  EXPECT_EQ(a.record_counts(), b.record_counts());
  EXPECT_EQ(a.statuses(), b.statuses());
}

TEST_F(SegmentReaderTest, ReadsBackWhatWasWritten) {
  for (const SegmentFileSpec& spec :
       {GridSpec(30, 40, 7), GridSpec(5, 3, 1), SampleSpec(100, 13)}) {
    fs::remove(Path("a.nc"));
    ASSERT_EQ(WriteSegments(Path("a.nc"), spec, 5), absl::OkStatus());
    auto reader = *SegmentReader::Open(Path("a.nc"));
    EXPECT_TRUE(*reader->spec().schema == *spec.schema);
    EXPECT_TRUE(reader->spec().grid == spec.grid);
    EXPECT_EQ(reader->spec().attributes, spec.attributes);
    EXPECT_EQ(reader->spec().history, spec.history);
    EXPECT_FALSE(reader->spec().part.has_value());
    int64_t records = 0;
    for (int64_t c = 0; c < spec.grid.num_chunks(); ++c) {
      const core::BlockResult expected = MakeResult(spec, c, 5);
      core::BlockResult result(reader->spec().schema);
      ASSERT_EQ(reader->ReadChunk(c, &result), absl::OkStatus());
      ExpectSame(result, expected);
      records += expected.records().num_records();
    }
    EXPECT_EQ(reader->num_records(), records);
  }
}

TEST_F(SegmentReaderTest, ReadsOnePixel) {
  const SegmentFileSpec spec = GridSpec(20, 30, 7);
  ASSERT_EQ(WriteSegments(Path("a.nc"), spec), absl::OkStatus());
  auto reader = *SegmentReader::Open(Path("a.nc"));
  core::BlockResult result(spec.schema);
  // 4 * 1000 + 29 times 7, plus 4, leaves 0 when divided by 11.
  for (const auto& [y, x] : {std::pair(4, 29), {19, 0}, {0, 0}, {7, 7}}) {
    ASSERT_EQ(reader->ReadPixel({y, x}, &result), absl::OkStatus());
    ASSERT_EQ(result.num_pixels(), 1);
    for (int64_t i = 0; i < result.records().num_records(); ++i) {
      EXPECT_EQ(result.records().Get<float>(i, 7), y * 1000 + x);
    }
    const int kind = ((y * 1000 + x) * 7 + y) % 11;
    EXPECT_EQ(result.records().num_records(), kind > 8 ? 0 : kind % 4);
  }
  for (const std::vector<int64_t>& outside :
       {std::vector<int64_t>{20, 0}, {-1, 0}, {0, 30}, {0}, {0, 0, 0}}) {
    EXPECT_EQ(reader->ReadPixel(outside, &result).code(),
              StatusCode::kInvalidArgument);
  }
}

TEST_F(SegmentReaderTest, CountsPixelsByStatus) {
  SegmentFileSpec spec = GridSpec(11, 11, 11);
  ASSERT_EQ(WriteSegments(Path("a.nc"), spec), absl::OkStatus());
  PixelStatusCounts expected = {};
  const core::BlockResult result = MakeResult(spec, 0);
  for (const core::PixelStatus status : result.statuses()) {
    ++expected[static_cast<size_t>(status)];
  }
  EXPECT_EQ(*(*SegmentReader::Open(Path("a.nc")))->CountPixels(), expected);
  EXPECT_GT(expected[4], 0);

  spec = GridSpec(10, 10, 5);
  spec.part =
      SegmentFilePart{.id = 2, .total = 2, .first_chunk = 2, .end_chunk = 4};
  ASSERT_EQ(WriteSegments(Path("b.nc"), spec), absl::OkStatus());
  auto part = *SegmentReader::Open(Path("b.nc"));
  EXPECT_EQ(part->spec().part, spec.part);
  EXPECT_EQ((*part->CountPixels())[0], 50);
}

TEST_F(SegmentReaderTest, RefusesWhatIsNoSegmentFile) {
  EXPECT_EQ(SegmentReader::Open(Path("none.nc")).status().code(),
            StatusCode::kNotFound);
  std::ofstream(Path("text.nc")) << "not HDF5";
  EXPECT_FALSE(SegmentReader::Open(Path("text.nc")).ok());
  H5Fclose(H5Fcreate(Path("empty.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT,
                     H5P_DEFAULT));
  const absl::Status status = SegmentReader::Open(Path("empty.h5")).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("is not a segment file"));
}

// Opens the file to damage it.
class Damage {
 public:
  explicit Damage(const std::string& path)
      : file_(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT)) {}
  ~Damage() { H5Fclose(file_); }

  void Remove(const char* name) {
    ASSERT_GE(H5Ldelete(file_, name, H5P_DEFAULT), 0);
  }
  void Shrink(const char* name, hsize_t size) {
    const hid_t dataset = H5Dopen2(file_, name, H5P_DEFAULT);
    ASSERT_GE(H5Dset_extent(dataset, &size), 0);
    H5Dclose(dataset);
  }
  // Puts a variable of another type in the place of `name`.
  void Retype(const char* name) {
    Remove(name);
    const hsize_t size[] = {8, 8};
    const hid_t space = H5Screate_simple(2, size, nullptr);
    const hid_t dataset = H5Dcreate2(file_, name, H5T_IEEE_F32LE, space,
                                     H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ASSERT_GE(dataset, 0);
    H5Dclose(dataset);
    H5Sclose(space);
  }
  // Makes the first storage chunk undecodable.
  void Garble(const char* name) {
    const hid_t dataset = H5Dopen2(file_, name, H5P_DEFAULT);
    const std::vector<hsize_t> offset(3, 0);
    const std::string garbage(20, 'x');
    EXPECT_GE(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, offset.data(),
                             garbage.size(), garbage.data()),
              0);
    H5Dclose(dataset);
  }
  template <typename T>
  void Set(const char* name, hid_t type, T value) {
    const hid_t dataset = H5Dopen2(file_, name, H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset);
    std::vector<T> all(static_cast<size_t>(H5Sget_simple_extent_npoints(space)),
                       value);
    ASSERT_GE(
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()), 0);
    H5Sclose(space);
    H5Dclose(dataset);
  }

 private:
  const hid_t file_;
};

TEST_F(SegmentReaderTest, RefusesFilesThatLackAVariableOrAreInconsistent) {
  const SegmentFileSpec spec = GridSpec(8, 8, 3);
  const auto open_damaged = [&](auto damage) {
    fs::remove(Path("a.nc"));
    EXPECT_EQ(WriteSegments(Path("a.nc"), spec), absl::OkStatus());
    {
      Damage file(Path("a.nc"));
      damage(&file);
    }
    return SegmentReader::Open(Path("a.nc")).status();
  };
  for (const char* name : {"segment_count", "segment_first", "pixel_status"}) {
    const absl::Status status =
        open_damaged([&](Damage* file) { file->Remove(name); });
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr(name));
  }
  EXPECT_FALSE(
      open_damaged([](Damage* file) { file->Remove("segment"); }).ok());
  EXPECT_THAT(
      open_damaged([](Damage* file) { file->Shrink("t_start", 3); }).message(),
      HasSubstr("'t_start' has not the shape"));
  EXPECT_THAT(open_damaged([](Damage* file) {
                file->Retype("segment_count");
              }).message(),
              HasSubstr("'segment_count' is not of the type int16"));
}

TEST_F(SegmentReaderTest, RefusesAnIndexThatPointsNowhere) {
  const SegmentFileSpec spec = GridSpec(8, 8, 3);
  const auto read_damaged = [&](auto damage) {
    fs::remove(Path("a.nc"));
    EXPECT_EQ(WriteSegments(Path("a.nc"), spec), absl::OkStatus());
    {
      Damage file(Path("a.nc"));
      damage(&file);
    }
    auto reader = *SegmentReader::Open(Path("a.nc"));
    core::BlockResult result(spec.schema);
    return reader->ReadChunk(0, &result);
  };
  for (const int64_t first :
       {int64_t{-5}, int64_t{1} << 40, std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    EXPECT_EQ(read_damaged([&](Damage* file) {
                file->Set("segment_first", H5T_NATIVE_INT64, first);
              }).code(),
              StatusCode::kDataLoss);
  }
  for (const int16_t count : {int16_t{-1}, int16_t{32767}}) {
    EXPECT_EQ(read_damaged([&](Damage* file) {
                file->Set("segment_count", H5T_NATIVE_INT16, count);
              }).code(),
              StatusCode::kDataLoss);
  }
  EXPECT_EQ(read_damaged([&](Damage* file) {
              file->Set("pixel_status", H5T_NATIVE_INT8, int8_t{77});
            }).code(),
            StatusCode::kDataLoss);
}

TEST_F(SegmentReaderTest, ATruncatedFileIsAnError) {
  ASSERT_EQ(WriteSegments(Path("a.nc"), GridSpec(6, 6, 3)), absl::OkStatus());
  const std::string good = ReadBytes(Path("a.nc"));
  for (size_t size = 0; size < good.size(); size += good.size() / 50) {
    std::ofstream(Path("b.nc"), std::ios::binary) << good.substr(0, size);
    EXPECT_FALSE(SegmentReader::Open(Path("b.nc")).ok()) << size;
  }
}

TEST_F(SegmentReaderTest, ADamagedStorageChunkIsAnError) {
  const SegmentFileSpec spec = GridSpec(8, 8, 3);
  for (const char* name : {"coefs", "t_end", "segment_first"}) {
    fs::remove(Path("a.nc"));
    ASSERT_EQ(WriteSegments(Path("a.nc"), spec), absl::OkStatus());
    Damage(Path("a.nc")).Garble(name);
    auto reader = *SegmentReader::Open(Path("a.nc"));
    core::BlockResult result(spec.schema);
    EXPECT_EQ(reader->ReadChunk(0, &result).code(), StatusCode::kDataLoss)
        << name;
  }
}

}  // namespace
}  // namespace internode::cube

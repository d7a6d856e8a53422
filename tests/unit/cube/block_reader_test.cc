#include "cube/block_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/cube/cube_testutil.h"

namespace internode::cube {
namespace {

using core::Block;
using core::BlockRequest;
using core::Selection;
using ::testing::HasSubstr;

std::string PathOf(const std::string& name) {
  return ::testing::TempDir() + "internode_block_reader_test." +
         std::to_string(getpid()) + "." + name;
}

constexpr int64_t kTimes = 11;
constexpr int64_t kRows = 9;
constexpr int64_t kColumns = 13;

TestVariable Band(const std::string& name, int deflate = 1) {
  return {.name = name,
          .dims = {"time", "y", "x"},
          .shape = {kTimes, kRows, kColumns},
          .chunks = {4, 2, 5},
          .deflate = deflate};
}

BlockRequest RequestOf(const std::vector<std::string>& variables) {
  BlockRequest request;
  for (const std::string& name : variables)
    request.series.push_back({name, -1});
  request.core_dims = {"time"};
  request.noncore_dims = {"y", "x"};
  return request;
}

// The number of elements of `block` that are not those of the file.
int CountWrong(const Block& block, const std::vector<std::string>& variables,
               const Selection& selection) {
  int wrong = 0;
  int64_t pixel = 0;
  for (int64_t y = selection.extents[0].begin; y < selection.extents[0].end;
       ++y) {
    for (int64_t x = selection.extents[1].begin; x < selection.extents[1].end;
         ++x, ++pixel) {
      for (size_t s = 0; s < variables.size(); ++s) {
        const auto series = block.Series<int16_t>(pixel, s);
        for (int64_t t = 0; t < kTimes; ++t) {
          const int64_t place = (t * kRows + y) * kColumns + x;
          wrong +=
              series[static_cast<size_t>(t)] != TestNumber(variables[s], place);
        }
      }
    }
  }
  return wrong;
}

class BlockReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ =
        PathOf(::testing::UnitTest::GetInstance()->current_test_info()->name());
    WriteCube(path_, {Band("blue"), Band("red"), Band("raw", 0)});
    auto cube = Cube::Open(path_);
    ASSERT_TRUE(cube.ok()) << cube.status();
    cube_ = *std::move(cube);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::unique_ptr<BlockReader> Reader(const BlockRequest& request,
                                      int64_t cache_bytes = 1 << 20) {
    auto reader = NewBlockReader(cube_, request, {.cache_bytes = cache_bytes});
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }

  std::string path_;
  std::shared_ptr<const Cube> cube_;
  const std::vector<std::string> names_ = {"blue", "red", "raw"};
};

TEST_F(BlockReaderTest, ReadsEverySelection) {
  for (const int64_t cache_bytes : {0, 1 << 20}) {
    const auto reader = Reader(RequestOf(names_), cache_bytes);
    Block block;
    for (int64_t y = 0; y < kRows; ++y) {
      for (int64_t y_end = y; y_end <= kRows; ++y_end) {
        for (int64_t x = 0; x < kColumns; x += 3) {
          for (int64_t x_end = x; x_end <= kColumns; x_end += 2) {
            const Selection selection = Ranges({{y, y_end}, {x, x_end}});
            ASSERT_TRUE(reader->Read(selection, &block).ok());
            ASSERT_EQ(block.num_pixels(), (y_end - y) * (x_end - x));
            ASSERT_EQ(CountWrong(block, names_, selection), 0);
          }
        }
      }
    }
  }
}

TEST_F(BlockReaderTest, PacksSeriesOneAfterTheOther) {
  const auto reader = Reader(RequestOf(names_));
  const core::BlockLayout& layout = reader->layout();
  ASSERT_EQ(layout.series.size(), 3u);
  for (size_t s = 0; s < 3; ++s) {
    EXPECT_EQ(layout.series[s].offset, static_cast<int64_t>(s) * kTimes * 2);
    EXPECT_EQ(layout.series[s].count, kTimes);
    EXPECT_EQ(layout.series[s].type, core::DataType::kInt16);
  }
  EXPECT_EQ(layout.pixel_stride, 72);  // 66, rounded up to a multiple of 8.
}

// Long ones begin at lines of the processor's cache, but for bands that follow
// another, as an array.
TEST(BlockReaderLayoutTest, LongSeriesBeginAtLines) {
  const std::string path = ::testing::TempDir() +
                           "internode_block_reader_test.long." +
                           std::to_string(getpid());
  WriteCube(path, {{.name = "a",
                    .dims = {"time", "y", "x"},
                    .shape = {513, 2, 2},
                    .chunks = {513, 2, 2}},
                   {.name = "b",
                    .dims = {"time", "y", "x"},
                    .shape = {513, 2, 2},
                    .chunks = {513, 2, 2}}});
  const auto reader =
      *NewBlockReader(*Cube::Open(path), {.series = {{"a", -1}, {"b", -1}},
                                          .core_dims = {"time"},
                                          .noncore_dims = {"y", "x"}});
  const core::BlockLayout& layout = reader->layout();
  EXPECT_EQ(layout.series[0].offset, 0);
  EXPECT_EQ(layout.series[1].offset, 1088);  // 1026, rounded up.
  EXPECT_EQ(layout.pixel_stride, 2176);      // 2114, rounded up.
  Block block;
  ASSERT_TRUE(reader->Read(Ranges({{0, 2}, {0, 2}}), &block).ok());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block.pixel(0)) % 64, 0u);
  std::filesystem::remove(path);
}

// Whole lines are written of a long series: what is behind its numbers in the
// last one is its own, and of no other series.
TEST(BlockReaderLayoutTest, WholeLinesOverwriteNothing) {
  constexpr int64_t kLong = 283;
  constexpr int64_t kSide = 21;
  const std::string path = PathOf("lines");
  const auto band = [](const std::string& name, std::vector<int64_t> chunks) {
    return TestVariable{.name = name,
                        .dims = {"time", "y", "x"},
                        .shape = {kLong, kSide, kSide},
                        .chunks = std::move(chunks),
                        .deflate = 1};
  };
  const auto image = [](const std::string& name) {
    return TestVariable{.name = name,
                        .dims = {"y", "x"},
                        .shape = {kSide, kSide},
                        .chunks = {7, 7}};
  };
  const std::vector<TestVariable> variables = {
      band("whole", {kLong, 7, 7}),
      band("parts", {100, 7, 7}),
      band("dates", {1, kSide, kSide}),
      image("one"),
      image("two"),
      band("last", {kLong, kSide, kSide})};
  WriteCube(path, variables);
  BlockRequest request = RequestOf({});
  for (const TestVariable& v : variables)
    request.series.push_back({v.name, -1});
  const auto reader =
      *NewBlockReader(*Cube::Open(path), request, {.cached_block_bytes = 0});
  const auto& series = reader->layout().series;
  // 566 bytes, rounded up to 576.
  EXPECT_EQ(series[1].offset, 576);
  EXPECT_EQ(series[3].offset, 3 * 576);
  EXPECT_EQ(series[4].offset, 3 * 576 + 2);
  EXPECT_EQ(series[5].offset, 3 * 576 + 64);
  Block block;
  for (const int64_t begin : {0, 3}) {
    ASSERT_TRUE(
        reader->Read(Ranges({{0, kSide}, {begin, kSide}}), &block).ok());
    int64_t pixel = 0;
    for (int64_t y = 0; y < kSide; ++y) {
      for (int64_t x = begin; x < kSide; ++x, ++pixel) {
        for (size_t s = 0; s < variables.size(); ++s) {
          const auto numbers = block.Series<int16_t>(pixel, s);
          for (size_t t = 0; t < numbers.size(); ++t) {
            const int64_t place =
                (static_cast<int64_t>(t) * kSide + y) * kSide + x;
            ASSERT_EQ(numbers[t], TestNumber(variables[s].name, place))
                << variables[s].name << " " << t << " " << y << " " << x;
          }
        }
      }
    }
  }
  std::filesystem::remove(path);
}

TEST_F(BlockReaderTest, ServesSeveralThreadsAtOnce) {
  const auto reader = Reader(RequestOf(names_), 1 << 16);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Block block;
      for (int64_t i = 0; i < 60; ++i) {
        const int64_t y = (i * 5 + t) % kRows;
        const int64_t x = (i * 7 + t * 3) % kColumns;
        const Selection selection =
            Ranges({{y, std::min(y + 3, kRows)}, {x, kColumns}});
        if (!reader->Read(selection, &block).ok()) ++wrong;
        wrong += CountWrong(block, names_, selection);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// A damaged storage chunk fails the blocks that touch it, and no others.
TEST_F(BlockReaderTest, NamesADamagedStorageChunk) {
  cube_.reset();
  const ChunkPlace place = PlaceOfChunk(path_, "red", {4, 2, 5});
  DamageByte(path_, place.offset + place.bytes / 2);
  auto cube = Cube::Open(path_);
  ASSERT_TRUE(cube.ok());
  cube_ = *std::move(cube);
  const auto reader = Reader(RequestOf(names_));
  Block block;
  int failed = 0;
  for (int64_t y = 0; y < kRows; ++y) {
    for (int64_t x = 0; x < kColumns; ++x) {
      const Selection selection = Ranges({{y, y + 1}, {x, x + 1}});
      const absl::Status status = reader->Read(selection, &block);
      const bool touches = y >= 2 && y < 4 && x >= 5 && x < 10;
      ASSERT_EQ(status.ok(), !touches) << y << " " << x << " " << status;
      if (status.ok()) {
        ASSERT_EQ(CountWrong(block, names_, selection), 0);
        continue;
      }
      ++failed;
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
      EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
      EXPECT_THAT(std::string(status.message()), HasSubstr("variable 'red'"));
      EXPECT_THAT(std::string(status.message()),
                  HasSubstr("time=4:8, y=2:4, x=5:10: corrupt storage chunk"));
    }
  }
  EXPECT_EQ(failed, 10);
}

TEST_F(BlockReaderTest, NoticesThatTheFileChanged) {
  const auto reader = Reader(RequestOf(names_));
  const Selection selection = Ranges({{0, 1}, {0, 1}});
  Block block;
  ASSERT_TRUE(reader->Read(selection, &block).ok());

  const struct timespec touched[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), touched, 0), 0);
  absl::Status status = reader->Read(selection, &block);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has changed since"));

  std::filesystem::remove(path_);
  status = reader->Read(selection, &block);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has gone since"));
}

TEST_F(BlockReaderTest, RefusesSelectionsOutsideTheCube) {
  const auto reader = Reader(RequestOf(names_));
  Block block;
  for (const Selection& selection :
       {Ranges({{0, 1}}), Ranges({{0, kRows + 1}, {0, 1}}),
        Ranges({{-1, 1}, {0, 1}}), Ranges({{2, 1}, {0, 1}})}) {
    EXPECT_EQ(reader->Read(selection, &block).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(BlockReaderTest, RefusesBadRequests) {
  const auto expect = [&](const BlockRequest& request, const char* text) {
    const auto reader = NewBlockReader(cube_, request);
    ASSERT_FALSE(reader.ok()) << text;
    EXPECT_THAT(std::string(reader.status().message()), HasSubstr(text));
  };
  expect(RequestOf({"blu"}), "did you mean 'blue'");
  expect(RequestOf({"time"}), "it is the coordinate of dimension 'time'");
  expect(RequestOf({}), "no variables");
  BlockRequest request = RequestOf({"blue"});
  request.core_dims = {"tim"};
  expect(request, "cube has no dimension 'tim'; it has time, y, x (did you");
  request.core_dims = {};
  expect(request, "'time', which is neither core nor non-core");
  request = RequestOf({"blue"});
  request.noncore_dims = {"y", "time"};
  expect(request, "'time' is given twice");
  request = RequestOf({"blue"});
  request.series[0].band = 0;
  expect(request, "has no bands");
}

// A file of a few kilobytes can claim any size.
TEST(BlockReaderSizeTest, RefusesSizesThatNoMachineHas) {
  const std::string path = PathOf("huge.h5");
  WriteSparse(path, "blue", {"time", "y", "x"},
              {int64_t{1} << 20, int64_t{1} << 20, int64_t{1} << 22});
  const auto cube = Cube::Open(path);
  ASSERT_TRUE(cube.ok()) << cube.status();
  const auto reader = NewBlockReader(*cube, RequestOf({"blue"}));
  ASSERT_TRUE(reader.ok()) << reader.status();
  Block block;
  EXPECT_EQ(
      (*reader)
          ->Read(Ranges({{0, int64_t{1} << 20}, {0, int64_t{1} << 22}}), &block)
          .code(),
      absl::StatusCode::kResourceExhausted);
  EXPECT_EQ((*reader)->Read(Ranges({{0, 100000}, {0, 10}}), &block).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE((*reader)->Read(Ranges({{7, 8}, {9, 10}}), &block).ok());
  BlockRequest request = RequestOf({"blue"});
  request.core_dims = {"time", "x"};
  request.noncore_dims = {"y"};
  EXPECT_EQ(NewBlockReader(*cube, request).status().code(),
            absl::StatusCode::kInvalidArgument);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace internode::cube

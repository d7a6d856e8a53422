// Storage chunks are decoded two at a time, also of one variable and the next:
// the blocks and the errors are those of each by itself.

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "cube/block_reader.h"
#include "cube/cube_file.h"
#include "cube/read_pool.h"
#include "cube/simulate.h"
#include "cube/simulated_pixel.h"
#include "tests/unit/cube/cube_testutil.h"

namespace internode::cube {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kSize = 24;

class PairedReadingTest : public testing::TestWithParam<core::Dimensions> {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "internode_paired_reading_test." +
            std::to_string(getpid()) + ".nc";
    SimulateOptions options;
    options.size = {{"y", kSize}, {"x", kSize}};
    options.dates = 90;
    options.storage_chunks = GetParam();
    ASSERT_TRUE(Simulate(options, path_, /*overwrite=*/true).ok());
    // All bands, and QA, whose numbers are of another size.
    for (const absl::string_view band : kSimulatedBandNames) {
      request_.series.push_back({std::string(band), -1});
    }
    request_.series.push_back({"cfmask", -1});
    request_.core_dims = {"time"};
    request_.noncore_dims = {"y", "x"};
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::unique_ptr<BlockReader> Reader(const std::shared_ptr<const Cube>& cube,
                                      bool library_only) const {
    return *NewBlockReader(cube, request_,
                           {.cache_bytes = 0, .library_only = library_only});
  }

  // Bytes of `block`, whatever fills up the layout aside.
  static std::string BytesOf(const core::Block& block) {
    std::string bytes;
    for (int64_t p = 0; p < block.num_pixels(); ++p) {
      for (const core::SeriesLayout& series : block.layout().series) {
        bytes.append(
            reinterpret_cast<const char*>(block.pixel(p)) + series.offset,
            static_cast<size_t>(series.count *
                                core::DataTypeBytes(series.type)));
      }
    }
    return bytes;
  }

  std::string path_;
  core::BlockRequest request_;
};

TEST_P(PairedReadingTest, ReadsWhatTheLibraryReads) {
  const auto cube = *Cube::Open(path_);
  const auto library = Reader(cube, true);
  const auto fast = Reader(cube, false);
  std::mt19937 random(3);
  const auto range = [&random] {
    const auto begin = static_cast<int64_t>(random() % 3) * 8;
    const auto cut = static_cast<int64_t>(random() % 2);
    return std::make_pair(
        begin + cut,
        std::min(kSize, begin + 8 + static_cast<int64_t>(random() % 16)));
  };
  core::Block a;
  core::Block b;
  for (int i = 0; i < 40; ++i) {
    const core::Selection selection = Ranges({range(), range()});
    ASSERT_TRUE(library->Read(selection, &a).ok());
    const absl::Status status = fast->Read(selection, &b);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(BytesOf(a) == BytesOf(b)) << i;
  }
}

// Each storage chunk of a block is decoded once, whatever comes with it.
TEST_P(PairedReadingTest, DecodesEachOnce) {
  const auto cube = *Cube::Open(path_);
  const auto pool = std::make_shared<ReadPool>(0);
  const auto reader = *NewBlockReader(cube, request_, {.pool = pool});
  core::Block block;
  ASSERT_TRUE(reader->Read(Ranges({{0, kSize}, {0, kSize}}), &block).ok());
  int64_t chunks = 0;
  for (const core::SeriesRequest& series : request_.series) {
    for (const StoredVariable& variable : cube->file().variables) {
      const size_t place =
          static_cast<size_t>(&variable - cube->file().variables.data());
      if (cube->info().variables[place].name != series.variable) continue;
      chunks +=
          (*pool->Find(cube->file(), variable))->storage.chunks.num_written();
    }
  }
  EXPECT_EQ(pool->counters().chunks_decoded, chunks);
  EXPECT_EQ(pool->counters().chunks_reused, 0);
}

// Damage to one storage chunk, also to one that was decoded ahead, fails the
// blocks that need it, with its own name, and no others.
TEST_P(PairedReadingTest, DamageStaysWhereItIs) {
  std::string good;
  {
    const auto reader = Reader(*Cube::Open(path_), false);
    core::Block block;
    ASSERT_TRUE(reader->Read(Ranges({{8, 16}, {8, 16}}), &block).ok());
    good = BytesOf(block);
  }
  std::vector<std::string> names;
  for (const core::SeriesRequest& series : request_.series) {
    names.push_back(series.variable);
  }
  for (const std::string& name : names) {
    uint64_t address = 0;
    {
      const auto cube = *Cube::Open(path_);
      ReadPool pool(0);
      for (size_t v = 0; v < cube->file().variables.size(); ++v) {
        if (cube->info().variables[v].name != name) continue;
        const StorageChunk chunk =
            (*pool.Find(cube->file(), cube->file().variables[v]))
                ->storage.chunks.Find(0);
        address = chunk.address + chunk.bytes / 2;
      }
    }
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(address));
    const char before = static_cast<char>(file.get());
    const auto put = [&](char byte) {
      file.seekp(static_cast<std::streamoff>(address));
      file.put(byte).flush();
    };
    put(static_cast<char>(before ^ 0x5a));
    const auto reader = Reader(*Cube::Open(path_), false);
    core::Block block;
    const absl::Status status = reader->Read(Ranges({{0, 8}, {0, 8}}), &block);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(status.message(), AllOf(HasSubstr("'" + name + "'"),
                                        HasSubstr("corrupt storage chunk")));
    // With the same memory, in which something may have been decoded ahead.
    ASSERT_TRUE(reader->Read(Ranges({{8, 16}, {8, 16}}), &block).ok());
    EXPECT_TRUE(BytesOf(block) == good) << name;
    put(before);
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, PairedReadingTest,
                         testing::Values(
                             // One storage chunk of a variable in a block; some
                             // of each; dates by themselves.
                             core::Dimensions{{"time", 90}, {"y", 8}, {"x", 8}},
                             core::Dimensions{{"time", 32}, {"y", 4}, {"x", 8}},
                             core::Dimensions{{"time", 1}, {"y", 8}, {"x", 8}},
                             core::Dimensions{
                                 {"time", 90}, {"y", 1}, {"x", 24}}));

}  // namespace
}  // namespace internode::cube

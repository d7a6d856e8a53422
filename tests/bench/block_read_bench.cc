#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

#include "core/block.h"
#include "cube/block_reader.h"
#include "cube/cube.h"
#include "cube/strided_copy.h"
#include "tests/unit/cube/cube_testutil.h"

namespace internode::cube {
namespace {

constexpr int64_t kTimes = 400;
constexpr int64_t kSide = 100;

// Two bands of int16 in storage chunks of all times and 10 x 10 pixels. The
// numbers are noise, which compresses worse than real data.
class CubeFixture {
 public:
  CubeFixture()
      : path_(std::filesystem::temp_directory_path() /
              ("internode_block_read_bench." + std::to_string(getpid()))) {
    TestVariable variable = {.name = "a",
                             .dims = {"time", "y", "x"},
                             .shape = {kTimes, kSide, kSide},
                             .chunks = {kTimes, 10, 10},
                             .deflate = 4};
    TestVariable other = variable;
    other.name = "b";
    WriteCube(path_, {variable, other});
    cube_ = *Cube::Open(path_);
  }
  ~CubeFixture() { std::filesystem::remove(path_); }

  std::shared_ptr<const Cube> cube() const { return cube_; }

 private:
  std::string path_;
  std::shared_ptr<const Cube> cube_;
};

// Blocks of range(0) rows and range(1) columns, one after the other.
void BM_Read(benchmark::State& state) {
  static const CubeFixture fixture;
  core::BlockRequest request;
  request.series = {{"a", -1}, {"b", -1}};
  request.core_dims = {"time"};
  request.noncore_dims = {"y", "x"};
  auto reader = *NewBlockReader(fixture.cube(), request);
  core::Block block;
  int64_t bytes = 0;
  int64_t y = 0;
  int64_t x = 0;
  for (auto _ : state) {
    const absl::Status status = reader->Read(
        Ranges({{y, y + state.range(0)}, {x, x + state.range(1)}}), &block);
    if (!status.ok()) state.SkipWithError("cannot read");
    bytes += block.num_pixels() * reader->layout().pixel_stride;
    x += state.range(1);
    if (x == kSide) {
      x = 0;
      y = (y + state.range(0)) % kSide;
    }
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_Read)
    ->ArgNames({"rows", "columns"})
    ->Args({10, 10})
    ->Args({50, 50})
    ->Args({100, 100})
    ->Args({5, 5})
    ->Args({1, 100});

// (time, y, x) of int16 to pixel-major, range(0) pixels.
void BM_Transpose(benchmark::State& state) {
  const int64_t pixels = state.range(0);
  std::vector<int16_t> source(static_cast<size_t>(kTimes * pixels));
  std::vector<int16_t> target(source.size());
  const std::vector<CopyDimension> dims = {{kTimes, pixels * 2, 2},
                                           {pixels, 2, kTimes * 2}};
  for (auto _ : state) {
    StridedCopy(dims, 2, reinterpret_cast<const std::byte*>(source.data()),
                reinterpret_cast<std::byte*>(target.data()));
    benchmark::DoNotOptimize(target.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * kTimes * pixels * 2);
}
BENCHMARK(BM_Transpose)->Arg(100)->Arg(2500);

}  // namespace
}  // namespace internode::cube

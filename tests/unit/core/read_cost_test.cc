#include "core/read_cost.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace internode::core {
namespace {

int64_t Uniform(std::mt19937_64* random, int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(*random);
}

// Which storage chunk of which variable.
using ChunkName = std::pair<size_t, std::vector<int64_t>>;

// What is held in order of use, the last first.
class LruCache {
 public:
  explicit LruCache(int64_t limit) : limit_(limit) {}

  // Whether the chunk had to be read.
  bool Use(const ChunkName& name, int64_t bytes) {
    const auto found =
        std::find_if(held_.begin(), held_.end(),
                     [&](const auto& held) { return held.first == name; });
    const bool read = found == held_.end();
    if (!read) {
      bytes_ -= found->second;
      held_.erase(found);
    }
    held_.emplace_front(name, bytes);
    bytes_ += bytes;
    while (bytes_ > limit_) {
      bytes_ -= held_.back().second;
      held_.pop_back();
    }
    return read;
  }

 private:
  const int64_t limit_;
  int64_t bytes_ = 0;
  std::list<std::pair<ChunkName, int64_t>> held_;
};

struct ListedReads {
  std::set<ChunkName> chunks;
  int64_t reads = 0;
  int64_t cached_reads = 0;
};

// The storage chunks of `info` that a task needs, in storage order.
std::vector<std::vector<int64_t>> ChunksOf(const CubeInfo& cube,
                                           const VariableInfo& info,
                                           const BlockRequest& request,
                                           const ChunkGrid& grid,
                                           const Selection& task) {
  std::vector<std::vector<int64_t>> chunks = {{}};
  for (size_t d = 0; d < info.dims.size(); ++d) {
    const int64_t chunk =
        info.storage_chunks.empty() ? 1 : info.storage_chunks[d];
    std::set<int64_t> along;
    const auto add = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) along.insert(i / chunk);
    };
    bool cut = false;
    for (size_t g = 0; g < grid.dims().size(); ++g) {
      if (grid.dims()[g].name != info.dims[d].name) continue;
      add(task.extents[g].begin, task.extents[g].end);
      cut = true;
    }
    if (!cut && info.dims[d].name == cube.band_dim) {
      for (const SeriesRequest& series : request.series) {
        if (series.variable == info.name) add(series.band, series.band + 1);
      }
    } else if (!cut) {
      add(0, info.dims[d].size);
    }
    std::vector<std::vector<int64_t>> longer;
    for (const std::vector<int64_t>& place : chunks) {
      for (const int64_t i : along) {
        longer.push_back(place);
        longer.back().push_back(i);
      }
    }
    chunks = std::move(longer);
  }
  return chunks;
}

struct RandomJob {
  CubeInfo cube;
  BlockRequest request;
  ChunkGrid grid;
  int64_t cache_bytes = 0;
};

RandomJob MakeJob(std::mt19937_64* random) {
  RandomJob job;
  const Dimensions dims = {{"band", Uniform(random, 1, 3)},
                           {"time", Uniform(random, 1, 5)},
                           {"y", Uniform(random, 1, 9)},
                           {"x", Uniform(random, 1, 9)}};
  job.cube.dims = dims;
  job.cube.band_dim = "band";
  job.request.core_dims = {"band", "time"};
  job.request.noncore_dims = {"y", "x"};
  const int64_t variables = Uniform(random, 1, 3);
  for (int64_t v = 0; v < variables; ++v) {
    VariableInfo info;
    info.name = std::to_string(v);
    info.type =
        Uniform(random, 0, 1) == 0 ? DataType::kInt16 : DataType::kUInt8;
    const bool chunked = Uniform(random, 0, 5) > 0;
    bool bands = false;
    for (const Dimension& dim : dims) {
      if (Uniform(random, 0, 5) == 0 && dim.name != "y") continue;
      bands = bands || dim.name == "band";
      info.dims.push_back(dim);
      if (chunked) {
        info.storage_chunks.push_back(Uniform(random, 1, dim.size + 1));
      }
    }
    std::shuffle(info.dims.begin(), info.dims.end(), *random);
    job.cube.variables.push_back(info);
    for (int64_t b = 0; b < (bands ? dims[0].size : 1); ++b) {
      if (b > 0 && Uniform(random, 0, 2) == 0) continue;
      job.request.series.push_back({info.name, bands ? b : -1});
    }
  }
  std::vector<DimensionCut> cuts;
  for (const Dimension& dim : {dims[2], dims[3]}) {
    DimensionCut cut;
    cut.chunk = Uniform(random, 1, dim.size + 1);
    cut.begin = Uniform(random, 0, dim.size - 1);
    cut.end = Uniform(random, cut.begin + 1, dim.size);
    cut.origin = Uniform(
        random, std::max<int64_t>(0, cut.begin - cut.chunk + 1), cut.begin);
    cuts.push_back(cut);
  }
  job.grid = *ChunkGrid::Create({dims[2], dims[3]}, cuts);
  job.cache_bytes = Uniform(random, 0, 3000);
  return job;
}

TEST(CountReadsTest, IsWhatEnumerationCountsAndABoundForCaches) {
  std::mt19937_64 random(6);
  int collapsed = 0;
  for (int round = 0; round < 3000; ++round) {
    const RandomJob job = MakeJob(&random);
    const ReadCost cost =
        *CountReads(job.cube, job.request, job.grid, job.cache_bytes);
    std::vector<ListedReads> counted(job.cube.variables.size());
    LruCache cache(job.cache_bytes);
    LruCache wanted(cost.wanted_cache_bytes);
    int64_t wanted_reads = 0;
    for (int64_t t = 0; t < job.grid.num_chunks(); ++t) {
      for (size_t v = 0; v < counted.size(); ++v) {
        const VariableInfo& info = job.cube.variables[v];
        for (const auto& place : ChunksOf(job.cube, info, job.request, job.grid,
                                          job.grid.Chunk(t))) {
          const ChunkName name = {v, place};
          const int64_t bytes = cost.variables[v].chunk_bytes;
          counted[v].chunks.insert(name);
          ++counted[v].reads;
          if (cache.Use(name, bytes)) ++counted[v].cached_reads;
          if (wanted.Use(name, bytes)) ++wanted_reads;
        }
      }
    }
    int64_t chunks = 0;
    for (size_t v = 0; v < counted.size(); ++v) {
      const VariableReads& reads = cost.variables[v];
      EXPECT_EQ(reads.chunks, static_cast<int64_t>(counted[v].chunks.size()));
      EXPECT_EQ(reads.reads, counted[v].reads);
      EXPECT_LE(counted[v].cached_reads, reads.cached_reads);
      EXPECT_LE(reads.cached_reads, reads.reads);
      EXPECT_LE(reads.chunks, reads.all_chunks);
      EXPECT_NEAR(
          reads.amplification,
          static_cast<double>(reads.reads) / static_cast<double>(reads.chunks),
          1e-9);
      collapsed += reads.cached_reads < reads.reads ? 1 : 0;
      chunks += reads.chunks;
    }
    EXPECT_GE(cost.amplification(), 1);
    EXPECT_GE(cost.amplification(), cost.cached_amplification() - 1e-9);
    // With the cache that is wanted nothing is read twice.
    if (cost.wanted_cache_bytes > 0) {
      EXPECT_EQ(wanted_reads, chunks);
    }
  }
  // The bound is not only the trivial one.
  EXPECT_GT(collapsed, 100);
}

CubeInfo Landsat(std::vector<int64_t> chunk) {
  CubeInfo cube;
  cube.dims = {{"time", 882}, {"y", 5000}, {"x", 5000}};
  VariableInfo info;
  info.name = "red";
  info.type = DataType::kInt16;
  info.dims = cube.dims;
  info.storage_chunks = std::move(chunk);
  cube.variables = {info};
  return cube;
}

BlockRequest Red() {
  BlockRequest request;
  request.series = {{"red", -1}};
  request.core_dims = {"time"};
  request.noncore_dims = {"y", "x"};
  return request;
}

TEST(CountReadsTest, SaysWhatRowsCost) {
  const CubeInfo cube = Landsat({882, 50, 50});
  const Dimensions places = {{"y", 5000}, {"x", 5000}};
  const ChunkGrid rows =
      *ChunkGrid::Create(places, ChunkMapping{{"y", 1}, {"x", 5000}});
  const ReadCost cost = *CountReads(cube, Red(), rows, 64 << 20);
  EXPECT_EQ(cost.tasks, 5000);
  EXPECT_EQ(cost.variables[0].chunks, 100 * 100);
  EXPECT_EQ(cost.variables[0].reads, 50 * 100 * 100);
  EXPECT_EQ(cost.amplification(), 50);
  // A row of storage chunks of 4.4 MB, and once more for the task.
  EXPECT_EQ(cost.wanted_cache_bytes, 200 * 882 * 50 * 50 * 2);
  EXPECT_EQ(cost.cached_amplification(), 50);
  EXPECT_EQ(
      CountReads(cube, Red(), rows, int64_t{1} << 30)->cached_amplification(),
      1);
}

TEST(CountReadsTest, CountsGridsThatNobodyCouldList) {
  CubeInfo cube = Landsat({882, 50, 50});
  constexpr int64_t kSide = 3'000'000'000;
  for (size_t d : {1U, 2U}) {
    cube.dims[d].size = kSide;
    cube.variables[0].dims[d].size = kSide;
  }
  const Dimensions places = {{"y", kSide}, {"x", kSide}};
  const ReadCost pixels =
      *CountReads(cube, Red(), *ChunkGrid::Create(places, int64_t{1}), 0);
  EXPECT_EQ(pixels.tasks, kSide * kSide);
  EXPECT_EQ(pixels.variables[0].reads, kSide * kSide);
  EXPECT_NEAR(pixels.amplification(), 2500, 1e-6);
  const ReadCost tiles =
      *CountReads(cube, Red(), *ChunkGrid::Create(places, int64_t{75}), 0);
  EXPECT_NEAR(tiles.amplification(), 16.0 / 9, 1e-6);
}

TEST(CountReadsTest, RefusesWhatIsNotThere) {
  const CubeInfo cube = Landsat({1, 50, 50});
  BlockRequest request = Red();
  const ChunkGrid grid = *ChunkGrid::Create({{"y", 5000}}, int64_t{10});
  EXPECT_EQ(CountReads(cube, request, grid, 0).status().code(),
            absl::StatusCode::kInvalidArgument);
  request.series[0].variable = "nir";
  EXPECT_EQ(CountReads(cube, request, grid, 0).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace internode::core

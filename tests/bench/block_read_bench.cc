// Reading blocks, against its peers in the same run: H5Dread as everybody calls
// it, which leaves numbers in storage order; H5Dread and then our own turn to
// pixels, which is the same work as ours; and as the limit the decompression
// alone. Rates are of numbers that come out, and ratios, by processor time, to
// those of the peers that ran before. Files are made anew in the folder for
// temporary files, and are in the memory of the system when they are read.

#include <hdf5.h>
#include <libdeflate.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

#include "base/mutex.h"
#include "core/block.h"
#include "cube/block_reader.h"
#include "cube/buffer.h"
#include "cube/chunk_scatter.h"
#include "cube/cube.h"
#include "cube/cube_file.h"
#include "cube/h5.h"
#include "cube/read_pool.h"
#include "cube/series_transpose.h"
#include "cube/shuffle.h"
#include "cube/simulate.h"
#include "cube/simulated_pixel.h"
#include "cube/streaming_copy.h"
#include "tests/unit/cube/cube_testutil.h"

namespace internode::cube {
namespace {

// A file of simulated int16 bands in shuffled and deflated storage chunks, as
// of a tile that scenes cover on part of its dates: fill on the others.
struct Layout {
  const char* name;
  int64_t dates;
  int64_t rows;
  int64_t columns;
  // Storage chunk; 0: all dates.
  int64_t chunk_dates;
  int64_t chunk_rows;
  int64_t chunk_columns;
  double clouds;
  int percent_covered;
};

// 71 % of what a Landsat ARD tile holds is fill.
constexpr std::array<Layout, 5> kLayouts = {{
    {"(T,10,10)", 448, 100, 250, 0, 10, 10, 0.35, 29},
    {"(T,50,50)", 448, 100, 250, 0, 50, 50, 0.35, 29},
    {"(64,64,64)", 448, 128, 192, 64, 64, 64, 0.35, 29},
    {"(1,250,250)", 192, 250, 250, 1, 250, 250, 0.35, 29},
    {"dense(T,10,10)", 448, 100, 250, 0, 10, 10, 0.02, 100},
}};

// Puts fill where no scene covers the tile. Whether all could be written.
bool Uncover(const std::string& path, const Layout& layout) {
  const h5::Lock lock;
  const h5::File file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
  const auto pixels = static_cast<size_t>(layout.rows * layout.columns);
  std::vector<int16_t> numbers(static_cast<size_t>(layout.dates) * pixels);
  for (const absl::string_view band : kSimulatedBandNames) {
    const h5::Dataset dataset(
        H5Dopen2(file.get(), std::string(band).c_str(), H5P_DEFAULT));
    if (H5Dread(dataset.get(), H5T_NATIVE_INT16, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                numbers.data()) < 0) {
      return false;
    }
    for (int64_t t = 0; t < layout.dates; ++t) {
      // In no order that shows.
      if (t * 7919 % 100 < layout.percent_covered) continue;
      std::fill_n(numbers.begin() + t * static_cast<int64_t>(pixels), pixels,
                  int16_t{-9999});
    }
    if (H5Dwrite(dataset.get(), H5T_NATIVE_INT16, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                 numbers.data()) < 0) {
      return false;
    }
  }
  return true;
}

class File {
 public:
  explicit File(const Layout& layout)
      : layout_(layout),
        path_(std::filesystem::temp_directory_path() /
              ("internode_block_read_bench." + std::to_string(getpid()) + "." +
               std::to_string(&layout - kLayouts.data()) + ".nc")) {
    SimulateOptions options;
    options.size = {{"y", layout.rows}, {"x", layout.columns}};
    options.dates = layout.dates;
    options.cloud_fraction = layout.clouds;
    options.storage_chunks = {{"y", layout.chunk_rows},
                              {"x", layout.chunk_columns}};
    if (layout.chunk_dates > 0) {
      options.storage_chunks.push_back({"time", layout.chunk_dates});
    }
    ok_ = Simulate(options, path_, /*overwrite=*/true).ok() &&
          Uncover(path_, layout);
    if (ok_) cube_ = *Cube::Open(path_);
  }
  ~File() { std::filesystem::remove(path_); }

  // That of kLayouts[layout].
  static const File& Of(int64_t layout) {
    static Mutex mutex;
    static std::array<std::unique_ptr<File>, kLayouts.size()> files;
    // Of a benchmark of two threads, each asks.
    MutexLock lock(&mutex);
    std::unique_ptr<File>& file = files[static_cast<size_t>(layout)];
    if (file == nullptr) {
      file = std::make_unique<File>(kLayouts[static_cast<size_t>(layout)]);
    }
    return *file;
  }

  bool ok() const { return ok_; }
  const Layout& layout() const { return layout_; }
  const std::string& path() const { return path_; }
  const std::shared_ptr<const Cube>& cube() const { return cube_; }

  core::BlockRequest Request() const {
    core::BlockRequest request;
    for (const absl::string_view band : kSimulatedBandNames) {
      request.series.push_back({std::string(band), -1});
    }
    request.core_dims = {"time"};
    request.noncore_dims = {"y", "x"};
    return request;
  }

 private:
  const Layout& layout_;
  const std::string path_;
  bool ok_ = false;
  std::shared_ptr<const Cube> cube_;
};

// Bytes of numbers a second of the benchmarks that have run, by name and
// layout: the most of their repetitions.
double& RateOf(const std::string& name, int64_t layout) {
  static std::map<std::pair<std::string, int64_t>, double> rates;
  return rates[{name, layout}];
}

// Processor time of this thread, for which other programs count less than for
// that of the wall clock.
class Watch {
 public:
  double Seconds() const { return Now() - begin_; }

 private:
  static double Now() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) +
           1e-9 * static_cast<double>(now.tv_nsec);
  }

  double begin_ = Now();
};

// Notes `rate`, and how many times that of each peer it is.
void Note(benchmark::State& state, const std::string& name, double rate,
          const std::vector<std::string>& peers) {
  const int64_t layout = state.range(0);
  for (const std::string& peer : peers) {
    const double other = RateOf(peer, layout);
    if (other <= 0) continue;
    state.counters["to_" + peer] =
        benchmark::Counter(rate / other, benchmark::Counter::kAvgThreads);
  }
  state.counters["mb_per_cpu_s"] =
      benchmark::Counter(rate / 1e6, benchmark::Counter::kAvgThreads);
  if (state.threads() > 1) return;
  double& most = RateOf(name, layout);
  most = std::max(most, rate);
}

// Blocks of `rows` x `columns`, one after the other, round and round; on
// several threads, each the next one.
class Blocks {
 public:
  Blocks(const Layout& layout, int64_t rows, int64_t columns)
      : rows_(rows),
        columns_(columns),
        across_(layout.columns / columns),
        count_(layout.rows / rows * across_) {}

  core::Selection Next() {
    const int64_t i = next_.fetch_add(1) % count_;
    const int64_t y = i / across_ * rows_;
    const int64_t x = i % across_ * columns_;
    return Ranges({{y, y + rows_}, {x, x + columns_}});
  }

 private:
  const int64_t rows_;
  const int64_t columns_;
  const int64_t across_;
  const int64_t count_;
  std::atomic<int64_t> next_{0};
};

// What the threads of one run share.
struct Shared {
  std::shared_ptr<ReadPool> pool;
  std::unique_ptr<BlockReader> reader;
  std::unique_ptr<Blocks> blocks;
};

void ReadBlocks(benchmark::State& state, const std::string& name, int64_t rows,
                int64_t columns, bool library_only) {
  static Shared shared;
  const File& file = File::Of(state.range(0));
  if (!file.ok()) return state.SkipWithError("cannot write the file");
  if (state.thread_index() == 0) {
    shared.pool = std::make_shared<ReadPool>(int64_t{1} << 30);
    shared.reader =
        *NewBlockReader(file.cube(), file.Request(),
                        {.pool = shared.pool, .library_only = library_only});
    shared.blocks = std::make_unique<Blocks>(
        file.layout(), rows > 0 ? rows : file.layout().chunk_rows,
        columns > 0 ? columns : file.layout().chunk_columns);
  }
  // Memory is taken once, at the first block.
  core::Block block;
  if (state.thread_index() == 0) {
    shared.reader->Read(shared.blocks->Next(), &block).IgnoreError();
  }
  int64_t pixels = 0;
  const Watch watch;
  for (auto _ : state) {
    if (!shared.reader->Read(shared.blocks->Next(), &block).ok()) {
      state.SkipWithError("cannot read");
    }
    pixels += block.num_pixels();
  }
  const double seconds = watch.Seconds();
  // Without what fills up the layout.
  int64_t bytes = 0;
  for (const core::SeriesLayout& series : shared.reader->layout().series) {
    bytes += pixels * series.count * core::DataTypeBytes(series.type);
  }
  state.SetBytesProcessed(bytes);
  const double rate = static_cast<double>(bytes * state.threads()) / seconds;
  std::vector<std::string> peers = {"inflate", "H5Dread", "H5Dread_turned"};
  if (rows > 0) peers = {"H5Dread_rows"};
  if (state.threads() > 1) peers.push_back("one_thread");
  Note(state, name, rate, peers);
  state.SetLabel(file.layout().name);
}

void BM_Library(benchmark::State& state) {
  ReadBlocks(state, "library", 0, 0, true);
}
void BM_Fast(benchmark::State& state) {
  ReadBlocks(state, "one_thread", 0, 0, false);
}
void BM_FastRows(benchmark::State& state) {
  ReadBlocks(state, "rows", 1, kLayouts[0].columns, false);
}

// (time, y, x) of `size` at `numbers`, to a block whose pixels are `stride`
// bytes apart.
void Turn(const std::array<hsize_t, 3>& size, const std::byte* numbers,
          int64_t stride, ScatterScratch* scratch, std::byte* block) {
  const auto dates = static_cast<int64_t>(size[0]);
  const auto rows = static_cast<int64_t>(size[1]);
  const auto columns = static_cast<int64_t>(size[2]);
  ScatterShape shape;
  shape.element_bytes = 2;
  shape.chunk_elements = dates * rows * columns;
  shape.dims = {{dates, rows * columns, 2},
                {rows, columns, columns * stride},
                {columns, 1, stride}};
  shape.series = 0;
  shape.streaming =
      rows * columns * stride > BlockReaderOptions().cached_block_bytes;
  const ScatterSource source = {numbers, 0, dates};
  ScatterChunks(shape, absl::MakeConstSpan(&source, 1), scratch, block);
}

// H5Dread of each band, in storage order, into memory that is there, with the
// library's own cache of 1 MiB; `turned`: each band is then turned to pixels.
void PlainReads(benchmark::State& state, const std::string& name, int64_t rows,
                int64_t columns, bool turned) {
  const File& file = File::Of(state.range(0));
  if (!file.ok()) return state.SkipWithError("cannot write the file");
  const Layout& layout = file.layout();
  Blocks blocks(layout, rows > 0 ? rows : layout.chunk_rows,
                columns > 0 ? columns : layout.chunk_columns);
  const h5::Lock lock;
  const h5::File opened(
      H5Fopen(file.path().c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  std::vector<h5::Dataset> bands;
  for (const absl::string_view band : kSimulatedBandNames) {
    bands.emplace_back(
        H5Dopen2(opened.get(), std::string(band).c_str(), H5P_DEFAULT));
  }
  const auto band_bytes = static_cast<size_t>(
      layout.dates * 2 * (rows > 0 ? rows : layout.chunk_rows) *
      (columns > 0 ? columns : layout.chunk_columns));
  Buffer numbers;
  numbers.Reserve(band_bytes * (turned ? 1 : bands.size()));
  Buffer block;
  if (turned) block.Reserve(band_bytes * bands.size());
  ScatterScratch scratch;
  const auto stride = layout.dates * 2 * static_cast<int64_t>(bands.size());
  int64_t bytes = 0;
  const Watch watch;
  for (auto _ : state) {
    const core::Selection selection = blocks.Next();
    const std::array<hsize_t, 3> start = {
        0, static_cast<hsize_t>(selection.extents[0].begin),
        static_cast<hsize_t>(selection.extents[1].begin)};
    const std::array<hsize_t, 3> count = {
        static_cast<hsize_t>(layout.dates),
        static_cast<hsize_t>(selection.extents[0].size()),
        static_cast<hsize_t>(selection.extents[1].size())};
    const h5::Space memory(H5Screate_simple(3, count.data(), nullptr));
    for (size_t b = 0; b < bands.size(); ++b) {
      const h5::Space space(H5Dget_space(bands[b].get()));
      H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr,
                          count.data(), nullptr);
      if (H5Dread(bands[b].get(), H5T_NATIVE_INT16, memory.get(), space.get(),
                  H5P_DEFAULT,
                  numbers.data() + (turned ? 0 : b * band_bytes)) < 0) {
        state.SkipWithError("cannot read");
      }
      if (turned) {
        Turn(count, numbers.data(), stride, &scratch,
             block.data() + b * static_cast<size_t>(layout.dates) * 2);
      }
    }
    FinishStreaming();
    bytes += static_cast<int64_t>(band_bytes * bands.size());
  }
  state.SetBytesProcessed(bytes);
  Note(state, name, static_cast<double>(bytes) / watch.Seconds(), {"inflate"});
  state.SetLabel(layout.name);
}

void BM_H5Dread(benchmark::State& state) {
  PlainReads(state, "H5Dread", 0, 0, false);
}
void BM_H5DreadTurned(benchmark::State& state) {
  PlainReads(state, "H5Dread_turned", 0, 0, true);
}
void BM_H5DreadRows(benchmark::State& state) {
  PlainReads(state, "H5Dread_rows", 1, kLayouts[0].columns, false);
}

// The limit: the same storage chunks, from memory, into memory that stays in
// the processor's cache as far as it fits.
void BM_Inflate(benchmark::State& state) {
  const File& file = File::Of(state.range(0));
  if (!file.ok()) return state.SkipWithError("cannot write the file");
  ReadPool pool(0);
  std::vector<std::vector<std::byte>> chunks;
  size_t chunk_bytes = 0;
  for (const StoredVariable& variable : file.cube()->file().variables) {
    if (variable.read_type != core::DataType::kInt16 ||
        variable.extents.size() != 3 || variable.extents[0] < 100) {
      continue;
    }
    chunk_bytes = variable.plan.pipeline.chunk_bytes;
    const auto dataset = pool.Find(file.cube()->file(), variable);
    if (!dataset.ok()) return state.SkipWithError("cannot read the index");
    (*dataset)->storage.chunks.ForEachWritten(
        [&](int64_t /*ordinal*/, const StorageChunk& chunk) {
          chunks.emplace_back(chunk.bytes);
          if (!file.cube()
                   ->file()
                   .bytes->ReadAt(chunk.address, absl::MakeSpan(chunks.back()))
                   .ok()) {
            state.SkipWithError("cannot read");
          }
        });
  }
  libdeflate_decompressor* const deflate = libdeflate_alloc_decompressor();
  std::vector<std::byte> target(chunk_bytes);
  size_t i = 0;
  const Watch watch;
  for (auto _ : state) {
    const std::vector<std::byte>& chunk = chunks[i++ % chunks.size()];
    if (libdeflate_zlib_decompress(deflate, chunk.data(), chunk.size(),
                                   target.data(), target.size(),
                                   nullptr) != LIBDEFLATE_SUCCESS) {
      state.SkipWithError("cannot decompress");
    }
  }
  libdeflate_free_decompressor(deflate);
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(chunk_bytes));
  Note(state, "inflate",
       static_cast<double>(state.iterations()) *
           static_cast<double>(chunk_bytes) / watch.Seconds(),
       {});
  state.SetLabel(file.layout().name);
}

BENCHMARK(BM_Inflate)->DenseRange(0, 4)->UseRealTime();
BENCHMARK(BM_H5Dread)->DenseRange(0, 4)->UseRealTime();
BENCHMARK(BM_H5DreadTurned)->DenseRange(0, 4)->UseRealTime();
BENCHMARK(BM_Library)->DenseRange(0, 4)->UseRealTime();
BENCHMARK(BM_Fast)->DenseRange(0, 4)->Threads(1)->Threads(2)->UseRealTime();
// All rows of the area, as a job reads them.
BENCHMARK(BM_H5DreadRows)->DenseRange(0, 1)->Iterations(10)->UseRealTime();
BENCHMARK(BM_FastRows)->DenseRange(0, 1)->Iterations(100)->UseRealTime();

// 448 times of range(0) pixels, shuffled: turned while it is put together.
void BM_TransposePlanes(benchmark::State& state) {
  constexpr size_t kTimes = 448;
  const auto pixels = static_cast<size_t>(state.range(0));
  std::vector<std::byte> chunk(kTimes * pixels * 2 + Buffer::kSlack);
  std::vector<std::byte> block(kTimes * pixels * 2);
  std::vector<const std::byte*> rows;
  std::vector<std::byte*> series;
  for (size_t t = 0; t < kTimes; ++t) rows.push_back(&chunk[t * pixels]);
  for (size_t p = 0; p < pixels; ++p) series.push_back(&block[p * kTimes * 2]);
  for (auto _ : state) {
    TransposePlanes(rows, static_cast<std::ptrdiff_t>(kTimes * pixels), 0,
                    series);
    benchmark::DoNotOptimize(block.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(block.size()));
}
BENCHMARK(BM_TransposePlanes)->Arg(100)->Arg(2500);

// 100 KiB of numbers of range(0) bytes.
void BM_Unshuffle(benchmark::State& state) {
  std::vector<std::byte> shuffled(size_t{100} << 10);
  std::vector<std::byte> natural(shuffled.size());
  for (auto _ : state) {
    Unshuffle(shuffled, static_cast<size_t>(state.range(0)), natural.data());
    benchmark::DoNotOptimize(natural.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(natural.size()));
}
BENCHMARK(BM_Unshuffle)->Arg(2)->Arg(4)->Arg(8);

}  // namespace
}  // namespace internode::cube

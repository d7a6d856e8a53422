// How long it takes to index all storage chunks of a dataset, by kind of index,
// beside what libhdf5 takes to count them: the one call that goes through its
// index once.

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "benchmark/benchmark.h"

#include "cube/dataset_storage.h"
#include "cube/h5.h"
#include "tests/unit/cube/stored_dataset.h"

namespace internode::cube {
namespace {

// A file of side^3 storage chunks of one byte, all allocated or written.
class IndexedFile {
 public:
  IndexedFile(ChunkIndexKind kind, int64_t side)
      : path_(std::filesystem::temp_directory_path() /
              ("internode_chunk_index_bench." + std::to_string(getpid()) + "." +
               std::to_string(static_cast<int>(kind)) + "." +
               std::to_string(side))) {
    StoredSpec spec{
        .kind = kind, .extents = {side, side, side}, .chunk = {1, 1, 1}};
    // A dataset of fixed size with room for all chunks would have no index.
    if (kind != ChunkIndexKind::kFixedArray) {
      spec.allocated_early = true;
      spec.written = [](int64_t) { return false; };
    }
    WriteStored(path_, spec);
    request_ = RequestOf(path_);
    const int descriptor = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    source_ = *FileByteSource::Of(descriptor, path_);
    close(descriptor);
  }
  ~IndexedFile() { std::filesystem::remove(path_); }
  IndexedFile(const IndexedFile&) = delete;
  IndexedFile& operator=(const IndexedFile&) = delete;

  const std::string& path() const { return path_; }
  const DatasetStorageRequest& request() const { return request_; }
  const ByteSource& source() const { return *source_; }

  // Each is made once.
  static const IndexedFile& Of(const benchmark::State& state) {
    static std::map<std::pair<int64_t, int64_t>, std::unique_ptr<IndexedFile>>
        files;
    std::unique_ptr<IndexedFile>& file =
        files[{state.range(0), state.range(1)}];
    if (file == nullptr) {
      file = std::make_unique<IndexedFile>(
          static_cast<ChunkIndexKind>(state.range(0)), state.range(1));
    }
    return *file;
  }

 private:
  const std::string path_;
  DatasetStorageRequest request_;
  std::unique_ptr<FileByteSource> source_;
};

void SetLabel(benchmark::State& state, int64_t num_chunks) {
  state.SetItemsProcessed(state.iterations() * num_chunks);
  state.SetLabel(std::string(
      ChunkIndexKindName(static_cast<ChunkIndexKind>(state.range(0)))));
}

void BM_Index(benchmark::State& state) {
  const IndexedFile& file = IndexedFile::Of(state);
  int64_t num_written = 0;
  int64_t bytes = 0;
  for (auto _ : state) {
    const auto storage = ReadDatasetStorage(file.source(), file.request());
    if (!storage.ok()) {
      state.SkipWithError(storage.status().ToString().c_str());
      break;
    }
    num_written = storage->chunks.num_written();
    bytes = storage->chunks.memory_bytes();
  }
  if (num_written != state.range(1) * state.range(1) * state.range(1)) {
    state.SkipWithError("not all chunks are indexed");
  }
  state.counters["memory"] = static_cast<double>(bytes);
  SetLabel(state, num_written);
}

void BM_LibraryCounts(benchmark::State& state) {
  const IndexedFile& file = IndexedFile::Of(state);
  hsize_t count = 0;
  for (auto _ : state) {
    h5::Lock lock;
    const h5::File opened(
        H5Fopen(file.path().c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    const h5::Dataset dataset(H5Dopen2(opened.get(), "data", H5P_DEFAULT));
    const h5::Space space(H5Dget_space(dataset.get()));
    if (H5Dget_num_chunks(dataset.get(), space.get(), &count) < 0) {
      state.SkipWithError("cannot count");
      break;
    }
  }
  SetLabel(state, static_cast<int64_t>(count));
}

void AllKinds(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"kind", "side"})->Unit(benchmark::kMillisecond);
  for (const int64_t side : {46, 100}) {
    for (const ChunkIndexKind kind :
         {ChunkIndexKind::kImplicit, ChunkIndexKind::kFixedArray,
          ChunkIndexKind::kExtensibleArray, ChunkIndexKind::kBTree1,
          ChunkIndexKind::kBTree2}) {
      bench->Args({static_cast<int64_t>(kind), side});
    }
  }
}
BENCHMARK(BM_Index)->Apply(AllKinds);
BENCHMARK(BM_LibraryCounts)->Apply(AllKinds);

}  // namespace
}  // namespace internode::cube

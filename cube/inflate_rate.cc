#include "cube/inflate_rate.h"

#include <libdeflate.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "cube/chunk_index.h"
#include "cube/cube_file.h"
#include "cube/dataset_storage.h"
#include "cube/ordered_work.h"

namespace internode::cube {
namespace {

constexpr int64_t kBatchBytes = int64_t{64} << 20;
// Of a checksum.
constexpr size_t kChecksumBytes = 4;

// A storage chunk that waits in memory.
struct Compressed {
  std::vector<std::byte> bytes;
  size_t raw_bytes = 0;
};

class Decompressor {
 public:
  Decompressor() : inflater_(libdeflate_alloc_decompressor()) {}
  ~Decompressor() { libdeflate_free_decompressor(inflater_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  absl::Status Run(const Compressed& chunk) {
    if (scratch_.size() < chunk.raw_bytes) scratch_.resize(chunk.raw_bytes);
    size_t got = 0;
    if (libdeflate_zlib_decompress(
            inflater_, chunk.bytes.data(), chunk.bytes.size(), scratch_.data(),
            chunk.raw_bytes, &got) != LIBDEFLATE_SUCCESS) {
      return absl::DataLossError("the deflated data are damaged");
    }
    return absl::OkStatus();
  }

 private:
  libdeflate_decompressor* const inflater_;
  std::vector<std::byte> scratch_;
};

// What of a stored chunk is deflated: false where nothing is, or something that
// was done to it afterwards is in the way.
bool FindDeflated(const FilterPipeline& pipeline, uint32_t mask,
                  size_t* checksums_after, size_t* raw_bytes) {
  *checksums_after = 0;
  *raw_bytes = pipeline.chunk_bytes;
  for (size_t f = pipeline.filters.size(); f-- > 0;) {
    if ((mask >> f & 1) != 0) continue;
    if (pipeline.filters[f] == ChunkFilter::kShuffle) return false;
    if (pipeline.filters[f] == ChunkFilter::kFletcher32) {
      ++*checksums_after;
      continue;
    }
    for (size_t before = 0; before < f; ++before) {
      if (pipeline.filters[before] == ChunkFilter::kFletcher32 &&
          (mask >> before & 1) == 0) {
        *raw_bytes += kChecksumBytes;
      }
    }
    return true;
  }
  return false;
}

class Measurement {
 public:
  Measurement(const Cube& cube, int threads, int64_t most_raw_bytes)
      : cube_(cube), threads_(threads), most_raw_bytes_(most_raw_bytes) {
    for (int t = 0; t < threads; ++t) {
      decompressors_.push_back(std::make_unique<Decompressor>());
    }
  }

  absl::Status Add(size_t variable) {
    const StoredVariable& stored = cube_.file().variables[variable];
    if (!stored.plan.library_reason.empty()) return absl::OkStatus();
    INTERNODE_ASSIGN_OR_RETURN(
        const DatasetStorage storage,
        ReadDatasetStorage(*cube_.file().bytes, stored.plan.request));
    absl::Status status;
    storage.chunks.ForEachWritten([&](int64_t, const StorageChunk& chunk) {
      if (status.ok() && Wanted()) status = Load(stored.plan.pipeline, chunk);
    });
    INTERNODE_RETURN_IF_ERROR(status);
    return RunBatch();
  }

  const InflateRate& rate() const { return rate_; }

 private:
  bool Wanted() const {
    return rate_.raw_bytes + batch_raw_bytes_ < most_raw_bytes_;
  }

  absl::Status Load(const FilterPipeline& pipeline, const StorageChunk& chunk) {
    size_t checksums = 0;
    Compressed compressed;
    if (!FindDeflated(pipeline, chunk.filter_mask, &checksums,
                      &compressed.raw_bytes) ||
        chunk.bytes <= checksums * kChecksumBytes) {
      return absl::OkStatus();
    }
    compressed.bytes.resize(chunk.bytes - checksums * kChecksumBytes);
    INTERNODE_RETURN_IF_ERROR(cube_.file().bytes->ReadAt(
        chunk.address, absl::MakeSpan(compressed.bytes)));
    batch_stored_bytes_ += static_cast<int64_t>(compressed.bytes.size());
    batch_raw_bytes_ += static_cast<int64_t>(compressed.raw_bytes);
    batch_.push_back(std::move(compressed));
    return batch_stored_bytes_ < kBatchBytes ? absl::OkStatus() : RunBatch();
  }

  absl::Status RunBatch() {
    const absl::Time start = absl::Now();
    absl::Status status =
        RunWork(threads_, static_cast<int64_t>(batch_.size()), nullptr,
                [this](int thread, int64_t number) {
                  return decompressors_[static_cast<size_t>(thread)]->Run(
                      batch_[static_cast<size_t>(number)]);
                });
    rate_.seconds += absl::ToDoubleSeconds(absl::Now() - start);
    rate_.chunks += static_cast<int64_t>(batch_.size());
    rate_.stored_bytes += batch_stored_bytes_;
    rate_.raw_bytes += batch_raw_bytes_;
    batch_.clear();
    batch_stored_bytes_ = 0;
    batch_raw_bytes_ = 0;
    return status;
  }

  const Cube& cube_;
  const int threads_;
  const int64_t most_raw_bytes_;
  std::vector<std::unique_ptr<Decompressor>> decompressors_;
  std::vector<Compressed> batch_;
  int64_t batch_stored_bytes_ = 0;
  int64_t batch_raw_bytes_ = 0;
  InflateRate rate_;
};

}  // namespace

absl::StatusOr<InflateRate> MeasureInflate(const Cube& cube,
                                           const std::vector<size_t>& variables,
                                           int threads,
                                           int64_t most_raw_bytes) {
  Measurement measurement(cube, threads, most_raw_bytes);
  for (const size_t variable : variables) {
    const absl::Status status = measurement.Add(variable);
    if (!status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("'", cube.info().path, "', variable '",
                                       cube.info().variables[variable].name,
                                       "': ", status.message()));
    }
  }
  return measurement.rate();
}

}  // namespace internode::cube
